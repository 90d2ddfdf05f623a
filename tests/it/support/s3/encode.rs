//! `encoding-type=url`: how listings write keys that XML cannot carry. Written like a form, so that a space is `+` and a plus is `%2B`; slashes stay.

use s3s::dto::EncodingType;

/// As asked for: encoded, or as it is.
pub fn told(text: impl Into<String>, encoding: Option<&EncodingType>) -> Option<String> {
    let text = text.into();
    let asked = encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
    Some(if asked { encoded(&text) } else { text })
}

fn encoded(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => written.push(char::from(byte)),
            b' ' => written.push('+'),
            other => written.push_str(&format!("%{other:02X}")),
        }
    }
    written
}

/// What a form says; bytes that are no text are replaced.
pub fn decoded(text: &str) -> String {
    let text = text.replace('+', " ").into_bytes();
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        let digits = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => (bytes.push(byte), at += 3),
            None => (bytes.push(text[at]), at += 1),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
