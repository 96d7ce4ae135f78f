//! The values of flags and variables.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use bytesize::ByteSize;
use clap::Command;

/// What one `ADDR:PORT` stands for: a name may have several addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses(pub(super) Vec<SocketAddr>);

/// An address, or a name that this machine can resolve, with a port.
pub(super) fn addresses(text: &str) -> Result<Addresses, String> {
    if let Ok(address) = text.parse() {
        return Ok(Addresses(vec![address]));
    }
    let expected = "expected an address and a port, like 127.0.0.1:4444, [::1]:4444 or 0.0.0.0:0";
    let resolved = text
        .to_socket_addrs()
        .map_err(|error| format!("{expected} ({error})"))?;
    let mut addresses: Vec<SocketAddr> = resolved.collect();
    addresses.sort();
    addresses.dedup();
    if addresses.is_empty() {
        Err(expected.to_owned())
    } else {
        Ok(Addresses(addresses))
    }
}

/// A number of bytes: `64MiB`, `1048576`. Not zero.
pub(super) fn size(text: &str) -> Result<usize, String> {
    not_zero(size_or_zero(text)?)
}

/// A number of bytes, or 0.
pub(super) fn size_or_zero(text: &str) -> Result<usize, String> {
    let size: ByteSize = text.parse()?;
    Ok(usize::try_from(size.as_u64()).map_err(|_| "too large for this machine")?)
}

/// A number of bytes below 4 GiB. Not zero.
pub(super) fn small_size(text: &str) -> Result<u32, String> {
    u32::try_from(size(text)?).map_err(|_| "must be less than 4GiB".to_owned())
}

/// A number of things. Not zero.
pub(super) fn count(text: &str) -> Result<usize, String> {
    not_zero(
        text.parse()
            .map_err(|error| format!("expected a number: {error}"))?,
    )
}

/// The longest time: longer ones have no end that every clock can tell.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A length of time: `30s`, `500ms`. Not zero, and at most 10 years.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    not_zero(time_or_zero(text)?)
}

/// A length of time, or none.
pub(super) fn time_or_zero(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match time > LONGEST {
        true => Err("must be at most 10 years".to_owned()),
        false => Ok(time),
    }
}

/// `on` or `off`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    }
}

fn not_zero<T: Default + PartialEq>(value: T) -> Result<T, String> {
    if value == T::default() {
        Err("must be more than zero".to_owned())
    } else {
        Ok(value)
    }
}

/// Takes variables that are set to nothing for unset, as files that pass variables on to a
/// container leave them.
pub(super) fn without_empty_variables(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let empty = arg.get_env().is_some_and(is_set_to_nothing);
            if empty { arg.env(None::<&str>) } else { arg }
        })
        .mut_subcommands(without_empty_variables)
}

#[expect(
    clippy::disallowed_methods,
    reason = "clap reads the environment, and this belongs to it"
)]
fn is_set_to_nothing(variable: &std::ffi::OsStr) -> bool {
    std::env::var_os(variable).is_some_and(|value| value.is_empty())
}
