//! Numbers as identifiers. Two spellings of one number (`1`, `1.0`, `1e0`) are one identifier, because JSON writers are free to choose
//! between them; they are compared as exact decimals, digit for digit, never as floats, so that neighbours of 2^53 stay apart.

use std::borrow::Cow;

/// Up to so many digits a whole number is written out.
const WRITTEN_OUT: usize = 40;

/// One text for each number: a whole number as its digits, any other as digits and a power of ten. `None` if the text is no JSON number.
pub(super) fn canonical(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if is_plain(text) {
        return Some(Cow::Borrowed(text));
    }
    let (negative, rest) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let (whole, rest) = digits(rest);
    if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
        return None;
    }
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', rest)) => {
            let (fraction, rest) = digits(rest);
            if fraction.is_empty() {
                return None;
            }
            (fraction, rest)
        }
        _ => (&rest[..0], rest),
    };
    let exponent = exponent(rest)?;
    let mut significant = [whole, fraction].concat();
    let leading = significant.iter().take_while(|digit| **digit == b'0').count();
    significant.drain(..leading);
    let mut power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    while significant.last() == Some(&b'0') {
        significant.pop();
        power = power.checked_add(1)?;
    }
    if significant.is_empty() {
        return Some(Cow::Borrowed(b"0"));
    }
    match usize::try_from(power) {
        Ok(zeros) if significant.len().saturating_add(zeros) <= WRITTEN_OUT => significant.resize(significant.len() + zeros, b'0'),
        _ => significant.extend_from_slice(format!("e{power}").as_bytes()),
    }
    if negative {
        significant.insert(0, b'-');
    }
    Some(Cow::Owned(significant))
}

/// A whole number that is its own canonical text: nearly all identifiers that are numbers.
fn is_plain(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    match unsigned {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => unsigned.len() <= WRITTEN_OUT && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The exponent at the end of a number: 0 when there is none, `None` when it is malformed or beyond all bounds.
fn exponent(text: &[u8]) -> Option<i64> {
    let Some((b'e' | b'E', rest)) = text.split_first() else {
        return text.is_empty().then_some(0);
    };
    let (negative, rest) = match rest.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, rest),
    };
    if rest.is_empty() || !rest.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let power: i64 = std::str::from_utf8(rest).ok()?.parse().ok()?;
    Some(if negative { -power } else { power })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        canonical(text.as_bytes()).map(|text| String::from_utf8(text.into_owned()).unwrap())
    }

    #[test]
    fn spellings_of_one_number_are_one_identifier() {
        for text in ["1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1", "1.000"] {
            assert_eq!(of(text).as_deref(), Some("1"), "{text}");
        }
        for text in ["0", "-0", "0.0", "0e5", "-0.000E-7"] {
            assert_eq!(of(text).as_deref(), Some("0"), "{text}");
        }
        assert_eq!(of("120"), of("1.2e2"));
        assert_eq!(of("-1.50"), of("-15e-1"));
        let long = "1".repeat(50);
        assert_eq!(of(&long), of(&format!("{long}.0")));
        assert_eq!(of(&format!("1{}", "0".repeat(60))), of("1e60"));
    }

    #[test]
    fn different_numbers_stay_apart_however_close() {
        assert_ne!(of("9007199254740993"), of("9007199254740992"));
        assert_ne!(of("9007199254740993.0"), of("9007199254740992"));
        assert_ne!(of("0.1"), of("0.10000000000000001"));
        assert_ne!(of("1"), of("-1"));
    }

    #[test]
    fn what_json_does_not_call_a_number_is_none() {
        for text in ["", "-", "01", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "1 ", "--1", "1.e3"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
