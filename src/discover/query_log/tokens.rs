//! Cuts a statement into the few kinds of tokens that matter for joins. Literals and comments become nothing that could be told apart:
//! their content is never kept. It follows no dialect to the letter, and understands what PostgreSQL, MySQL and SQLite share.

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word or quoted name, in lower case.
    Name(String),
    /// A keyword-like word is a `Name` too; a quoted one never is a keyword.
    Quoted(String),
    /// `.`
    Dot,
    /// `,`
    Comma,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `=`
    Equal,
    /// A literal, a placeholder, any other operator.
    Other,
}

/// The tokens of a statement.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (token, next) = match bytes[at] {
            byte if byte.is_ascii_whitespace() => (None, at + 1),
            b'-' if text[at..].starts_with("--") => (None, line_end(bytes, at)),
            b'#' => (None, line_end(bytes, at)),
            b'/' if text[at..].starts_with("/*") => (None, text[at..].find("*/").map_or(bytes.len(), |end| at + end + 2)),
            b'\'' => (Some(Token::Other), quoted_end(bytes, at)),
            b'"' | b'`' => {
                let end = quoted_end(bytes, at);
                let name = text.get(at + 1..end.saturating_sub(1)).unwrap_or_default();
                (Some(Token::Quoted(name.to_lowercase())), end)
            }
            b'[' => match text[at..].find(']') {
                Some(end) => (Some(Token::Quoted(text[at + 1..at + end].to_lowercase())), at + end + 1),
                None => (Some(Token::Other), at + 1),
            },
            b'.' => (Some(Token::Dot), at + 1),
            b',' => (Some(Token::Comma), at + 1),
            b'(' => (Some(Token::Open), at + 1),
            b')' => (Some(Token::Close), at + 1),
            b'=' => (Some(Token::Equal), at + 1),
            b'<' | b'>' | b'!' | b':' if bytes.get(at + 1) == Some(&b'=') => (Some(Token::Other), at + 2),
            byte if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                let end = at + bytes[at..].iter().take_while(|byte| is_part_of_a_name(**byte)).count();
                (Some(Token::Name(text[at..end].to_lowercase())), end)
            }
            byte if byte.is_ascii_digit() => {
                (Some(Token::Other), at + bytes[at..].iter().take_while(|byte| is_part_of_a_name(**byte)).count())
            }
            _ => (Some(Token::Other), at + 1),
        };
        tokens.extend(token);
        at = next.max(at + 1);
    }
    tokens
}

fn is_part_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| **byte != b'\n').count()
}

/// Behind the closing quote; doubled quotes and backslashes do not close.
fn quoted_end(bytes: &[u8], at: usize) -> usize {
    let open = bytes[at];
    let mut next = at + 1;
    while next < bytes.len() {
        match bytes[next] {
            b'\\' if open == b'\'' => next += 2,
            byte if byte == open && bytes.get(next + 1) == Some(&open) => next += 2,
            byte if byte == open => return next + 1,
            _ => next += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_1_literals_and_comments_leave_nothing_of_their_content() {
        let all = format!("{:?}", tokens("SELECT 'ada@example.org', 'it''s', 42 /* secret */ -- more\n# and more\nFROM t"));
        for content in ["ada", "it", "42", "secret", "more"] {
            assert!(!all.contains(content), "{all}");
        }
    }

    #[test]
    fn cutting_never_leaves_a_character_apart() {
        for text in ["naïve = 'ü", "\"ünd\".x", "[öffnet", "é", "'\\"] {
            tokens(text);
        }
    }
}
