//! TLS for a run: a certificate that is good for this machine, and clients that trust it.

use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A certificate in files, which go when this is dropped.
#[derive(Debug)]
pub struct Identity {
    folder: TempDir,
    client: Arc<ClientConfig>,
}

impl Identity {
    /// Makes one that signs itself.
    ///
    /// # Errors
    ///
    /// If the files can't be written.
    pub fn new() -> Result<Self> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)?;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(CERTIFICATE), cert.pem())?;
        fs::write(folder.path().join(KEY), signing_key.serialize_pem())?;
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone())?;
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            folder,
            client: Arc::new(client),
        })
    }

    /// What a relay is told to show it.
    ///
    /// # Errors
    ///
    /// If the folder for temporary files has a name that is no text.
    pub fn args(&self) -> Result<[String; 4]> {
        let path = |name| {
            let path = self.folder.path().join(name);
            let text = path.to_str().map(str::to_owned);
            text.with_context(|| format!("{} is no text", path.display()))
        };
        Ok([
            "--tls-cert".to_owned(),
            path(CERTIFICATE)?,
            "--tls-key".to_owned(),
            path(KEY)?,
        ])
    }

    /// Clients that trust it alone.
    #[must_use]
    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }
}

const CERTIFICATE: &str = "cert.pem";
const KEY: &str = "key.pem";
