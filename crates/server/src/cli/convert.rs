//! The command line of `otlp-relay convert`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use convert::options::UnknownName;
use convert::{Compression, InputForm, OnError, Options, OutputForm};
use otlp_codec::Signal;

use crate::conversion::Job;
use crate::settings::values;

/// What `--help` says at its end.
const AFTER_HELP: &str = "\
The input is told apart by its content: OTLP JSON, JSON Lines, protobuf, records behind 4 bytes \
of length as the Collector's file exporter writes them; gzip and zstd of each. The name of the \
output says its form, unless --to does, and its compression: .json (otlp), .jsonl and .ndjson \
(otlp-lines), .pb, .binpb and .bin (protobuf), each also with .gz or .zst behind.

Exit codes:
  0  everything was converted, or whoever read the output stopped
  1  reading, writing or a record failed; what came before is written
  2  the command line is wrong
  3  everything else was converted, but records were skipped (--on-error skip)";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ConvertArgs {
    /// The file to convert; standard input if there is none, or -
    #[arg(value_name = "INPUT")]
    input: Option<PathBuf>,

    /// The file to write; standard output if there is none, or -
    #[arg(short, long, value_name = "OUTPUT")]
    output: Option<PathBuf>,

    /// What the input is, below its compression
    #[arg(long, value_name = "FORM", default_value = "auto", value_parser = input_forms())]
    from: InputForm,

    /// What to write [default: by OUTPUT's ending, otherwise otlp-lines]
    #[arg(long, value_name = "FORM", value_parser = output_forms())]
    to: Option<OutputForm>,

    /// The signal of every record [default: each record's own]
    #[arg(long, value_parser = signals())]
    signal: Option<Signal>,

    /// What to do about a record that can't be converted
    #[arg(long, value_name = "WHAT", default_value = "stop", value_parser = on_errors())]
    on_error: OnError,

    /// The longest record, as it stands in the input and inflated [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    max_record: Option<usize>,

    /// Show no progress, and no count at the end
    #[arg(short, long)]
    quiet: bool,
}

impl ConvertArgs {
    /// The job that was asked for.
    pub(super) fn into_job(self) -> Job {
        let is_dash = |path: &PathBuf| path.as_os_str() == "-";
        let output = self.output.filter(|path| !is_dash(path));
        let named = output.as_deref().and_then(OutputForm::of_name);
        let compression = output.as_deref().map(Compression::of_name);
        let limits = match self.max_record {
            Some(longest) => Options::limits_for(longest),
            None => Options::default().limits,
        };
        Job {
            waits_for_typing: self.input.is_some(),
            input: self.input.filter(|path| !is_dash(path)),
            output,
            is_quiet: self.quiet,
            options: Options {
                from: self.from,
                to: self.to.or(named).unwrap_or(OutputForm::OtlpLines),
                compression: compression.unwrap_or_default(),
                signal: self.signal,
                on_error: self.on_error,
                limits,
            },
        }
    }
}

fn input_forms() -> impl TypedValueParser<Value = InputForm> {
    let words = InputForm::ALL.iter().map(|form| form.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

fn output_forms() -> impl TypedValueParser<Value = OutputForm> {
    let words = OutputForm::ALL.iter().map(|form| form.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

fn on_errors() -> impl TypedValueParser<Value = OnError> {
    let words = OnError::ALL.iter().map(|one| one.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

fn signals() -> impl TypedValueParser<Value = Signal> {
    let words = Signal::ALL.iter().map(|signal| signal.as_str());
    PossibleValuesParser::new(words).try_map(|word| {
        let signal = Signal::ALL.into_iter().find(|one| one.as_str() == word);
        signal.ok_or(UnknownName(word))
    })
}

#[cfg(test)]
mod tests {
    use convert::{Compression, InputForm, OnError, OutputForm};
    use otlp_codec::Signal;

    use crate::cli::{Task, parse};
    use crate::conversion::Job;
    use crate::settings::Variables;

    fn job(args: &[&str]) -> Job {
        let args = [&["otlp-relay", "convert"], args].concat();
        match parse(args, Variables::default()).unwrap() {
            Task::Convert(job, _) => *job,
            other => panic!("{other:?}"),
        }
    }

    /// Scenario: no arguments, dashes, names with endings, every flag.
    /// Guarantees: standard streams unless files are named; the output's name says its form and
    /// compression, and `--to` says more.
    #[test]
    fn arguments() {
        let plain = job(&[]);
        assert_eq!((&plain.input, &plain.output), (&None, &None));
        assert_eq!(plain.options, convert::Options::default());
        assert!(!plain.waits_for_typing && !plain.is_quiet);

        let dashes = job(&["-", "-o", "-"]);
        assert_eq!((dashes.input, dashes.output), (None, None));
        assert!(dashes.waits_for_typing);

        let named = job(&["in", "-o", "out.pb.zst"]).options;
        assert_eq!(named.to, OutputForm::Protobuf);
        assert_eq!(named.compression, Compression::Zstd);

        let said = job(&["in", "--output", "out.json.gz", "--to", "points"]).options;
        assert_eq!(said.to, OutputForm::Points);
        assert_eq!(said.compression, Compression::Gzip);

        let flags = [
            "--from=protobuf-delimited",
            "--signal=traces",
            "--on-error=skip",
            "--max-record=1MiB",
            "-q",
        ];
        let all = job(&flags);
        assert_eq!(all.options.from, InputForm::ProtobufDelimited);
        assert_eq!(all.options.signal, Some(Signal::Traces));
        assert_eq!(all.options.on_error, OnError::Skip);
        assert_eq!(all.options.limits.input_bytes, 1 << 20);
        assert!(all.is_quiet);
    }

    /// Scenario: words that stand for nothing, a length of zero, flags of the relay.
    /// Guarantees: refused, and the message names the flag.
    #[test]
    fn bad_arguments() {
        for args in [
            ["--from", "yaml"],
            ["--to", "json"],
            ["--signal", "events"],
            ["--on-error", "ask"],
            ["--max-record", "0"],
            ["--listen", "127.0.0.1:0"],
        ] {
            let args = [&["otlp-relay", "convert"], &args[..]].concat();
            let error = parse(&args, Variables::default()).unwrap_err();
            assert!(error.to_string().contains(args[2]), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }
}
