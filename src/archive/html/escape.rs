//! Text on a page: nothing in it can become markup, and nothing in it can hide. Control characters and those that turn the direction of
//! writing are shown by their number instead of being obeyed, so what a person sees is what is stored.

/// Appends text so that a browser shows exactly these characters.
pub(in crate::archive) fn push_text(out: &mut String, text: &str) {
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            // Line ends of Windows are nothing to point at.
            '\r' if characters.peek() == Some(&'\n') => {}
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if is_invisible(c) => {
                out.push_str("<span class=\"hidden-character\">U+");
                out.push_str(&format!("{:04X}", u32::from(c)));
                out.push_str("</span>");
            }
            c => out.push(c),
        }
    }
}

/// Text as markup of its own.
pub(in crate::archive) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_text(&mut out, text);
    out
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'
                ..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_data_stays_text() {
        assert_eq!(text("<script>alert('&\"')</script>"), "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;");
    }

    #[test]
    fn characters_that_hide_or_turn_text_are_shown() {
        assert_eq!(text("a\u{202E}b"), "a<span class=\"hidden-character\">U+202E</span>b");
        assert_eq!(text("\0"), "<span class=\"hidden-character\">U+0000</span>");
        assert_eq!(text("a\r\nb"), "a\nb");
        assert_eq!(text("a\rb"), "a<span class=\"hidden-character\">U+000D</span>b");
        assert_eq!(text("line\nnext שלום 😀"), "line\nnext שלום 😀");
    }
}
