//! What is sent: a request of OTLP in one encoding and one compression, made once.

mod sized;

use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use flate2::Compression as Level;
use flate2::read::GzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use otlp_codec::transcode::Transcoder;
use otlp_codec::{Limits, Signal, check};
use tonic::codegen::Bytes;

pub use sized::LENGTHS;

/// The payloads of the codec's benchmarks.
const NAMED: [(&str, Signal, &[u8]); 6] = [
    (
        "S",
        Signal::Metrics,
        include_bytes!("../../../crates/otlp-codec/benches/data/S.pb.gz"),
    ),
    (
        "M",
        Signal::Metrics,
        include_bytes!("../../../crates/otlp-codec/benches/data/M.pb.gz"),
    ),
    (
        "H",
        Signal::Metrics,
        include_bytes!("../../../crates/otlp-codec/benches/data/H.pb.gz"),
    ),
    (
        "L",
        Signal::Metrics,
        include_bytes!("../../../crates/otlp-codec/benches/data/L.pb.gz"),
    ),
    (
        "T",
        Signal::Traces,
        include_bytes!("../../../crates/otlp-codec/benches/data/T.pb.gz"),
    ),
    (
        "G",
        Signal::Logs,
        include_bytes!("../../../crates/otlp-codec/benches/data/G.pb.gz"),
    ),
];

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// Protobuf.
    Protobuf,
    /// OTLP JSON.
    Json,
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    /// Not at all.
    Identity,
    /// gzip, at the level that its library has for its own.
    Gzip,
    /// zlib, which HTTP calls deflate.
    Deflate,
    /// zstd, at level 3.
    Zstd,
    /// snappy, one block.
    Snappy,
}

impl Compression {
    /// The name that HTTP and gRPC have for it; none for nothing.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Zstd => Some("zstd"),
            Self::Snappy => Some("snappy"),
        }
    }

    /// Compresses `bytes`.
    ///
    /// # Errors
    ///
    /// Those of the library, which has none for bytes in memory.
    pub fn compress(self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Identity => bytes,
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Level::default());
                encoder.write_all(&bytes)?;
                encoder.finish()?
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Level::default());
                encoder.write_all(&bytes)?;
                encoder.finish()?
            }
            Self::Zstd => zstd::encode_all(bytes.as_slice(), 3)?,
            Self::Snappy => snap::raw::Encoder::new().compress_vec(&bytes)?,
        })
    }
}

/// A request in protobuf.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Its signal.
    pub signal: Signal,
    /// Protobuf.
    pub wire: Vec<u8>,
    /// Data points, spans or log records.
    pub items: usize,
}

/// A request as it is sent.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes.
    pub bytes: Bytes,
    /// How they are written.
    pub encoding: Encoding,
    /// How they are compressed.
    pub compression: Compression,
}

impl Payload {
    /// One of the payloads of the codec's benchmarks; or, for a number, metrics whose OTLP JSON has
    /// so many bytes ([`LENGTHS`]); or else a file of protobuf, plain or gzip, that holds a request
    /// of `signal`.
    ///
    /// # Errors
    ///
    /// If there is no such file, or it holds no such request, or nothing can be so short or long.
    pub fn find(name: &str, signal: Signal) -> Result<Self> {
        if let Some((_, signal, gz)) = NAMED.iter().find(|(known, ..)| *known == name) {
            return Self::new(*signal, gz.to_vec());
        }
        if let Ok(length) = name.parse() {
            return Self::new(Signal::Metrics, sized::metrics(length)?);
        }
        let file = std::fs::read(Path::new(name))
            .with_context(|| format!("{name} is neither a payload nor a file"))?;
        Self::new(signal, file).with_context(|| format!("{name} can't be sent as {signal}"))
    }

    fn new(signal: Signal, mut wire: Vec<u8>) -> Result<Self> {
        if wire.starts_with(&GZIP) {
            let mut inflated = Vec::new();
            GzDecoder::new(wire.as_slice()).read_to_end(&mut inflated)?;
            wire = inflated;
        }
        let items = check::check(signal, &wire, &Limits::default())?.items;
        Ok(Self {
            signal,
            wire,
            items,
        })
    }

    /// As it is sent.
    ///
    /// # Errors
    ///
    /// If it is too long for the codec.
    pub fn body(&self, encoding: Encoding, compression: Compression) -> Result<Body> {
        let mut bytes = Vec::new();
        match encoding {
            Encoding::Protobuf => bytes.extend_from_slice(&self.wire),
            Encoding::Json => Transcoder::new().protobuf_to_json(
                self.signal,
                &self.wire,
                &Limits::default(),
                &mut bytes,
            )?,
        }
        Ok(Body {
            bytes: compression.compress(bytes)?.into(),
            encoding,
            compression,
        })
    }
}

/// Reads the name of a signal.
///
/// # Errors
///
/// A text that lists the names, for another one.
pub(crate) fn signal(name: &str) -> Result<Signal> {
    match Signal::ALL.iter().find(|signal| signal.as_str() == name) {
        Some(signal) => Ok(*signal),
        None => bail!("one of {}", Signal::ALL.map(Signal::as_str).join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: each named payload.
    /// Guarantees: it is a request of its signal with the items that the docs say.
    #[test]
    fn named_payloads_are_what_the_docs_say() {
        let items = NAMED.map(|(name, ..)| Payload::find(name, Signal::Metrics).unwrap().items);
        assert_eq!(items, [20, 1014, 300, 10_000, 500, 500]);
    }

    /// Scenario: the shortest and the longest metrics that can be asked for, some between, and some
    /// that are shorter or longer.
    /// Guarantees: their JSON has just that length, or they are refused.
    #[test]
    fn metrics_have_the_length_that_is_asked_for() {
        let lengths = (512..1024).chain([2_048, 150_000, *LENGTHS.end()]);
        for length in lengths {
            let payload = Payload::find(&length.to_string(), Signal::Metrics).unwrap();
            let body = payload.body(Encoding::Json, Compression::Identity);
            assert_eq!(body.unwrap().bytes.len(), length);
        }
        for length in ["0", "511", "8388609"] {
            assert!(Payload::find(length, Signal::Metrics).is_err(), "{length}");
        }
    }

    /// Scenario: M as protobuf and JSON in every compression.
    /// Guarantees: what is compressed is the request.
    #[test]
    fn bodies_inflate_to_the_request() {
        let payload = Payload::find("M", Signal::Metrics).unwrap();
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let plain = payload.body(encoding, Compression::Identity).unwrap();
            let gzip = payload.body(encoding, Compression::Gzip).unwrap();
            let mut inflated = Vec::new();
            GzDecoder::new(&gzip.bytes[..])
                .read_to_end(&mut inflated)
                .unwrap();
            assert_eq!(inflated, plain.bytes);
            let zstd = payload.body(encoding, Compression::Zstd).unwrap();
            assert_eq!(zstd::decode_all(&zstd.bytes[..]).unwrap(), plain.bytes);
            let snappy = payload.body(encoding, Compression::Snappy).unwrap();
            let inflated = snap::raw::Decoder::new()
                .decompress_vec(&snappy.bytes)
                .unwrap();
            assert_eq!(inflated, plain.bytes);
        }
    }

    /// Scenario: a file that is not there, and bytes that are no request.
    /// Guarantees: an error each.
    #[test]
    fn what_is_no_request_is_refused() {
        assert!(Payload::find("no such file", Signal::Metrics).is_err());
        assert!(Payload::new(Signal::Metrics, vec![0xff]).is_err());
    }
}
