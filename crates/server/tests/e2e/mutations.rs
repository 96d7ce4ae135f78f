//! A hundred thousand requests with something wrong in each, and good ones between them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::support::{PATIENCE, Relay, Watcher, exchange, gauge, gauge_json, gzip, head};

/// How many requests are sent in all, good ones left out.
const REQUESTS: usize = 100_000;
/// How many clients send them.
const CLIENTS: usize = 4;
/// After how many of them each client sends a good one.
const EVERY: usize = 500;

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators").
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        high as usize % sides
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.roll(all.len())]
    }

    /// Changes, removes or adds some bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len() + 1);
            match self.roll(5) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.roll(8),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, self.roll(256) as u8),
                3 => bytes.truncate(at),
                _ => {
                    let from = self.roll(bytes.len() + 1);
                    let piece = bytes[from..(from + self.roll(16)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
    }
}

/// A connection that is made anew when the relay has closed it.
struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Client {
    /// The status of the answer, or nothing if the relay closed without one.
    fn exchange(&mut self, request: &[u8]) -> Option<u16> {
        // What was kept open may have been closed in the meantime: the first try tells.
        let kept = self.stream.is_some();
        match self.attempt(request) {
            Ok(status) => Some(status),
            Err(_) if kept => {
                self.stream = None;
                self.attempt(request).ok()
            }
            Err(_) => None,
        }
    }

    fn attempt(&mut self, request: &[u8]) -> io::Result<u16> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request)?;
        let (status, keeps) = answer(&mut stream)?;
        self.stream = keeps.then_some(stream);
        Ok(status)
    }
}

/// Reads an answer to its end; whether the connection stays.
fn answer(stream: &mut TcpStream) -> io::Result<(u16, bool)> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    let head_end = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            // Nobody waits for ever: a relay that hangs fails the test here.
            count => read.extend_from_slice(&buffer[..count]),
        }
    };
    let head = String::from_utf8_lossy(&read[..head_end]).to_ascii_lowercase();
    let status = head[9..12].parse().unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let mut left = (head_end + length).saturating_sub(read.len());
    while left > 0 {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => left = left.saturating_sub(count),
        }
    }
    Ok((status, !head.contains("connection: close")))
}

const TYPES: [&str; 4] = [
    "application/x-protobuf",
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
];
const CODINGS: [&str; 6] = ["identity", "gzip", "deflate", "zstd", "snappy", "br"];
/// Where bad requests go. Good ones have a signal to themselves, so that whoever watches it can't
/// fall behind because of what is left of bad ones.
const PATHS: [&str; 4] = ["/v1/metrics", "/v1/traces", "/v1/nothing", "/ws/metrics"];
const GOOD_PATH: &str = "/v1/logs";

fn request(path: &str, content_type: &str, coding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n\
         Content-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A request with something wrong in its body, its compressed form, or what its head says of it.
fn mutated(dice: &mut Dice) -> Vec<u8> {
    let json = gauge_json("bad", 7).to_string().into_bytes();
    let protobuf = gauge("bad", 7);
    let (content_type, mut body) = match dice.roll(2) {
        0 => (TYPES[0], protobuf),
        _ => (TYPES[1], json),
    };
    let path = dice.one_of(&PATHS[..2]);
    match dice.roll(4) {
        0 => {
            dice.mutate(&mut body);
            request(path, content_type, "identity", &body)
        }
        1 => {
            dice.mutate(&mut body);
            request(path, content_type, "gzip", &gzip(&body))
        }
        2 => {
            let mut body = gzip(&body);
            dice.mutate(&mut body);
            request(path, content_type, "gzip", &body)
        }
        _ => {
            let (path, coding) = (dice.one_of(&PATHS), dice.one_of(&CODINGS));
            request(path, dice.one_of(&TYPES), coding, &body)
        }
    }
}

/// The export of a log record that says who sent it, and as which.
fn good(client: usize, number: usize) -> Value {
    let record = json!({"severityNumber": client + 1, "body": {"intValue": number.to_string()}});
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
}

/// Sends a share of the requests, and good ones between them.
fn send(address: SocketAddr, client: usize) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 + client as u64);
    let mut connection = Client {
        address,
        stream: None,
    };
    for number in 0..REQUESTS / CLIENTS {
        let bad = mutated(&mut dice);
        let status = connection.exchange(&bad);
        assert!(
            matches!(status, Some(200 | 400 | 404 | 405 | 413 | 415)),
            "{status:?} to {}",
            bad.escape_ascii()
        );
        if number % EVERY == 0 {
            let good = good(client, number / EVERY).to_string();
            let good = request(GOOD_PATH, TYPES[1], "identity", good.as_bytes());
            assert_eq!(connection.exchange(&good), Some(200));
        }
    }
}

/// Scenario: four clients send 100,000 requests between them, most of them bad in some way, and
/// every now and then a good one, while somebody watches.
/// Guarantees: each gets an answer, none a 5xx; every good one is seen, in the order of its
/// client; the relay lives.
#[test]
fn bad_requests_harm_nobody() {
    let relay = Relay::start();
    let mut watcher = Watcher::connect_to(relay.address(), "/ws/logs");
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let address = relay.address();
            thread::spawn(move || send(address, client))
        })
        .collect();
    let mut seen = [0; CLIENTS];
    for _ in 0..CLIENTS * (REQUESTS / CLIENTS).div_ceil(EVERY) {
        let frame = watcher.frame();
        let record = &frame["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
        let client = record["severityNumber"].as_u64().unwrap() as usize - 1;
        assert_eq!(frame, good(client, seen[client]));
        seen[client] += 1;
    }
    for client in clients {
        client.join().unwrap();
    }
    let answer = exchange(relay.address(), &head("GET", "/healthz", &[]));
    assert_eq!(answer.status, 200);
}
