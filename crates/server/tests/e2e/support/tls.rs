//! Certificates, and clients that speak TLS.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use super::http::Http;
use super::patient;

/// A connection with TLS.
pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Who signs certificates in a test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub(crate) struct Pair {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this machine.
    pub(crate) fn issue(&self) -> Pair {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).unwrap();
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.0).unwrap();
        Pair {
            cert: cert.pem(),
            key: key.serialize_pem(),
        }
    }

    /// A client that trusts this authority alone, speaks these versions, and shows a certificate
    /// if it has one.
    pub(crate) fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        pair: Option<&Pair>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.pem())).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match pair {
            Some(Pair { cert, key }) => {
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                let config = builder.with_client_auth_cert(vec![certificate(cert)], key);
                config.unwrap()
            }
            None => builder.with_no_client_auth(),
        })
    }

    /// The same for gRPC.
    pub(crate) fn grpc_client(&self, pair: Option<&Pair>) -> ClientTlsConfig {
        let config = ClientTlsConfig::new()
            .domain_name("localhost")
            .ca_certificate(Certificate::from_pem(self.pem()));
        match pair {
            Some(Pair { cert, key }) => config.identity(Identity::from_pem(cert, key)),
            None => config,
        }
    }
}

/// The first certificate of a PEM.
pub(crate) fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// The name that certificates here are for.
pub(crate) fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

impl Http<TlsStream> {
    /// Connects, and waits for the handshake's end. With TLS 1.3, the relay judges a client's
    /// certificate after that.
    pub(crate) fn tls(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let mut tls = ClientConnection::new(Arc::clone(config), localhost()).unwrap();
        let mut socket = patient(TcpStream::connect(address)?);
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Self::new(StreamOwned::new(tls, socket)))
    }

    /// The certificate that the relay showed.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        let shown = self.stream().conn.peer_certificates().unwrap();
        shown[0].clone().into_owned()
    }
}

/// A folder of files that goes when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("otlp-relay-e2e-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Writes a file at once, as whoever replaces certificates does. Its path.
    pub(crate) fn write(&self, name: &str, contents: &str) -> String {
        let (path, new) = (self.0.join(name), self.0.join("new"));
        std::fs::write(&new, contents).unwrap();
        std::fs::rename(&new, &path).unwrap();
        path.into_os_string().into_string().unwrap()
    }
}

/// Writes a certificate and its key over those that are there; the flags that name them.
pub(crate) fn tls_flags(folder: &Folder, pair: &Pair) -> [String; 4] {
    [
        "--tls-cert".to_owned(),
        folder.write("cert.pem", &pair.cert),
        "--tls-key".to_owned(),
        folder.write("key.pem", &pair.key),
    ]
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
