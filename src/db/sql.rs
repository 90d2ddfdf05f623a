//! Statement text. Literals of the program are trusted as they stand; text built at run time comes only from
//! `connector/sql/text/`, the one folder that a reviewer has to proof-read (`clippy.toml` refuses it elsewhere).

use std::borrow::Cow;

/// The text of one SQL statement.
#[derive(Clone, Debug)]
pub struct Sql(Cow<'static, str>);

impl Sql {
    /// Text assembled at run time. Only `connector/sql/text/` calls this; the ledger needs literals alone.
    pub(crate) fn built(text: String) -> Self {
        Sql(Cow::Owned(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The highest `$n` outside quotes, that is how many arguments the statement takes.
    pub(crate) fn placeholder_count(&self) -> usize {
        self.placeholders().iter().map(|place| place.number).max().unwrap_or(0)
    }

    /// The text with `?` for every `$n`, and the numbers in the order in which they stand there: MySQL has places without names, so that
    /// a value that is used twice is sent twice.
    pub(crate) fn question_marks(&self) -> (String, Vec<usize>) {
        let mut text = String::with_capacity(self.0.len());
        let mut numbers = Vec::new();
        let mut copied = 0;
        for place in self.placeholders() {
            text.push_str(&self.0[copied..place.start]);
            text.push('?');
            numbers.push(place.number);
            copied = place.end;
        }
        text.push_str(&self.0[copied..]);
        (text, numbers)
    }

    fn placeholders(&self) -> Vec<Placeholder> {
        let bytes = self.0.as_bytes();
        let mut found = Vec::new();
        let mut quote: Option<u8> = None;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match quote {
                Some(open) if byte == open => quote = None,
                Some(_) => {}
                None if byte == b'\'' || byte == b'"' => quote = Some(byte),
                None if byte == b'$' => {
                    let digits = bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
                    let end = at + 1 + digits;
                    if let Ok(number) = self.0[at + 1..end].parse() {
                        found.push(Placeholder { start: at, end, number });
                    }
                }
                None => {}
            }
            at += 1;
        }
        found
    }
}

/// A `$n` in a statement.
struct Placeholder {
    start: usize,
    end: usize,
    number: usize,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Sql(Cow::Borrowed(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_inside_quotes_do_not_count() {
        assert_eq!(Sql::from("SELECT '$9', \"$8\", $2, $1").placeholder_count(), 2);
        assert_eq!(Sql::from("SELECT 1").placeholder_count(), 0);
        assert_eq!(Sql::from("UPDATE t SET a = $12 WHERE b = $3").placeholder_count(), 12);
    }

    #[test]
    fn a_value_that_is_used_twice_is_sent_twice_to_mysql() {
        let (text, numbers) = Sql::from("SELECT '$9', \"$8\" WHERE a = $2 AND b = $1 OR c = $2").question_marks();
        assert_eq!(text, "SELECT '$9', \"$8\" WHERE a = ? AND b = ? OR c = ?");
        assert_eq!(numbers, [2, 1, 2]);
    }
}
