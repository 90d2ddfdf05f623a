//! Names of rows: UUID version 7, so that ids sort by time. Time and randomness are handed in, never taken from the machine.

use jiff::Timestamp;

use super::LedgerError;
use crate::crypto::random_bytes;

/// A new id for something that came to be at `now`.
pub fn new_id(now: Timestamp) -> Result<String, LedgerError> {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let random = random_bytes::<10>()?;
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_differ_within_an_instant() {
        let earlier: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-11-24T09:00:00.001Z".parse().unwrap();
        assert!(new_id(earlier).unwrap() < new_id(later).unwrap());
        assert_ne!(new_id(earlier).unwrap(), new_id(earlier).unwrap());
    }
}
