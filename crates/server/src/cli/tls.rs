//! The flags of TLS.

use std::path::PathBuf;

use clap::Args;

use crate::config::TlsConfig;

#[derive(Debug, Args)]
pub(super) struct TlsArgs {
    /// A certificate, with those behind it that lead to an authority, as PEM: every address
    /// speaks TLS then
    #[arg(
        long,
        value_name = "FILE",
        env = "OTLP_RELAY_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, as PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "OTLP_RELAY_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,

    /// Authorities, as PEM: every client has to show a certificate of one of them (mTLS)
    #[arg(
        long,
        value_name = "FILE",
        env = "OTLP_RELAY_TLS_CLIENT_CA",
        requires = "tls_cert"
    )]
    tls_client_ca: Option<PathBuf>,
}

impl TlsArgs {
    pub(super) fn into_config(self) -> Option<TlsConfig> {
        // clap has seen to it that they come together.
        Some(TlsConfig {
            cert: self.tls_cert?,
            key: self.tls_key?,
            client_ca: self.tls_client_ca,
        })
    }
}
