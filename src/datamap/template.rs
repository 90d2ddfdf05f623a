//! Templates of object keys: `avatars/{users.id}/`. Text and places that values of a row fill; `{{` and `}}` stand for the braces themselves.
//! Filling never changes a value, and a value that is missing fills nothing.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Stands as it is.
    Text(String),
    /// A value: of a column of the row itself, or of another collection's rows.
    Value {
        /// `collection` of `{collection.column}`; none for `{column}`.
        collection: Option<String>,
        /// The column.
        column: String,
    },
}

/// A template that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// A brace without its partner.
    #[error("a `{{` without its `}}`, or the other way round")]
    Unbalanced,
    /// Nothing between the braces.
    #[error("`{{}}` names no column")]
    Nameless,
    /// More than one dot.
    #[error("`{{{0}}}` is neither `{{column}}` nor `{{collection.column}}`")]
    TooDeep(String),
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Template, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' | '}' if rest.peek() == Some(&c) => {
                    rest.next();
                    plain.push(c);
                }
                '}' => return Err(TemplateError::Unbalanced),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some('{') | None => return Err(TemplateError::Unbalanced),
                            Some(other) => name.push(other),
                        }
                    }
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(value_of(&name)?);
                }
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template { pieces })
    }
}

impl fmt::Display for Template {
    /// As a map writes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => formatter.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Piece::Value { collection: Some(collection), column } => write!(formatter, "{{{collection}.{column}}}")?,
                Piece::Value { collection: None, column } => write!(formatter, "{{{column}}}")?,
            }
        }
        Ok(())
    }
}

fn value_of(name: &str) -> Result<Piece, TemplateError> {
    let mut parts: Vec<&str> = name.split('.').collect();
    let column = parts.pop().unwrap_or_default().to_owned();
    let collection = parts.pop().map(str::to_owned);
    if !parts.is_empty() {
        return Err(TemplateError::TooDeep(name.to_owned()));
    }
    if column.is_empty() || collection.as_ref().is_some_and(String::is_empty) {
        return Err(TemplateError::Nameless);
    }
    Ok(Piece::Value { collection, column })
}

impl Template {
    /// The value of one column of the row itself, and nothing else.
    pub fn of_column(column: &str) -> Template {
        Template { pieces: vec![Piece::Value { collection: None, column: column.to_owned() }] }
    }

    /// Its parts.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The columns that fill it, in their order; one that is used twice comes twice.
    pub fn columns(&self) -> Vec<&str> {
        self.pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Value { column, .. } => Some(column.as_str()),
                Piece::Text(_) => None,
            })
            .collect()
    }

    /// The collections that it names.
    pub fn collections(&self) -> Vec<&str> {
        self.pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Value { collection, .. } => collection.as_deref(),
                Piece::Text(_) => None,
            })
            .collect()
    }

    /// Whether a value stands at its very end, so that what it names also begins other names: `user/1` and `user/10`.
    pub fn ends_with_value(&self) -> bool {
        matches!(self.pieces.last(), Some(Piece::Value { .. }))
    }

    /// What stands before the first value.
    pub fn lead(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The same text around its values, whatever these are called.
    pub fn is_shaped_like(&self, other: &Template) -> bool {
        self.pieces.len() == other.pieces.len()
            && self.pieces.iter().zip(&other.pieces).all(|(mine, theirs)| match (mine, theirs) {
                (Piece::Text(mine), Piece::Text(theirs)) => mine == theirs,
                (Piece::Value { .. }, Piece::Value { .. }) => true,
                _ => false,
            })
    }

    /// Whether some values, none of them empty, make this template name the key: all of it, or its beginning.
    pub fn could_name(&self, key: &[u8], whole: bool) -> bool {
        let mut at = 0;
        // Bytes that the values since the last text need.
        let mut owed = 0;
        for (position, piece) in self.pieces.iter().enumerate() {
            let Piece::Text(text) = piece else {
                owed += 1;
                continue;
            };
            let text = text.as_bytes();
            let is_last = position + 1 == self.pieces.len();
            let found = match (owed, is_last && whole) {
                (0, _) => key[at..].starts_with(text).then_some(at),
                // The very end, because the text may stand in the last value as well.
                (_, true) => key.ends_with(text).then(|| key.len() - text.len()).filter(|found| *found >= at + owed),
                (_, false) => (at + owed..=key.len()).find(|from| key[*from..].starts_with(text)),
            };
            let Some(found) = found else { return false };
            at = found + text.len();
            owed = 0;
        }
        let rest = key.len() - at;
        rest >= owed && (!whole || owed > 0 || rest == 0)
    }

    /// The text with these values in their order; none when one is missing or empty, because what is then named is somebody else's or everybody's.
    pub fn fill(&self, values: &[Option<String>]) -> Option<String> {
        let mut values = values.iter();
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Value { .. } => match values.next() {
                    Some(Some(value)) if !value.is_empty() => text.push_str(value),
                    _ => return None,
                },
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        text.parse().unwrap()
    }

    fn values(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn values_fill_their_places_unchanged() {
        let shots = template("shots/{workspace_id}/{{x}}-{key}");
        assert_eq!(shots.columns(), ["workspace_id", "key"]);
        assert_eq!(shots.fill(&values(&["7", "a%2F../b c"])).unwrap(), "shots/7/{x}-a%2F../b c");
        assert_eq!(shots.lead(), "shots/");
        assert!(shots.ends_with_value());
    }

    #[test]
    fn a_missing_or_empty_value_names_nothing() {
        let avatars = template("avatars/{users.id}/");
        assert_eq!(avatars.fill(&[None]), None);
        assert_eq!(avatars.fill(&values(&[""])), None, "avatars// would be everybody's");
        assert_eq!(avatars.collections(), ["users"]);
    }

    #[test]
    fn what_is_no_template_is_said() {
        for (text, error) in [
            ("a{b", TemplateError::Unbalanced),
            ("a}b", TemplateError::Unbalanced),
            ("{}", TemplateError::Nameless),
            ("{a.}", TemplateError::Nameless),
            ("{a.b.c}", TemplateError::TooDeep("a.b.c".into())),
        ] {
            assert_eq!(text.parse::<Template>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_template_can_name_what_some_values_make_of_it() {
        for (text, key, whole, can) in [
            ("avatars/{users.id}/", "avatars/1/me.png", false, true),
            ("avatars/{users.id}/", "avatars//me.png", false, false),
            ("avatars/{users.id}/", "avatars/1", false, false),
            ("avatars/{users.id}/", "old/avatars/1/x", false, false),
            ("shots/{w}/{file}", "shots/1/a.png", true, true),
            ("shots/{w}/{file}", "shots/1/", true, false),
            ("shots/{w}.png", "shots/a.png.png", true, true),
            ("shots/{w}.png", "shots/a.png.bak", true, false),
            ("shots/{w}.png", "shots/.png", true, false),
            ("{a}{b}", "x", true, false),
            ("{a}{b}", "xy", true, true),
            ("a/{x}/a/", "a/a/a/", true, true),
            ("fixed", "fixed", true, true),
            ("fixed", "fixed.bak", true, false),
        ] {
            assert_eq!(template(text).could_name(key.as_bytes(), whole), can, "{text} {key}");
        }
    }

    #[test]
    fn a_template_is_shown_as_it_is_written() {
        for text in ["avatars/{users.id}/", "{{x}}/{file}"] {
            assert_eq!(template(text).to_string(), text);
        }
    }

    #[test]
    fn shapes_are_compared_without_names() {
        assert!(template("a/{x}").is_shaped_like(&template("a/{t.y}")));
        assert!(!template("a/{x}").is_shaped_like(&template("b/{x}")));
    }
}
