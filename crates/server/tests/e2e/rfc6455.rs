//! The WebSocket protocol, rule by rule, against a running relay over bare sockets, plain and
//! with TLS: what Autobahn's testsuite asks for in its categories 1 to 7 and 9, of a server that
//! echoes nothing. That a session goes on shows in a pong and in the next export; that it failed
//! in the code of the Close frame, behind which nothing comes but the end of the stream.

mod closing;
mod fragments;
mod framing;
mod handshake;
mod limits;
mod opcodes;
mod pings;
mod reserved;
mod utf8;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::version::TLS13;
use serde_json::Value;

use crate::support::{
    AnyStream, Authority, Folder, Http, PROTOBUF, RawWatcher, Relay, gauge, name_of, request,
    tls_flags, ws_frame,
};

/// What a client sends, and what has to become of its session.
pub(crate) struct Case {
    name: String,
    bytes: Vec<u8>,
    /// The pings in it.
    pings: Vec<Vec<u8>>,
    outcome: Outcome,
}

#[derive(Clone, Copy)]
enum Outcome {
    /// Nothing was wrong.
    Lives,
    /// The client closed: the answer has its code, or none.
    Answered(Option<u16>),
    /// The relay closes with this code.
    Fails(u16),
}

/// A case of what is allowed.
pub(crate) fn lives(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Case {
    Case {
        name: name.into(),
        bytes: bytes.into(),
        pings: Vec::new(),
        outcome: Outcome::Lives,
    }
}

/// A case of what is answered with a Close frame of this code.
pub(crate) fn fails(code: u16, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Case {
    Case {
        outcome: Outcome::Fails(code),
        ..lives(name, bytes)
    }
}

/// A case of a client that closes as it should.
fn answered(code: Option<u16>, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Case {
    Case {
        outcome: Outcome::Answered(code),
        ..lives(name, bytes)
    }
}

impl Case {
    /// Says which pings are in the case.
    pub(crate) fn pings(mut self, pings: &[&[u8]]) -> Self {
        self.pings = pings.iter().map(|ping| ping.to_vec()).collect();
        self
    }
}

/// Two relays, one with TLS.
pub(crate) struct Suite(pub(crate) [Door; 2]);

/// One of them.
pub(crate) struct Door {
    relay: Relay,
    tls: Option<Arc<ClientConfig>>,
    /// A connection that exports are sent on.
    sender: Http<AnyStream>,
    /// Whether subscribers agree on permessage-deflate.
    deflate: bool,
}

impl Suite {
    pub(crate) fn start(name: &str) -> Self {
        // A ping of the relay would come between the frames that are waited for.
        let args = ["--ping-interval", "1h"];
        let (folder, authority) = (Folder::new(name), Authority::new());
        let flags = tls_flags(&folder, &authority.issue());
        let flags = flags.each_ref().map(String::as_str);
        let client = authority.client(&[&TLS13], None);
        Self([
            Door::open(Relay::with(&args), None),
            Door::open(Relay::with(&[&flags[..], &args].concat()), Some(client)),
        ])
    }

    /// Subscribers agree on permessage-deflate from now on.
    pub(crate) fn deflating(mut self) -> Self {
        self.0.iter_mut().for_each(|door| door.deflate = true);
        self
    }

    /// Each case over both doors: sent at once, and cut into small pieces.
    pub(crate) fn check(&mut self, cases: &[Case]) {
        for door in &mut self.0 {
            let mut bystander = door.watch();
            for case in cases {
                // Byte by byte, unless that takes for ever.
                let piece = if case.bytes.len() < 4096 { 1 } else { 997 };
                for piece in [usize::MAX, piece] {
                    door.check(case, piece);
                }
                door.export(&case.name);
                while !shows(&bystander.text(), &case.name) {}
            }
        }
    }
}

impl Door {
    fn open(relay: Relay, tls: Option<Arc<ClientConfig>>) -> Self {
        let sender = Http::any(relay.address(), tls.as_ref());
        Self {
            relay,
            tls,
            sender,
            deflate: false,
        }
    }

    pub(crate) fn connect(&self) -> Http<AnyStream> {
        Http::any(self.relay.address(), self.tls.as_ref())
    }

    /// A subscriber to metrics.
    fn watch(&self) -> RawWatcher<AnyStream> {
        match self.deflate {
            true => RawWatcher::deflating(self.connect()),
            false => RawWatcher::over(self.connect()),
        }
    }

    fn export(&mut self, name: &str) {
        self.send(&gauge(name, 1));
    }

    /// Exports metrics.
    pub(crate) fn send(&mut self, wire: &[u8]) {
        let headers = [("Content-Type", PROTOBUF)];
        self.sender
            .send(&request("POST", "/v1/metrics", &headers, wire));
        assert_eq!(self.sender.answer().status, 200);
    }

    fn check(&mut self, case: &Case, piece: usize) {
        let name = &format!("{}, TLS {}, by {piece}", case.name, self.tls.is_some());
        let mut watcher = self.watch();
        let pieces = case.bytes.chunks(piece.min(case.bytes.len()));
        // A session that has failed may be over before everything is sent.
        let sent = pieces
            .map(|piece| watcher.try_send(piece))
            .all(|sent| sent.is_ok());
        if let Outcome::Lives = case.outcome {
            assert!(sent, "{name}");
            Self::expect_life(&mut watcher, &case.pings, name);
            self.export("marker");
            assert!(shows(&watcher.text(), "marker"), "{name}");
        } else {
            // Nothing that comes behind it counts.
            let behind = ws_frame::frame(ws_frame::PING, b"behind");
            let _ = watcher.try_send(&[&behind[..], b"rubbish"].concat());
            Self::expect_close(&mut watcher, case, name);
        }
    }

    /// Pongs, and one to a last ping.
    fn expect_life(watcher: &mut RawWatcher<AnyStream>, pings: &[Vec<u8>], name: &str) {
        if let Some(last) = pings.last() {
            expect_pongs(watcher, pings, last, name);
        }
        let marker = b"still there?";
        watcher.send(&ws_frame::frame(ws_frame::PING, marker));
        expect_pongs(watcher, &[marker.to_vec()], marker, name);
    }

    fn expect_close(watcher: &mut RawWatcher<AnyStream>, case: &Case, name: &str) {
        let mut pings = case.pings.iter();
        let close = loop {
            let frame = watcher
                .frame()
                .unwrap_or_else(|| panic!("{name}: no Close"));
            match frame.opcode {
                10 => assert!(
                    pings.any(|ping| *ping == frame.payload),
                    "{name}: {frame:?}"
                ),
                _ => break frame,
            }
        };
        assert_eq!(close.opcode, 8, "{name}: {close:?}");
        match case.outcome {
            Outcome::Lives => panic!("{name}: {close:?}"),
            Outcome::Answered(code) => {
                let expected = code.map(u16::to_be_bytes);
                assert_eq!(
                    close.payload,
                    expected.as_ref().map_or(&[][..], |code| code),
                    "{name}"
                );
            }
            Outcome::Fails(code) => {
                let (said, reason) = close.payload.split_first_chunk().unwrap();
                assert_eq!(u16::from_be_bytes(*said), code, "{name}: {close:?}");
                assert!(!str::from_utf8(reason).unwrap().is_empty(), "{name}");
            }
        }
        assert!(
            watcher.frame().is_none(),
            "{name}: a frame behind the Close"
        );
    }
}

/// Reads pongs up to the one with `last`. Of several pings only the newest has to be answered
/// (section 5.5.3), and all in their order.
fn expect_pongs(watcher: &mut RawWatcher<AnyStream>, pings: &[Vec<u8>], last: &[u8], name: &str) {
    let mut pings = pings.iter();
    loop {
        let frame = watcher
            .frame()
            .unwrap_or_else(|| panic!("{name}: it ended"));
        assert_eq!(frame.opcode, 10, "{name}: {frame:?}");
        assert!(
            pings.any(|ping| *ping == frame.payload),
            "{name}: {frame:?}"
        );
        if frame.payload == last {
            return;
        }
    }
}

/// Whether a frame is that of an export.
fn shows(text: &[u8], name: &str) -> bool {
    let frame: Value = serde_json::from_slice(text).unwrap();
    name_of(&frame) == name
}
