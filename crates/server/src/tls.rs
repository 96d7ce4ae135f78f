//! TLS (RFC 8446, and 1.2 for older clients) by rustls, on every listener.
//!
//! The certificate, its key and the authorities of clients come from PEM files (RFC 7468). They
//! are read at the start, on SIGHUP and when they change; files that can't be used leave
//! everything as it was. Connections keep what they began with: a reload ends none.

mod error;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::config::TlsConfig;
use crate::counters::Counters;
use crate::counters::labels::Listener;
use crate::files::{self, Digest, Seen};
use crate::throttle::Throttle;

use error::PRIVATE_KEY;
pub use error::TlsError;

/// A connection, with TLS or without.
pub type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The longest file, in bytes: enough for the authorities of a system.
const MAX_FILE: u64 = 1 << 20;
/// The first byte of a client's first record (RFC 8446, section 5.1: `handshake`).
const HANDSHAKE: u8 = 22;

/// The certificates in force.
pub struct Tls {
    config: RwLock<TlsConfig>,
    seen: Seen,
    current: RwLock<Current>,
    counters: Arc<Counters>,
    warnings: Throttle,
}

/// What new connections are served with.
struct Current {
    http: Arc<ServerConfig>,
    grpc: Arc<ServerConfig>,
    /// When the first certificate of the chain expires, in seconds since 1970.
    expires: Option<i64>,
}

/// What is spoken inside (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// HTTP/1.1, and 1.0: `curl --http1.0` offers nothing else.
    Http,
    /// HTTP/2.
    Grpc,
}

impl From<Listener> for Inside {
    fn from(listener: Listener) -> Self {
        match listener {
            Listener::Http | Listener::Metrics => Self::Http,
            Listener::Grpc => Self::Grpc,
        }
    }
}

impl Inside {
    /// Its names in a handshake, the best first.
    const fn protocols(self) -> &'static [&'static [u8]] {
        match self {
            Self::Http => &[b"http/1.1", b"http/1.0"],
            Self::Grpc => &[b"h2"],
        }
    }
}

/// Files that were read again and not put into force yet.
pub(crate) struct Prepared {
    config: TlsConfig,
    seen: Digest,
    current: Current,
}

#[derive(Hash)]
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// How a handshake ended.
pub enum Handshake {
    /// There is TLS now.
    Done(Stream),
    /// The client speaks something else: its first byte is not one of TLS, and is not read yet.
    NotTls(TcpStream),
}

impl Tls {
    /// Reads the files. Handshakes that fail are counted.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn read(config: TlsConfig, counters: Arc<Counters>) -> Result<Self, TlsError> {
        let Prepared {
            config,
            seen,
            current,
        } = prepare(config).1?;
        Ok(Self {
            seen: Seen::new(seen),
            current: RwLock::new(current),
            config: RwLock::new(config),
            counters,
            warnings: Throttle::default(),
        })
    }

    /// Reads the files again.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; everything is as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let prepared = self.prepare(self.config())?;
        self.put_into_force(prepared);
        Ok(())
    }

    /// Reads the files again if they changed. A change that can't be used is told once.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; everything is as it was.
    pub fn reload_if_changed(&self) -> Option<Result<(), TlsError>> {
        let (seen, prepared) = prepare(self.config());
        let changes = self.seen.changes(seen);
        changes.then(|| {
            self.put_into_force(prepared?);
            Ok(())
        })
    }

    /// Reads the files of `config`, which may be others than before; nothing changes yet. What is
    /// good counts as seen once it is in force, as with [`crate::tokens`].
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub(crate) fn prepare(&self, config: TlsConfig) -> Result<Prepared, TlsError> {
        let is_ours = config == self.config();
        let (seen, prepared) = prepare(config);
        if is_ours && prepared.is_err() {
            self.seen.changes(seen);
        }
        prepared
    }

    /// Serves new connections with files that were read before.
    pub(crate) fn put_into_force(&self, prepared: Prepared) {
        let Prepared {
            config,
            seen,
            current,
        } = prepared;
        self.seen.changes(seen);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }

    /// Whether clients have to show a certificate.
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        self.config().client_ca.is_some()
    }

    /// Where the files are.
    pub(crate) fn config(&self) -> TlsConfig {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        config.clone()
    }

    /// When the first certificate of the chain expires that is in force, in seconds since 1970.
    pub(crate) fn expires(&self) -> Option<i64> {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).expires
    }

    fn acceptor(&self, inside: Inside) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let config = match inside {
            Inside::Http => &current.http,
            Inside::Grpc => &current.grpc,
        };
        Arc::clone(config).into()
    }

    /// Begins TLS with a client of this listener, which may take so long.
    ///
    /// # Errors
    ///
    /// What the client did wrong, its going, or [`io::ErrorKind::TimedOut`]; counted and logged.
    /// [`io::ErrorKind::ConnectionAborted`] if it went without a word, as probes do; that is
    /// neither.
    pub(crate) async fn accept(
        &self,
        io: TcpStream,
        listener: Listener,
        limit: Duration,
    ) -> io::Result<Handshake> {
        let peer = io.peer_addr();
        let handshake =
            async { timeout(limit, shake_hands(io, self.acceptor(listener.into()))).await? };
        let ended = handshake.await;
        let why: &dyn Display = match &ended {
            Ok(Handshake::Done(_)) => return ended,
            // Who only looks whether the port is open has not failed.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return ended,
            Ok(Handshake::NotTls(_)) => &"the client speaks no TLS",
            Err(error) => error,
        };
        self.counters.handshake_failed(listener);
        if let Some(more) = self.warnings.pass() {
            let peer = peer.map_or_else(|_| "unknown".to_owned(), |peer| peer.to_string());
            tracing::warn!(peer, not_said_before = more, "TLS could not begin: {why}");
        }
        ended
    }
}

async fn shake_hands(io: TcpStream, acceptor: TlsAcceptor) -> io::Result<Handshake> {
    let mut first = [0];
    match io.peek(&mut first).await? {
        0 => return Err(io::ErrorKind::ConnectionAborted.into()),
        _ if first[0] != HANDSHAKE => return Ok(Handshake::NotTls(io)),
        _ => {}
    }
    let stream = acceptor.accept(io).await?;
    Ok(Handshake::Done(Either::Right(Box::new(stream))))
}

/// Reads files: what is there, and what to serve with if they can be used.
fn prepare(config: TlsConfig) -> (Digest, Result<Prepared, TlsError>) {
    let files = Files::read(&config);
    let seen = Digest::of(&files);
    let prepared = files.and_then(|files| {
        let current = Current::new(&config, &files)?;
        Ok(Prepared {
            config,
            seen,
            current,
        })
    });
    (seen, prepared)
}

impl Current {
    fn new(config: &TlsConfig, files: &Files) -> Result<Self, TlsError> {
        let chain = certificates(&files.cert, &config.cert)?;
        let expires = chain.iter().filter_map(expiry).min();
        let key = private_key(&files.key, &config.key)?;
        let provider = Arc::new(ring::default_provider());
        let clients = match (&config.client_ca, &files.client_ca) {
            (Some(path), Some(pem)) => verifier(pem, path)?,
            _ => Arc::new(NoClientAuth),
        };
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::pair(config, source))?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .map_err(|source| TlsError::pair(config, source))?;
        let speaking = |inside: Inside| {
            let mut server = server.clone();
            server.alpn_protocols = inside
                .protocols()
                .iter()
                .map(|name| name.to_vec())
                .collect();
            Arc::new(server)
        };
        Ok(Self {
            http: speaking(Inside::Http),
            grpc: speaking(Inside::Grpc),
            expires,
        })
    }
}

impl Files {
    fn read(config: &TlsConfig) -> Result<Self, TlsError> {
        Ok(Self {
            cert: read(&config.cert)?,
            key: read(&config.key)?,
            client_ca: config.client_ca.as_deref().map(read).transpose()?,
        })
    }
}

/// What is wrong with each of the files, taken for itself.
pub(crate) fn faults(config: &TlsConfig) -> Vec<TlsError> {
    let cert = read(&config.cert).and_then(|pem| certificates(&pem, &config.cert));
    let key = read(&config.key).and_then(|pem| private_key(&pem, &config.key));
    let authorities = config.client_ca.as_deref();
    let authorities = authorities.map(|path| read(path).and_then(|pem| verifier(&pem, path)));
    let faults = [
        cert.err(),
        key.err(),
        authorities.and_then(|authorities| authorities.err()),
    ];
    faults.into_iter().flatten().collect()
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    files::read(path, MAX_FILE).map_err(|source| TlsError::read(path, source))
}

fn private_key(pem: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|source| TlsError::pem(path, PRIVATE_KEY, source))
}

/// What asks every client for a certificate of one of these authorities.
fn verifier(pem: &[u8], path: &Path) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, path)? {
        let added = roots.add(certificate);
        added.map_err(|source| TlsError::authority(path, source))?;
    }
    let provider = Arc::new(ring::default_provider());
    WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .map_err(|source| TlsError::authority(path, source))
}

/// When a certificate expires, in seconds since 1970.
fn expiry(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// The certificates of a file, of which there is one at least.
fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|source| TlsError::pem(path, "certificate", source))?;
    match chain.is_empty() {
        true => Err(TlsError::nothing(path, "certificate")),
        false => Ok(chain),
    }
}
