//! As much of HTTP/1.0 as it takes to ask a server on this machine.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};

use super::PATIENCE;

/// The body of the answer to GET.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<String> {
    exchange(
        address,
        &format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"),
    )
}

/// The body of the answer to POST.
pub(super) fn post(address: SocketAddr, path: &str, kind: &str, body: &str) -> Result<String> {
    let length = body.len();
    exchange(
        address,
        &format!(
            "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ),
    )
}

/// A text as part of a query (RFC 3986, section 2.1).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => escaped.push(byte.into()),
            // Writing to a String never fails.
            false => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

fn exchange(address: SocketAddr, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    ensure!(status == "200", "{address} answered {status}: {body}");
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    /// Scenario: a query with all that a URL gives a meaning.
    /// Guarantees: letters and digits stay, everything else is escaped.
    #[test]
    fn escaping() {
        assert_eq!(
            super::escape("a1 {x=\"é\"}&"),
            "a1%20%7Bx%3D%22%C3%A9%22%7D%26"
        );
    }
}
