//! What the process takes of the machine, by the names that every client library of Prometheus has.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::families::Families;

/// What the system says of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    /// In seconds since 1970.
    pub(super) started: u64,
    /// Open descriptors and how many there may be, where the system tells.
    pub(super) descriptors: Option<(usize, usize)>,
}

impl Process {
    /// Asks the system; `None` where it doesn't tell.
    pub(super) fn now() -> Option<Self> {
        let pid = Pid::from_u32(std::process::id());
        let kind = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .without_tasks();
        let mut system = System::new().ok()?;
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
        let process = system.process(pid)?;
        Some(Self {
            cpu_seconds: process.accumulated_cpu_time() as f64 / 1000.0,
            resident_bytes: process.memory(),
            virtual_bytes: process.virtual_memory(),
            started: process.start_time(),
            descriptors: process.open_files().zip(process.open_files_limit()),
        })
    }

    pub(super) fn tell(&self, to: &mut Families) {
        to.common_counter(
            "process_cpu_seconds_total",
            "CPU time, of the user and the system together.",
            self.cpu_seconds,
        );
        to.common_gauge(
            "process_resident_memory_bytes",
            "Resident memory.",
            self.resident_bytes as f64,
        );
        to.common_gauge(
            "process_virtual_memory_bytes",
            "Virtual memory.",
            self.virtual_bytes as f64,
        );
        to.common_gauge(
            "process_start_time_seconds",
            "When the process began, in seconds since 1970.",
            self.started as f64,
        );
        if let Some((open, limit)) = self.descriptors {
            to.common_gauge("process_open_fds", "Open descriptors.", open as f64);
            to.common_gauge(
                "process_max_fds",
                "How many descriptors may be open.",
                limit as f64,
            );
        }
    }
}
