//! Keys as stores write them when asked for `encoding-type=url`: XML cannot carry every character that a key may have. The SDK hands them on
//! as they came.

/// Undoes it: `+` is a space, `%XX` a byte. What is no such thing stays as it is.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], escaped) {
            (b'%', Some(byte)) => {
                plain.push(byte);
                at += 3;
            }
            (b'+', _) => {
                plain.push(b' ');
                at += 1;
            }
            (byte, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn every_byte_comes_back() {
        assert_eq!(decoded("a+b%2B%25%0A%F0%9F%98%80/.."), "a b+%\n\u{1F600}/..".as_bytes());
        assert_eq!(decoded("100%"), b"100%");
        assert_eq!(decoded("%zz%4"), b"%zz%4");
    }
}
