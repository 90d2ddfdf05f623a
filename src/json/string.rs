//! Strings as JSON writes them. Written the way PostgreSQL prints `jsonb`, so that a value that we put in reads back byte for byte.

use std::borrow::Cow;

/// A string in its quotes: short escapes where JSON has them, `\u00xx` for other control characters, everything else as it is.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// What a quoted string says. `None` for a lone half of a surrogate pair, which no text can hold.
pub(super) fn unquoted(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(quoted).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_reads_back_as_it_was_written() {
        for text in ["", "Ada", "a\"b\\c/d", "\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}", "🙂 é \u{2028}"] {
            assert_eq!(unquoted(&quoted(text)).unwrap(), text);
        }
        assert_eq!(quoted("a/b\u{1}"), "\"a/b\\u0001\"");
    }

    #[test]
    fn half_a_surrogate_pair_is_no_text() {
        assert_eq!(unquoted("\"\\ud83d\""), None);
        assert_eq!(unquoted("\"\\ud83d\\ude42\"").unwrap(), "🙂");
    }
}
