//! Rendering: from the protobuf of an export to the frame of a view, outside every lock.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use otlp_codec::transcode::Transcoder;
use otlp_codec::{EncodeError, Limits, Signal};

use super::{Shared, View};
use crate::config::FanoutConfig;
use crate::frame;
use crate::observer::Rendering;
use crate::slot::{Outcome, Slot};
use crate::view::{Format, ViewKey};

/// Appends what a view shows of an export to a buffer; nothing appended means that there is
/// nothing to show. A test may put another in the place of the codec.
pub(crate) type Renderer =
    Arc<dyn Fn(&ViewKey, Signal, &Bytes, &mut Vec<u8>) -> Result<(), EncodeError> + Send + Sync>;

/// The longest scratch buffer that a thread keeps between two renderings, in bytes.
const KEPT_SCRATCH: usize = 1 << 20;

thread_local! {
    static TRANSCODER: RefCell<Transcoder> = const { RefCell::new(Transcoder::new()) };
}

/// The codec as a renderer.
pub(super) fn codec(config: &FanoutConfig) -> Renderer {
    let output_bytes = config.codec.output_bytes.min(config.frame_bytes);
    let limits = Limits {
        output_bytes,
        ..config.codec
    };
    Arc::new(move |key, signal, wire, out| match key.format {
        Format::Otlp => TRANSCODER.with_borrow_mut(|transcoder| {
            let result = transcoder.protobuf_to_json(signal, wire, &limits, out);
            if transcoder.scratch_bytes() > KEPT_SCRATCH {
                *transcoder = Transcoder::new();
            }
            result
        }),
    })
}

/// One rendering to be done. Dropped undone, by a runtime that shuts down say, it fills its
/// slot as lost, so that no session waits for it.
pub(crate) struct Job {
    shared: Arc<Shared>,
    view: Arc<View>,
    slot: Arc<Slot>,
    position: u64,
    settled: bool,
}

impl Job {
    pub(super) fn new(
        shared: &Arc<Shared>,
        view: &Arc<View>,
        slot: Arc<Slot>,
        position: u64,
    ) -> Self {
        let (shared, view) = (Arc::clone(shared), Arc::clone(view));
        Self {
            shared,
            view,
            slot,
            position,
            settled: false,
        }
    }

    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// Whether somebody still waits for it.
    pub(super) fn is_wanted(&self) -> bool {
        self.slot.is_waiting()
    }

    /// Renders, unless the log has let go of the slot, and fills it. A panic of the renderer
    /// ends here.
    pub(crate) fn run(mut self) {
        let Some(wire) = self.slot.start() else {
            self.settled = true;
            return;
        };
        let rendered = catch_unwind(AssertUnwindSafe(|| self.render(&wire)));
        drop(wire);
        let (outcome, rendering) = rendered.unwrap_or_else(|_| {
            tracing::error!(seq = self.slot.seq, signal = %self.slot.signal, "rendering panicked");
            (Outcome::Lost, Rendering::Failed)
        });
        self.settle(outcome, rendering);
    }

    fn render(&self, wire: &Bytes) -> (Outcome, Rendering) {
        let mut buffer = vec![0; frame::MAX_HEADER];
        match (self.shared.renderer)(&self.view.key, self.slot.signal, wire, &mut buffer) {
            Ok(()) if buffer.len() <= frame::MAX_HEADER => (Outcome::Nothing, Rendering::Nothing),
            Ok(()) => {
                // The log counts lengths: what is held must not be much more.
                if buffer.capacity() - buffer.len() > buffer.len() / 8 {
                    buffer.shrink_to_fit();
                }
                let frame = frame::text(buffer);
                let len = frame.len();
                (Outcome::Frame(frame), Rendering::Frame(len))
            }
            // There are no points of profiles.
            Err(EncodeError::NoPoints { .. }) => (Outcome::Nothing, Rendering::Nothing),
            Err(EncodeError::TooLong { .. }) => (Outcome::Lost, Rendering::TooBig),
            Err(EncodeError::Decode(error)) => {
                let (seq, signal) = (self.slot.seq, self.slot.signal);
                tracing::warn!(seq, %signal, %error, "an export cannot be rendered");
                (Outcome::Lost, Rendering::Failed)
            }
        }
    }

    fn settle(&mut self, outcome: Outcome, rendering: Rendering) {
        self.settled = true;
        let weight = match &outcome {
            Outcome::Frame(frame) => frame.len(),
            Outcome::Nothing | Outcome::Lost => 0,
        };
        self.slot.fill(outcome);
        let freed = self.view.log.lock().settle(self.position, weight);
        drop(freed);
        self.view.changes.send_replace(());
        self.shared
            .observer
            .rendered(self.view.key.format, rendering);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.settled {
            self.slot.abandon();
            self.settle(Outcome::Lost, Rendering::Failed);
        }
    }
}
