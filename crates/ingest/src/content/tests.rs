//! Values that clients send, and values that nobody should.

use proptest::prelude::*;

use super::*;

/// Scenario: media types as clients write them.
/// Guarantees: case and parameters do not matter; nothing else is taken for one of the two.
#[test]
fn content_types() {
    let cases: [(&str, Option<ContentType>); 17] = [
        ("application/x-protobuf", Some(ContentType::Protobuf)),
        ("APPLICATION/X-Protobuf", Some(ContentType::Protobuf)),
        (" application/x-protobuf\t", Some(ContentType::Protobuf)),
        (
            "application/x-protobuf;proto=a.b",
            Some(ContentType::Protobuf),
        ),
        ("application/json", Some(ContentType::Json)),
        ("application/json; charset=utf-8", Some(ContentType::Json)),
        ("Application/JSON ;charset=UTF-8", Some(ContentType::Json)),
        ("application/json;", Some(ContentType::Json)),
        ("", None),
        (";", None),
        ("application/protobuf", None),
        ("application/grpc", None),
        ("application/json-seq", None),
        ("application/json, application/x-protobuf", None),
        ("text/plain; application/json", None),
        ("application / json", None),
        ("json", None),
    ];
    for (value, expected) in cases {
        assert_eq!(ContentType::parse(value.as_bytes()), expected, "{value:?}");
    }
}

/// Scenario: no header, one, two.
/// Guarantees: two `Content-Type` headers name no type, even when they agree.
#[test]
fn content_type_headers() {
    let json: &[u8] = b"application/json";
    assert_eq!(ContentType::of([]), None);
    assert_eq!(ContentType::of([json]), Some(ContentType::Json));
    assert_eq!(ContentType::of([json, json]), None);
}

/// Scenario: content codings as clients write them.
/// Guarantees: an unknown coding or a list is never taken for `identity`.
#[test]
fn content_encodings() {
    let cases: [(&str, Option<ContentEncoding>); 19] = [
        ("", Some(ContentEncoding::Identity)),
        (" ", Some(ContentEncoding::Identity)),
        ("identity", Some(ContentEncoding::Identity)),
        ("Identity", Some(ContentEncoding::Identity)),
        ("gzip", Some(ContentEncoding::Gzip)),
        ("GZIP", Some(ContentEncoding::Gzip)),
        ("\tx-gzip ", Some(ContentEncoding::Gzip)),
        ("gzip, gzip", None),
        ("identity, gzip", None),
        ("gzip,", None),
        ("gzip;q=1", None),
        ("deflate", Some(ContentEncoding::Deflate)),
        ("zlib", Some(ContentEncoding::Deflate)),
        ("zstd", Some(ContentEncoding::Zstd)),
        ("Snappy", Some(ContentEncoding::Snappy)),
        ("x-snappy-framed", Some(ContentEncoding::SnappyFramed)),
        ("br", None),
        ("lz4", None),
        ("zstd, gzip", None),
    ];
    for (value, expected) in cases {
        assert_eq!(
            ContentEncoding::parse(value.as_bytes()),
            expected,
            "{value:?}"
        );
    }
}

/// Scenario: no header, one, two.
/// Guarantees: no header means an uncompressed body; several are a list.
#[test]
fn content_encoding_headers() {
    let gzip: &[u8] = b"gzip";
    assert_eq!(ContentEncoding::of([]), Some(ContentEncoding::Identity));
    assert_eq!(ContentEncoding::of([gzip]), Some(ContentEncoding::Gzip));
    assert_eq!(ContentEncoding::of([gzip, gzip]), None);
}

/// `text` with the case of each letter chosen by `upper`.
fn recase(text: &str, upper: &[bool]) -> Vec<u8> {
    text.bytes()
        .zip(upper.iter().cycle())
        .map(|(byte, &upper)| {
            if upper {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            }
        })
        .collect()
}

proptest! {
    /// Scenario: any bytes as header values.
    /// Guarantees: parsing never panics, and upper case parses as lower case does.
    #[test]
    fn any_bytes(value in prop::collection::vec(any::<u8>(), 0..64)) {
        let upper = value.to_ascii_uppercase();
        prop_assert_eq!(ContentType::parse(&value), ContentType::parse(&upper));
        prop_assert_eq!(ContentEncoding::parse(&value), ContentEncoding::parse(&upper));
    }

    /// Scenario: known names in mixed case, with whitespace and parameters.
    /// Guarantees: they are recognised all the same.
    #[test]
    fn known_names_in_any_case(
        upper in prop::collection::vec(any::<bool>(), 1..24),
        parameter in "(;[ -~]{0,20})?",
        space in "[ \t]{0,3}",
    ) {
        for known in [ContentType::Protobuf, ContentType::Json] {
            let mut value = space.clone().into_bytes();
            value.extend(recase(known.as_str(), &upper));
            value.extend(space.bytes());
            value.extend(parameter.bytes());
            prop_assert_eq!(ContentType::parse(&value), Some(known));
        }
        for (name, known) in [
            ("gzip", ContentEncoding::Gzip),
            ("x-gzip", ContentEncoding::Gzip),
            ("identity", ContentEncoding::Identity),
            ("deflate", ContentEncoding::Deflate),
            ("zstd", ContentEncoding::Zstd),
            ("snappy", ContentEncoding::Snappy),
        ] {
            prop_assert_eq!(ContentEncoding::parse(&recase(name, &upper)), Some(known));
        }
    }
}
