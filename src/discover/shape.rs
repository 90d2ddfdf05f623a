//! What values look like, without keeping any: an address of mail, a telephone number, a network address, a hash, a date. Decided value
//! by value while a sample streams by; only the counts stay (S-1).

use std::net::IpAddr;

/// The shape of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Nothing in it.
    Empty,
    /// An address of mail.
    Email,
    /// An IP address.
    Ip,
    /// A UUID.
    Uuid,
    /// 16 or more hexadecimal digits, or a password hash in its own notation.
    Hash,
    /// A telephone number with its plus or its groups.
    Phone,
    /// A web address.
    Url,
    /// What browsers call themselves.
    UserAgent,
    /// A date, with or without time.
    Date,
    /// A number.
    Number,
    /// Several words.
    Prose,
    /// One word or code.
    Word,
}

/// The shape of one value.
pub fn shape(value: &str) -> Shape {
    let text = value.trim();
    if text.is_empty() {
        return Shape::Empty;
    }
    if is_email(text) {
        return Shape::Email;
    }
    if text.len() >= 3 && (text.contains('.') || text.contains(':')) && text.parse::<IpAddr>().is_ok() {
        return Shape::Ip;
    }
    if is_uuid(text) {
        return Shape::Uuid;
    }
    if text.parse::<f64>().is_ok() && !text.starts_with('+') {
        return Shape::Number;
    }
    if is_hash(text) {
        return Shape::Hash;
    }
    if is_date(text) {
        return Shape::Date;
    }
    if is_phone(text) {
        return Shape::Phone;
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return Shape::Url;
    }
    if text.starts_with("Mozilla/") || text.starts_with("Opera/") {
        return Shape::UserAgent;
    }
    if text.contains(char::is_whitespace) { Shape::Prose } else { Shape::Word }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty()
        && domain.contains('.')
        && !text.contains(char::is_whitespace)
        && domain.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_hash(text: &str) -> bool {
    let hexadecimal = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let notation = ["$2a$", "$2b$", "$2y$", "$argon2", "$P$", "$H$", "$1$", "$5$", "$6$", "pbkdf2"];
    hexadecimal || notation.iter().any(|start| text.starts_with(start))
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let only = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '/' | '(' | ')' | '.' | '+'));
    only && (7..=15).contains(&digits) && (text.starts_with('+') || text.contains(['-', ' ', '/', '(']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_by_their_shape() {
        for (value, expected) in [
            ("", Shape::Empty),
            ("ada@example.org", Shape::Email),
            ("not @ all", Shape::Prose),
            ("192.0.2.7", Shape::Ip),
            ("2001:db8::1", Shape::Ip),
            ("12.50", Shape::Number),
            ("0b9f1a54-6b1e-4a7e-9c39-2f3a5d1e8f77", Shape::Uuid),
            ("d41d8cd98f00b204e9800998ecf8427e", Shape::Hash),
            ("$2y$10$abcdefghijklmnopqrstuv", Shape::Hash),
            ("+43 660 1234567", Shape::Phone),
            ("2026-11-24 09:00:00", Shape::Date),
            ("https://example.org/", Shape::Url),
            ("Ada Lovelace", Shape::Prose),
            ("draft", Shape::Word),
        ] {
            assert_eq!(shape(value), expected, "{value}");
        }
    }
}
