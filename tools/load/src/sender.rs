//! A connection that sends one export over and over and waits for each answer.

mod grpc;
mod http;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::ValueEnum;
use otlp_codec::Signal;
use tokio_rustls::rustls::ClientConfig;

use self::grpc::GrpcSender;
use self::http::HttpSender;
use crate::payload::Body;

/// How exports are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC, a connection for each sender.
    Grpc,
}

/// What is sent where.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// How.
    pub transport: Transport,
    /// The path that is posted to, of HTTP.
    pub path: String,
    /// The signal, which names the service of gRPC.
    pub signal: Signal,
    /// What.
    pub body: Body,
    /// For TLS; over HTTP alone.
    pub tls: Option<Arc<ClientConfig>>,
}

/// What a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200, or OK.
    Accepted,
    /// Another status of HTTP, or code of gRPC.
    Refused(u16),
}

/// One connection that is kept alive.
pub enum Sender {
    /// Over HTTP/1.1.
    Http(HttpSender),
    /// Over HTTP/2.
    Grpc(GrpcSender),
}

impl Sender {
    /// Connects.
    ///
    /// # Errors
    ///
    /// If nobody listens there, or the target makes no request: gRPC takes protobuf alone, and
    /// profiles have no path of a stable version.
    pub async fn connect(target: &Target) -> io::Result<Self> {
        Ok(match target.transport {
            Transport::Http => Self::Http(HttpSender::connect(target).await?),
            Transport::Grpc => Self::Grpc(GrpcSender::connect(target).await?),
        })
    }

    /// Sends once and waits for the answer.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the answer makes no sense. The sender is of no use then.
    pub async fn send(&mut self) -> io::Result<Answer> {
        match self {
            Self::Http(sender) => sender.send().await,
            Self::Grpc(sender) => sender.send().await,
        }
    }
}
