//! Converts a file that holds one OTLP request: protobuf to OTLP JSON, or the other way.
//!
//! ```sh
//! cargo run -p otlp-codec --example convert_file -- metrics request.json request.pb
//! cargo run -p otlp-codec --example convert_file -- metrics request.pb request.json
//! ```
//!
//! `otlp-relay convert` does it for streams of many requests, compressed ones too.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use otlp_codec::check::check;
use otlp_codec::from_json::JsonReader;
use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::{Limits, Signal};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [signal, input, output] = args.as_slice() else {
        return fail("usage: convert_file metrics|traces|logs|profiles INPUT OUTPUT");
    };
    let Some(signal) = Signal::ALL.into_iter().find(|one| one.as_str() == signal) else {
        return fail("the signals are metrics, traces, logs and profiles");
    };
    match convert(signal, Path::new(input), Path::new(output)) {
        Ok(items) => {
            say(&format!("{items} {}", signal.items()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("{input}: {error}")),
    }
}

/// Converts towards the form that the output's name ends in; how many items there were.
fn convert(signal: Signal, input: &Path, output: &Path) -> Result<usize, Box<dyn Error>> {
    let limits = Limits::default();
    let read = std::fs::read(input)?;
    let mut written = Vec::new();
    let items = if output.extension().is_some_and(|ending| ending == "json") {
        let mut transcoder = Transcoder::new();
        transcoder.write(signal, Format::Otlp, &read, &limits, &mut written)?;
        check(signal, &read, &limits)?.items
    } else {
        let mut reader = JsonReader::new();
        reader.json_to_protobuf(signal, &read, &limits, &mut written)?;
        check(signal, &written, &limits)?.items
    };
    std::fs::write(output, written)?;
    Ok(items)
}

fn fail(message: &str) -> ExitCode {
    say(message);
    ExitCode::FAILURE
}

#[expect(clippy::print_stderr, reason = "an example talks to its user")]
fn say(message: &str) {
    eprintln!("{message}");
}
