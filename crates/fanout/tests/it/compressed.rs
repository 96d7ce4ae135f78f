//! Frames for clients that agreed on permessage-deflate, beside others, read with flate2.

use std::io::Read;

use bytes::Bytes;
use fanout::{CloseReason, FanoutConfig, Hub, serve};
use flate2::read::DeflateDecoder;
use futures_util::FutureExt;
use otlp_codec::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

use crate::support::{DRAIN, export, frame, hub, piped, piped_to, publish, subscribe_to, text};

/// A session that takes compressed frames, over a pipe, and the client's end.
fn compressed(hub: &Hub, capacity: usize) -> (DuplexStream, JoinHandle<CloseReason>) {
    compressed_to(hub, "", capacity)
}

/// As [`compressed`], for what a query asks for.
fn compressed_to(
    hub: &Hub,
    query: &str,
    capacity: usize,
) -> (DuplexStream, JoinHandle<CloseReason>) {
    let (client, server) = tokio::io::duplex(capacity);
    let mut subscription = subscribe_to(hub, query);
    subscription.accept_compressed();
    let session = tokio::spawn(serve(server, Bytes::new(), subscription));
    (client, session)
}

/// The next frame: its first byte, its length on the wire, its message inflated.
async fn next(io: &mut (impl AsyncRead + Unpin)) -> (u8, usize, Vec<u8>) {
    let (first, short) = (io.read_u8().await.unwrap(), io.read_u8().await.unwrap());
    let (header, len) = match short {
        126 => (4, io.read_u16().await.unwrap().into()),
        127 => (10, io.read_u64().await.unwrap().try_into().unwrap()),
        short => (2, usize::from(short)),
    };
    let mut payload = vec![0; len];
    io.read_exact(&mut payload).await.unwrap();
    if first & 0x40 != 0 {
        payload.extend([0x00, 0x00, 0xff, 0xff, 0x03, 0x00]);
        let mut message = Vec::new();
        let mut decoder = DeflateDecoder::new(&payload[..]);
        decoder.read_to_end(&mut message).unwrap();
        payload = message;
    }
    (first, header + len, payload)
}

/// Scenario: three sessions with compression and two without, in one view; short exports and
/// long ones; then those with compression leave.
/// Guarantees: all read the same; long frames are compressed, once for the three, as long as
/// there are any; what is counted as written is what goes over the wire.
#[tokio::test]
async fn a_frame_is_compressed_once_for_all_who_want_it() {
    let (hub, recorder) = hub(FanoutConfig::default());
    let mut wanting: Vec<_> = (0..3).map(|_| compressed(&hub, 1 << 20)).collect();
    let mut plain: Vec<_> = (0..2).map(|_| piped(&hub, 1 << 20)).collect();
    let mut wire = 0;
    for number in 0..10 {
        let long = number % 2 == 1;
        let len = if long { 5000 } else { 0 };
        publish(&hub, [number], len);
        let expected = text(number, len).into_bytes();
        for (io, _) in &mut wanting {
            let (first, bytes, message) = next(io).await;
            assert_eq!(first, if long { 0xc1 } else { 0x81 });
            assert!(!long || bytes < 500, "{bytes}");
            assert!(message == expected);
            wire += bytes as u64;
        }
        for (io, _) in &mut plain {
            let (first, bytes, message) = next(io).await;
            assert_eq!(first, 0x81);
            assert!(message == expected);
            wire += bytes as u64;
        }
    }
    let counts = recorder.until(|counts| counts.frames == 50).await;
    assert_eq!(counts.bytes, wire);
    assert_eq!((counts.compressed.len(), counts.renderings), (10, 10));
    let (from, to) = counts.compressed[1];
    assert!(from > 5000 && to < 500, "{from} {to}");

    for (mut io, session) in wanting {
        io.write_all(&frame(0x88, b"")).await.unwrap();
        drop(io);
        session.await.unwrap();
    }
    publish(&hub, [10], 5000);
    assert_eq!(next(&mut plain[0].0).await.0, 0x81);
    assert_eq!(recorder.counts().compressed.len(), 10);
}

/// Scenario: a session with compression that doesn't read, while exports come; then it reads.
/// Guarantees: the log counts frames in both forms, gives up the oldest beyond its limit, and
/// what is read is whole and in order.
#[tokio::test]
async fn the_log_is_bounded_with_both_forms() {
    let (hub, recorder) = hub(FanoutConfig {
        lag_bytes: 100_000,
        gather_bytes: 1000,
        ..FanoutConfig::default()
    });
    let (mut io, _session) = compressed(&hub, 100);
    let (mut reader, _) = piped(&hub, 1 << 20);
    for number in 0..50 {
        publish(&hub, [number], 5000);
        assert_eq!(next(&mut reader).await.2, text(number, 5000).into_bytes());
        recorder
            .until(|counts| counts.compressed.len() as u64 == number + 1)
            .await;
        assert!(hub.snapshot().log_bytes <= 100_000);
    }
    let held = hub.snapshot();
    let both = recorder.counts().compressed.into_iter().rev();
    let both = both.map(|(plain, compressed)| plain + compressed);
    assert_eq!(both.take(held.log_frames).sum::<usize>(), held.log_bytes);
    let mut numbers = Vec::new();
    while numbers.last() != Some(&49) {
        let (_, _, message) = next(&mut io).await;
        numbers.push(crate::support::number(
            std::str::from_utf8(&message).unwrap(),
        ));
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(recorder.counts().dropped, 50 - numbers.len() as u64);
}

/// Scenario: sessions with compression that come late and ask for what was before; then live
/// exports.
/// Guarantees: replayed frames are compressed too, once for all who come to them together; the
/// order holds from the history to the log.
#[tokio::test]
async fn what_is_replayed_is_compressed() {
    let (hub, recorder) = hub(FanoutConfig::default());
    publish(&hub, 0..10, 5000);
    let mut late: Vec<_> = (0..3)
        .map(|_| compressed_to(&hub, "replay=all", 1 << 20))
        .collect();
    for number in 0..20 {
        if number >= 10 {
            publish(&hub, [number], 5000);
        }
        for (io, _) in &mut late {
            let (first, _, message) = next(io).await;
            assert_eq!(first, 0xc1);
            assert!(message == text(number, 5000).into_bytes());
        }
    }
    assert_eq!(recorder.counts().compressed.len(), 20);
}

/// Scenario: an export in parts, for a session with compression and one without.
/// Guarantees: both get the same parts, one after the other.
#[tokio::test]
async fn parts_are_compressed_one_by_one() {
    let (hub, _) = hub(FanoutConfig::default());
    let query = "max_frame=2000";
    let (mut io, _session) = compressed_to(&hub, query, 1 << 20);
    let (mut plain, _plain) = piped_to(&hub, query, 1 << 20);
    let wire = [export(1, 1500), export(2, 1500)].concat();
    hub.publish(Signal::Metrics, wire.into(), 2);
    for _ in 0..2 {
        let (first, _, message) = next(&mut io).await;
        assert_eq!((first, message.len() / 1500), (0xc1, 1));
        assert!(message == next(&mut plain).await.2);
    }
}

/// Scenario: the hub closes while frames are being compressed.
/// Guarantees: they are written before the Close.
#[tokio::test]
async fn shutdown_waits_for_compressed_frames() {
    let (hub, _) = hub(FanoutConfig::default());
    let (mut io, _session) = compressed(&hub, 1 << 20);
    publish(&hub, 0..20, 5000);
    hub.close(DRAIN);
    for number in 0..20 {
        assert_eq!(next(&mut io).await.2, text(number, 5000).into_bytes());
    }
    assert_eq!(next(&mut io).await.0, 0x88);
}

/// Scenario: a client sends bombs within the limit, one after the other, and then a ping;
/// another just pings.
/// Guarantees: both are answered, the second without waiting for the first.
#[tokio::test]
async fn bombs_within_the_limit_hold_up_nobody() {
    let (hub, _) = hub(FanoutConfig::default());
    let (mut bomber, _session) = compressed(&hub, 1 << 20);
    let (mut other, _other) = compressed(&hub, 1000);
    // 64 KiB of zeros in about 80 bytes.
    let mut encoder = flate2::Compress::new(flate2::Compression::best(), false);
    let mut payload = Vec::with_capacity(200);
    let zeros = vec![0; 64 << 10];
    let flush = flate2::FlushCompress::Sync;
    encoder.compress_vec(&zeros, &mut payload, flush).unwrap();
    payload.truncate(payload.len() - 4);
    let bombs = frame(0xc2, &payload).repeat(3000);
    bomber.write_all(&bombs).await.unwrap();
    bomber.write_all(&frame(0x89, b"a")).await.unwrap();
    other.write_all(&frame(0x89, b"b")).await.unwrap();
    assert_eq!(next(&mut other).await, (0x8a, 3, b"b".to_vec()));
    assert_eq!(next(&mut bomber).now_or_never(), None, "there is more");
    assert_eq!(next(&mut bomber).await, (0x8a, 3, b"a".to_vec()));
}
