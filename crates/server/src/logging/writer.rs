//! The thread that writes log lines.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// The most lines that wait to be written. One more is lost.
const MAX_WAITING: usize = 8192;

/// How long the last lines may take. The thread itself is waited for a little less.
const LAST_LINES: Duration = Duration::from_millis(1200);

/// What writes the lines of a log, and knows how many it could not. A clone is the same one.
#[derive(Clone, Default)]
pub struct Writer(Option<Arc<Shared>>);

struct Shared {
    /// Until the end.
    thread: Mutex<Option<WorkerGuard>>,
    crowded_out: ErrorCounter,
    failed: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread. It writes what is written to the second.
    pub(super) fn start() -> (Self, NonBlocking) {
        let failed = Arc::new(AtomicU64::new(0));
        Self::over(StandardError(Arc::clone(&failed)), failed)
    }

    fn over(to: impl Write + Send + 'static, failed: Arc<AtomicU64>) -> (Self, NonBlocking) {
        let builder = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(MAX_WAITING)
            .thread_name("log");
        let (lines, thread) = builder.finish(to);
        let shared = Shared {
            thread: Mutex::new(Some(thread)),
            crowded_out: lines.error_counter(),
            failed,
        };
        (Self(Some(Arc::new(shared))), lines)
    }

    /// How many lines were lost: there was no room for them, or they could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let lost = self.0.as_ref().map(|shared| {
            let crowded_out = shared.crowded_out.dropped_lines() as u64;
            crowded_out + shared.failed.load(Ordering::Relaxed)
        });
        lost.unwrap_or_default()
    }

    /// Waits until all lines are written, for about a second at most. Those that come later are
    /// lost.
    pub fn finish(&self) {
        let Some(shared) = &self.0 else { return };
        let thread = shared.thread.lock();
        let Some(worker) = thread.unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let (done, waits) = sync_channel(1);
        // When there is no room to ask for the end, the worker says so on standard output, and who
        // doesn't read the one need not read the other.
        let waiting = thread::Builder::new().spawn(move || {
            drop(worker);
            // Maybe nobody waits any more.
            let _ = done.send(());
        });
        if waiting.is_ok() {
            // All that can be done has been.
            let _ = waits.recv_timeout(LAST_LINES);
        }
    }
}

/// Standard error. The worker would not tell anybody of a line that can't be written.
struct StandardError(Arc<AtomicU64>);

impl Write for StandardError {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if io::stderr().write_all(line).is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender};

    use super::*;

    /// What nobody may have read yet.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.send(line.to_vec()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn pipe() -> (Writer, NonBlocking, Receiver<Vec<u8>>) {
        let (tx, rx) = sync_channel(MAX_WAITING);
        let (writer, lines) = Writer::over(Pipe(tx), Arc::default());
        (writer, lines, rx)
    }

    /// Scenario: a hundred lines, and then the end.
    /// Guarantees: all are written when that is over, in their order; none is lost.
    #[test]
    fn the_last_lines_are_written() {
        let (writer, mut lines, read) = pipe();
        for number in 0..100_u8 {
            lines.write_all(&number.to_ne_bytes()).unwrap();
        }
        writer.finish();
        let read: Vec<_> = read.try_iter().collect();
        let written = (0..100_u8).map(|number| number.to_ne_bytes().to_vec());
        assert_eq!(read, written.collect::<Vec<_>>());
        assert_eq!(writer.lost(), 0);
        writer.finish();
    }

    /// Scenario: more lines than find room while nobody reads, and then the end.
    /// Guarantees: nobody waits for the reader; what found no room is counted.
    #[test]
    fn what_finds_no_room_is_counted() {
        const MORE: u64 = 1000;
        let (writer, mut lines, read) = pipe();
        for _ in 0..2 * MAX_WAITING as u64 + MORE {
            lines.write_all(b"x").unwrap();
        }
        // One more may be in the hands of the thread.
        assert!(writer.lost() >= MORE - 1, "{}", writer.lost());
        writer.finish();
        drop(read);
    }
}
