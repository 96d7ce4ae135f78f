//! Bodies in one piece and in many, at their limits, and broken in every way.

use std::cell::Cell;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;

use super::*;
use crate::budget::Budget;

mod codings;

const LIMIT: usize = 100_000;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// `length` bytes that gzip can't shorten much, the same for each call.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Of a budget that nothing exhausts.
fn permit() -> Permit {
    Budget::new(1, usize::MAX).admit().unwrap()
}

async fn read_chunks(
    body: &[u8],
    chunk: usize,
    encoding: ContentEncoding,
    declared: Option<u64>,
) -> Result<Bytes, BodyError> {
    let chunks = body.chunks(chunk).map(Bytes::copy_from_slice);
    let stream = stream::iter(chunks.map(Ok::<_, BodyError>));
    read(stream, encoding, declared, LIMIT, &mut permit()).await
}

async fn read_gzip(body: &[u8]) -> Result<Bytes, BodyError> {
    read_chunks(body, 1 << 15, ContentEncoding::Gzip, None).await
}

/// Scenario: bodies of the limit and of one byte more, with and without a declared length.
/// Guarantees: exactly the limit passes.
#[actix_web::test]
async fn plain_bodies_up_to_the_limit() {
    for chunk in [1000, LIMIT + 1] {
        let body = noise(LIMIT + 1);
        let fits = &body[..LIMIT];
        for declared in [None, Some(LIMIT as u64)] {
            let read = read_chunks(fits, chunk, ContentEncoding::Identity, declared).await;
            assert_eq!(read.unwrap(), fits);
        }
        let read = read_chunks(&body, chunk, ContentEncoding::Identity, None).await;
        assert_eq!(read, Err(too_large(LIMIT, Form::Sent)));
    }
}

/// Scenario: bodies that inflate to the limit and to one byte more.
/// Guarantees: exactly the limit passes.
#[actix_web::test]
async fn gzip_bodies_up_to_the_limit() {
    let zeros = vec![0; LIMIT + 1];
    let read = read_gzip(&gzip(&zeros[..LIMIT])).await;
    assert_eq!(read.unwrap(), &zeros[..LIMIT]);
    let read = read_gzip(&gzip(&zeros)).await;
    assert_eq!(read, Err(too_large(LIMIT, Form::Inflated)));
}

/// Scenario: a stream of empty gzip members without end.
/// Guarantees: what is sent is limited even if nothing comes out of it.
#[actix_web::test]
async fn gzip_bodies_are_limited_as_sent_too() {
    let member = Bytes::from(gzip(b""));
    let endless = stream::repeat_with(|| Ok::<_, BodyError>(member.clone()));
    let read = read(endless, ContentEncoding::Gzip, None, LIMIT, &mut permit()).await;
    assert_eq!(read, Err(too_large(LIMIT, Form::Sent)));
}

/// Scenario: a length over the limit is announced.
/// Guarantees: the refusal comes before anything is read.
#[actix_web::test]
async fn a_declared_length_is_refused_unread() {
    for declared in [LIMIT as u64 + 1, u64::MAX] {
        for encoding in [ContentEncoding::Identity, ContentEncoding::Gzip] {
            let polled = Cell::new(false);
            let stream = stream::repeat_with(|| {
                polled.set(true);
                Ok::<_, BodyError>(Bytes::new())
            });
            let read = read(stream, encoding, Some(declared), LIMIT, &mut permit()).await;
            assert_eq!(read, Err(too_large(LIMIT, Form::Sent)));
            assert!(!polled.get());
        }
    }
}

/// Scenario: a bomb of a thousand members, each of which inflates to the limit.
/// Guarantees: reading stops with the chunk that goes over the limit.
#[actix_web::test]
async fn a_bomb_is_not_read_to_its_end() {
    let member = Bytes::from(gzip(&vec![0; LIMIT]));
    let pulled = Cell::new(0);
    let bomb = stream::iter(vec![member; 1000]).map(|member| {
        pulled.set(pulled.get() + 1);
        Ok::<_, BodyError>(member)
    });
    let read = read(bomb, ContentEncoding::Gzip, None, LIMIT, &mut permit()).await;
    assert_eq!(read, Err(too_large(LIMIT, Form::Inflated)));
    assert_eq!(pulled.get(), 2);
}

/// Scenario: three members, one of them empty, in chunks of every small size.
/// Guarantees: all members are read, wherever the chunks are cut.
#[actix_web::test]
async fn gzip_of_several_members() {
    let mut body = gzip(b"one, ");
    body.extend(gzip(b""));
    body.extend(gzip(b"two"));
    for chunk in 1..=body.len() {
        let read = read_chunks(&body, chunk, ContentEncoding::Gzip, None).await;
        assert_eq!(read.unwrap(), "one, two", "chunks of {chunk}");
    }
}

/// Scenario: a gzip body cut off after each of its bytes.
/// Guarantees: a truncated body is an error, never a shorter body.
#[actix_web::test]
async fn truncated_gzip() {
    let mut body = gzip(&noise(300));
    let first = body.len();
    body.extend(gzip(b"second"));
    for end in (0..body.len()).filter(|&end| end != first) {
        for chunk in [1, 7, 1 << 15] {
            let read = read_chunks(&body[..end], chunk, ContentEncoding::Gzip, None).await;
            assert!(
                matches!(read, Err(BodyError::Compression { .. })),
                "cut at {end}: {read:?}"
            );
        }
    }
}

/// Scenario: one bit wrong in the magic number, the checksum, the length; junk at the end.
/// Guarantees: each is an error with a text that is not empty.
#[actix_web::test]
async fn damaged_gzip() {
    let good = gzip(&noise(300));
    let length = good.len();
    let mut cases: Vec<Vec<u8>> = [0, 1, 2, length - 8, length - 5, length - 4, length - 1]
        .into_iter()
        .map(|at| {
            let mut body = good.clone();
            body[at] ^= 1;
            body
        })
        .collect();
    for junk in [&b"\0"[..], b"junk", b"\x1f", b"\x1f\x8b\x08"] {
        cases.push([&good, junk].concat());
    }
    for body in cases {
        for chunk in [1, 1 << 15] {
            match read_chunks(&body, chunk, ContentEncoding::Gzip, None).await {
                Err(BodyError::Compression { what, .. }) => assert!(!what.is_empty()),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Scenario: the connection breaks, or stalls, in the middle of either kind of body.
/// Guarantees: that is told apart from bad compression, and one from the other.
#[actix_web::test]
async fn broken_streams() {
    let body = Bytes::from(gzip(&noise(300))).slice(..100);
    for encoding in [ContentEncoding::Identity, ContentEncoding::Gzip] {
        for broken in [BodyError::Incomplete, BodyError::TooSlow] {
            let stream = stream::iter([Ok(body.clone()), Err(broken.clone())]);
            let read = read(stream, encoding, None, LIMIT, &mut permit()).await;
            assert_eq!(read, Err(broken));
        }
    }
}

/// Scenario: an unlimited body of a length that is not known.
/// Guarantees: the biggest possible limit does not overflow.
#[actix_web::test]
async fn no_limit() {
    for (encoding, body) in [
        (ContentEncoding::Identity, b"data".to_vec()),
        (ContentEncoding::Gzip, gzip(b"data")),
    ] {
        let stream = stream::iter([Ok::<_, BodyError>(Bytes::from(body))]);
        let read = read(stream, encoding, None, usize::MAX, &mut permit()).await;
        assert_eq!(read.unwrap(), "data");
    }
}

/// Scenario: a buffer grows for chunks of 1,000 bytes under a ceiling of 1 MB.
/// Guarantees: the capacity never exceeds the first size, twice what has arrived, or the ceiling.
#[test]
fn buffers_grow_with_what_arrives() {
    let ceiling = 1_000_000;
    let (mut buffer, mut permit) = (Vec::new(), permit());
    for _ in 0..1000 {
        grow(&mut buffer, 1000, ceiling, &mut permit).unwrap();
        buffer.extend_from_slice(&[0; 1000]);
        let allowed = (buffer.len() * 2).max(FIRST_BUFFER_BYTES).min(ceiling);
        assert!(buffer.capacity() <= allowed, "{}", buffer.len());
    }
    let mut small = Vec::new();
    grow(&mut small, 10, 20, &mut permit).unwrap();
    assert_eq!(small.capacity(), 20);
}

/// Scenario: bodies of every coding, whose inflated form is longer than what all requests may
/// hold, or than what is left of it, or just fits.
/// Guarantees: refused as soon as it grows over it, and told to come again only if that may help;
/// in the end exactly the length of the body is taken, and all is given back with the permit.
#[actix_web::test]
async fn budgets() {
    let data = vec![0; 90_000];
    for (encoding, compress) in codings::CODINGS {
        let body = Bytes::from(compress(&data));
        for (bytes, others, fits) in [
            (1 << 20, 0, true),
            (1 << 20, (1 << 20) - 80_000, false),
            (250_000, 0, true),
            (80_000, 0, false),
            (0, 0, false),
        ] {
            let budget = Budget::new(2, bytes);
            let mut other = budget.admit().unwrap();
            other.take(others).unwrap();
            let mut permit = budget.admit().unwrap();
            let stream = stream::iter([Ok::<_, BodyError>(body.clone())]);
            match read(stream, encoding, None, LIMIT, &mut permit).await {
                Ok(read) => {
                    assert!(fits && read == data, "{encoding:?} in {bytes}");
                    assert_eq!(budget.bytes(), others + data.len());
                }
                Err(error) => {
                    assert!(!fits, "{encoding:?} in {bytes}: {error}");
                    let never = BodyError::TooLarge {
                        limit: bytes,
                        form: Form::Held,
                    };
                    let later = BodyError::Overloaded(Refused::too_many_bytes(1));
                    assert_eq!(error, if others == 0 { never } else { later });
                }
            }
            drop((permit, other));
            assert_eq!(budget.bytes(), 0);
        }
    }
}

/// Scenario: framed snappy of a megabyte that is hardly shorter than what it inflates to, several
/// of them in a budget that holds both forms of each.
/// Guarantees: what frames take grows with what they inflate to; nobody is charged for what they
/// might.
#[actix_web::test]
async fn frames_are_charged_as_they_inflate() {
    let data = noise(1 << 20);
    let body = Bytes::from(codings::frames(&data));
    let budget = Budget::new(4, 4 * (body.len() + 2 * data.len()));
    let mut permits = Vec::new();
    for _ in 0..4 {
        let mut permit = budget.admit().unwrap();
        let stream = stream::iter([Ok::<_, BodyError>(body.clone())]);
        let encoding = ContentEncoding::SnappyFramed;
        let read = read(stream, encoding, None, 64 << 20, &mut permit).await;
        assert_eq!(read.unwrap(), data);
        permits.push(permit);
    }
    assert_eq!(budget.bytes(), 4 * data.len());
}
