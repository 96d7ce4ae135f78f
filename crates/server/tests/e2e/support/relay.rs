//! The binary, as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use super::PATIENCE;

/// The program.
const BINARY: &str = env!("CARGO_BIN_EXE_otlp-relay");

/// The state of a socket that listens, in the kernel's table.
#[cfg(target_os = "linux")]
const LISTEN: &str = "0A";

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
        Self::listening(child, log, addresses)
    }

    /// Waits until a process listens on so many addresses.
    fn listening(child: Child, log: Receiver<String>, addresses: usize) -> Self {
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

    /// Starts one whose log nobody can read.
    #[cfg(target_os = "linux")]
    pub(crate) fn silent(args: &[&str], env: &[(&str, &str)], log: Stdio) -> Self {
        let mut relay = Self::unread(args, env, log);
        drop(relay.child.stderr.take());
        relay
    }

    /// As [`silent`](Self::silent), but where the log is a pipe it has a reader, which doesn't
    /// read.
    #[cfg(target_os = "linux")]
    pub(crate) fn unread(args: &[&str], env: &[(&str, &str)], log: Stdio) -> Self {
        let mut command = Command::new(BINARY);
        command.args(["--listen", "127.0.0.1:0"]).args(args);
        let child = without_environment(command)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        // Nobody has the other end.
        let (_, log) = channel();
        let mut relay = Self {
            child,
            log,
            addresses: Vec::new(),
        };
        relay.addresses.push(relay.wait_until_it_listens());
        relay
    }

    /// Starts one with these arguments from a shell that has said `limit` before.
    #[cfg(unix)]
    pub(crate) fn limited(limit: &str, args: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\""), BINARY]);
        let (child, log) = spawn_command(command, args, &[]);
        Self::listening(child, log, 1)
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

    /// Its process.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many connections it has open.
    #[cfg(target_os = "linux")]
    pub(crate) fn connections(&self) -> usize {
        let sockets = self.sockets();
        let connections = sockets.iter().filter(|(state, _)| state != LISTEN);
        connections.count()
    }

    /// Its sockets of TCP, each with its state and its port, by the kernel's table of connections
    /// (proc_net_tcp(5)).
    #[cfg(target_os = "linux")]
    fn sockets(&self) -> Vec<(String, u16)> {
        let folder = std::fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap();
        // What was closed meanwhile leads nowhere.
        let links = folder.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let links: Vec<_> = links.collect();
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut sockets = Vec::new();
        for line in table.lines().skip(1) {
            let columns: Vec<_> = line.split_whitespace().collect();
            let link = format!("socket:[{}]", columns[9]);
            if links.iter().any(|known| known.as_os_str() == link.as_str()) {
                let port = columns[1].split_once(':').unwrap().1;
                let port = u16::from_str_radix(port, 16).unwrap();
                sockets.push((columns[3].to_owned(), port));
            }
        }
        sockets
    }

    /// The address that it listens on.
    #[cfg(target_os = "linux")]
    fn wait_until_it_listens(&self) -> SocketAddr {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let sockets = self.sockets();
            if let Some((_, port)) = sockets.iter().find(|(state, _)| state == LISTEN) {
                return ([127, 0, 0, 1], *port).into();
            }
            assert!(Instant::now() < deadline, "it does not listen");
            thread::yield_now();
        }
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
fn spawn(args: &[&str], env: &[(&str, &str)]) -> (Child, Receiver<String>) {
    spawn_command(Command::new(BINARY), args, env)
}

/// A command that knows nothing of what the caller's environment says to a relay.
fn without_environment(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("OTLP_RELAY_") {
            command.env_remove(name);
        }
    }
    command
}

/// As [`spawn`], of a command that ends in running the binary.
#[expect(clippy::print_stdout, reason = "shown with a test that fails")]
fn spawn_command(
    command: Command,
    args: &[&str],
    env: &[(&str, &str)],
) -> (Child, Receiver<String>) {
    let mut child = without_environment(command)
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
