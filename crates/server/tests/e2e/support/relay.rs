//! The binary, as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use super::PATIENCE;

/// A running relay, killed when dropped.
pub(crate) struct Relay {
    child: Child,
    /// Lines of the log. Disconnected once the process has ended.
    log: Receiver<String>,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Relay {
    /// Starts one on a free port of loopback and waits until it listens.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// As [`start`](Self::start), with more arguments.
    pub(crate) fn with(args: &[&str]) -> Self {
        let listen = ["--listen", "127.0.0.1:0"];
        Self::run(&[&listen, args].concat(), &[], 1)
    }

    /// Starts one with just these arguments and variables and waits for so many addresses.
    pub(crate) fn run(args: &[&str], env: &[(&str, &str)], addresses: usize) -> Self {
        let (child, log) = spawn(args, env);
        let mut relay = Self {
            child,
            log,
            addresses: Vec::new(),
        };
        for _ in 0..addresses {
            let line = relay.wait_for_log("listening on http");
            let rest = line.split_once("://").unwrap().1;
            let end = rest.find([' ', '"']).unwrap();
            relay.addresses.push(rest[..end].parse().unwrap());
        }
        relay
    }

    /// Its first address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The next address that it listens on for gRPC.
    pub(crate) fn grpc_address(&self) -> SocketAddr {
        let line = self.wait_for_log("OTLP/gRPC on ");
        let rest = line.split_once("OTLP/gRPC on ").unwrap().1;
        rest[..rest.find(' ').unwrap()].parse().unwrap()
    }

    /// The next line of the log that contains `text`.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(error) => panic!("no {text:?} in the log: {error}"),
            }
        }
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait_for_exit(&mut self) -> ExitStatus {
        self.end().0
    }

    /// As [`wait_for_exit`](Self::wait_for_exit), with what is left of the log.
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        wait(&mut self.child, &self.log)
    }

    /// The most memory that the process has held, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The most memory that the process has reserved, used or not, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_address_space(&self) -> u64 {
        self.status("VmPeak:")
    }

    #[cfg(target_os = "linux")]
    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field));
        let kib = line.unwrap().split_whitespace().nth(1).unwrap();
        kib.parse::<u64>().unwrap() << 10
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Fails if the process has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs the binary until it ends by itself. Its exit code and log.
pub(crate) fn run_to_end(args: &[&str]) -> (ExitStatus, String) {
    let (child, log) = spawn(args, &[]);
    let mut relay = Relay {
        child,
        log,
        addresses: Vec::new(),
    };
    wait(&mut relay.child, &relay.log)
}

/// Waits for the end of the log, and with it of the process.
fn wait(child: &mut Child, log: &Receiver<String>) -> (ExitStatus, String) {
    let deadline = Instant::now() + PATIENCE;
    let mut lines = String::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match log.recv_timeout(left) {
            Ok(line) => lines = lines + &line + "\n",
            Err(RecvTimeoutError::Disconnected) => return (child.wait().unwrap(), lines),
            Err(RecvTimeoutError::Timeout) => panic!("still running: {lines}"),
        }
    }
}

/// Starts the binary with a thread that reads its log, so that it never waits for us. What the
/// caller's environment says to a relay doesn't count.
#[expect(clippy::print_stdout, reason = "shown with a test that fails")]
fn spawn(args: &[&str], env: &[(&str, &str)]) -> (Child, Receiver<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otlp-relay"));
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("OTLP_RELAY_") {
            command.env_remove(name);
        }
    }
    let mut child = command
        .env("OTLP_RELAY_LOG_FORMAT", "json")
        .envs(env.iter().copied())
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (tx, rx) = channel();
    thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            println!("{line}");
            // Nobody may listen any more.
            drop(tx.send(line));
        }
    });
    (child, rx)
}
