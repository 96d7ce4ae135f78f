//! Renderings of the history: once for all who need them, as many at a time as there are cores.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::job::Job;
use super::offload::Offload;
use super::shared::{Shared, View};
use crate::publication::Publication;
use crate::slot::Slot;

/// What an entry of the cache costs beside its frames, in bytes, rounded up.
const ENTRY_BYTES: usize = 256;

/// Replayed publications: those that are being rendered, and the newest of those that are.
pub(super) struct Replays {
    offload: Arc<Offload>,
    cache: Mutex<Cache>,
}

/// A view, by its number, and a publication, by its own.
type Key = (u64, u64);

#[derive(Default)]
struct Cache {
    slots: HashMap<Key, Arc<Slot>>,
    /// Those that are filled, oldest first, and what they weigh.
    filled: VecDeque<(Key, usize)>,
    bytes: usize,
}

impl Replays {
    pub(super) fn new() -> Self {
        Self {
            offload: Offload::for_this_machine(),
            cache: Mutex::default(),
        }
    }

    /// The slot of a publication in a view, which is being filled, or is.
    pub(super) fn slot(
        shared: &Arc<Shared>,
        view: &Arc<View>,
        publication: Arc<Publication>,
    ) -> Arc<Slot> {
        let replays = &shared.replays;
        let key = (view.id, publication.seq);
        let mut cache = replays.cache.lock();
        if let Some(slot) = cache.slots.get(&key) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot::replayed(publication));
        cache.slots.insert(key, Arc::clone(&slot));
        drop(cache);
        let job = Job::replay(shared, view, Arc::clone(&slot));
        match Handle::try_current() {
            Ok(runtime) => replays.offload.add(&runtime, job),
            Err(_) => job.run(),
        }
        slot
    }

    /// Takes note that a slot is filled, and lets go of the oldest ones that are too much; who
    /// waits for one holds it.
    pub(super) fn settle(&self, view: u64, slot: &Arc<Slot>, weight: usize, max_bytes: usize) {
        let key = (view, slot.seq);
        let mut freed = Vec::new();
        let mut cache = self.cache.lock();
        // It may have been forgotten, and another be in its place.
        let here = cache.slots.get(&key);
        if here.is_some_and(|here| Arc::ptr_eq(here, slot)) {
            let weight = weight + ENTRY_BYTES;
            cache.bytes += weight;
            cache.filled.push_back((key, weight));
        }
        while cache.bytes > max_bytes
            && let Some((oldest, weight)) = cache.filled.pop_front()
        {
            cache.bytes -= weight;
            freed.extend(cache.slots.remove(&oldest));
        }
        drop(cache);
        drop(freed);
    }

    /// Lets go of everything of a view. What is still to be rendered of it, and nobody else holds,
    /// is not wanted any more.
    pub(super) fn forget(&self, view: u64) {
        let mut cache = self.cache.lock();
        let freed: Vec<_> = cache.slots.extract_if(|key, _| key.0 == view).collect();
        let Cache { filled, bytes, .. } = &mut *cache;
        filled.retain(|(key, weight)| {
            let stays = key.0 != view;
            *bytes -= if stays { 0 } else { *weight };
            stays
        });
        drop(cache);
        drop(freed);
    }

    /// How many wait for their turn, wanted or not.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.offload.waiting()
    }

    /// How many bytes the cache holds.
    pub(super) fn bytes(&self) -> usize {
        self.cache.lock().bytes
    }
}
