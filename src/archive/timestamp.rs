//! Times as an archive writes them: `YYYY-MM-DDTHH:MM:SS.ffffffZ` for instants, the same without `Z` when the source knows no zone.
//! Only what can be converted exactly is converted; `infinity`, `0044-03-15 BC` or a nanosecond stay as the source prints them, and the
//! caller then declares the column as text.

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::Offset};

/// Writes an instant in UTC. False, and nothing written, when the text is no instant with a zone that fits.
pub(super) fn instant(text: &str, out: &mut String) -> bool {
    let Some((local, zone)) = read(text) else { return false };
    let Some(offset_seconds) = zone.and_then(offset) else { return false };
    if offset_seconds == 0 {
        write_local(&local, out);
        out.push('Z');
        return true;
    }
    let utc = Offset::from_seconds(offset_seconds)
        .and_then(|offset| offset.to_timestamp(local))
        .map(|instant| Offset::UTC.to_datetime(instant));
    match utc {
        Ok(utc) if (1..=9999).contains(&utc.year()) => {
            write_local(&utc, out);
            out.push('Z');
            true
        }
        _ => false,
    }
}

/// Writes a timestamp without zone. False, and nothing written, when the text is no such timestamp.
pub(super) fn local(text: &str, out: &mut String) -> bool {
    match read(text) {
        Some((local, None)) => {
            write_local(&local, out);
            true
        }
        _ => false,
    }
}

/// Whether a text is a calendar date in ISO form.
pub(super) fn is_date(text: &str) -> bool {
    read_date(text.as_bytes()).is_some()
}

/// Whether a text is a time of day to the second.
pub(super) fn is_time(text: &str) -> bool {
    text.len() == 8 && matches!(read_time(text.as_bytes()), Some((h, m, s)) if h < 24 && m < 60 && s < 60)
}

/// Whether a text is an instant exactly as archives write it.
pub(super) fn is_canonical_instant(text: &str) -> bool {
    text.strip_suffix('Z').is_some_and(is_canonical_local)
}

/// Whether a text is a timestamp without zone exactly as archives write it.
pub(super) fn is_canonical_local(text: &str) -> bool {
    text.len() == 26 && text.as_bytes()[10] == b'T' && matches!(read(text), Some((_, None)))
}

/// An instant of our own, for documents.
pub(super) fn of(instant: Timestamp) -> String {
    let mut text = String::with_capacity(27);
    write_local(&Offset::UTC.to_datetime(instant), &mut text);
    text.push('Z');
    text
}

/// An instant for people: `24 November 2026, 03:40 UTC`.
pub(super) fn for_people(instant: Timestamp) -> String {
    instant.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// A day for people: `24 November 2026`.
pub(super) fn day_for_people(instant: Timestamp) -> String {
    instant.strftime("%-d %B %Y").to_string()
}

/// A date or a canonical time from a table for people. Seconds and fractions are shown when there are any; anything else comes back
/// unchanged.
pub(super) fn cell_for_people(text: &str, out: &mut String) {
    if let Some(date) = read_date(text.as_bytes()) {
        let _ = write!(out, "{}", date.strftime("%-d %B %Y"));
        return;
    }
    let (stem, zone) = match text.strip_suffix('Z') {
        Some(stem) => (stem, " UTC"),
        None => (text, ""),
    };
    let Some((local, None)) = (is_canonical_local(stem)).then(|| read(stem)).flatten() else {
        out.push_str(text);
        return;
    };
    let _ = write!(out, "{}", local.strftime("%-d %B %Y, %H:%M"));
    if local.second() != 0 || local.subsec_nanosecond() != 0 {
        let _ = write!(out, ":{:02}", local.second());
    }
    if local.subsec_nanosecond() != 0 {
        let fraction = format!("{:06}", local.subsec_nanosecond() / 1000);
        let _ = write!(out, ".{}", fraction.trim_end_matches('0'));
    }
    out.push_str(zone);
}

fn write_local(local: &DateTime, out: &mut String) {
    for (separator, value, width) in [
        (None, i32::from(local.year()), 4),
        (Some('-'), i32::from(local.month()), 2),
        (Some('-'), i32::from(local.day()), 2),
        (Some('T'), i32::from(local.hour()), 2),
        (Some(':'), i32::from(local.minute()), 2),
        (Some(':'), i32::from(local.second()), 2),
        (Some('.'), local.subsec_nanosecond() / 1000, 6),
    ] {
        out.extend(separator);
        for place in (0..width).rev() {
            let digit = (value / 10_i32.pow(place)) % 10;
            out.extend(char::from_digit(digit.unsigned_abs(), 10));
        }
    }
}

/// Reads `YYYY-MM-DD[T ]HH:MM[:SS[.f…]]` and whatever zone follows.
fn read(text: &str) -> Option<(DateTime, Option<&str>)> {
    let bytes = text.as_bytes();
    let date = read_date(bytes.get(..10)?)?;
    if !matches!(bytes.get(10)?, b'T' | b' ') {
        return None;
    }
    let (clock_length, (hour, minute, second)) = match bytes.get(16) {
        Some(b':') => (8, read_time(bytes.get(11..19)?)?),
        _ => {
            let minute_only = bytes.get(11..16)?;
            (5, (two_digits(&minute_only[..2])?, (minute_only[2] == b':').then(|| two_digits(&minute_only[3..])).flatten()?, 0))
        }
    };
    let rest = text.get(11 + clock_length..)?;
    let (microseconds, zone) = match rest.strip_prefix('.') {
        Some(rest) if clock_length == 8 => read_fraction(rest)?,
        Some(_) => return None,
        None => (0, rest),
    };
    let time = jiff::civil::Time::new(hour, minute, second, microseconds * 1000).ok()?;
    Some((date.to_datetime(time), (!zone.is_empty()).then_some(zone)))
}

fn read_date(bytes: &[u8]) -> Option<Date> {
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = i16::from(two_digits(&bytes[..2])?) * 100 + i16::from(two_digits(&bytes[2..4])?);
    let date = Date::new(year, two_digits(&bytes[5..7])?, two_digits(&bytes[8..])?).ok()?;
    (year >= 1).then_some(date)
}

fn read_time(bytes: &[u8]) -> Option<(i8, i8, i8)> {
    if bytes.len() != 8 || bytes[2] != b':' || bytes[5] != b':' {
        return None;
    }
    Some((two_digits(&bytes[..2])?, two_digits(&bytes[3..5])?, two_digits(&bytes[6..])?))
}

/// Microseconds and what follows; `None` when there is more than a microsecond can say.
fn read_fraction(text: &str) -> Option<(i32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(length);
    let (kept, beyond) = digits.split_at(length.min(6));
    if kept.is_empty() || beyond.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let scale = 10_i32.pow(6 - u32::try_from(kept.len()).ok()?);
    Some((kept.parse::<i32>().ok()? * scale, rest))
}

/// Seconds east of UTC for `Z`, `+01`, `+0130`, `+01:30` and `+01:30:15`.
fn offset(zone: &str) -> Option<i32> {
    if matches!(zone, "Z" | "+00:00" | "+00") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: Vec<u8> = match zone.as_bytes().get(1..)? {
        plain @ ([_, _] | [_, _, _, _]) => plain.to_vec(),
        [h1, h2, b':', m1, m2] => vec![*h1, *h2, *m1, *m2],
        [h1, h2, b':', m1, m2, b':', s1, s2] => vec![*h1, *h2, *m1, *m2, *s1, *s2],
        _ => return None,
    };
    let mut parts = digits.chunks(2).map(two_digits);
    let hours = i32::from(parts.next()??);
    let minutes = i32::from(parts.next().unwrap_or(Some(0))?);
    let seconds = i32::from(parts.next().unwrap_or(Some(0))?);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

fn two_digits(bytes: &[u8]) -> Option<i8> {
    match bytes {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant_of(text: &str) -> Option<String> {
        let mut out = String::new();
        instant(text, &mut out).then_some(out)
    }

    fn local_of(text: &str) -> Option<String> {
        let mut out = String::new();
        local(text, &mut out).then_some(out)
    }

    #[test]
    fn instants_become_utc_with_six_digits() {
        for (given, expected) in [
            ("2021-01-01T01:00:00+00:00", "2021-01-01T01:00:00.000000Z"),
            ("2021-01-01 01:00:00Z", "2021-01-01T01:00:00.000000Z"),
            ("2021-01-01T01:00:00.5+05:30", "2020-12-31T19:30:00.500000Z"),
            ("1900-01-01T00:00:00+01:05:20", "1899-12-31T22:54:40.000000Z"),
            ("2021-01-01T01:00:00.123456000-03", "2021-01-01T04:00:00.123456Z"),
            ("2024-02-29 12:00+0100", "2024-02-29T11:00:00.000000Z"),
        ] {
            assert_eq!(instant_of(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn timestamps_without_zone_stay_without() {
        assert_eq!(local_of("2021-01-01T01:00:00.123456").as_deref(), Some("2021-01-01T01:00:00.123456"));
        assert_eq!(local_of("2021-01-01 01:00").as_deref(), Some("2021-01-01T01:00:00.000000"));
        assert_eq!(local_of("2021-01-01T01:00:00Z"), None);
        assert_eq!(instant_of("2021-01-01T01:00:00"), None);
    }

    #[test]
    fn what_cannot_be_said_exactly_is_left_alone() {
        for text in [
            "infinity",
            "-infinity",
            "0044-03-15 BC",
            "0044-03-15T00:00:00+00:00 BC",
            "0000-00-00T00:00:00Z",
            "2021-02-30T00:00:00Z",
            "12021-01-01T00:00:00Z",
            "2021-01-01T00:00:00.1234567Z",
            "2021-01-01T24:00:00Z",
            "2021-01-01T00:00:60Z",
            "2021-01-01",
            "yesterday",
            "2021-01-01T00:00:00.Z",
            "2021-01-01T00:00:00+1",
            "2021-01-01T00:00:00+é",
            "0001-01-01T00:00:00+10:00",
        ] {
            assert_eq!(instant_of(text), None, "{text}");
            assert_eq!(local_of(text), None, "{text}");
        }
    }

    #[test]
    fn dates_and_times_are_recognised() {
        assert!(is_date("2024-02-29") && !is_date("2023-02-29") && !is_date("0000-00-00") && !is_date("2024-2-9"));
        assert!(is_time("23:59:59") && !is_time("24:00:00") && !is_time("12:00:00.5") && !is_time("12:00:00+02"));
    }

    #[test]
    fn people_read_days_and_months() {
        let mut out = String::new();
        cell_for_people("2026-11-24T03:40:00.000000Z", &mut out);
        assert_eq!(out, "24 November 2026, 03:40 UTC");
        out.clear();
        cell_for_people("2026-11-24T03:40:05.250000", &mut out);
        assert_eq!(out, "24 November 2026, 03:40:05.25");
        out.clear();
        cell_for_people("infinity", &mut out);
        assert_eq!(out, "infinity");
    }
}
