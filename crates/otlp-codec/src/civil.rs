//! Times as people read them: RFC 3339, in UTC.

/// How many nanoseconds a second has.
pub(crate) const NANOS: u64 = 1_000_000_000;

/// A time in nanoseconds since 1970, without its fraction of a second:
/// `2026-11-22T16:00:00.`. All of them lie before the year 2555.
pub(crate) fn second(nanos: u64) -> [u8; 20] {
    const DAY: u64 = 86_400;
    let seconds = nanos / NANOS;
    let (year, month, day) = date(seconds / DAY);
    let of_day = seconds % DAY;
    let [y, r] = [digits(year / 100), digits(year % 100)];
    let [m, d] = [digits(month), digits(day)];
    let [h, n, s] = [of_day / 3600, of_day / 60 % 60, of_day % 60].map(digits);
    [
        y[0], y[1], r[0], r[1], b'-', m[0], m[1], b'-', d[0], d[1], b'T', h[0], h[1], b':', n[0],
        n[1], b':', s[0], s[1], b'.',
    ]
}

/// Year, month and day of a day, counted from 1970-01-01, in the Gregorian calendar. Years are
/// taken to begin in March, so that the day that some years lack is the last.
fn date(days: u64) -> (u64, u64, u64) {
    // From 0000-03-01, and within a cycle of 400 years.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    // Without the leap days before it: every fourth year, but not every hundredth, but the last.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    // Five months from March or August on have 153 days.
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let year = 400 * cycle + year;
    match month {
        0..10 => (year, month + 3, of_month),
        _ => (year + 1, month - 9, of_month),
    }
}

/// The last two digits of a number.
fn digits(value: u64) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::{NANOS, second};

    fn expected(nanos: u64) -> String {
        let time = UNIX_EPOCH + Duration::from_nanos(nanos);
        humantime::format_rfc3339_nanos(time).to_string()
    }

    fn agrees(nanos: u64) -> bool {
        expected(nanos).as_bytes()[..20] == second(nanos)
    }

    /// Scenario: the first and the last second of every day that 64 bits of nanoseconds reach.
    /// Guarantees: each date is that of an independent calendar.
    #[test]
    fn every_day_has_its_date() {
        let day = 86_400 * NANOS;
        for begin in (0..u64::MAX / day).map(|number| number * day) {
            assert!(agrees(begin), "{}", expected(begin));
            assert!(agrees(begin + day - 1), "{}", expected(begin + day - 1));
        }
        assert_eq!(&second(u64::MAX), b"2554-07-21T23:34:33.");
    }

    proptest! {
        /// Scenario: times at random.
        /// Guarantees: each is that of an independent calendar and clock.
        #[test]
        fn every_time_is_right(nanos: u64) {
            prop_assert!(agrees(nanos), "{}", expected(nanos));
        }
    }
}
