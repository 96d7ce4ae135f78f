//! A client that watches for longer than a relay lives.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::thread;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::Mark;
use super::clients::BACKOFF;
use super::views::mark;
use crate::support::{PATIENCE, Watcher};

/// A client on a thread of its own, until nobody asks what it got.
pub(super) struct Follower {
    marks: Receiver<Mark>,
    lives: Arc<AtomicUsize>,
}

impl Follower {
    /// Begins to watch everything.
    pub(super) fn start(address: SocketAddr) -> Self {
        let (sender, marks) = channel();
        let lives = Arc::new(AtomicUsize::new(0));
        let mut following = Following {
            address,
            epochs: BTreeSet::new(),
            seen: BTreeSet::new(),
            last: None,
            lives: Arc::clone(&lives),
            marks: sender,
        };
        let first = following.begin("").unwrap();
        thread::spawn(move || following.follow(first));
        Self { marks, lives }
    }

    /// How many lives of the relay it has watched.
    pub(super) fn lives(&self) -> usize {
        self.lives.load(Ordering::Relaxed)
    }

    /// Waits until it has so many exports of each sender, every single one. How many came twice.
    pub(super) fn until_all(&self, sent: &BTreeMap<String, i64>) -> u64 {
        let all = sent
            .iter()
            .flat_map(|(name, &sent)| (0..sent).map(move |number| (name, number)));
        let mut missing: BTreeSet<_> = all.map(|(name, number)| (name.clone(), number)).collect();
        let (mut got, mut twice) = (BTreeSet::new(), 0);
        while !missing.is_empty() {
            let mark = self.marks.recv_timeout(PATIENCE);
            let mark = mark.unwrap_or_else(|error| panic!("{error}: {missing:?}"));
            missing.remove(&mark);
            twice += u64::from(!got.insert(mark));
        }
        twice
    }
}

/// What it knows while it goes on.
struct Following {
    address: SocketAddr,
    /// The lives of the relay that it has frames of.
    epochs: BTreeSet<String>,
    /// The frames that have come.
    seen: BTreeSet<(String, u64)>,
    /// The last of them, or what `hello` said: the epoch and the number.
    last: Option<(String, u64)>,
    lives: Arc<AtomicUsize>,
    marks: Sender<Mark>,
}

impl Following {
    fn follow(mut self, first: Watcher) {
        let mut watcher = Some(first);
        loop {
            if let Some(watcher) = watcher
                && self.read(watcher).is_err()
            {
                return;
            }
            thread::park_timeout(BACKOFF);
            watcher = self.resume();
        }
    }

    /// Goes on where it was, or with all that a new relay has accepted.
    fn resume(&mut self) -> Option<Watcher> {
        let (epoch, seq) = self.last.clone()?;
        let watcher = self.begin(&format!("&since={epoch}:{seq}"))?;
        if self.last.as_ref().is_some_and(|(now, _)| *now == epoch) {
            return Some(watcher);
        }
        self.begin("&replay=all")
    }

    /// Connects, and reads the hello.
    fn begin(&mut self, how: &str) -> Option<Watcher> {
        let mut watcher = Watcher::try_connect(self.address, &format!("/ws?envelope=true{how}"))?;
        let Some(Message::Text(hello)) = watcher.try_message() else {
            return None;
        };
        let hello: Value = serde_json::from_str(&hello).unwrap();
        let (epoch, seq) = place(&hello);
        let known = self.last.as_ref().is_some_and(|(known, _)| *known == epoch);
        if how.contains("since") {
            assert_eq!(hello["recovered"], known, "{hello}");
        }
        self.last = Some((epoch, seq));
        Some(watcher)
    }

    /// Takes frames until the connection ends. An error if nobody asks for them any more.
    fn read(&mut self, mut watcher: Watcher) -> Result<(), SendError<Mark>> {
        while let Some(message) = watcher.try_message() {
            match message {
                Message::Text(text) => self.take(&serde_json::from_str(&text).unwrap())?,
                Message::Ping(_) => {}
                Message::Close(_) => break,
                other => panic!("{other:?}"),
            }
        }
        Ok(())
    }

    fn take(&mut self, frame: &Value) -> Result<(), SendError<Mark>> {
        assert_eq!(frame["type"], "data", "no gap: {frame}");
        let place = place(frame);
        if self.epochs.insert(place.0.clone()) {
            self.lives.fetch_add(1, Ordering::Relaxed);
        }
        assert!(self.seen.insert(place.clone()), "twice: {frame}");
        self.last = Some(place);
        self.marks.send(mark(&frame["data"]))
    }
}

fn place(frame: &Value) -> (String, u64) {
    let text = |name: &str| frame[name].as_str().unwrap().to_owned();
    (text("epoch"), text("seq").parse().unwrap())
}
