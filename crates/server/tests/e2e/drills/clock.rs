//! A wall clock that jumps.

use std::fs::File;
use std::io::Write;
use std::process::Command;
use std::time::SystemTime;

use tokio_tungstenite::tungstenite::Message;

use crate::support::{Folder, Http, Relay, Watcher, gauge, gauge_json, post};

const DAY: i64 = 24 * 60 * 60;
const YEAR: i64 = 365 * DAY;

/// A library that moves the wall clock of a process by the seconds in a file, and no other clock:
/// what setting the clock of the machine would do, without the privilege.
const LIBRARY: &str = include_str!("clock.c");

/// Compiles the library into a folder. Its path.
fn library(folder: &Folder) -> String {
    let source = folder.write("clock.c", LIBRARY);
    let library = format!("{source}.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o", &library, &source])
        .status();
    assert!(
        compiled.unwrap().success(),
        "a C compiler builds the relay too"
    );
    library
}

fn jump_to(file: &str, offset: i64) {
    // In place, and never shorter: the process has the file mapped.
    let mut file = File::options().write(true).open(file).unwrap();
    file.write_all(&offset.to_ne_bytes()).unwrap();
}

/// Scenario: the wall clock jumps ten years on, twenty back, to 1970, where machines without a
/// clock of their own begin, and home; meanwhile one client watches, and others send half a head.
/// Guarantees: each export comes next, with the time that the wall clock has; the session is
/// pinged as before and lives on; half a head is dropped when its time is over; the history
/// forgets nothing; the exit code is 0.
#[test]
fn jumps_of_the_wall_clock_change_nothing_but_the_time_that_is_told() {
    let folder = Folder::new("clock");
    let offset = folder.write("offset", "\0\0\0\0\0\0\0\0");
    let library = library(&folder);
    let env = [("LD_PRELOAD", library.as_str()), ("CLOCK_OFFSET", &offset)];
    let waits = ["--ping-interval", "1s", "--head-timeout", "2s"];
    let args = [&["--listen", "127.0.0.1:0"], &waits[..]].concat();
    let mut relay = Relay::run(&args, &env, 1);
    let address = relay.address();
    let mut watcher = Watcher::connect_to(address, "/ws/metrics?envelope=true");
    assert_eq!(watcher.frame()["type"], "hello");
    let mut told = Vec::new();
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let to_1970 = DAY - since_1970.unwrap().as_secs() as i64;
    let jumps = [0, 10 * YEAR, -10 * YEAR, to_1970, 0];
    for (number, seconds) in (0_i64..).zip(jumps) {
        jump_to(&offset, seconds);
        post(address, &gauge("m", number));
        let frame = watcher.frame();
        assert_eq!(frame["seq"], (number + 1).to_string());
        assert_eq!(frame["data"], gauge_json("m", number));
        told.push(
            frame["receivedAt"].as_str().unwrap()[..4]
                .parse::<i64>()
                .unwrap(),
        );

        let mut half = Http::connect(address);
        half.send(b"GET /readyz HT");
        for _ in 0..2 {
            assert!(matches!(watcher.message(), Message::Ping(_)));
        }
        half.rest();
    }
    let now = told[0];
    // Of leap years, and of a new year while this runs.
    let near = |year: i64, other: i64| (year - other).abs() <= 1;
    assert!(
        near(told[1], now + 10) && near(told[2], now - 10),
        "{told:?}"
    );

    let mut late = Watcher::connect_to(address, "/ws/metrics?replay=all");
    for number in 0..5 {
        assert_eq!(late.frame(), gauge_json("m", number));
    }
    relay.signal("TERM");
    assert_eq!(late.close_code(), 1001);
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}
