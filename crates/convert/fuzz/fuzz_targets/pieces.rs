//! The long way against the short one: an object or a message that is taken apart, because it is
//! longer than a record may be, holds the same items as where it is read whole, and is refused where
//! that is.

#![no_main]

use convert::{ConvertError, InputForm, NoObserver, Options, OutputForm, Problem};
use libfuzzer_sys::fuzz_target;
use otlp_codec::Signal;

/// The bit of the first byte that says JSON.
const JSON: u8 = 1 << 2;
/// For each step of the bits above, the longest record, in bytes.
const RECORD_BYTES: usize = 8;

fuzz_target!(|input: &[u8]| {
    let Some((first, input)) = input.split_first() else {
        return;
    };
    let from = match first & JSON {
        0 => InputForm::Protobuf,
        _ => InputForm::Json,
    };
    let signal = Signal::ALL[usize::from(*first) % Signal::ALL.len()];
    let options = Options {
        from,
        to: OutputForm::Points,
        signal: (signal != Signal::Profiles).then_some(signal),
        ..Options::default()
    };
    let longest = RECORD_BYTES * (1 + usize::from(first >> 3));
    let limits = Options::limits_for(longest);
    let short = convert(input, &options);
    let long = convert(input, &Options { limits, ..options });
    match (short, long) {
        // An element may be longer than a record.
        (_, Err(ConvertError::Record(error)))
            if matches!(error.problem, Problem::TooLong { .. }) => {}
        (Ok(short), Ok(long)) => {
            assert_eq!(
                String::from_utf8_lossy(&long),
                String::from_utf8_lossy(&short)
            );
        }
        (Err(_), Err(_)) => {}
        (short, long) => panic!("whole {short:?}, in pieces {long:?}"),
    }
});

fn convert(input: &[u8], options: &Options) -> Result<Vec<u8>, ConvertError> {
    let mut out = Vec::new();
    match convert::run(input, &mut out, options, &mut NoObserver) {
        Ok(_) => Ok(out),
        Err(failure) => Err(failure.error),
    }
}
