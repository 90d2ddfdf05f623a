//! One value of a column as JSON text: numbers digit for digit, times as ISO text, bytes as base64. A value that cannot be written so is an
//! error and never a blank.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::civil::{Date, DateTime, date, time};
use jiff::{SignedDuration, Span, Timestamp};
use parquet::basic::TimeUnit;
use parquet::data_type::Int96;

use super::kind::{Kind, unscaled, uuid_text};

/// Julian day of 1 January 1970, from which the old timestamps count.
const JULIAN_EPOCH: i64 = 2_440_588;

const NANOSECONDS_OF_A_DAY: i128 = 86_400_000_000_000;

/// A whole number, or what is stored as one. `None` when it is out of range of its meaning.
pub(super) fn integer(kind: Kind, value: i64, is_32_bit: bool) -> Option<String> {
    Some(match kind {
        Kind::Unsigned if is_32_bit => (value as i32).cast_unsigned().to_string(),
        Kind::Unsigned => value.cast_unsigned().to_string(),
        Kind::Decimal(scale) => decimal(i128::from(value), scale)?,
        Kind::Date => text(&epoch_day().checked_add(Span::new().try_days(value).ok()?).ok()?.to_string()),
        Kind::Time(unit) => {
            let since_midnight = SignedDuration::from_nanos_i128(i128::from(value) * nanoseconds(unit));
            let at = time(0, 0, 0, 0).checked_add(since_midnight).ok()?;
            text(&at.to_string())
        }
        Kind::Timestamp(unit) => text(&Timestamp::from_nanosecond(i128::from(value) * nanoseconds(unit)).ok()?.to_string()),
        Kind::LocalTimestamp(unit) => text(&local(i128::from(value) * nanoseconds(unit))?.to_string()),
        _ => value.to_string(),
    })
}

/// An old timestamp, of a local time that nobody wrote down.
pub(super) fn int96(value: &Int96) -> Option<String> {
    let [low, high, day] = <[u32; 3]>::try_from(value.data()).ok()?;
    let of_day = i128::from(u64::from(low) | (u64::from(high) << 32));
    let day = i128::from(i64::from(day.cast_signed()) - JULIAN_EPOCH);
    Some(text(&local(day * NANOSECONDS_OF_A_DAY + of_day)?.to_string()))
}

/// A float by its shortest text; what JSON has no number for, by its name.
pub(super) fn float(shortest: &str, is_finite: bool) -> String {
    if is_finite { shortest.to_owned() } else { text(shortest) }
}

/// Bytes of any length, by what they mean.
pub(super) fn bytes(kind: Kind, value: &[u8]) -> Option<String> {
    Some(match kind {
        Kind::Text => text(std::str::from_utf8(value).ok()?),
        Kind::Uuid => text(&uuid_text(value)),
        Kind::Decimal(scale) => decimal(unscaled(value)?, scale)?,
        Kind::Float16 => {
            let half = float16(u16::from_le_bytes(value.try_into().ok()?));
            float(&half.to_string(), half.is_finite())
        }
        Kind::Interval => {
            let part = |at: usize| Some(u32::from_le_bytes(value.get(at..at + 4)?.try_into().ok()?));
            let (months, days, milliseconds) = (part(0)?, part(4)?, part(8)?);
            text(&format!("P{months}M{days}DT{}.{:03}S", milliseconds / 1000, milliseconds % 1000))
        }
        _ => text(&BASE64_STANDARD.encode(value)),
    })
}

/// A string in its quotes.
pub(super) fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A decimal with all its digits: `-0.10`.
fn decimal(unscaled: i128, scale: i32) -> Option<String> {
    let scale = usize::try_from(scale).ok()?;
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

fn epoch_day() -> Date {
    date(1970, 1, 1)
}

fn local(nanoseconds: i128) -> Option<DateTime> {
    epoch_day().at(0, 0, 0, 0).checked_add(SignedDuration::from_nanos_i128(nanoseconds)).ok()
}

fn nanoseconds(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::MILLIS => 1_000_000,
        TimeUnit::MICROS => 1000,
        TimeUnit::NANOS => 1,
    }
}

/// A float of 16 bits (IEEE 754).
fn float16(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => sign * f32::INFINITY,
        0x1f => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_digit_for_digit() {
        assert_eq!(integer(Kind::Unsigned, -1, true).unwrap(), "4294967295");
        assert_eq!(integer(Kind::Unsigned, -1, false).unwrap(), "18446744073709551615");
        assert_eq!(integer(Kind::Decimal(2), -5, false).unwrap(), "-0.05");
        assert_eq!(integer(Kind::Decimal(0), 120, false).unwrap(), "120");
        assert_eq!(integer(Kind::Date, -1, true).unwrap(), "\"1969-12-31\"");
        assert_eq!(integer(Kind::Time(TimeUnit::MICROS), 3_661_000_001, false).unwrap(), "\"01:01:01.000001\"");
        assert_eq!(integer(Kind::Timestamp(TimeUnit::NANOS), 1, false).unwrap(), "\"1970-01-01T00:00:00.000000001Z\"");
        assert_eq!(integer(Kind::LocalTimestamp(TimeUnit::MILLIS), -1, false).unwrap(), "\"1969-12-31T23:59:59.999\"");
        assert_eq!(integer(Kind::Date, i64::from(i32::MAX), true), None, "a day that no calendar has");
        let mut old = Int96::new();
        old.set_data(1, 0, 2_440_589);
        assert_eq!(int96(&old).unwrap(), "\"1970-01-02T00:00:00.000000001\"");
        assert_eq!(bytes(Kind::Decimal(3), &[0xff, 0x38]).unwrap(), "-0.200");
        assert_eq!(bytes(Kind::Float16, &[0x00, 0x3e]).unwrap(), "1.5");
        assert_eq!(bytes(Kind::Bytes, b"\xff\x00").unwrap(), "\"/wA=\"");
        assert_eq!(bytes(Kind::Text, b"a\"\n").unwrap(), "\"a\\\"\\n\"");
        assert_eq!(bytes(Kind::Text, b"\xff"), None);
        assert_eq!(bytes(Kind::Interval, &[1, 0, 0, 0, 2, 0, 0, 0, 220, 5, 0, 0]).unwrap(), "\"P1M2DT1.500S\"");
        assert_eq!(float("NaN", false), "\"NaN\"");
    }
}
