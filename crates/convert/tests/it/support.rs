//! Inputs made here, and conversions of them in memory.

use std::io::{self, Read, Write};

use convert::{
    ConvertError, Failure, InputForm, Observer, Options, OutputForm, RecordError, Summary,
};
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use otlp_codec::{Limits, Signal};
use serde_json::{Value, json};

/// What a conversion gave.
pub(crate) struct Done {
    pub(crate) out: Vec<u8>,
    pub(crate) result: Result<Summary, Box<Failure>>,
    pub(crate) skipped: Vec<RecordError>,
}

impl Done {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// Each line of the output.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.text().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn summary(&self) -> Summary {
        match &self.result {
            Ok(summary) => *summary,
            Err(failure) => panic!("{failure}"),
        }
    }

    pub(crate) fn error(&self) -> &ConvertError {
        &self.result.as_ref().unwrap_err().error
    }

    /// The values of the items of [`logs`] in what was written as lines.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let bodies = self.lines().into_iter().flat_map(|line| bodies_of(&line));
        bodies.collect()
    }
}

/// The bodies of the log records of a request.
pub(crate) fn bodies_of(request: &Value) -> Vec<String> {
    let resources = request["resourceLogs"].as_array().into_iter().flatten();
    let records = resources.flat_map(|one| one["scopeLogs"][0]["logRecords"].as_array().unwrap());
    let body = |record: &Value| record["body"]["stringValue"].as_str().unwrap().to_owned();
    records.map(body).collect()
}

/// Keeps what it is told.
#[derive(Default)]
struct Watching {
    skipped: Vec<RecordError>,
    last: Summary,
}

impl Observer for Watching {
    fn progress(&mut self, so_far: &Summary) {
        assert!(so_far.bytes_in >= self.last.bytes_in && so_far.records >= self.last.records);
        self.last = *so_far;
    }

    fn skipped(&mut self, error: &RecordError) {
        self.skipped.push(error.clone());
    }
}

pub(crate) fn convert(input: impl AsRef<[u8]>, options: &Options) -> Done {
    convert_from(input.as_ref(), options)
}

pub(crate) fn convert_from(reader: impl Read, options: &Options) -> Done {
    let mut out = Vec::new();
    let mut watching = Watching::default();
    let result = convert::run(reader, &mut out, options, &mut watching);
    Done {
        out,
        result,
        skipped: watching.skipped,
    }
}

/// Options with a form of output.
pub(crate) fn to(to: OutputForm) -> Options {
    Options {
        to,
        ..Options::default()
    }
}

/// Options with a form of input, to lines.
pub(crate) fn from(from: InputForm) -> Options {
    Options {
        from,
        ..Options::default()
    }
}

/// A request with one resource of a log record for each body.
pub(crate) fn logs(bodies: &[&str]) -> Value {
    let resource = |body: &&str| {
        json!({
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]},
            "scopeLogs": [{"logRecords": [{"timeUnixNano": "7", "body": {"stringValue": body}}]}],
        })
    };
    json!({"resourceLogs": bodies.iter().map(resource).collect::<Vec<_>>()})
}

/// A request with a span.
pub(crate) fn spans(name: &str) -> Value {
    let span = json!({
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": name,
    });
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

/// A request with two data points.
pub(crate) fn metrics(name: &str) -> Value {
    let points = json!([{"timeUnixNano": "1", "asInt": "-5"}, {"asDouble": 0.5}]);
    let metric = json!({"name": name, "gauge": {"dataPoints": points}});
    json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
}

/// A request with a profile, and its dictionary.
pub(crate) fn profiles(name: &str) -> Value {
    json!({
        "resourceProfiles": [{"scopeProfiles": [{"profiles": [{"timeUnixNano": "3"}]}]}],
        "dictionary": {"stringTable": ["", name]},
    })
}

pub(crate) fn wire(signal: Signal, request: &Value) -> Vec<u8> {
    let mut wire = Vec::new();
    let limits = Limits::default();
    let text = request.to_string();
    otlp_codec::from_json::json_to_protobuf(signal, text.as_bytes(), &limits, &mut wire).unwrap();
    wire
}

/// One JSON text a line.
pub(crate) fn lines(requests: &[Value]) -> Vec<u8> {
    let lines = requests.iter().map(|request| format!("{request}\n"));
    lines.collect::<String>().into_bytes()
}

/// Each behind its length.
pub(crate) fn framed<R: AsRef<[u8]>>(records: &[R]) -> Vec<u8> {
    let mut framed = Vec::new();
    for record in records {
        let len = u32::try_from(record.as_ref().len()).unwrap();
        framed.extend_from_slice(&len.to_be_bytes());
        framed.extend_from_slice(record.as_ref());
    }
    framed
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 0).unwrap()
}

/// The payload that `docs/performance.md` calls M.
pub(crate) fn payload_m() -> Vec<u8> {
    let gz = include_bytes!("../../../otlp-codec/benches/data/M.pb.gz");
    let mut wire = Vec::new();
    GzDecoder::new(gz.as_slice())
        .read_to_end(&mut wire)
        .unwrap();
    wire
}

/// The OTLP JSON of protobuf.
pub(crate) fn json_of(signal: Signal, wire: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    otlp_codec::transcode::Transcoder::new()
        .protobuf_to_json(signal, wire, &Limits::default(), &mut out)
        .unwrap();
    out
}

/// Gives some bytes at a time: as many as `sizes` say, over and over.
pub(crate) struct InParts<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) sizes: Vec<usize>,
    pub(crate) at: usize,
}

impl Read for InParts<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.at % self.sizes.len()];
        self.at += 1;
        let len = size.min(room.len()).min(self.bytes.len());
        room[..len].copy_from_slice(&self.bytes[..len]);
        self.bytes = &self.bytes[len..];
        Ok(len)
    }
}
