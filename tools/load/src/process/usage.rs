//! What a process has used, as Linux tells it.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

/// What a process has used up to a moment.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time of all its threads, those that have ended too.
    pub cpu: Duration,
    /// Resident memory, in KiB. Socket buffers are the kernel's.
    pub resident_kib: u64,
    /// The most that it was.
    pub peak_kib: u64,
}

impl Usage {
    /// Of the process `id`.
    ///
    /// # Errors
    ///
    /// If there is no such process, or the system does not tell.
    pub fn of(id: u32) -> io::Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        Ok(Self {
            cpu: system::cpu(id)?,
            resident_kib: kib(&status, "VmRSS:")?,
            peak_kib: kib(&status, "VmHWM:")?,
        })
    }

    /// Of this process.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn own() -> io::Result<Self> {
        Self::of(std::process::id())
    }
}

/// How long the processors of this machine have worked so far, for whomever, all together.
///
/// # Errors
///
/// If the system does not tell.
pub fn machine_busy() -> io::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let ticks = busy_ticks(&stat).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Duration::from_secs_f64(
        ticks as f64 / system::ticks_per_second()? as f64,
    ))
}

/// Lets this process, and those that it starts, open as many sockets as the system allows at all.
/// Elsewhere than on Linux, it does nothing.
///
/// # Errors
///
/// If the system does not let it.
pub fn raise_descriptors() -> io::Result<()> {
    system::raise_descriptors()
}

/// The ticks of all processors that were neither idle nor waiting for a disk (proc_stat(5)).
fn busy_ticks(stat: &str) -> Option<u64> {
    let all = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields = all.split_ascii_whitespace().map(str::parse::<u64>);
    let fields = fields.collect::<Result<Vec<_>, _>>().ok()?;
    // What virtual machines of this one use is in the first two already.
    let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = fields[..] else {
        return None;
    };
    Some(user + nice + system + irq + softirq + steal)
}

/// A field of `/proc/ID/status`.
fn kib(status: &str, field: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    kib.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(target_os = "linux")]
mod linux {
    //! The clocks of Linux.

    use std::io;
    use std::time::Duration;

    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    use nix::time::clock_getcpuclockid;
    use nix::unistd::{Pid, SysconfVar, sysconf};

    /// User and system time of a process, to the nanosecond; `/proc` counts it in ticks of 10 ms.
    pub(super) fn cpu(id: u32) -> io::Result<Duration> {
        let id = i32::try_from(id).map_err(io::Error::other)?;
        let time = clock_getcpuclockid(Pid::from_raw(id))?.now()?;
        Ok(time.into())
    }

    pub(super) fn raise_descriptors() -> io::Result<()> {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
    }

    /// The unit of `/proc/stat`.
    pub(super) fn ticks_per_second() -> io::Result<i64> {
        sysconf(SysconfVar::CLK_TCK)?.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    //! Other systems have no `/proc`.

    use std::io;
    use std::time::Duration;

    pub(super) fn cpu(_id: u32) -> io::Result<Duration> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn ticks_per_second() -> io::Result<i64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn raise_descriptors() -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the first lines of `/proc/stat`.
    /// Guarantees: idle time, waiting for disks and guests are left out; garbage is told.
    #[test]
    fn busy_time_is_all_but_idling() {
        let stat = "cpu  100 10 50 9000 800 3 4 5 77 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(172));
        assert_eq!(busy_ticks("cpu  100 10"), None);
        assert_eq!(busy_ticks("intr 1 2 3 4 5 6 7 8"), None);
    }

    /// Scenario: this process, before and after some work.
    /// Guarantees: its time grows, and its memory is known.
    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_measured() {
        let before = Usage::own().unwrap();
        let mut sum = 0_u64;
        while Usage::own().unwrap().cpu < before.cpu + Duration::from_millis(2) {
            sum = std::hint::black_box(sum.wrapping_mul(3) + 1);
        }
        let after = Usage::own().unwrap();
        assert!(after.peak_kib >= after.resident_kib && after.resident_kib > 0);
        assert!(machine_busy().unwrap() > Duration::ZERO);
    }
}
