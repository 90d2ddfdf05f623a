//! One line of JSON, checked from end to end (RFC 8259) and looked at only where a field's path leads. There is no search for the bytes of
//! an identifier beforehand: an escape such as `\u0061`, another spelling of a number or a key that comes twice cannot hide a value from a
//! reader that goes the whole way, and going the whole way is what checks the line. Nothing is copied or kept.

use super::LineProblem;
use super::claims::Claims;
use super::matcher::{Matcher, Node};

/// Arrays inside arrays on the way to a field; each takes a little of the stack. Elsewhere there is no limit.
pub(super) const MOST_ARRAYS: usize = 200;

/// Reads lines one after the other. Keeps only a little working memory between them.
#[derive(Debug, Default)]
pub(super) struct JsonRow {
    open: Vec<Open>,
}

/// What a value lies in while it is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Object,
    Array,
}

impl JsonRow {
    /// Takes in the identifiers of one line. Text around the value must be white space.
    pub(super) fn read(&mut self, text: &str, matcher: &Matcher, claims: &mut Claims) -> Result<(), LineProblem> {
        let mut walk = Walk { text: text.as_bytes(), at: 0, open: std::mem::take(&mut self.open), matcher, claims };
        let outcome = walk.value(matcher.tree(), 0).and_then(|()| {
            walk.white();
            if walk.at == walk.text.len() { Ok(()) } else { Err(LineProblem::NotJson) }
        });
        self.open = walk.open;
        outcome
    }
}

struct Walk<'t, 'm> {
    text: &'t [u8],
    at: usize,
    open: Vec<Open>,
    matcher: &'m Matcher,
    claims: &'m mut Claims,
}

type Read<T> = Result<T, LineProblem>;

impl<'t> Walk<'t, '_> {
    /// A value that a path leads to, or through.
    fn value(&mut self, node: &Node, arrays: usize) -> Read<()> {
        self.white();
        match self.byte() {
            b'{' => self.object(node, arrays),
            b'[' => self.array(node, arrays),
            b'"' => {
                let (inner, escaped) = self.string()?;
                let Some(field) = node.field else { return Ok(()) };
                let subject = match decoded(inner, escaped) {
                    Decoded::Same => self.matcher.text(field, inner),
                    Decoded::Other(text) => self.matcher.text(field, text.as_bytes()),
                    // Half a surrogate pair is no text, so it is no identifier that anybody has.
                    Decoded::NoText => None,
                };
                self.claims.add(subject);
                Ok(())
            }
            b'-' | b'0'..=b'9' => {
                let number = self.number()?;
                if let Some(field) = node.field {
                    self.claims.add(self.matcher.number(field, number));
                }
                Ok(())
            }
            _ => {
                let word = self.word()?;
                match node.field {
                    Some(field) if word != b"null" => self.claims.add(self.matcher.text(field, word)),
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn object(&mut self, node: &Node, arrays: usize) -> Read<()> {
        if node.field.is_some() {
            // An object where an identifier should be: somebody's, but of nobody that is asked about.
            self.claims.add(None);
        }
        self.at += 1;
        self.white();
        if self.byte() == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            let (key, escaped) = self.key()?;
            let below = match decoded(key, escaped) {
                Decoded::Same => node.child(key),
                Decoded::Other(key) => node.child(key.as_bytes()),
                Decoded::NoText => None,
            };
            match below {
                Some(below) => self.value(below, arrays)?,
                None => self.skip()?,
            }
            self.white();
            match self.byte() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(LineProblem::NotJson),
            }
            self.white();
        }
    }

    fn array(&mut self, node: &Node, arrays: usize) -> Read<()> {
        if arrays == MOST_ARRAYS {
            return Err(LineProblem::TooDeep(MOST_ARRAYS));
        }
        self.at += 1;
        self.white();
        if self.byte() == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(node, arrays + 1)?;
            self.white();
            match self.byte() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(LineProblem::NotJson),
            }
        }
    }

    /// A value that no path leads to, however deep: only checked.
    fn skip(&mut self) -> Read<()> {
        self.open.clear();
        loop {
            self.white();
            match self.byte() {
                b'{' => {
                    self.at += 1;
                    self.white();
                    if self.byte() == b'}' {
                        self.at += 1;
                    } else {
                        self.key()?;
                        self.open.push(Open::Object);
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.white();
                    if self.byte() == b']' {
                        self.at += 1;
                    } else {
                        self.open.push(Open::Array);
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => {
                    self.number()?;
                }
                _ => {
                    self.word()?;
                }
            }
            if !self.closes()? {
                return Ok(());
            }
        }
    }

    /// After a skipped value: closes what ends here. Says whether a next value follows; if not, the outermost one is over.
    fn closes(&mut self) -> Read<bool> {
        while let Some(open) = self.open.last().copied() {
            self.white();
            let byte = self.byte();
            self.at += 1;
            match (byte, open) {
                (b',', Open::Object) => {
                    self.white();
                    self.key()?;
                    return Ok(true);
                }
                (b',', Open::Array) => return Ok(true),
                (b'}', Open::Object) | (b']', Open::Array) => {
                    self.open.pop();
                }
                _ => return Err(LineProblem::NotJson),
            }
        }
        Ok(false)
    }

    /// A key with its colon.
    fn key(&mut self) -> Read<(&'t [u8], bool)> {
        if self.byte() != b'"' {
            return Err(LineProblem::NotJson);
        }
        let key = self.string()?;
        self.white();
        if self.byte() != b':' {
            return Err(LineProblem::NotJson);
        }
        self.at += 1;
        Ok(key)
    }

    /// A string without its quotes, and whether it has escapes.
    fn string(&mut self) -> Read<(&'t [u8], bool)> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at += plain_bytes(self.text.get(at..).unwrap_or_default());
            match self.text.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok((&self.text[start..at], escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    at += match self.text.get(at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u') if self.text.get(at + 2..at + 6).is_some_and(|four| four.iter().all(u8::is_ascii_hexdigit)) => 6,
                        _ => return Err(LineProblem::NotJson),
                    };
                }
                // A control character, or the end.
                _ => return Err(LineProblem::NotJson),
            }
        }
    }

    fn number(&mut self) -> Read<&'t [u8]> {
        let start = self.at;
        if self.byte() == b'-' {
            self.at += 1;
        }
        match self.byte() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(LineProblem::NotJson),
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn some_digits(&mut self) -> Read<()> {
        let start = self.at;
        self.digits();
        if self.at > start { Ok(()) } else { Err(LineProblem::NotJson) }
    }

    fn digits(&mut self) {
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
    }

    /// `true`, `false` or `null`.
    fn word(&mut self) -> Read<&'static [u8]> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for word in [&b"null"[..], b"true", b"false"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(word);
            }
        }
        Err(LineProblem::NotJson)
    }

    fn white(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// The next byte; 0, which JSON has nowhere, at the end.
    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }
}

/// How many bytes come before the next quote, backslash or control character. Eight at a time.
pub(super) fn plain_bytes(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut plain = 0;
    for chunk in text.chunks_exact(8) {
        let Ok(eight) = <[u8; 8]>::try_from(chunk) else { break };
        let word = u64::from_le_bytes(eight);
        let quote = has_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = has_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        // The lowest mark is exact; those above it may be carried over from it.
        let marks = quote | backslash | control;
        if marks != 0 {
            return plain + (marks.trailing_zeros() / 8) as usize;
        }
        plain += 8;
    }
    plain + text[plain..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

/// What a string says.
enum Decoded {
    /// What stands there.
    Same,
    /// This.
    Other(String),
    /// Nothing that text can hold: half a surrogate pair.
    NoText,
}

fn decoded(inner: &[u8], escaped: bool) -> Decoded {
    if !escaped {
        return Decoded::Same;
    }
    let quoted = [b"\"", inner, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map_or(Decoded::NoText, Decoded::Other)
}
