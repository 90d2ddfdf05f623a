//! When to try again: exponential delay with jitter, capped. A source that is down for a night must not use up a job's attempts, and a
//! thousand jobs that failed together must not come back together.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::crypto::{CryptoError, random_bytes};

/// Delay after the first failure.
const FIRST: Duration = Duration::from_secs(10);
/// Each further failure multiplies the delay by this.
const FACTOR: u32 = 3;
/// No delay is longer.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// The delay after this many failures (1 or more): between half of the nominal delay and all of it.
pub fn backoff(failures: i64) -> Result<Duration, CryptoError> {
    let nominal = nominal(failures);
    let fraction = f64::from(u32::from_be_bytes(random_bytes::<4>()?)) / f64::from(u32::MAX);
    Ok(nominal.mul_f64(0.5 + fraction / 2.0))
}

/// A duration spread by up to half in either direction, for polls that must not fall into step.
pub fn jittered(duration: Duration) -> Result<Duration, CryptoError> {
    let fraction = f64::from(u32::from_be_bytes(random_bytes::<4>()?)) / f64::from(u32::MAX);
    Ok(duration.mul_f64(0.5 + fraction))
}

/// `now` and a delay; the end of time if that is beyond the calendar.
pub fn after(now: Timestamp, delay: Duration) -> Timestamp {
    let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
    now.checked_add(delay).unwrap_or(Timestamp::MAX)
}

fn nominal(failures: i64) -> Duration {
    let exponent = u32::try_from(failures.saturating_sub(1).max(0)).unwrap_or(u32::MAX);
    let factor = FACTOR.checked_pow(exponent).unwrap_or(u32::MAX);
    FIRST.checked_mul(factor).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_longest() {
        let seconds: Vec<u64> = (1..=8).map(|failures| nominal(failures).as_secs()).collect();
        assert_eq!(seconds, [10, 30, 90, 270, 810, 2430, 7290, 14400]);
        assert_eq!(nominal(i64::MAX), LONGEST);
        assert_eq!(nominal(0), FIRST);
    }

    #[test]
    fn jitter_stays_in_its_bounds_and_does_jitter() {
        let delays: Vec<Duration> = (0..50).map(|_| backoff(2).unwrap()).collect();
        assert!(delays.iter().all(|delay| (Duration::from_secs(15)..=Duration::from_secs(30)).contains(delay)));
        assert!(delays.iter().any(|delay| delay != &delays[0]));
    }

    #[test]
    fn a_delay_beyond_the_calendar_is_the_end_of_time() {
        assert_eq!(after(Timestamp::MAX, LONGEST), Timestamp::MAX);
    }
}
