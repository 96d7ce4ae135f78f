//! The flags of CORS.

use std::time::Duration;

use clap::Args;

use super::values;
use crate::cors::{AllowedHeader, CorsConfig};
use crate::gate::OriginPattern;

#[derive(Debug, Args)]
pub(super) struct CorsArgs {
    /// Web origins whose pages may send to /v1/..., like `https://app.example.com`,
    /// `https://*.example.com` or `*` [default: none]
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "OTLP_RELAY_CORS_ALLOWED_ORIGINS",
        value_delimiter = ','
    )]
    cors_allowed_origins: Vec<OriginPattern>,

    /// Headers that such pages may set besides Content-Type and Content-Encoding, like
    /// `Authorization`, or `*` [default: none]
    #[arg(
        long,
        value_name = "HEADER",
        env = "OTLP_RELAY_CORS_ALLOWED_HEADERS",
        value_delimiter = ','
    )]
    cors_allowed_headers: Vec<AllowedHeader>,

    /// How long browsers may remember that they may [default: up to them, 5s]
    #[arg(
        long,
        value_name = "TIME",
        env = "OTLP_RELAY_CORS_MAX_AGE",
        value_parser = values::time
    )]
    cors_max_age: Option<Duration>,
}

impl CorsArgs {
    pub(super) fn into_config(self) -> CorsConfig {
        CorsConfig {
            allowed_origins: self.cors_allowed_origins,
            allowed_headers: self.cors_allowed_headers,
            max_age: self.cors_max_age,
        }
    }
}
