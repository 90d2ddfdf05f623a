//! Whose rows are looked for: fields by their paths, and in each the identifiers of any number of subjects, compared bytewise on the
//! field's declared normal form (I-1). An identifier is a text, and every text is one: `0`, `false` and the empty text like any other.

use std::borrow::Cow;
use std::collections::HashMap;

use thiserror::Error;

use super::number;
use crate::subject::NormalForm;

/// Why identifiers make no matcher. Quotes none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MatcherError {
    /// Two subjects claim one identifier of one field, so that rows with it belong to neither alone.
    #[error("subjects {0} and {1} have the same identifier in one field")]
    TwoSubjects(usize, usize),
    /// There is no such field.
    #[error("there is no field {0}")]
    NoSuchField(usize),
    /// A field without a name.
    #[error("a field has an empty path")]
    EmptyPath,
}

/// Fields and the identifiers that are looked for in them. Subjects are numbered by the caller, from 0.
#[derive(Clone, Default)]
pub struct Matcher {
    fields: Vec<Field>,
    tree: Node,
    subjects: usize,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Matcher({} fields, {} subjects)", self.fields.len(), self.subjects)
    }
}

/// One field with all identifiers that are looked for in it.
#[derive(Clone)]
pub(super) struct Field {
    path: Vec<String>,
    form: NormalForm,
    texts: HashMap<Box<[u8]>, usize>,
    numbers: HashMap<Box<[u8]>, usize>,
}

/// The fields by the parts of their paths.
#[derive(Clone, Default)]
pub(super) struct Node {
    /// The field whose path ends here.
    pub(super) field: Option<usize>,
    children: Vec<(String, Node)>,
}

impl Matcher {
    /// A matcher without fields, which matches nothing.
    pub fn new() -> Matcher {
        Matcher::default()
    }

    /// Adds a field by the names on the way to it and says its number. Arrays on the way are gone through and are no part of the path. The
    /// same path twice is one field.
    ///
    /// # Errors
    /// When the path is empty.
    pub fn field(&mut self, path: &[&str], form: NormalForm) -> Result<usize, MatcherError> {
        if path.is_empty() {
            return Err(MatcherError::EmptyPath);
        }
        let mut node = &mut self.tree;
        for name in path {
            node = node.child_or_new(name);
        }
        let number = *node.field.get_or_insert(self.fields.len());
        if number == self.fields.len() {
            let path = path.iter().map(|name| (*name).to_owned()).collect();
            self.fields.push(Field { path, form, texts: HashMap::new(), numbers: HashMap::new() });
        }
        Ok(number)
    }

    /// Looks for an identifier of a subject in a field.
    ///
    /// # Errors
    /// When there is no such field, or another subject has the identifier.
    pub fn add(&mut self, field: usize, subject: usize, identifier: &str) -> Result<(), MatcherError> {
        let known = self.fields.get_mut(field).ok_or(MatcherError::NoSuchField(field))?;
        let normal = known.form.apply(identifier).into_bytes();
        let number = number::canonical(identifier.as_bytes()).map(Cow::into_owned);
        put(&mut known.texts, normal, subject)?;
        if let Some(number) = number {
            put(&mut known.numbers, number, subject)?;
        }
        self.subjects = self.subjects.max(subject + 1);
        Ok(())
    }

    /// How many subjects there are.
    pub fn subjects(&self) -> usize {
        self.subjects
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn tree(&self) -> &Node {
        &self.tree
    }

    /// Whose a text is in a field.
    pub(super) fn text(&self, field: usize, text: &[u8]) -> Option<usize> {
        self.fields.get(field)?.text(text)
    }

    /// Whose a number is in a field.
    pub(super) fn number(&self, field: usize, number: &[u8]) -> Option<usize> {
        self.fields.get(field)?.number(number)
    }
}

fn put(into: &mut HashMap<Box<[u8]>, usize>, value: Vec<u8>, subject: usize) -> Result<(), MatcherError> {
    match into.insert(value.into_boxed_slice(), subject) {
        Some(other) if other != subject => Err(MatcherError::TwoSubjects(other, subject)),
        _ => Ok(()),
    }
}

impl Field {
    /// The path with dots.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }

    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    /// Whose a text is.
    pub(super) fn text(&self, text: &[u8]) -> Option<usize> {
        self.texts.get(self.normal(text).as_ref()).copied()
    }

    /// Whose a number is, given in any of its spellings.
    pub(super) fn number(&self, number: &[u8]) -> Option<usize> {
        self.numbers.get(number::canonical(number)?.as_ref()).copied()
    }

    /// The texts looked for, where they can be compared without normalising what is stored.
    pub(super) fn exact_texts(&self) -> Option<impl Iterator<Item = (&[u8], usize)>> {
        (self.form == NormalForm::Exact).then(|| self.texts.iter().map(|(text, subject)| (text.as_ref(), *subject)))
    }

    /// The numbers looked for.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (&[u8], usize)> {
        self.numbers.iter().map(|(number, subject)| (number.as_ref(), *subject))
    }

    fn normal<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        match self.form {
            NormalForm::Exact => Cow::Borrowed(text),
            NormalForm::AsciiLower if !text.iter().any(u8::is_ascii_uppercase) => Cow::Borrowed(text),
            // Bytes that are no text have no normal form; they are compared as they are.
            form => std::str::from_utf8(text).map_or(Cow::Borrowed(text), |text| Cow::Owned(form.apply(text).into_bytes())),
        }
    }
}

impl Node {
    /// What is below a name.
    pub(super) fn child(&self, name: &[u8]) -> Option<&Node> {
        self.children.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, node)| node)
    }

    fn child_or_new(&mut self, name: &str) -> &mut Node {
        let place = match self.children.iter().position(|(known, _)| known == name) {
            Some(place) => place,
            None => {
                self.children.push((name.to_owned(), Node::default()));
                self.children.len() - 1
            }
        };
        &mut self.children[place].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_1_texts_are_compared_on_the_normal_form_and_numbers_by_their_value() {
        let mut matcher = Matcher::new();
        let email = matcher.field(&["user", "email"], NormalForm::AsciiLower).unwrap();
        let id = matcher.field(&["id"], NormalForm::Exact).unwrap();
        matcher.add(email, 0, "Ada@X.org").unwrap();
        for value in ["0", "", "false", "1.50"] {
            matcher.add(id, 1, value).unwrap();
        }
        assert_eq!(matcher.text(email, b"aDA@x.ORG"), Some(0));
        assert_eq!(matcher.text(id, b"Ada@X.org"), None, "an identifier counts in its own field only");
        assert_eq!((matcher.text(id, b""), matcher.text(id, b"0"), matcher.text(id, b"false")), (Some(1), Some(1), Some(1)));
        assert_eq!((matcher.number(id, b"-0.0"), matcher.number(id, b"15e-1")), (Some(1), Some(1)));
        assert_eq!((matcher.text(id, b"1.5"), matcher.text(id, b"0.0")), (None, None), "texts are compared bytewise");
        assert_eq!(matcher.text(id, b"\xff"), None);
    }

    #[test]
    fn o_1_an_identifier_of_two_subjects_makes_no_matcher() {
        let mut matcher = Matcher::new();
        let id = matcher.field(&["id"], NormalForm::Exact).unwrap();
        matcher.add(id, 0, "1").unwrap();
        matcher.add(id, 0, "1").unwrap();
        assert_eq!(matcher.add(id, 1, "1"), Err(MatcherError::TwoSubjects(0, 1)));
        assert_eq!(matcher.add(id, 1, "1.0"), Err(MatcherError::TwoSubjects(0, 1)), "the same number");
        assert_eq!(matcher.field(&[], NormalForm::Exact), Err(MatcherError::EmptyPath));
        assert_eq!(matcher.add(7, 1, "1"), Err(MatcherError::NoSuchField(7)));
    }
}
