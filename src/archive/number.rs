//! Numbers as an archive writes them: every digit of the source, never an exponent, `NaN`, `INF` and `-INF` spelled so. No number passes
//! through a float on its way.

/// What kind of number a text is, which decides how JSON carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberKind {
    /// A whole number that every JSON reader takes exactly (below 2^53).
    SafeWhole,
    /// A whole number beyond that.
    WideWhole,
    /// With digits behind the point.
    Fraction,
    /// NaN or an infinity.
    NotFinite,
}

/// Beyond this many zeros a number is not written out; it stays as the source spells it, as text.
const LONGEST_EXPANSION: i64 = 20_000;
/// 2^53: from here on doubles skip whole numbers.
const FIRST_UNSAFE_WHOLE: u64 = 1 << 53;

/// The plain form of a number as a database writes it. `None` when it is no number in that sense. `scratch` holds the text when it differs.
pub(super) fn plain<'a>(text: &'a str, scratch: &'a mut String) -> Option<(&'a str, NumberKind)> {
    match text {
        "NaN" => return Some(("NaN", NumberKind::NotFinite)),
        "Infinity" | "INF" | "inf" => return Some(("INF", NumberKind::NotFinite)),
        "-Infinity" | "-INF" | "-inf" => return Some(("-INF", NumberKind::NotFinite)),
        _ => {}
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    if !all_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) || !(fraction.is_empty() || all_digits(fraction)) {
        return None;
    }
    let Some(exponent) = exponent else {
        return Some((text, kind(whole, fraction)));
    };
    expand(text.starts_with('-'), whole, fraction, exponent, scratch)
}

fn expand<'a>(
    negative: bool,
    whole: &str,
    fraction: &str,
    exponent: &str,
    scratch: &'a mut String,
) -> Option<(&'a str, NumberKind)> {
    let exponent: i64 = exponent.parse().ok().filter(|e: &i64| e.abs() <= LONGEST_EXPANSION)?;
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let (whole, fraction) = if point <= 0 {
        ("0".to_owned(), format!("{}{digits}", "0".repeat(usize::try_from(-point).ok()?)))
    } else {
        let point = usize::try_from(point).ok()?;
        match digits.split_at_checked(point) {
            Some((before, behind)) => (before.to_owned(), behind.to_owned()),
            None => (format!("{digits:0<point$}"), String::new()),
        }
    };
    let significant = whole.trim_start_matches('0');
    let whole = if significant.is_empty() { "0" } else { significant };
    scratch.clear();
    if negative {
        scratch.push('-');
    }
    scratch.push_str(whole);
    if !fraction.is_empty() {
        scratch.push('.');
        scratch.push_str(&fraction);
    }
    Some((scratch.as_str(), kind(whole, &fraction)))
}

fn kind(whole: &str, fraction: &str) -> NumberKind {
    if !fraction.is_empty() {
        return NumberKind::Fraction;
    }
    match whole.len() < 16 || whole.parse().is_ok_and(|value: u64| value < FIRST_UNSAFE_WHOLE) {
        true => NumberKind::SafeWhole,
        false => NumberKind::WideWhole,
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_text(text: &str) -> Option<(String, NumberKind)> {
        plain(text, &mut String::new()).map(|(text, kind)| (text.to_owned(), kind))
    }

    #[test]
    fn exponents_are_written_out_digit_by_digit() {
        for (given, expected) in [
            ("1e-7", "0.0000001"),
            ("1.5e3", "1500"),
            ("1.50e1", "15.0"),
            ("-2.25E+2", "-225"),
            ("1e0", "1"),
            ("0.5e1", "5"),
            ("0e5", "0"),
            ("12345678901234567890e2", "1234567890123456789000"),
            ("-1.7e-3", "-0.0017"),
        ] {
            assert_eq!(plain_text(given).expect(given).0, expected, "{given}");
        }
        assert_eq!(plain_text("1e308").expect("fits").0.len(), 309);
    }

    #[test]
    fn digits_stay_as_the_database_wrote_them() {
        for text in ["0", "-0", "0.10", "-12", "12345678901234567890.1234567890", "100.000"] {
            assert_eq!(plain_text(text).expect(text).0, text);
        }
    }

    #[test]
    fn whole_numbers_are_safe_below_two_to_the_53rd() {
        assert_eq!(plain_text("9007199254740991").map(|p| p.1), Some(NumberKind::SafeWhole));
        assert_eq!(plain_text("9007199254740992").map(|p| p.1), Some(NumberKind::WideWhole));
        assert_eq!(plain_text("-9007199254740993").map(|p| p.1), Some(NumberKind::WideWhole));
        assert_eq!(plain_text("1e20").map(|p| p.1), Some(NumberKind::WideWhole));
    }

    #[test]
    fn what_is_not_finite_has_one_spelling() {
        assert_eq!(plain_text("Infinity"), Some(("INF".to_owned(), NumberKind::NotFinite)));
        assert_eq!(plain_text("-Infinity"), Some(("-INF".to_owned(), NumberKind::NotFinite)));
        assert_eq!(plain_text("NaN"), Some(("NaN".to_owned(), NumberKind::NotFinite)));
    }

    #[test]
    fn what_json_would_not_take_is_no_number() {
        for text in ["", "-", "007", "+1", ".5", "5.", "1e", "1e99999999", "0x10", "1,5", " 1", "$1.00", "--1", "1e5.5"] {
            assert_eq!(plain_text(text), None, "{text}");
        }
    }
}
