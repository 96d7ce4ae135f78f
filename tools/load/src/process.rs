//! A server as a process of its own: started, measured from outside, killed in the end.

mod usage;

use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use usage::{Usage, machine_busy, raise_descriptors};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that can be started: `relay`, `plain`, `discard` (the relay with `POST /discard`),
/// `floor` (it sends bodies as they come), or `NAME=[ADDRESS] PROGRAM ARGUMENT…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCommand {
    /// What it is called in the results.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where it listens. Without it, the program has to print `http://ADDRESS`, or `https://`, on
    /// either of its outputs once it listens.
    pub address: Option<SocketAddr>,
    /// Whether it prints `gRPC on ADDRESS` after that. Else it takes gRPC where it takes HTTP, if
    /// it does.
    pub prints_grpc: bool,
    /// Whether it sends bodies as they come, and so is sent the JSON that others make of theirs.
    pub takes_frames: bool,
}

impl ServerCommand {
    /// The relay: HTTP and gRPC on ports that the system chooses.
    #[must_use]
    pub fn relay(program: PathBuf) -> Self {
        let args = ["--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"];
        Self {
            args: args.map(str::to_owned).into(),
            prints_grpc: true,
            ..Self::bare("relay", program)
        }
    }

    /// A program that needs no arguments, takes HTTP and says where.
    #[must_use]
    pub fn bare(name: &str, program: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            program,
            args: Vec::new(),
            address: None,
            prints_grpc: false,
            takes_frames: false,
        }
    }

    /// The same with more arguments.
    #[must_use]
    pub fn with(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }
}

impl FromStr for ServerCommand {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "relay" => return Ok(Self::relay(beside_this("otlp-relay")?)),
            "plain" => return Ok(Self::bare(text, beside_this(text)?)),
            "floor" => {
                return Ok(Self {
                    takes_frames: true,
                    ..Self::bare(text, beside_this(text)?)
                });
            }
            "discard" => {
                return Ok(Self {
                    prints_grpc: true,
                    ..Self::bare(text, beside_this(text)?)
                });
            }
            _ => {}
        }
        let (name, command) = text
            .split_once('=')
            .context("relay, plain, discard, floor, or NAME=[ADDRESS] PROGRAM ARGUMENT…")?;
        let mut words = command.split_whitespace().peekable();
        let address = words.peek().and_then(|word| word.parse().ok());
        if address.is_some() {
            words.next();
        }
        let program = words.next().context("a program is missing")?.into();
        let args: Vec<_> = words.map(str::to_owned).collect();
        Ok(Self {
            name: name.to_owned(),
            program,
            // A relay of another build, say.
            prints_grpc: address.is_none() && args.iter().any(|arg| arg == "--grpc-listen"),
            args,
            address,
            takes_frames: false,
        })
    }
}

/// A command that knows nothing of what the caller's environment says to a relay.
fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("OTLP_RELAY_") {
            command.env_remove(name);
        }
    }
    command
}

/// A program in the folder of this one: what cargo has built with it.
fn beside_this(program: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(program);
    match path.is_file() {
        true => Ok(path),
        false => bail!("{} is not built", path.display()),
    }
}

/// A running server; it is killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    grpc_address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it listens.
    ///
    /// # Errors
    ///
    /// If the program can't be run, ends, or does not listen within 30 s.
    pub fn start(command: &ServerCommand) -> Result<Self> {
        let mut child = without_settings(Command::new(&command.program))
            .args(&command.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} can't be run", command.program.display()))?;
        let (sender, printed) = channel();
        if let Some(output) = child.stdout.take() {
            follow(output, sender.clone());
        }
        if let Some(output) = child.stderr.take() {
            follow(output, sender);
        }
        // From here on it is killed when something fails.
        let mut server = Self {
            child,
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            grpc_address: SocketAddr::from(([0, 0, 0, 0], 0)),
        };
        server.address = match command.address {
            Some(address) => {
                until_it_listens(address)?;
                address
            }
            None => next(&printed, Takes::Http)?,
        };
        server.grpc_address = match command.prints_grpc {
            true => next(&printed, Takes::Grpc)?,
            false => server.address,
        };
        Ok(server)
    }

    /// Where it takes HTTP and WebSocket.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it takes gRPC.
    #[must_use]
    pub fn grpc_address(&self) -> SocketAddr {
        self.grpc_address
    }

    /// What it has used so far.
    ///
    /// # Errors
    ///
    /// If the system does not tell: it has ended, or the system is not Linux.
    pub fn usage(&self) -> io::Result<Usage> {
        Usage::of(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What an address that a server has printed is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Http,
    Grpc,
}

/// The address in a line of a log, if there is one.
fn address_in(line: &str) -> Option<(Takes, SocketAddr)> {
    let after = |takes, text| {
        let (_, rest) = line.split_once(text)?;
        let end = rest.find([' ', '/']).unwrap_or(rest.len());
        Some((takes, rest[..end].parse().ok()?))
    };
    after(Takes::Grpc, "gRPC on ")
        .or_else(|| after(Takes::Http, "http://"))
        .or_else(|| after(Takes::Http, "https://"))
}

/// Reads an output to its end, or the server would stand still one day, and passes on the
/// addresses in it.
fn follow(output: impl Read + Send + 'static, sender: Sender<(Takes, SocketAddr)>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(printed) = address_in(&line) {
                // Nobody waits for those that come later.
                let _nobody = sender.send(printed);
            }
        }
    });
}

/// The next address for what is wanted.
fn next(printed: &Receiver<(Takes, SocketAddr)>, wanted: Takes) -> Result<SocketAddr> {
    loop {
        let one = printed.recv_timeout(PATIENCE);
        let (takes, address) =
            one.context("the server ended, or did not print where it listens within 30 s")?;
        if takes == wanted {
            return Ok(address);
        }
    }
}

/// Waits until somebody takes connections at `address`.
fn until_it_listens(address: SocketAddr) -> Result<()> {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        match std::net::TcpStream::connect(address) {
            Ok(_) => return Ok(()),
            Err(_) if std::time::Instant::now() < deadline => {
                std::thread::park_timeout(Duration::from_millis(20));
            }
            Err(error) => return Err(error).context("the server does not listen within 30 s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: commands with and without an address, and texts that are none.
    /// Guarantees: words are told apart; what has no name or no program is refused.
    #[test]
    fn commands_are_read() {
        let command: ServerCommand = "old=./otlp-relay --listen 127.0.0.1:0".parse().unwrap();
        assert_eq!(command.name, "old");
        assert_eq!(command.program, PathBuf::from("./otlp-relay"));
        assert_eq!(command.args, ["--listen", "127.0.0.1:0"]);
        assert_eq!(command.address, None);
        let command: ServerCommand = "other=127.0.0.1:4318 other -x".parse().unwrap();
        assert_eq!(command.program, PathBuf::from("other"));
        assert_eq!(command.address, "127.0.0.1:4318".parse().ok());
        assert!("other".parse::<ServerCommand>().is_err());
        assert!("other=127.0.0.1:1".parse::<ServerCommand>().is_err());
    }

    /// Scenario: lines of a log.
    /// Guarantees: addresses of HTTP and gRPC are found, others are not taken for one.
    #[test]
    fn printed_addresses_are_found() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(
            address_in("INFO listening on http://127.0.0.1:4444 (this machine only)"),
            Some((Takes::Http, address("127.0.0.1:4444")))
        );
        assert_eq!(
            address_in("INFO listening on https://127.0.0.1:4444 (this machine only)"),
            Some((Takes::Http, address("127.0.0.1:4444")))
        );
        assert_eq!(
            address_in("INFO listening for OTLP/gRPC on 127.0.0.1:4317"),
            Some((Takes::Grpc, address("127.0.0.1:4317")))
        );
        assert_eq!(address_in("see http://localhost for more"), None);
    }
}
