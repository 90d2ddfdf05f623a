//! Whether text that was found stands on its own or inside a longer word: `ada@x.org` is not in `canada@x.org`, but it is in
//! `\nada@x.org` and `%20ada@x.org`, where the letter before it belongs to an escape. In doubt it stands on its own: a residue that
//! is overlooked is worse than one that is looked at in vain.

/// Whether the match is a part of a longer word or address.
pub(super) fn is_inside_longer_word(text: &[u8], start: usize, end: usize) -> bool {
    let found = &text[start..end];
    continues_before(&text[..start], found) || continues_after(found, &text[end..])
}

fn continues_before(before: &[u8], found: &[u8]) -> bool {
    let Some((last, earlier)) = before.split_last() else {
        return false;
    };
    if !found.first().is_some_and(u8::is_ascii_alphanumeric) || ends_with_escape(before) {
        return false;
    }
    match last {
        byte if byte.is_ascii_alphanumeric() => true,
        b'.' | b'_' | b'-' | b'+' => found.contains(&b'@') && earlier.last().is_some_and(u8::is_ascii_alphanumeric),
        _ => false,
    }
}

fn continues_after(found: &[u8], after: &[u8]) -> bool {
    if !found.last().is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    match after {
        [byte, ..] if byte.is_ascii_alphanumeric() => true,
        [b'.' | b'-', next, ..] => found.contains(&b'@') && next.is_ascii_alphanumeric(),
        _ => false,
    }
}

/// `\n` and its like, `\u000a`, `\x0a`, `%0a`, `=0a`.
fn ends_with_escape(before: &[u8]) -> bool {
    let are_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'\\', b'n' | b't' | b'r' | b'b' | b'f'] => true,
        [.., b'%' | b'=', a, b] if are_hex(&[*a, *b]) => true,
        [.., b'\\', b'x', a, b] if are_hex(&[*a, *b]) => true,
        [.., b'\\', b'u', a, b, c, d] if are_hex(&[*a, *b, *c, *d]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str) -> bool {
        let start = text.find("ada@x.org").unwrap();
        is_inside_longer_word(text.as_bytes(), start, start + 9)
    }

    #[test]
    fn a_longer_address_is_another_persons() {
        for text in ["canada@x.org", "x.ada@x.org", "ada@x.organic", "ada@x.org.au", "ada@x.org-test.com", "ada@x.org2"] {
            assert!(inside(text), "{text}");
        }
    }

    #[test]
    fn punctuation_and_escapes_do_not_hide_an_address() {
        for text in [
            "ada@x.org",
            "<ada@x.org>",
            "mailto:ada@x.org?subject=1",
            "Write to ada@x.org.",
            "-ada@x.org",
            "a: \\nada@x.org",
            "\\u003cada@x.org\\u003e",
            "q=%20ada@x.org%20",
            "=0Aada@x.org",
            "先ada@x.org",
        ] {
            assert!(!inside(text), "{text}");
        }
    }
}
