//! Texts into values and back: sizes and times with their units, addresses, switches.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

/// A text that is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The text, or the element of a list.
    pub(crate) text: String,
    /// What was expected instead.
    pub(crate) why: String,
}

impl Fault {
    pub(super) fn new(text: &str, why: impl Into<String>) -> Self {
        let (text, why) = (text.to_owned(), why.into());
        Self { text, why }
    }
}

/// Sizes, for JSON Schema.
pub(super) const SIZE_PATTERN: &str =
    "^(0|[0-9]+(\\.[0-9]+)? *([bB]|[kKmMgGtTpPeE]([bB]|[iI][bB]?)?))$";
/// Times, for JSON Schema.
pub(super) const TIME_PATTERN: &str = "^([0-9]+ *[a-zA-Zµ]+ *)+$";

/// What one `ADDR:PORT` stands for, sorted: a name may have several addresses.
pub(super) fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    if let Ok(address) = text.parse() {
        return Ok(vec![address]);
    }
    let expected = "expected an address and a port, like 127.0.0.1:4444, [::1]:4444 or 0.0.0.0:0";
    let resolved = text
        .to_socket_addrs()
        .map_err(|error| format!("{expected} ({error})"))?;
    let mut addresses: Vec<SocketAddr> = resolved.collect();
    addresses.sort();
    addresses.dedup();
    match addresses.is_empty() {
        true => Err(expected.to_owned()),
        false => Ok(addresses),
    }
}

/// A number of bytes with its unit: `64MiB`, `500KB`, `1000B`. Not zero.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    not_zero(size_or_zero(text)?)
}

/// A number of bytes with its unit, or 0.
pub(super) fn size_or_zero(text: &str) -> Result<usize, String> {
    if text != "0" && is_number(text) {
        return Err(format!(
            "a size needs a unit, like {text}MiB, {text}KB or {text}B"
        ));
    }
    let size: Result<ByteSize, _> = text.parse();
    let size = size.map_err(|_| "expected a size with its unit, like 64MiB, 500KB or 1000B")?;
    Ok(usize::try_from(size.as_u64()).map_err(|_| "too large for this machine")?)
}

/// A number of bytes below 4 GiB. Not zero.
pub(super) fn small_size(text: &str) -> Result<u32, String> {
    u32::try_from(size(text)?).map_err(|_| "must be less than 4GiB".to_owned())
}

/// A size in the largest unit that it is a whole number of.
pub(super) fn write_size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes == 0 {
        return "0".to_owned();
    }
    let unit = (bytes.trailing_zeros() / 10) as usize;
    format!("{}{}", bytes >> (10 * unit), UNITS[unit])
}

/// A number of things. Not zero.
pub(super) fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().map_err(|_| "expected a whole number");
    not_zero(count?)
}

/// A number of things between two bounds, which are included.
pub(super) fn count_within(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let count = text.parse().ok();
    count
        .filter(|count| (least..=most).contains(count))
        .ok_or_else(|| format!("expected a whole number from {least} to {most}"))
}

/// The longest time: longer ones have no end that every clock can tell.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A length of time with its unit: `30s`, `500ms`, `1h30m`. Not zero, and at most 10 years.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    not_zero(time_or_zero(text)?)
}

/// A length of time with its unit, or none: `0s`.
pub(super) fn time_or_zero(text: &str) -> Result<Duration, String> {
    if is_number(text) {
        return Err(format!(
            "a time needs a unit, like {text}s, {text}ms or {text}m"
        ));
    }
    let time = humantime::parse_duration(text)
        .map_err(|_| "expected a time with its unit, like 30s, 500ms or 1h30m")?;
    match time > LONGEST {
        true => Err("must be at most 10 years".to_owned()),
        false => Ok(time),
    }
}

/// A time in units that [`time`] reads.
pub(super) fn write_time(time: Duration) -> String {
    humantime::format_duration(time)
        .to_string()
        .replace(' ', "")
}

/// `true` or `false`, or one of the other words for them.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err("expected true or false, on or off".to_owned()),
    }
}

/// The path of a file.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    match text.is_empty() {
        true => Err("expected the path of a file".to_owned()),
        false => Ok(text.into()),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn not_zero<T: Default + PartialEq>(value: T) -> Result<T, String> {
    match value == T::default() {
        true => Err("must be more than zero".to_owned()),
        false => Ok(value),
    }
}
