//! Clients that send good exports at a steady pace, each over a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::World;
use crate::door::{Door, Leaves, PATIENCE};
use crate::tally::Fault;

/// Clients of each transport.
pub(crate) const EACH: usize = 3;
/// How many exports a client sends before it connects anew.
const LIFE: u32 = 500;

/// How exports are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Grpc,
}

/// A connection that requests are sent over.
pub(crate) enum Connection {
    Http(http1::SendRequest<Full<Bytes>>),
    Grpc(http2::SendRequest<Full<Bytes>>),
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A status of HTTP.
    Http(u16),
    /// A code of gRPC.
    Grpc(u16),
}

impl Answer {
    /// Whether it says to try again (OTLP spec, "Retryable Response Codes").
    fn may_be_sent_again(self) -> bool {
        matches!(self, Self::Http(429 | 502 | 503 | 504) | Self::Grpc(14))
    }
}

impl Connection {
    pub(crate) async fn open(door: &Door, transport: Transport) -> Result<Self> {
        Ok(match transport {
            Transport::Http => {
                let io = TokioIo::new(door.http(Leaves::Quietly).await?);
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(connection);
                Self::Http(sender)
            }
            Transport::Grpc => {
                let io = TokioIo::new(door.grpc().await?);
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(connection);
                Self::Grpc(sender)
            }
        })
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        timeout(PATIENCE, async {
            match self {
                Self::Http(sender) => {
                    sender.ready().await?;
                    let (head, body) = sender.send_request(request).await?.into_parts();
                    body.collect().await?;
                    Ok(Answer::Http(head.status.as_u16()))
                }
                Self::Grpc(sender) => {
                    sender.ready().await?;
                    let (head, body) = sender.send_request(request).await?.into_parts();
                    let body = body.collect().await?;
                    // An answer without a message has its status in the head.
                    let trailers = body.trailers().unwrap_or(&head.headers);
                    let status = trailers.get("grpc-status");
                    let status = status.ok_or_else(|| anyhow!("an answer without a status"))?;
                    Ok(Answer::Grpc(status.to_str()?.parse()?))
                }
            }
        })
        .await?
    }
}

/// Sends one export after another until it is time to stop.
pub(crate) async fn send(world: Arc<World>, transport: Transport, every: Duration) {
    let mut pace = interval(every);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !world.no_exports.is_now() {
        if let Err(error) = life(&world, transport, &mut pace).await {
            world
                .tally
                .fault(Fault::Sending, || format!("{transport:?}: {error:#}"));
        }
    }
}

/// What is sent over one connection.
async fn life(world: &World, transport: Transport, pace: &mut tokio::time::Interval) -> Result<()> {
    let mut connection = Connection::open(&world.door, transport).await?;
    for _ in 0..LIFE {
        pace.tick().await;
        if world.no_exports.is_now() {
            return Ok(());
        }
        let export = world.exports.next(transport);
        let request = match transport {
            Transport::Http => export.to_http()?,
            Transport::Grpc => export.to_grpc()?,
        };
        match connection.send(request).await? {
            Answer::Http(200) => world.tally.count(format!("exports_http_{}", export.signal)),
            Answer::Grpc(0) => world.tally.count(format!("exports_grpc_{}", export.signal)),
            again if again.may_be_sent_again() => world.tally.count("exports_to_send_again"),
            answer => return Err(anyhow!("{answer:?}")),
        }
    }
    Ok(())
}
