//! The server's clock: the machine's, until a test moves it. Retention ends by this clock, so a test need not wait ten years.
//! Signatures are still checked against the machine's clock.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use habeas_data::clock::{Clock as _, SystemClock};
use s3s::dto::Timestamp;

/// Tells the time, plus what it has been moved forward by.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<Duration>>);

impl Clock {
    /// The server's present.
    pub fn now(&self) -> SystemTime {
        machine() + *self.0.lock().expect("the clock")
    }

    /// The same as the protocol writes it.
    pub fn stamp(&self) -> Timestamp {
        Timestamp::from(self.now())
    }

    /// A moment of the server's future.
    pub fn stamp_in(&self, time: Duration) -> Timestamp {
        Timestamp::from(self.now() + time)
    }

    /// Moves it; it never goes back.
    pub fn forward(&self, time: Duration) {
        *self.0.lock().expect("the clock") += time;
    }
}

/// As many days.
pub fn days(count: i32) -> Duration {
    Duration::from_secs(86_400) * u32::try_from(count).expect("days are not negative")
}

/// The machine's clock.
pub fn machine() -> SystemTime {
    let since = u64::try_from(SystemClock.now().as_nanosecond()).expect("after 1970 and before 2554");
    SystemTime::UNIX_EPOCH + Duration::from_nanos(since)
}
