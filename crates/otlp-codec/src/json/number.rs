//! Numbers from their text, every digit exact.
//!
//! The text is a JSON number (RFC 8259, section 6), or what stands between the quotes of one
//! that was sent as a string. Going through `f64` would round 64-bit integers.

/// The integer that the text of a JSON number stands for: `5`, `-5`, `5.0`, `0.5e1` and so on.
/// `None` if the text is no JSON number, if its value is no integer, or is one of over 38 digits.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let number = Parts::of(text)?;
    // Zeros at the end of the fraction change nothing; zeros at the end of the rest move into
    // the exponent.
    let fraction = number.fraction.trim_end_matches('0');
    let digits = number.integer.bytes().chain(fraction.bytes());
    let fraction_len = i64::try_from(fraction.len()).ok()?;
    let scale = number.exponent.saturating_sub(fraction_len);
    let mut value: i128 = 0;
    // Zeros that may yet turn out to be the last ones.
    let mut pending: i64 = 0;
    for digit in digits {
        if digit == b'0' {
            pending += 1;
            continue;
        }
        value = shift(value, pending + 1)?.checked_add(i128::from(digit - b'0'))?;
        pending = 0;
    }
    let value = match scale.saturating_add(pending) {
        _ if value == 0 => 0,
        scale @ 0.. => shift(value, scale)?,
        _ => return None,
    };
    Some(if number.negative { -value } else { value })
}

/// `value` times ten to the `places`, within 38 digits.
fn shift(value: i128, places: i64) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let factor = 10_i128.checked_pow(u32::try_from(places).ok()?)?;
    value.checked_mul(factor)
}

/// The double that the text of a JSON number stands for, rounded to nearest. `None` if the text
/// is no JSON number or its value is out of range.
pub(crate) fn double(text: &str) -> Option<f64> {
    Parts::of(text)?;
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The parts of a JSON number.
struct Parts<'a> {
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    /// Saturated: what doesn't fit is far outside every range here.
    exponent: i64,
}

impl<'a> Parts<'a> {
    /// Checks the grammar: `[-] (0 | 1-9 digits) [. digits] [(e|E) [+|-] digits]`.
    fn of(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (integer, rest) = digits(rest)?;
        if integer.len() > 1 && integer.starts_with('0') {
            return None;
        }
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest)?,
            None => ("", rest),
        };
        let exponent = match rest.strip_prefix(['e', 'E']) {
            Some(rest) => exponent(rest)?,
            None if rest.is_empty() => 0,
            None => return None,
        };
        Some(Self {
            negative,
            integer,
            fraction,
            exponent,
        })
    }
}

fn exponent(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, rest) = digits(rest)?;
    let value = digits.bytes().fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    rest.is_empty().then_some(sign * value)
}

/// Splits off a run of digits, which must not be empty.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::{double, integer};

    /// Scenario: integers in every form of a JSON number, up to the ends of 64 bits.
    /// Guarantees: each is its exact value, however it is written.
    #[test]
    fn integers_are_exact() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("5", 5),
            ("5.0", 5),
            ("5e0", 5),
            ("0.5e1", 5),
            ("500e-2", 5),
            ("1.581452773000000789e18", 1_581_452_773_000_000_789),
            ("18446744073709551615", i128::from(u64::MAX)),
            ("-9223372036854775808", i128::from(i64::MIN)),
            ("0e999999999999999999999", 0),
            ("1000000e-6", 1),
            ("10.50e1", 105),
        ] {
            assert_eq!(integer(text), Some(expected), "{text}");
        }
    }

    /// Scenario: texts that are no JSON number, fractions, and what has too many digits.
    /// Guarantees: none is taken for an integer.
    #[test]
    fn other_texts_are_no_integers() {
        for text in [
            "",
            "-",
            "+5",
            "05",
            " 5",
            "5 ",
            "5.",
            ".5",
            "5.5",
            "5e",
            "5e+",
            "0x5",
            "1e-1",
            "1e99",
            "1e999999999999999999999",
            "12abc",
            "--5",
            "5.0.0",
            "٥",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    /// Scenario: doubles of either sign, tiny, huge and beyond; what Rust reads and JSON doesn't know.
    /// Guarantees: each is read to the bit; all else is no double.
    #[test]
    fn doubles_follow_the_grammar_of_json() {
        for (text, expected) in [
            ("10", 10.0),
            ("-0.0", -0.0),
            ("1e3", 1e3),
            ("5e-324", 5e-324),
        ] {
            assert_eq!(
                double(text).map(f64::to_bits),
                Some(f64::to_bits(expected)),
                "{text}"
            );
        }
        for text in [
            "", "nan", "inf", "Infinity", "+1", "01", "1.", "1e400", "-1e400", "1_0",
        ] {
            assert_eq!(double(text), None, "{text}");
        }
    }
}
