//! Values at the edges of every kind.

use proptest::prelude::{Rng as _, RngExt as _};
use proptest::test_runner::TestRng;
use prost_reflect::{FieldDescriptor, Kind};

use super::records::Payload;
use super::schema::id_length;

/// Integers, to be cut to the width of a kind.
const INTEGERS: [u64; 29] = [
    1,
    2,
    9,
    10,
    99,
    127,
    128,
    9_999,
    10_000,
    16_383,
    16_384,
    99_999_999,
    100_000_000,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 7,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    1_581_452_773_000_000_789,
    1_581_452_773_000_000_790,
    1_581_452_773_100_000_000,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX,
];

/// Doubles that are easy to lose: signs, not-a-numbers with a payload, subnormals, ends of ranges.
const DOUBLES: [u64; 26] = [
    (-0.0_f64).to_bits(),
    1.0_f64.to_bits(),
    (-1.0_f64).to_bits(),
    0.1_f64.to_bits(),
    1.5_f64.to_bits(),
    1e15_f64.to_bits(),
    (1e15 - 1.0_f64).to_bits(),
    1e16_f64.to_bits(),
    1e21_f64.to_bits(),
    1e-7_f64.to_bits(),
    2_147_483_648.0_f64.to_bits(),
    9_007_199_254_740_993.0_f64.to_bits(),
    9.223_372_036_854_776e18_f64.to_bits(),
    (-9.223_372_036_854_776e18_f64).to_bits(),
    f64::INFINITY.to_bits(),
    f64::NEG_INFINITY.to_bits(),
    f64::NAN.to_bits(),
    0xfff8_0000_0000_0000,
    0x7ff8_0000_dead_beef,
    0x7ff0_0000_0000_0001,
    1,
    0x800f_ffff_ffff_ffff,
    f64::MIN_POSITIVE.to_bits(),
    f64::MAX.to_bits(),
    f64::MIN.to_bits(),
    f64::EPSILON.to_bits(),
];

/// Text that JSON must escape, must not, or that is many bytes in UTF-8.
const TEXTS: [&str; 18] = [
    "a",
    "service.name",
    "service.nam\u{e9}",
    "\"",
    "\\",
    "\0",
    "\u{1f}",
    "\u{7f}",
    "\u{80}",
    "\n\r\t\u{8}\u{c}",
    "</script>",
    "\u{d7ff}\u{e000}",
    "\u{2028}\u{2029}",
    "\u{feff}",
    "\u{ffff}\u{10000}",
    "\u{10ffff}",
    "NaN",
    "0123456789abcdef0123456789abcdef",
];

/// How often a value is the default.
const DEFAULT: f64 = 0.2;

fn one_of<T: Copy>(rng: &mut TestRng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())]
}

fn integer(rng: &mut TestRng) -> u64 {
    match rng.random_range(0..4) {
        0 => rng.random::<u64>() >> rng.random_range(0..64),
        _ => one_of(rng, &INTEGERS),
    }
}

/// A value of a field, no message. `raw` varints may hold more bits than the kind has.
pub(super) fn scalar(
    rng: &mut TestRng,
    field: &FieldDescriptor,
    raw: bool,
    odd_ids: bool,
) -> Payload {
    let default = rng.random_bool(DEFAULT);
    let bits = match default {
        true => 0,
        false => integer(rng),
    };
    let varint = |value: u64| Payload::Varint(if raw { bits } else { value });
    match field.kind() {
        Kind::Bool => varint(bits & 1),
        Kind::Int32 => varint(i64::from(bits as i32) as u64),
        Kind::Uint32 => varint(u64::from(bits as u32)),
        Kind::Sint32 => varint(u64::from(zigzag(bits as i32))),
        Kind::Int64 | Kind::Uint64 => Payload::Varint(bits),
        Kind::Sint64 => Payload::Varint(bits << 1 ^ (bits as i64 >> 63) as u64),
        Kind::Enum(kind) if !raw && !default => {
            let known: Vec<i32> = kind.values().map(|value| value.number()).collect();
            let number = match rng.random_range(0..4) {
                0 => one_of(rng, &[99, -1, i32::MIN, i32::MAX, known.len() as i32]),
                _ => one_of(rng, &known),
            };
            Payload::Varint(i64::from(number) as u64)
        }
        Kind::Enum(_) => Payload::Varint(bits),
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => Payload::Fixed32(bits as u32),
        Kind::Fixed64 | Kind::Sfixed64 => Payload::Fixed64(bits),
        Kind::Double if default => Payload::Fixed64(0),
        Kind::Double => Payload::Fixed64(double(rng)),
        Kind::String if default => Payload::Bytes(Vec::new()),
        Kind::String => Payload::Bytes(text(rng).into_bytes()),
        Kind::Bytes if default => Payload::Bytes(Vec::new()),
        Kind::Bytes => Payload::Bytes(match id_length(field) {
            Some(length) => id(rng, length, odd_ids),
            None => bytes(rng),
        }),
        Kind::Message(_) => unreachable!("{} is no scalar", field.full_name()),
    }
}

fn zigzag(value: i32) -> u32 {
    (value << 1 ^ value >> 31) as u32
}

fn double(rng: &mut TestRng) -> u64 {
    match rng.random_range(0..6) {
        0 => rng.random(),
        1 => (f64::from(rng.random_range(-1_000_000..1_000_000)) / 100.0).to_bits(),
        2 => (integer(rng) as f64).to_bits(),
        _ => one_of(rng, &DOUBLES),
    }
}

fn text(rng: &mut TestRng) -> String {
    const LONG: usize = 300;
    match rng.random_range(0..6) {
        // Something special between runs of plain text, at any place of a machine word.
        0 => {
            let run = |rng: &mut TestRng| "x".repeat(rng.random_range(0..40));
            run(rng) + one_of(rng, &TEXTS) + &run(rng)
        }
        1 => (0..rng.random_range(1..8))
            .map(|_| rng.random::<char>())
            .collect(),
        2 if rng.random_bool(0.1) => one_of(rng, &TEXTS).repeat(LONG),
        _ => one_of(rng, &TEXTS).to_owned(),
    }
}

fn random(rng: &mut TestRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn bytes(rng: &mut TestRng) -> Vec<u8> {
    let length = rng.random_range(1..40);
    match rng.random_range(0..6) {
        0 => vec![0; 8],
        1 => vec![0xff; 16],
        2 => (0..=255).collect(),
        _ => random(rng, length),
    }
}

/// An id of the right length, unless it may be of another.
fn id(rng: &mut TestRng, length: usize, odd: bool) -> Vec<u8> {
    let length = match odd && rng.random_bool(0.2) {
        true => rng.random_range(0..40),
        false => length,
    };
    match rng.random_range(0..4) {
        0 => vec![0; length],
        1 => vec![0xff; length],
        _ => random(rng, length),
    }
}
