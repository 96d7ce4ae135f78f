//! Who sends to a relay that may be gone.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tonic::Code;

use crate::support::{Grpc, Http, PATIENCE, PROTOBUF, gauge, request};

/// How long a client waits before it tries again.
pub(super) const BACKOFF: Duration = Duration::from_millis(20);

/// How exports are sent.
#[derive(Clone, Copy)]
pub(super) enum Transport {
    Http,
    Grpc,
}

/// A client, connected while that lasts.
pub(super) struct Sender {
    transport: Transport,
    address: SocketAddr,
    open: Option<Open>,
}

enum Open {
    Http(Http),
    Grpc(Grpc),
}

/// An export was not accepted, but may be if it is sent again: the connection broke or couldn't be
/// made, or the answer says so (OTLP spec, "Retryable Response Codes").
#[derive(Debug)]
pub(super) struct Again;

impl Sender {
    pub(super) fn new(transport: Transport, address: SocketAddr) -> Self {
        Self {
            transport,
            address,
            open: None,
        }
    }

    /// Sends a gauge until it is accepted. How many tries came to nothing.
    pub(super) fn send(&mut self, name: &str, value: i64) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        let mut failed = 0;
        while let Err(Again) = self.try_send(name, value) {
            assert!(Instant::now() < deadline, "{name} {value}: {failed} tries");
            failed += 1;
            thread::park_timeout(BACKOFF);
        }
        failed
    }

    /// Sends a gauge once.
    pub(super) fn try_send(&mut self, name: &str, value: i64) -> Result<(), Again> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.connect()?,
        };
        open.send(&gauge(name, value))?;
        self.open = Some(open);
        Ok(())
    }

    fn connect(&self) -> Result<Open, Again> {
        Ok(match self.transport {
            Transport::Http => {
                let socket = TcpStream::connect(self.address).map_err(|_| Again)?;
                Open::Http(Http::over(socket))
            }
            Transport::Grpc => Open::Grpc(Grpc::try_connect(self.address).map_err(|_| Again)?),
        })
    }
}

impl Open {
    fn send(&mut self, body: &[u8]) -> Result<(), Again> {
        match self {
            Self::Http(http) => {
                let headers = [("Content-Type", PROTOBUF)];
                let request = request("POST", "/v1/metrics", &headers, body);
                http.try_send(&request).map_err(|_| Again)?;
                match http.try_answer().map_err(|_| Again)?.status {
                    200 => Ok(()),
                    429 | 502 | 503 | 504 => Err(Again),
                    status => panic!("{status}"),
                }
            }
            Self::Grpc(grpc) => match grpc.export(body.to_vec()) {
                Ok(_) => Ok(()),
                // A connection that breaks under a call is UNKNOWN to tonic.
                Err(status) if [Code::Unavailable, Code::Unknown].contains(&status.code()) => {
                    Err(Again)
                }
                Err(status) => panic!("{status:?}"),
            },
        }
    }
}
