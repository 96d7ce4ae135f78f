//! The relay as a process of its own.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// A running relay; it is killed when dropped.
pub(crate) struct Relay {
    child: Child,
    address: SocketAddr,
    grpc_address: SocketAddr,
}

impl Relay {
    /// Starts one on a port that the system chooses.
    pub(crate) fn start(args: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_otlp-relay"))
            .args(["--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"])
            .args(args)
            .stderr(Stdio::piped())
            .spawn()?;
        let log = child.stderr.take().ok_or(io::ErrorKind::NotFound)?;
        let mut lines = BufReader::new(log).lines();
        let mut address_after = |text: &str| loop {
            let line = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
            let after = line
                .split_once(text)
                .and_then(|(_, rest)| rest.split(' ').next());
            if let Some(address) = after.and_then(|text| text.parse().ok()) {
                return Ok::<SocketAddr, io::Error>(address);
            }
        };
        let address = address_after("http://")?;
        let grpc_address = address_after("OTLP/gRPC on ")?;
        // Somebody has to read on, or the relay's log would stand still one day.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self {
            child,
            address,
            grpc_address,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn grpc_address(&self) -> SocketAddr {
        self.grpc_address
    }

    /// User and system time so far, of all threads.
    pub(crate) fn cpu_micros(&self) -> io::Result<f64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        let mut nanos = 0;
        for task in tasks {
            let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let running = stat
                .split(' ')
                .next()
                .and_then(|field| field.parse::<u64>().ok());
            nanos += running.ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(nanos as f64 / 1000.0)
    }

    /// Resident memory.
    pub(crate) fn resident_kib(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
        kib.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
