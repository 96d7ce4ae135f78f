//! The two ends of a conversion: files, pipes, terminals.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use super::{FAILED, Job, Refusal, USAGE};

/// What is read.
pub(super) struct Input {
    pub(super) reader: Box<dyn Read>,
    pub(super) name: String,
    /// How long it is, if that is known.
    pub(super) len: Option<u64>,
    identity: Option<Identity>,
}

/// What is written.
pub(super) struct Target {
    pub(super) writer: Box<dyn Write>,
    pub(super) name: String,
    /// Whether somebody sees it being written.
    pub(super) is_terminal: bool,
}

impl Input {
    pub(super) fn open(job: &Job) -> Result<Self, Refusal> {
        let (reader, name, metadata) = match &job.input {
            Some(path) => {
                let file = File::open(path).map_err(|error| failed(path, &error))?;
                let metadata = file.metadata().ok();
                let reader: Box<dyn Read> = Box::new(file);
                (reader, path.display().to_string(), metadata)
            }
            None if io::stdin().is_terminal() && !job.waits_for_typing => {
                return Err(usage(
                    "standard input is a terminal: name a file, or pipe one in (`-` reads what is typed)",
                ));
            }
            None => {
                let (reader, metadata) = standard_input();
                (reader, "standard input".to_owned(), metadata)
            }
        };
        Ok(Self {
            reader,
            name,
            len: metadata
                .as_ref()
                .filter(|one| one.is_file())
                .map(Metadata::len),
            identity: metadata.as_ref().and_then(identity),
        })
    }
}

impl Target {
    /// Opens the output, and empties it if it is a file that is not the input.
    pub(super) fn open(job: &Job, input: &Input) -> Result<Self, Refusal> {
        let is_same =
            |metadata: &Metadata| input.identity.is_some() && identity(metadata) == input.identity;
        let Some(path) = &job.output else {
            let is_terminal = io::stdout().is_terminal();
            if is_terminal && job.options.to.is_binary() {
                return Err(usage(&format!(
                    "{} is binary, and standard output is a terminal: name a file with -o, or pipe it on",
                    job.options.to
                )));
            }
            let (writer, metadata) = standard_output();
            if metadata.is_some_and(|metadata| is_same(&metadata)) {
                return Err(usage("standard output is the input"));
            }
            return Ok(Self {
                writer,
                name: "standard output".to_owned(),
                is_terminal,
            });
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| failed(path, &error))?;
        let metadata = file.metadata().map_err(|error| failed(path, &error))?;
        if is_same(&metadata) {
            let name = path.display();
            return Err(usage(&format!("{name}: the output is the input")));
        }
        if metadata.is_file() {
            file.set_len(0).map_err(|error| failed(path, &error))?;
        }
        Ok(Self {
            is_terminal: file.is_terminal(),
            writer: Box::new(file),
            name: path.display().to_string(),
        })
    }
}

/// Which file it is, on which device.
type Identity = (u64, u64);

/// Of files alone: a device may well be both ends.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// There is no stable way to tell.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}

/// Standard input without the buffer of the standard library, and what it is.
#[cfg(unix)]
fn standard_input() -> (Box<dyn Read>, Option<Metadata>) {
    use std::os::fd::AsFd;

    match io::stdin().as_fd().try_clone_to_owned().map(File::from) {
        Ok(file) => {
            let metadata = file.metadata().ok();
            (Box::new(file), metadata)
        }
        Err(_) => (Box::new(io::stdin()), None),
    }
}

/// Standard output without the buffer of the standard library, and what it is.
#[cfg(unix)]
fn standard_output() -> (Box<dyn Write>, Option<Metadata>) {
    use std::os::fd::AsFd;

    match io::stdout().as_fd().try_clone_to_owned().map(File::from) {
        Ok(file) => {
            let metadata = file.metadata().ok();
            (Box::new(file), metadata)
        }
        Err(_) => (Box::new(io::stdout()), None),
    }
}

#[cfg(not(unix))]
fn standard_input() -> (Box<dyn Read>, Option<Metadata>) {
    (Box::new(io::stdin()), None)
}

#[cfg(not(unix))]
fn standard_output() -> (Box<dyn Write>, Option<Metadata>) {
    (Box::new(io::stdout()), None)
}

fn failed(path: &Path, error: &io::Error) -> Refusal {
    Refusal {
        code: FAILED,
        message: format!("{}: {error}", path.display()),
    }
}

fn usage(message: &str) -> Refusal {
    Refusal {
        code: USAGE,
        message: message.to_owned(),
    }
}
