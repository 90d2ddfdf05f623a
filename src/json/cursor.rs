//! A place in a text that is known to be JSON. It moves over values without looking into them; that the text is JSON was asked before
//! ([`Cursor::over`]), so that nothing here has to be in doubt.

use serde_json::value::RawValue;

use super::JsonError;

/// A place in a JSON text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    /// The beginning of a text, once it has been seen to be JSON from end to end.
    pub(super) fn over(text: &'t str) -> Result<Cursor<'t>, JsonError> {
        serde_json::from_str::<&RawValue>(text).map_err(|_| JsonError::NotJson)?;
        Ok(Cursor { text, at: 0 })
    }

    /// Where it stands, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text between two places.
    pub(super) fn between(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The next byte that is no white space, without moving over it; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.byte()
    }

    /// Moves over white space and one byte of punctuation.
    pub(super) fn step(&mut self) {
        self.peek();
        self.at += 1;
    }

    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Moves over a string and gives it with its quotes.
    pub(super) fn string(&mut self) -> &'t str {
        self.peek();
        let from = self.at;
        self.at += 1;
        while !matches!(self.byte(), b'"' | 0) {
            self.at += if self.byte() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        self.between(from, self.at)
    }

    /// Moves over a whole value and gives its text.
    pub(super) fn value(&mut self) -> &'t str {
        self.peek();
        let from = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string();
                }
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    open -= 1;
                    self.at += 1;
                }
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                0 => break,
                _ => {
                    while !matches!(self.byte(), b',' | b':' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | 0) {
                        self.at += 1;
                    }
                }
            }
            if open == 0 {
                break;
            }
        }
        self.between(from, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_over_whole_values() {
        let text = r#" {"a\"]": [1, {"b": "}"}], "c": -1.5e400} "#;
        let mut cursor = Cursor::over(text).unwrap();
        assert_eq!(cursor.value(), text.trim());
        let mut cursor = Cursor::over("[ true ,null]").unwrap();
        cursor.step();
        assert_eq!(cursor.value(), "true");
        cursor.step();
        assert_eq!(cursor.value(), "null");
        assert_eq!(cursor.peek(), b']');
    }

    #[test]
    fn a_string_is_moved_over_by_bytes_and_not_by_guess() {
        let mut cursor = Cursor::over(r#"["\\","\u0040🙂",""]"#).unwrap();
        cursor.step();
        assert_eq!(cursor.value(), r#""\\""#);
        cursor.step();
        assert_eq!(cursor.value(), r#""\u0040🙂""#);
    }

    #[test]
    fn what_is_no_json_is_refused_before_anything_moves() {
        for text in ["", "{", "{a:1}", "[1,]", "'x'", "NaN", "{} {}", "\u{feff}{}"] {
            assert_eq!(Cursor::over(text).err(), Some(JsonError::NotJson), "{text}");
        }
    }
}
