//! When a request has to be answered (Art. 12(3) GDPR; Regulation 1182/71): calendar months from receipt in the controller's time zone,
//! never a count of days (D-1). Computed once at intake and stored with the rule that made it; nothing here pauses a deadline.
//!
//! A deadline that ends on a Saturday or Sunday moves to the following Monday (Art. 3(4) of Regulation 1182/71). Public holidays, which
//! differ by country, are not known to this rule: a deadline that ends on one is given a day or more too early, never too late.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

/// Months from receipt until the answer is due.
const MONTHS: i64 = 1;
/// Months from receipt (not from the first deadline) when extended: one, and two further.
const MONTHS_WHEN_EXTENDED: i64 = 3;
/// Names this rule in the ledger, so that a stored deadline can be explained after the rule has changed.
const RULE: &str = "gdpr-art12-3/1";

/// A stored deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// The last second at which the answer is in time.
    pub due_at: Timestamp,
    /// The rule and the time zone that gave it, as `gdpr-art12-3/1 Europe/Vienna`.
    pub rule: String,
}

/// Why there is no such deadline.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DeadlineError {
    /// The person must hear of an extension within the first month (Art. 12(3)).
    #[error("the extension comes too late: it had to be announced by {due_at}")]
    ExtensionTooLate {
        /// The first deadline.
        due_at: Timestamp,
    },
    /// The instant is outside the calendar.
    #[error("the date of receipt is outside the calendar")]
    OutOfRange,
}

impl Deadline {
    /// One calendar month from receipt.
    pub fn first(received_at: Timestamp, time_zone: &TimeZone) -> Result<Deadline, DeadlineError> {
        months_from_receipt(received_at, MONTHS, time_zone)
    }

    /// Three calendar months from receipt, if it is still time to say so.
    pub fn extended(received_at: Timestamp, now: Timestamp, time_zone: &TimeZone) -> Result<Deadline, DeadlineError> {
        let first = Self::first(received_at, time_zone)?;
        if now > first.due_at {
            return Err(DeadlineError::ExtensionTooLate { due_at: first.due_at });
        }
        months_from_receipt(received_at, MONTHS_WHEN_EXTENDED, time_zone)
    }
}

fn months_from_receipt(received_at: Timestamp, months: i64, time_zone: &TimeZone) -> Result<Deadline, DeadlineError> {
    let received_on = received_at.to_zoned_datetime(time_zone.clone()).date();
    // The day of receipt does not count; adding months clamps to the last day of a shorter month.
    let same_day = received_on.checked_add(months.months()).map_err(|_| DeadlineError::OutOfRange)?;
    let last_day = next_working_day(same_day)?;
    let last_second = last_day.at(23, 59, 59, 0).to_zoned_datetime(time_zone.clone()).map_err(|_| DeadlineError::OutOfRange)?;
    let zone = time_zone.iana_name().unwrap_or("fixed offset");
    Ok(Deadline { due_at: last_second.timestamp(), rule: format!("{RULE} {zone}") })
}

fn next_working_day(date: Date) -> Result<Date, DeadlineError> {
    let days = match date.weekday() {
        Weekday::Saturday => 2,
        Weekday::Sunday => 1,
        _ => return Ok(date),
    };
    date.checked_add(days.days()).map_err(|_| DeadlineError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vienna() -> TimeZone {
        TimeZone::get("Europe/Vienna").unwrap()
    }

    fn due_on(received_at: &str) -> String {
        let deadline = Deadline::first(received_at.parse().unwrap(), &vienna()).unwrap();
        deadline.due_at.to_zoned_datetime(vienna()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn extended_on(received_at: &str) -> String {
        let received_at = received_at.parse().unwrap();
        let deadline = Deadline::extended(received_at, received_at, &vienna()).unwrap();
        deadline.due_at.to_zoned_datetime(vienna()).date().to_string()
    }

    #[test]
    fn d_1_a_month_is_a_calendar_month_clamped_to_its_last_day() {
        assert_eq!(due_on("2026-08-31T10:00:00Z"), "2026-09-30 23:59:59");
        assert_eq!(due_on("2028-01-31T10:00:00Z"), "2028-02-29 23:59:59", "leap year");
        assert_eq!(due_on("2028-01-30T10:00:00Z"), "2028-02-29 23:59:59");
        assert_eq!(due_on("2026-02-27T10:00:00Z"), "2026-03-27 23:59:59", "28 days, and not 30");
    }

    #[test]
    fn d_1_a_deadline_on_a_weekend_moves_to_monday() {
        assert_eq!(due_on("2027-01-31T10:00:00Z"), "2027-03-01 23:59:59", "clamped to Sunday 28 February, then moved");
        assert_eq!(due_on("2026-09-03T10:00:00Z"), "2026-10-05 23:59:59", "Saturday");
        assert_eq!(due_on("2026-09-04T10:00:00Z"), "2026-10-05 23:59:59", "Sunday");
    }

    #[test]
    fn d_1_the_day_of_receipt_is_the_controllers_day() {
        // 31 August, 22:30 in UTC is already 1 September in Vienna.
        assert_eq!(due_on("2026-08-31T22:30:00Z"), "2026-10-01 23:59:59");
        assert_eq!(due_on("2026-08-31T21:30:00Z"), "2026-09-30 23:59:59");
    }

    #[test]
    fn d_1_the_hour_follows_the_zone_through_a_change_of_clocks() {
        let summer = Deadline::first("2026-09-28T10:00:00Z".parse().unwrap(), &vienna()).unwrap();
        assert_eq!(summer.due_at.to_string(), "2026-10-28T22:59:59Z", "received at +02:00, due at +01:00");
    }

    #[test]
    fn d_1_an_extension_counts_from_receipt() {
        assert_eq!(extended_on("2026-12-31T10:00:00Z"), "2027-03-31");
        assert_eq!(extended_on("2026-11-30T10:00:00Z"), "2027-03-01", "clamped to Sunday 28 February, then moved");
    }

    #[test]
    fn d_1_an_extension_after_the_first_month_is_refused() {
        let received_at: Timestamp = "2026-08-31T10:00:00Z".parse().unwrap();
        let first = Deadline::first(received_at, &vienna()).unwrap();
        assert!(Deadline::extended(received_at, first.due_at, &vienna()).is_ok());
        let too_late = first.due_at.checked_add(1.second()).unwrap();
        assert_eq!(
            Deadline::extended(received_at, too_late, &vienna()),
            Err(DeadlineError::ExtensionTooLate { due_at: first.due_at })
        );
    }

    #[test]
    fn the_rule_names_itself_and_the_zone() {
        let deadline = Deadline::first("2026-08-31T10:00:00Z".parse().unwrap(), &vienna()).unwrap();
        assert_eq!(deadline.rule, "gdpr-art12-3/1 Europe/Vienna");
    }
}
