//! Long renderings: off the workers, as many at a time as there are cores, in order.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::job::Job;

/// A queue of renderings and the threads that work on it. It holds what somebody may wait for: slots
/// of view logs, which the limits of the logs bound, or of publications of the history, one for each
/// view at most in which somebody reads there; and at most as many again, or [`UNSWEPT`], that
/// nobody waits for any more.
pub(super) struct Offload {
    queue: Mutex<Queue>,
    max_workers: usize,
}

/// How many jobs a queue may have before it is gone through for those that nobody wants.
const UNSWEPT: usize = 32;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// How many of them were wanted when it was gone through last.
    wanted: usize,
    workers: usize,
}

impl Queue {
    /// Takes out what nobody wants, if there may be as much of it as of the rest.
    fn sweep(&mut self) -> Vec<Job> {
        let mut unwanted = Vec::new();
        if self.jobs.len() < (2 * self.wanted).max(UNSWEPT) {
            return unwanted;
        }
        for _ in 0..self.jobs.len() {
            if let Some(job) = self.jobs.pop_front() {
                match job.is_wanted() {
                    true => self.jobs.push_back(job),
                    false => unwanted.push(job),
                }
            }
        }
        self.wanted = self.jobs.len();
        unwanted
    }
}

impl Offload {
    /// With as many workers at most as this machine has cores.
    pub(super) fn for_this_machine() -> Arc<Self> {
        let max_workers = std::thread::available_parallelism().map_or(1, NonZero::get);
        Arc::new(Self {
            queue: Mutex::default(),
            max_workers,
        })
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.lock().jobs.len()
    }

    /// Adds a job, and a thread of `runtime` to do it unless enough of them are at work.
    pub(super) fn add(self: &Arc<Self>, runtime: &Handle, job: Job) {
        let mut queue = self.queue.lock();
        let unwanted = queue.sweep();
        queue.jobs.push_back(job);
        let worker = (queue.workers < self.max_workers).then(|| {
            queue.workers += 1;
            Worker {
                offload: Arc::clone(self),
                signed_off: false,
            }
        });
        drop(queue);
        // Running an abandoned job is a no-op that spares its drop guard.
        unwanted.into_iter().for_each(Job::run);
        if let Some(worker) = worker {
            drop(runtime.spawn_blocking(move || worker.run()));
        }
    }
}

/// A thread's licence to work on the queue.
struct Worker {
    offload: Arc<Offload>,
    signed_off: bool,
}

impl Worker {
    fn run(mut self) {
        while let Some(job) = self.next() {
            job.run();
        }
    }

    /// The next job. Finding none and signing off is one step, so no job is left behind.
    fn next(&mut self) -> Option<Job> {
        let mut queue = self.offload.queue.lock();
        let job = queue.jobs.pop_front();
        queue.wanted = queue.wanted.min(queue.jobs.len());
        if job.is_none() {
            queue.workers -= 1;
            self.signed_off = true;
        }
        job
    }
}

impl Drop for Worker {
    /// A runtime that shuts down drops a worker that never ran. The last one to go leaves no
    /// job behind: dropped, they fill their slots as lost.
    fn drop(&mut self) {
        if self.signed_off {
            return;
        }
        let mut queue = self.offload.queue.lock();
        queue.workers -= 1;
        let orphans = (queue.workers == 0).then(|| std::mem::take(&mut queue.jobs));
        drop(queue);
        drop(orphans);
    }
}
