//! Clients that cost little: they post one body over and over, and throw frames away.

use std::io::{self, Read};
use std::net::SocketAddr;

use flate2::read::GzDecoder;
use ingest::grpc::BytesCodec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tonic::client::Grpc;
use tonic::codegen::Bytes;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};

/// Sends an export over one connection that is kept alive.
pub(crate) enum Sender {
    Http(Poster),
    Grpc(Caller),
}

impl Sender {
    /// Sends once and waits for the answer, which must be a success.
    pub(crate) async fn send(&mut self) -> io::Result<()> {
        match self {
            Self::Http(poster) => poster.post().await,
            Self::Grpc(caller) => caller.call().await,
        }
    }
}

/// Calls by gRPC.
pub(crate) struct Caller {
    client: Grpc<Channel>,
    message: Bytes,
}

impl Caller {
    /// Sends what `gz` inflates to.
    pub(crate) async fn connect(address: SocketAddr, gz: &[u8]) -> io::Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let channel = endpoint.map_err(io::Error::other)?.connect().await;
        Ok(Self {
            client: Grpc::new(channel.map_err(io::Error::other)?),
            message: inflate(gz)?.into(),
        })
    }

    async fn call(&mut self) -> io::Result<()> {
        self.client.ready().await.map_err(io::Error::other)?;
        let path = PathAndQuery::from_static(
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        );
        let request = tonic::Request::new(self.message.clone());
        let answer = self.client.unary(request, path, BytesCodec).await;
        answer.map(drop).map_err(io::Error::other)
    }
}

fn inflate(gz: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    GzDecoder::new(gz).read_to_end(&mut body)?;
    Ok(body)
}

/// Posts by HTTP.
pub(crate) struct Poster {
    io: TcpStream,
    request: Vec<u8>,
}

impl Poster {
    /// Posts what `gz` inflates to.
    pub(crate) async fn connect(address: SocketAddr, gz: &[u8]) -> io::Result<Self> {
        let body = inflate(gz)?;
        let mut request = format!(
            "POST /v1/metrics HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend(body);
        let io = TcpStream::connect(address).await?;
        io.set_nodelay(true)?;
        Ok(Self { io, request })
    }

    /// Posts once and waits for the 200.
    pub(crate) async fn post(&mut self) -> io::Result<()> {
        self.io.write_all(&self.request).await?;
        let head = read_head(&mut self.io).await?;
        match head.starts_with(b"HTTP/1.1 200 ") {
            true => Ok(()),
            false => Err(io::Error::other(
                String::from_utf8_lossy(&head).into_owned(),
            )),
        }
    }
}

/// WebSocket clients that count frames, or do nothing at all.
pub(crate) struct Subscribers {
    counts: Vec<watch::Receiver<u64>>,
    _stalled: Vec<TcpStream>,
}

impl Subscribers {
    /// So many that read.
    pub(crate) async fn connect(address: SocketAddr, number: usize) -> io::Result<Self> {
        let mut counts = Vec::new();
        for _ in 0..number {
            let io = upgrade(address).await?;
            let (count, receiver) = watch::channel(0);
            tokio::spawn(count_frames(io, count));
            counts.push(receiver);
        }
        Ok(Self {
            counts,
            _stalled: Vec::new(),
        })
    }

    /// So many that never read.
    pub(crate) async fn stalled(address: SocketAddr, number: usize) -> io::Result<Self> {
        let mut stalled = Vec::new();
        for _ in 0..number {
            stalled.push(upgrade(address).await?);
        }
        Ok(Self {
            counts: Vec::new(),
            _stalled: stalled,
        })
    }

    /// Waits until each has read so many frames.
    pub(crate) async fn wait_for(&self, frames: u64) {
        for count in &self.counts {
            count
                .clone()
                .wait_for(|count| *count >= frames)
                .await
                .expect("a subscriber ended");
        }
    }
}

async fn upgrade(address: SocketAddr) -> io::Result<TcpStream> {
    let mut io = TcpStream::connect(address).await?;
    let request = format!(
        "GET /ws/metrics HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    io.write_all(request.as_bytes()).await?;
    let head = read_head(&mut io).await?;
    match head.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(io),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&head).into_owned(),
        )),
    }
}

/// Reads up to the empty line; nothing follows it yet.
async fn read_head(io: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await?);
    }
    Ok(head)
}

/// Reads frames of text and drops them. Pings come too late in a benchmark to matter.
async fn count_frames(mut io: TcpStream, count: watch::Sender<u64>) -> io::Result<()> {
    let mut scrap = vec![0; 64 << 10];
    loop {
        let (_, len) = (io.read_u8().await?, io.read_u8().await?);
        let mut left = match len {
            126 => u64::from(io.read_u16().await?),
            127 => io.read_u64().await?,
            len => u64::from(len),
        };
        while left > 0 {
            let most = scrap.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = io.read(&mut scrap[..most]).await?;
            if read == 0 {
                return Ok(());
            }
            left -= read as u64;
        }
        count.send_modify(|count| *count += 1);
    }
}
