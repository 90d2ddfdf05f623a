//! The one place that reads the wall clock. Everything else is handed a [`Clock`], so that tests decide what time it is.
//! Leases do not use it: they live on database time, because workers' clocks differ.

use jiff::Timestamp;

/// Tells the time in UTC.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the wall clock's one home")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still at the given instant: for tests and for reproducible output.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
