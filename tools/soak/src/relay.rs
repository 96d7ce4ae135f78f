//! A relay as a process of its own: its files, its log, what it holds, and how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use load::process::Usage;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;
use rustls::ClientConfig;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::authority::Authority;

/// The token that senders and watchers show.
pub const TOKEN: &str = "the-token-of-the-soak-test";
/// How long a relay may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often something is looked at that takes its time.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);
/// What is set otherwise than by default, so that what takes long happens often, and what may
/// fill is full soon: memory is to be flat then.
const FLAGS: [&str; 18] = [
    "--listen",
    "127.0.0.1:0",
    "--grpc-listen",
    "127.0.0.1:0",
    "--ping-interval",
    "10s",
    "--head-timeout",
    "20s",
    "--stall-timeout",
    "20s",
    "--max-body",
    "4MiB",
    "--reload-interval",
    "1h",
    "--max-lag",
    "4MiB",
    "--history-bytes",
    "2MiB",
];

/// A running relay; it is killed when dropped.
pub struct Relay {
    child: Child,
    log: Arc<Mutex<Log>>,
    /// Reads the log to its end.
    reader: Option<JoinHandle<()>>,
    folder: PathBuf,
    authority: Option<Authority>,
    /// Where it takes HTTP and WebSocket.
    pub http: SocketAddr,
    /// Where it takes gRPC.
    pub grpc: SocketAddr,
}

/// What is kept of a log.
#[derive(Default)]
struct Log {
    lines: u64,
    /// Lines of panics.
    panics: Vec<String>,
    last: String,
}

impl Relay {
    /// Starts `program`, with TLS if that is asked for, and waits until it listens.
    ///
    /// # Errors
    ///
    /// If its files can't be written, it can't be run, or it does not listen within a minute.
    pub fn start(program: &Path, tls: bool) -> Result<Self> {
        let folder = folder(tls)?;
        let authority = tls.then(Authority::new).transpose()?;
        let file = |name: &str| folder.join(name).into_os_string();
        let mut command = Command::new(program);
        command.args(FLAGS);
        for flag in ["--ingest-token-file", "--watch-token-file"] {
            command.arg(flag).arg(file("tokens"));
        }
        write(&folder, "tokens", TOKEN)?;
        if let Some(authority) = &authority {
            authority.issue(&folder)?;
            command.arg("--tls-cert").arg(file("cert.pem"));
            command.arg("--tls-key").arg(file("key.pem"));
        }
        for (name, _) in std::env::vars_os() {
            // What is set for whoever runs this is not meant for this relay.
            if name.to_string_lossy().starts_with("OTLP_RELAY_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .env("OTLP_RELAY_LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} can't be run", program.display()))?;
        let log = Arc::new(Mutex::new(Log::default()));
        let (reader, addresses) = child
            .stderr
            .take()
            .map(|stderr| follow(stderr, &log))
            .unzip();
        // From here on it is killed when something fails.
        let mut relay = Self {
            child,
            log,
            reader,
            folder,
            authority,
            http: SocketAddr::from(([0, 0, 0, 0], 0)),
            grpc: SocketAddr::from(([0, 0, 0, 0], 0)),
        };
        let addresses = addresses.context("it has no log")?;
        let next = || {
            addresses
                .recv_timeout(PATIENCE)
                .context("it does not listen")
        };
        (relay.http, relay.grpc) = (next()?, next()?);
        Ok(relay)
    }

    /// What clients need to know of its certificates; none without TLS.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<ClientConfig>> {
        self.authority.as_ref().map(Authority::client)
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn resident(&self) -> Result<u64> {
        Ok(Usage::of(self.child.id())?.resident_kib << 10)
    }

    /// How much time of processors it has used.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn cpu(&self) -> Result<Duration> {
        Ok(Usage::of(self.child.id())?.cpu)
    }

    /// How many descriptors it has open.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn descriptors(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Waits until it has no more than so many open, for a minute at most. How many there are.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub async fn descriptors_down_to(&self, most: usize) -> Result<usize> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let open = self.descriptors()?;
            if open <= most || Instant::now() > deadline {
                return Ok(open);
            }
            sleep(GLANCE).await;
        }
    }

    /// Changes its files, now and then to something that can't be used, and has it read them.
    /// Whether they can be used.
    ///
    /// # Errors
    ///
    /// If they can't be written, or it has ended.
    pub fn reload(&self) -> Result<bool> {
        let others: u64 = fastrand::u64(..);
        let usable = fastrand::u8(..4) > 0;
        let tokens = match usable {
            true => format!("{TOKEN}\nanother-token-of-{others:016x}\n"),
            false => "no token\n\u{0}".to_owned(),
        };
        write(&self.folder, "tokens", &tokens)?;
        if let Some(authority) = &self.authority {
            authority.issue(&self.folder)?;
        }
        self.signal(Signal::SIGHUP)?;
        Ok(usable)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id())?;
        Ok(kill(Pid::from_raw(id), signal)?)
    }

    /// Asks it to end, and waits for that. How it ended.
    ///
    /// # Errors
    ///
    /// If it does not end within a minute.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                // The log ends with the process, but its last lines may not be read yet.
                if let Some(reader) = self.reader.take() {
                    tokio::task::spawn_blocking(|| reader.join()).await?.ok();
                }
                return Ok(status);
            }
            sleep(GLANCE).await;
        }
        bail!("it does not end on SIGTERM")
    }

    /// Lines of its log that tell of a panic.
    #[must_use]
    pub fn panics(&self) -> Vec<String> {
        self.log.lock().panics.clone()
    }

    /// How many lines its log has.
    #[must_use]
    pub fn log_lines(&self) -> u64 {
        self.log.lock().lines
    }

    /// The counts in the last line of its log, once it has ended.
    #[must_use]
    pub fn totals(&self) -> Value {
        serde_json::from_str(&self.log.lock().last).unwrap_or_default()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A folder of its own.
fn folder(tls: bool) -> Result<PathBuf> {
    let name = format!("otlp-relay-soak-{}-{tls}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes a file at once, as whoever replaces certificates does.
pub(crate) fn write(folder: &Path, name: &str, contents: &str) -> Result<()> {
    let new = folder.join("new");
    fs::write(&new, contents)?;
    Ok(fs::rename(new, folder.join(name))?)
}

/// Reads a log to its end, or lines of it would be lost one day. Passes on the addresses in it.
fn follow(
    output: impl Read + Send + 'static,
    log: &Arc<Mutex<Log>>,
) -> (JoinHandle<()>, Receiver<SocketAddr>) {
    let (sender, addresses) = channel();
    let log = Arc::clone(log);
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(address) = address_in(&line) {
                // Nobody waits for those that come later.
                let _nobody = sender.send(address);
            }
            let mut log = log.lock();
            log.lines += 1;
            if line.contains("panicked at") {
                log.panics.push(line.clone());
            }
            log.last = line;
        }
    });
    (reader, addresses)
}

/// The address that a line of the log says to listen on.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening ")?;
    let words = rest.split([' ', '/', '"']);
    words.filter_map(|word| word.parse().ok()).next()
}

/// Looks for the relay where this program is.
///
/// # Errors
///
/// If it is not there.
pub fn beside_this() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("otlp-relay");
    ensure!(path.is_file(), "{} is not built", path.display());
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: lines of a relay's log.
    /// Guarantees: addresses are found where it listens, and nowhere else.
    #[test]
    fn addresses_are_found() {
        for line in [
            r#"{"message":"listening on https://127.0.0.1:4444 (this machine only)"}"#,
            r#"{"message":"listening for OTLP/gRPC on 127.0.0.1:4444 with TLS"}"#,
        ] {
            assert_eq!(address_in(line), "127.0.0.1:4444".parse().ok(), "{line}");
        }
        assert_eq!(address_in("refused 127.0.0.1:4444"), None);
    }
}
