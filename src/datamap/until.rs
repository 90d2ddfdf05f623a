//! `issued_on + P7Y`: when a statutory duty to keep a row ends. The text form is closed (one column, one period of whole years, months and
//! days) so that every database and the plan come to the same day.

use std::str::FromStr;

use super::Until;

/// A period that no statute reaches; longer is a slip of the pen.
const LONGEST: u32 = 1_000;

const DAYS_PER_WEEK: u32 = 7;

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("`{text}` is not `column + period`, such as `issued_on + P7Y`");
        let (column, period) = text.rsplit_once('+').ok_or_else(shape)?;
        let (column, period) = (column.trim(), period.trim());
        if column.is_empty() {
            return Err(shape());
        }
        let Period { years, months, days } = period.parse()?;
        Ok(Until { column: column.to_owned(), years, months, days })
    }
}

/// An ISO 8601 period of whole calendar units.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Period {
    years: u32,
    months: u32,
    days: u32,
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("`{text}` is not a period of whole years, months, weeks or days, such as P7Y or P90D");
        let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or_else(shape)?;
        let mut period = Period { years: 0, months: 0, days: 0 };
        let mut units = "YMWD";
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let amount: u32 = rest[..digits].parse().map_err(|_| shape())?;
            let unit = rest[digits..].chars().next().ok_or_else(shape)?;
            // Each unit once and in this order: what follows a unit is all that may still come.
            let position = units.find(unit).ok_or_else(shape)?;
            units = &units[position + 1..];
            match unit {
                'Y' if amount <= LONGEST => period.years = amount,
                'M' if amount <= LONGEST * 12 => period.months = amount,
                'W' if amount <= LONGEST * 52 => period.days = amount * DAYS_PER_WEEK,
                'D' if amount <= LONGEST * 366 => period.days += amount,
                _ => return Err(format!("`{text}` is longer than {LONGEST} years")),
            }
            rest = &rest[digits + unit.len_utf8()..];
        }
        if period == (Period { years: 0, months: 0, days: 0 }) {
            return Err(format!("`{text}` is no time at all"));
        }
        Ok(period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(column: &str, years: u32, months: u32, days: u32) -> Until {
        Until { column: column.into(), years, months, days }
    }

    #[test]
    fn whole_calendar_units_are_read() {
        assert_eq!("issued_on + P7Y".parse(), Ok(until("issued_on", 7, 0, 0)));
        assert_eq!("issued_on+P1Y6M10D".parse(), Ok(until("issued_on", 1, 6, 10)));
        assert_eq!("a + b + P2W1D".parse(), Ok(until("a + b", 0, 0, 15)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "issued_on",
            "+ P7Y",
            "issued_on + 7Y",
            "issued_on + P",
            "issued_on + P7",
            "issued_on + P7Y7Y",
            "issued_on + P1D1Y",
            "issued_on + PT5H",
            "issued_on + P-1Y",
            "issued_on + P1.5Y",
            "issued_on + P0D",
            "issued_on + P9999999999Y",
            "issued_on + P1001Y",
            "issued_on + P7é",
            "issued_on - P7Y",
        ] {
            assert!(text.parse::<Until>().is_err(), "{text}");
        }
    }
}
