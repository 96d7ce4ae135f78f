//! Files for TLS that are good, broken and changing.

use std::fs;
use std::path::PathBuf;

use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A folder of files that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("otlp-relay-tls-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// A certificate and its key, in files.
    fn pair(&self) -> TlsConfig {
        let (cert, key) = pair();
        TlsConfig {
            cert: self.write("cert.pem", &cert),
            key: self.write("key.pem", &key),
            client_ca: None,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A certificate and its key, as PEM.
fn pair() -> (String, String) {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn read(config: &TlsConfig) -> Result<Tls, TlsError> {
    Tls::read(config.clone(), Arc::default())
}

/// Scenario: a chain of two certificates, of which the second expires first; then another file
/// that takes its place.
/// Guarantees: the relay tells when the first of them expires, and what is in force.
#[test]
fn it_is_known_when_a_certificate_expires() {
    let folder = Folder::new("expiry");
    let names = vec!["localhost".to_owned()];
    let signing_key = KeyPair::generate().unwrap();
    let certificate = |year| {
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        params.self_signed(&signing_key).unwrap().pem()
    };
    let config = TlsConfig {
        cert: folder.write("cert.pem", &(certificate(2040) + &certificate(2035))),
        key: folder.write("key.pem", &signing_key.serialize_pem()),
        client_ca: None,
    };
    let tls = read(&config).unwrap();
    // 2035-01-01 and 2041-01-01, at midnight.
    assert_eq!(tls.expires(), Some(2_051_222_400));
    folder.write("cert.pem", &certificate(2041));
    tls.reload().unwrap();
    assert_eq!(tls.expires(), Some(2_240_611_200));
}

/// Scenario: each of the files is missing, empty, no PEM, broken base64, of the wrong kind, or
/// of another pair.
/// Guarantees: an error that names the file and says what is wrong, without a word of its text.
#[test]
fn bad_files_are_explained() {
    let folder = Folder::new("bad");
    let good = folder.pair();
    assert!(read(&good).is_ok());
    let (other_cert, other_key) = pair();
    let broken = other_key.replacen('M', "!", 1);
    let key = fs::read_to_string(&good.key).unwrap();
    for (name, contents, why) in [
        ("empty", "", "no certificate"),
        ("text", "secret", "no certificate"),
        ("of-a-key", &key, "no certificate"),
        ("cut", &other_cert[..200], "END line"),
        ("other", &other_cert, "can't be used"),
    ] {
        let cert = folder.write(name, contents);
        let message = error(&TlsConfig {
            cert: cert.clone(),
            ..good.clone()
        });
        assert!(message.contains(cert.to_str().unwrap()), "{message}");
        assert!(
            message.contains(why) && !message.contains("secret"),
            "{message}"
        );
    }
    for (name, contents, why) in [
        ("none", "", "no private key"),
        ("of-a-cert", &other_cert, "no private key"),
        ("broken", &broken, "not base64"),
        ("other-key", &other_key, "can't be used"),
    ] {
        let key = folder.write(name, contents);
        let message = error(&TlsConfig {
            key: key.clone(),
            ..good.clone()
        });
        assert!(message.contains(key.to_str().unwrap()), "{message}");
        assert!(message.contains(why), "{message}");
    }
    for (name, contents, why) in [
        ("nobody", "", "no certificate"),
        ("key", &key, "no certificate"),
    ] {
        let client_ca = Some(folder.write(name, contents));
        let message = error(&TlsConfig {
            client_ca,
            ..good.clone()
        });
        assert!(message.contains(name) && message.contains(why), "{message}");
    }
    let missing = TlsConfig {
        key: folder.0.join("missing"),
        ..good
    };
    assert!(error(&missing).contains("can't be read"));
}

fn error(config: &TlsConfig) -> String {
    read(config).err().expect("it can't be used").to_string()
}

/// Scenario: the certificate changes before its key, as files do that are replaced one by one.
/// Guarantees: the half of a change is told once and changes nothing; the whole counts.
#[test]
fn a_change_counts_when_it_is_whole() {
    let folder = Folder::new("change");
    let tls = read(&folder.pair()).unwrap();
    assert!(tls.reload_if_changed().is_none());
    let (first, grpc) = (current(&tls, Inside::Http), current(&tls, Inside::Grpc));
    assert_eq!(first.alpn_protocols, [b"http/1.1", b"http/1.0"]);
    assert_eq!(grpc.alpn_protocols, [b"h2"]);

    let (cert, key) = pair();
    folder.write("cert.pem", &cert);
    assert!(tls.reload_if_changed().unwrap().is_err());
    assert!(tls.reload_if_changed().is_none());
    assert!(tls.reload().is_err());
    assert!(Arc::ptr_eq(&current(&tls, Inside::Http), &first));
    folder.write("key.pem", &key);
    assert!(tls.reload_if_changed().unwrap().is_ok());
    assert!(!Arc::ptr_eq(&current(&tls, Inside::Http), &first));
    assert!(tls.reload_if_changed().is_none());
    assert!(tls.reload().is_ok());
}

fn current(tls: &Tls, inside: Inside) -> Arc<ServerConfig> {
    Arc::clone(tls.acceptor(inside).config())
}

/// Scenario: clients that connect and say nothing, a part of a handshake, something else, and
/// that go at once.
/// Guarantees: none has longer than the limit; each is counted where it came in, but for the last,
/// which is no more than a probe.
#[tokio::test]
async fn a_handshake_has_a_limit() {
    let folder = Folder::new("limit");
    let counters = Arc::new(Counters::default());
    let tls = Tls::read(folder.pair(), Arc::clone(&counters)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limit = Duration::from_millis(50);
    for said in [&b""[..], &[HANDSHAKE, 3, 1, 0, 200]] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(said).await.unwrap();
        let (io, _) = listener.accept().await.unwrap();
        let error = tls
            .accept(io, Listener::Metrics, limit)
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1").await.unwrap();
    let (io, _) = listener.accept().await.unwrap();
    let other = tls.accept(io, Listener::Metrics, Duration::MAX).await;
    let Ok(Handshake::NotTls(mut io)) = other else {
        panic!("it is not TLS");
    };
    assert_eq!(io.read_u8().await.unwrap(), b'G');
    drop(TcpStream::connect(address).await.unwrap());
    let (io, _) = listener.accept().await.unwrap();
    let gone = tls.accept(io, Listener::Metrics, Duration::MAX).await;
    assert_eq!(gone.err().unwrap().kind(), io::ErrorKind::ConnectionAborted);
    assert_eq!(counters.totals().failed_handshakes, 3);
    let listener = Listener::Metrics;
    assert_eq!(counters.connecting.failed_handshakes.get(listener), 3);
}
