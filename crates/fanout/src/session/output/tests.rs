//! The order of frames on the wire, whatever pieces a socket takes.

use std::collections::VecDeque;
use std::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::frame::{CloseCode, MAX_HEADER, Opcode};

/// A socket that takes so many bytes at a time, and nothing in between.
struct Socket {
    takes: VecDeque<usize>,
    got: Vec<u8>,
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(take) = self.takes.pop_front() else {
            return Poll::Pending;
        };
        let all: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        let take = take.min(all.len());
        self.got.extend(&all[..take]);
        Poll::Ready(Ok(take))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Clone, Debug)]
enum Step {
    Frame(u8),
    Ping,
    Pong,
    /// The socket takes this many bytes, then blocks.
    Write(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..125_u8).prop_map(Step::Frame),
        1 => Just(Step::Ping),
        1 => Just(Step::Pong),
        4 => (1..200_usize).prop_map(Step::Write),
    ]
}

/// Reads unmasked frames with lengths under 126: their first bytes and payloads.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(usize::from(*len));
        frames.push((*first, payload.to_vec()));
        bytes = rest;
    }
    frames
}

proptest! {
    /// Scenario: frames, pings, pongs and writes of any length in any order; then a Close in
    /// any state, and a ping after it.
    /// Guarantees: whole frames on the wire; data in order and none lost but those behind the
    /// Close; control frames between, the newest of a kind, and no more of them kept than may
    /// go out; the Close last; the tally exact.
    #[test]
    fn frames_stay_whole_and_in_order(steps in proptest::collection::vec(step(), 1..60)) {
        let mut output = Output::new(Wire::WebSocket);
        let mut socket = Socket { takes: VecDeque::new(), got: Vec::new() };
        let cx = &mut Context::from_waker(Waker::noop());
        let (mut queued, mut asked) = (0_u8, 0_u8);
        let mut tally = (0, 0);
        let mut write = |output: &mut Output, socket: &mut Socket, take: usize| {
            socket.takes.push_back(take);
            let written = output.poll_write(cx, Pin::new(socket));
            socket.takes.clear();
            let new = output.take_tally();
            tally = (tally.0 + new.frames, tally.1 + new.bytes);
            written.is_ready()
        };
        for step in steps {
            match step {
                Step::Frame(len) => {
                    let mut buffer = vec![0; MAX_HEADER];
                    buffer.push(queued);
                    buffer.resize(MAX_HEADER + 1 + usize::from(len), 0);
                    output.refill(|queue| queue.push_back(frame::data(Opcode::Text, buffer)));
                    queued += 1;
                }
                Step::Ping | Step::Pong => {
                    asked += 1;
                    match step {
                        Step::Ping => output.ping(frame::control(Opcode::Ping, &[asked])),
                        _ => output.pong(frame::control(Opcode::Pong, &[asked])),
                    }
                }
                Step::Write(take) => {
                    write(&mut output, &mut socket, take);
                }
            }
            prop_assert!(output.queue.len() <= usize::from(queued) + 1);
        }
        output.close(frame::close(Some(CloseCode::AWAY), ""));
        output.ping(frame::control(Opcode::Ping, b"late"));
        while !write(&mut output, &mut socket, 1000) {}
        prop_assert!(output.is_empty());

        let frames = frames(&socket.got);
        let data: Vec<_> = frames.iter().filter(|(first, _)| *first == 0x81).collect();
        let numbers: Vec<u8> = data.iter().map(|(_, payload)| payload[0]).collect();
        prop_assert_eq!(&numbers, &(0..numbers.len() as u8).collect::<Vec<_>>());
        let bytes: usize = data.iter().map(|(_, payload)| payload.len() + 2).sum();
        prop_assert_eq!(tally, (data.len() as u64, bytes as u64));
        for kind in [0x89, 0x8a] {
            let kind: Vec<_> = frames.iter().filter(|(first, _)| *first == kind).collect();
            prop_assert!(kind.is_sorted_by(|a, b| a.1 < b.1));
        }
        prop_assert_eq!(frames.last(), Some(&(0x88, vec![0x03, 0xe9])));
        prop_assert_eq!(frames.iter().filter(|(first, _)| *first == 0x88).count(), 1);
    }
}
