//! A retry: when to ask a registry again, and after how long.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::{Duration, SystemTime},
};

use crate::failure::Failure;

/// The longest first wait; each further one may be twice as long.
const FIRST: Duration = Duration::from_millis(500);

/// Whether an answer of this status may be another one later: time-outs, too many requests, and failures of the server
/// itself (501 and 505 are about what was asked, and stay).
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 520..=527)
}

/// How long to wait before the try after the `tries`th: a random time up to half a second, then one, then two, so that
/// many clients do not come back at once ("full jitter").
pub(super) fn back_off(tries: u32, random: u64) -> Duration {
    let longest = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(10));
    let share = (random >> 11) as f64 / (1u64 << 53) as f64;
    longest.mul_f64(share)
}

/// What `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3), never more than `longest`.
pub(super) fn retry_after(header: &str, now: SystemTime, longest: Duration) -> Option<Duration> {
    let header = header.trim();
    let wait = if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are simply long.
        header.parse().map_or(longest, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(header).ok()?;
        date.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(longest))
}

/// What a failure says that stayed however often it was tried.
pub(super) fn in_vain(failure: Failure, tries: u32) -> Failure {
    let message = match tries {
        0 | 1 => failure.message,
        tries => format!("{} (tried {tries} times)", failure.message),
    };
    Failure { message, ..failure }
}

/// A number that differs from run to run; nothing secret hangs on it.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_below_their_bound() {
        for (tries, longest) in [(1, 500), (2, 1_000), (3, 2_000), (5, 8_000)] {
            let longest = Duration::from_millis(longest);
            assert_eq!(back_off(tries, 0), Duration::ZERO);
            assert!(back_off(tries, u64::MAX) <= longest);
            assert!(back_off(tries, u64::MAX) > longest.mul_f64(0.99));
        }
        assert!(back_off(u32::MAX, u64::MAX) < Duration::from_mins(10));
        assert_ne!(random(), random());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_clamped() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let longest = Duration::from_mins(2);
        for (header, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("1000000000", Some(120)),
            ("99999999999999999999999999", Some(120)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(120)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(header, now, longest).map(|w| w.as_secs()),
                seconds,
                "{header}"
            );
        }
    }

    #[test]
    fn only_passing_failures_are_retried() {
        for status in [408, 429, 500, 502, 503, 504, 522] {
            assert!(may_pass(status));
        }
        for status in [200, 206, 301, 400, 401, 403, 404, 405, 406, 415, 416, 501, 505] {
            assert!(!may_pass(status));
        }
    }
}
