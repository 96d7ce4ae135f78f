//! What holds for every coding, gzip too, and what is special of each.

use flate2::write::ZlibEncoder;

use super::*;

pub(super) type Compress = fn(&[u8]) -> Vec<u8>;

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// With a checksum, as a damaged one is to be found.
fn zstd(data: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn block(data: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(data).unwrap()
}

pub(super) fn frames(data: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(data).unwrap();
    let frames = encoder.into_inner().unwrap();
    // Of nothing, the encoder leaves out the begin.
    match frames.is_empty() {
        true => STREAM_IDENTIFIER.to_vec(),
        false => frames,
    }
}

const STREAM_IDENTIFIER: &[u8] = b"\xff\x06\0\0sNaPpY";

/// Every coding with what compresses to it.
pub(super) const CODINGS: [(ContentEncoding, Compress); 6] = [
    (ContentEncoding::Gzip, gzip),
    (ContentEncoding::Deflate, zlib),
    (ContentEncoding::Zstd, zstd),
    (ContentEncoding::Snappy, block),
    (ContentEncoding::Snappy, frames),
    (ContentEncoding::SnappyFramed, frames),
];

/// Scenario: nothing, a little, and as much as the limit, of noise and of zeros, in pieces of
/// several sizes.
/// Guarantees: it comes out as it went in.
#[actix_web::test]
async fn what_goes_in_comes_out() {
    let (noise, zeros) = (noise(LIMIT * 9 / 10), vec![0; LIMIT]);
    for (encoding, compress) in CODINGS {
        for data in [&b""[..], b"a", &noise, &zeros] {
            let body = compress(data);
            for chunk in [1, 1000, 1 << 20] {
                let read = read_chunks(&body, chunk, encoding, None).await;
                assert!(read.unwrap() == data, "{encoding:?} of {}", data.len());
            }
        }
    }
}

/// Scenario: no bytes at all, as encoders of frames write an empty body (found by fuzzing).
/// Guarantees: framed Snappy takes it for empty; the others have a head at least.
#[actix_web::test]
async fn nothing_at_all() {
    for (encoding, _) in CODINGS {
        let read = read_chunks(b"", 1, encoding, None).await;
        let framed = encoding == ContentEncoding::SnappyFramed;
        assert_eq!(
            read.is_ok_and(|body| body.is_empty()),
            framed,
            "{encoding:?}"
        );
    }
}

/// Scenario: zeros of one byte more than the limit.
/// Guarantees: refused as too large after decompression.
#[actix_web::test]
async fn a_byte_too_many() {
    let zeros = vec![0; LIMIT + 1];
    for (encoding, compress) in CODINGS {
        let read = read_chunks(&compress(&zeros), 1 << 20, encoding, None).await;
        assert_eq!(read, Err(too_large(LIMIT, Form::Inflated)), "{encoding:?}");
    }
}

/// Scenario: a body cut off after each of its bytes, and one with something behind it.
/// Guarantees: an error that names the coding; never a shorter body.
#[actix_web::test]
async fn cut_off_or_followed_by_junk() {
    for (encoding, compress) in CODINGS {
        let good = compress(&noise(300));
        let cut = (1..good.len()).map(|end| good[..end].to_vec());
        let junk = [&good[..], b"junk junk"].concat();
        for body in cut.chain([junk]) {
            // Frames of Snappy may end anywhere between two chunks.
            let identifier_alone = body == STREAM_IDENTIFIER;
            for chunk in [1, 1 << 20] {
                match read_chunks(&body, chunk, encoding, None).await {
                    Err(BodyError::Compression { coding, what }) => {
                        assert!(!what.is_empty());
                        let framed = encoding == ContentEncoding::SnappyFramed;
                        assert!(coding == encoding.as_str() || framed, "{coding}");
                    }
                    Ok(read) if identifier_alone => assert!(read.is_empty()),
                    other => panic!("{encoding:?}, {} bytes: {other:?}", body.len()),
                }
            }
        }
    }
}

/// Scenario: one bit wrong, anywhere in a body.
/// Guarantees: no panic, and where there is a checksum, never other data.
#[actix_web::test]
async fn one_wrong_bit() {
    let data = noise(120);
    for (encoding, compress) in CODINGS {
        let good = compress(&data);
        for bit in 0..good.len() * 8 {
            let mut body = good.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            match read_chunks(&body, 1 << 20, encoding, None).await {
                Ok(read) => assert!(
                    // A block of Snappy has no checksum, and chunks of frames can be made to be
                    // skipped.
                    read == data
                        || matches!(
                            encoding,
                            ContentEncoding::Snappy | ContentEncoding::SnappyFramed
                        ),
                    "{encoding:?}: bit {bit}"
                ),
                Err(BodyError::Compression { .. } | BodyError::TooLarge { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Scenario: two frames of zstd with one between them that is to be skipped; two streams of zlib.
/// Guarantees: frames are joined (RFC 8878, 3.1); zlib has no members.
#[actix_web::test]
async fn frames_are_joined() {
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    let body = [&zstd(b"one, ")[..], skipped, &zstd(b"two")].concat();
    for chunk in 1..=body.len() {
        let read = read_chunks(&body, chunk, ContentEncoding::Zstd, None).await;
        assert_eq!(read.unwrap(), "one, two", "chunks of {chunk}");
    }
    let body = [zlib(b"one"), zlib(b"two")].concat();
    let read = read_chunks(&body, 1 << 20, ContentEncoding::Deflate, None).await;
    assert!(
        matches!(read, Err(BodyError::Compression { .. })),
        "{read:?}"
    );
}

/// Scenario: a frame of zstd whose window is 16 MiB; a block of Snappy that says it is 4 GiB
/// long, or as long as the limit, and holds next to nothing.
/// Guarantees: refused, before memory of that size is taken.
#[actix_web::test]
async fn announced_sizes_are_not_believed() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.write_all(&noise(1000)).unwrap();
    let wide = encoder.finish().unwrap();
    let read = read_chunks(&wide, 1 << 20, ContentEncoding::Zstd, None).await;
    assert!(
        matches!(read, Err(BodyError::Compression { .. })),
        "{read:?}"
    );

    let huge = b"\xff\xff\xff\xff\x0f\0a";
    let read = read_chunks(huge, 1 << 20, ContentEncoding::Snappy, None).await;
    assert_eq!(read, Err(too_large(LIMIT, Form::Inflated)));
    let lying = b"\xa0\x8d\x06\0a";
    let read = read_chunks(lying, 1 << 20, ContentEncoding::Snappy, None).await;
    assert!(
        matches!(read, Err(BodyError::Compression { .. })),
        "{read:?}"
    );
}

/// Scenario: frames under the name of a block, and a block under the name of frames.
/// Guarantees: the first is taken, as Collectors have sent it; the second is an error.
#[actix_web::test]
async fn both_forms_of_snappy() {
    let read = read_chunks(&frames(b"data"), 5, ContentEncoding::Snappy, None).await;
    assert_eq!(read.unwrap(), "data");
    let read = read_chunks(&block(b"data"), 5, ContentEncoding::SnappyFramed, None).await;
    assert!(
        matches!(read, Err(BodyError::Compression { .. })),
        "{read:?}"
    );
}

/// Scenario: bodies that are long enough to be inflated on another thread.
/// Guarantees: the same result.
#[actix_web::test]
async fn long_snappy() {
    let data = noise(200_000);
    for compress in [block as Compress, frames] {
        let stream = stream::iter([Ok::<_, BodyError>(Bytes::from(compress(&data)))]);
        let read = read(
            stream,
            ContentEncoding::Snappy,
            None,
            1 << 20,
            &mut permit(),
        )
        .await;
        assert!(read.unwrap() == data);
    }
}
