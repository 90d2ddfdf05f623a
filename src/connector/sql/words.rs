//! Splits a piece of SQL that the database has stored (a trigger, a CREATE TABLE) into words, names and signs, with strings and comments set
//! aside. It is no parser: what is read from its words is a guess that makes the planner careful, never one that makes it trust.

/// A piece of SQL, and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'s> {
    /// What it is.
    pub kind: Kind,
    /// The text: of a quoted name, what stands in the quotes.
    pub text: &'s str,
    /// First byte.
    pub start: usize,
    /// Byte behind the last one.
    pub end: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a plain name.
    Word,
    /// A name in quotes.
    Name,
    /// A string.
    Text,
    /// One character of anything else.
    Sign,
}

impl Token<'_> {
    /// Whether it is this keyword.
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is this sign.
    pub fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// The name that it can be, plain or quoted.
    pub fn as_name(&self) -> Option<&str> {
        matches!(self.kind, Kind::Word | Kind::Name).then_some(self.text)
    }
}

/// All tokens of a text.
pub(super) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (length, kind) = match first {
            '\'' => (quoted(rest, '\''), Some(Kind::Text)),
            '"' | '`' => (quoted(rest, first), Some(Kind::Name)),
            '[' if bracketed(rest).is_some() => (bracketed(rest).unwrap_or(1), Some(Kind::Name)),
            '$' if dollar(rest).is_some() => (dollar(rest).unwrap_or(1), Some(Kind::Text)),
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), None),
            c if c.is_alphanumeric() || c == '_' => {
                let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                (rest.find(|c: char| !is_part(c)).unwrap_or(rest.len()), Some(Kind::Word))
            }
            c if c.is_whitespace() => (c.len_utf8(), None),
            c => (c.len_utf8(), Some(Kind::Sign)),
        };
        if let Some(kind) = kind {
            let text = &rest[..length];
            let text = if kind == Kind::Name { text.get(1..text.len().saturating_sub(1)).unwrap_or_default() } else { text };
            tokens.push(Token { kind, text, start: at, end: at + length });
        }
        at += length;
    }
    tokens
}

/// Bytes up to the closing quote; a doubled quote stands for itself. An open quote goes to the end.
fn quoted(rest: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(end) = rest[at..].find(quote) {
        at += end + 1;
        if !rest[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    rest.len()
}

/// `[name]`, as SQLite takes it; an array index holds more than a name, or nothing.
fn bracketed(rest: &str) -> Option<usize> {
    let end = rest.find(']')?;
    rest[1..end].starts_with(|c: char| c.is_alphabetic() || c == '_').then_some(end + 1)
}

/// `$tag$ … $tag$`.
fn dollar(rest: &str) -> Option<usize> {
    let tag_end = rest[1..].find('$')? + 2;
    let tag = &rest[..tag_end];
    let is_tag = tag[1..tag_end - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
    let close = rest[tag_end..].find(tag)?;
    is_tag.then_some(tag_end + close + tag_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).iter().map(|token| token.text).collect()
    }

    #[test]
    fn strings_and_comments_do_not_speak() {
        assert_eq!(texts("a 'DELETE ''x'' FROM' b -- UPDATE\n/* INSERT */ c"), ["a", "'DELETE ''x'' FROM'", "b", "c"]);
        assert_eq!(texts("\"a \"\"b\" `c` [d e] f[1]"), ["a \"\"b", "c", "d e", "f", "[", "1", "]"]);
        assert_eq!(texts("x $q$ DELETE $q$ y $1"), ["x", "$q$ DELETE $q$", "y", "$", "1"]);
        assert_eq!(texts("open 'quote"), ["open", "'quote"]);
        assert_eq!(texts("a '"), ["a", "'"], "an open quote at the very end");
    }
}
