//! Why files can't be used for TLS. No message holds what stands in them.

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem;
use thiserror::Error;

use crate::config::TlsConfig;
use crate::files;

/// What the file of the key should hold.
pub(super) const PRIVATE_KEY: &str = "private key";

/// Files that can't be used for TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    /// One can't be read.
    #[error(
        "the file {path} for TLS can't be read: {source}{}",
        files::hint(source)
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One doesn't hold what it should, as PEM.
    #[error("the file {path} for TLS holds no {expected} as PEM{}", because(source.as_ref()))]
    Pem {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
        /// Where the text is broken, if it is.
        source: Option<pem::Error>,
    },
    /// The certificate or its key is of no use, or they don't belong together.
    #[error("the certificate {cert} with the key {key} can't be used: {source}")]
    Pair {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// A certificate that should vouch for clients can't.
    #[error("the file {path} holds a certificate that can't vouch for clients: {source}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What rustls said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl TlsError {
    /// The setting that names the file, one of those of `config`.
    pub(crate) fn setting(&self, config: &TlsConfig) -> &'static str {
        match self {
            // One file may hold both.
            Self::Pem { expected, .. } if *expected == PRIVATE_KEY => "tls-key",
            Self::Read { path, .. } | Self::Pem { path, .. } if *path == config.cert => "tls-cert",
            Self::Read { path, .. } if *path == config.key => "tls-key",
            Self::Read { .. } | Self::Pem { .. } | Self::Authority { .. } => "tls-client-ca",
            Self::Pair { .. } => "tls-cert",
        }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Read { path, source }
    }

    pub(super) fn nothing(path: &Path, expected: &'static str) -> Self {
        Self::Pem {
            path: path.to_owned(),
            expected,
            source: None,
        }
    }

    pub(super) fn pem(path: &Path, expected: &'static str, source: pem::Error) -> Self {
        let broken = !matches!(source, pem::Error::NoItemsFound);
        Self::Pem {
            path: path.to_owned(),
            expected,
            source: broken.then_some(source),
        }
    }

    pub(super) fn pair(config: &TlsConfig, source: rustls::Error) -> Self {
        Self::Pair {
            cert: config.cert.clone(),
            key: config.key.clone(),
            source,
        }
    }

    pub(super) fn authority(
        path: &Path,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Authority {
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

/// The reason behind a colon, if there is one. pem's own text may quote a line, which may be of
/// a key.
fn because(source: Option<&pem::Error>) -> &'static str {
    match source {
        None => "",
        Some(pem::Error::MissingSectionEnd { .. }) => ": an END line is missing",
        Some(pem::Error::IllegalSectionStart { .. }) => ": a BEGIN line is broken",
        Some(pem::Error::Base64Decode(_)) => ": what stands there is not base64",
        Some(_) => ": it can't be parsed",
    }
}
