//! Compression around the input.

use convert::{ConvertError, Options};

use crate::support::{Done, convert, framed, gzip, lines, logs, zstd};

fn many() -> Vec<u8> {
    let requests: Vec<_> = (0..2000)
        .map(|number| logs(&[&number.to_string()]))
        .collect();
    lines(&requests)
}

/// The bodies that were written are the first ones.
fn is_begin(done: &Done) -> usize {
    let bodies = done.bodies();
    let expected: Vec<String> = (0..bodies.len()).map(|number| number.to_string()).collect();
    assert_eq!(bodies, expected);
    bodies.len()
}

/// Scenario: gzip in zstd, zstd in gzip, members and frames in a row, three layers.
/// Guarantees: two layers are taken off, and every member; three are an error.
#[test]
fn layers() {
    let input = lines(&[logs(&["a"]), logs(&["b"])]);
    let (first, second) = input.split_at(40);
    for packed in [
        gzip(&zstd(&input)),
        zstd(&gzip(&input)),
        [gzip(first), gzip(second)].concat(),
        [zstd(first), zstd(second)].concat(),
    ] {
        assert_eq!(convert(packed, &Options::default()).bodies(), ["a", "b"]);
    }
    let three = gzip(&gzip(&gzip(&input)));
    let error = convert(three, &Options::default());
    assert!(matches!(error.error(), ConvertError::TooManyLayers(2)));
}

/// Scenario: frames of zstd behind one that is to be skipped, of the whole input and of a record.
/// Guarantees: they are zstd all the same.
#[test]
fn skippable_frames() {
    let input = lines(&[logs(&["a"]), logs(&["b"])]);
    for first in [0x50, 0x5f] {
        let skipped = [first, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'x', b'y', b'z'];
        let packed = [&skipped[..], &zstd(&input), &skipped].concat();
        assert_eq!(convert(&packed, &Options::default()).bodies(), ["a", "b"]);
        let one = zstd(logs(&["c"]).to_string().as_bytes());
        let records = framed(&[[&skipped[..], &one].concat()]);
        assert_eq!(convert(records, &Options::default()).bodies(), ["c"]);
    }
}

/// Scenario: gzip and zstd that break off, at many places.
/// Guarantees: an error that says so; what is whole in front of the break is written.
#[test]
fn truncated() {
    let input = many();
    for (coding, packed) in [("gzip", gzip(&input)), ("zstd", zstd(&input))] {
        let mut most = 0;
        for part in 1..20 {
            let cut = packed.len() * part / 20;
            let done = convert(&packed[..cut], &Options::default());
            let error = done.error();
            assert!(
                matches!(error, ConvertError::TruncatedStream(one) if *one == coding),
                "{coding} at {cut}: {error}"
            );
            most = most.max(is_begin(&done));
        }
        assert!(most > 100, "{coding}: {most}");
        let done = convert(&packed[..packed.len() - 1], &Options::default());
        assert!(done.result.is_err(), "{coding}");
        // All but what lies in the last block.
        assert!(is_begin(&done) > 500, "{coding}");
    }
}

/// Scenario: gzip of two members with zeros behind, few and many; with something else behind, at
/// once and behind zeros.
/// Guarantees: zeros are passed over; anything else is an error, after what is whole was written.
#[test]
fn behind_gzip() {
    let packed = [gzip(&lines(&[logs(&["a"])])), gzip(&lines(&[logs(&["b"])]))].concat();
    for zeros in [1, 511, 1 << 20] {
        let mut padded = [&packed[..], &vec![0; zeros]].concat();
        let done = convert(&padded, &Options::default());
        assert_eq!(done.bodies(), ["a", "b"]);
        assert_eq!(done.summary().bytes_in, padded.len() as u64);
        padded.push(1);
        let done = convert(&padded, &Options::default());
        assert!(done.error().to_string().contains("neither gzip nor zeros"));
        assert_eq!(done.bodies(), ["a", "b"]);
    }
    for junk in [
        &b"x"[..],
        b"junk that is as long as a header",
        &gzip(b"")[..7],
    ] {
        let done = convert([&packed, junk].concat(), &Options::default());
        assert!(done.result.is_err());
        assert_eq!(done.bodies(), ["a", "b"]);
    }
}

/// Scenario: gzip with a bit turned in the middle, or in its checksum.
/// Guarantees: an error that says that the stream is damaged.
#[test]
fn damaged() {
    let packed = gzip(&many());
    let mut checksum = packed.clone();
    let at = packed.len() - 6;
    checksum[at] ^= 1;
    let done = convert(checksum, &Options::default());
    assert!(matches!(
        done.error(),
        ConvertError::DamagedStream { coding: "gzip", .. }
    ));
    assert_eq!(is_begin(&done), 2000);
}

/// Scenario: records that were compressed alone, of which one is damaged, and one inflates to
/// more than the limit.
/// Guarantees: those two are skipped, and nothing else; no more than the limit is inflated.
#[test]
fn records_compressed_alone() {
    let good = zstd(logs(&["a"]).to_string().as_bytes());
    let mut damaged = good.clone();
    let last = damaged.len() - 1;
    damaged.truncate(last);
    let bomb = zstd(&vec![b' '; 1 << 20]);
    let input = framed(&[&good, &damaged, &bomb, &good]);
    let mut options = Options {
        on_error: convert::OnError::Skip,
        ..Options::default()
    };
    options.limits.input_bytes = 64 << 10;
    let done = convert(input, &options);
    assert_eq!(done.bodies(), ["a", "a"]);
    let messages: Vec<String> = done.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("record 2") && messages[0].contains("can't be inflated"));
    assert!(messages[1].contains("record 3") && messages[1].contains("limit of 65536 bytes"));
    assert!(done.summary().largest_buffer < 4 << 20);
}
