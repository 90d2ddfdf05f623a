//! Takes values of the expected type out of a YAML tree and writes down what is not as expected, with its line, instead of stopping.
//! It knows types and keys, not what they mean. An unknown key is an error because a misspelt one would otherwise silently change what
//! is exported or erased; only lenient reading, meant for imports, turns it into a warning.

use std::path::PathBuf;
use std::sync::Arc;

use super::taxonomy::did_you_mean;
use super::tree::{Entry, Node, Value};
use super::{MapError, MapWarning, Place};

/// Reads the tree of one file and collects its mistakes.
pub(super) struct Reader {
    file: Arc<PathBuf>,
    lenient: bool,
    pub(super) errors: Vec<MapError>,
    pub(super) warnings: Vec<MapWarning>,
    /// Every data category that the file mentions: which ones exist is known only when all files are read.
    pub(super) mentioned_categories: Vec<(String, Place)>,
    /// The same for data subjects.
    pub(super) mentioned_subjects: Vec<(String, Place)>,
    /// The same for uses of data.
    pub(super) mentioned_uses: Vec<(String, Place)>,
}

/// A map of the file together with what a person would call it.
#[derive(Clone, Copy)]
pub(super) struct Object<'n> {
    entries: &'n [Entry],
    /// Where it starts.
    pub(super) line: u32,
    what: &'n str,
}

/// The keys that one kind of object may have.
pub(super) struct Keys {
    /// Keys that are read or deliberately passed over.
    pub(super) known: &'static [&'static str],
    /// Keys that people put here though they stand elsewhere: `(where, keys)`.
    pub(super) elsewhere: &'static [(&'static str, &'static [&'static str])],
}

impl<'n> Object<'n> {
    /// The value of a key; `null` counts as absent, as it does for Fides.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.node.value, Value::Null)).then_some(&entry.node)
    }

    /// Line of a key, or of the object when it does not have the key.
    pub(super) fn line_of(&self, key: &str) -> u32 {
        self.entries.iter().find(|entry| entry.key == key).map_or(self.line, |entry| entry.line)
    }
}

impl Reader {
    /// A reader of one file.
    pub(super) fn new(file: Arc<PathBuf>, lenient: bool) -> Self {
        Reader {
            file,
            lenient,
            errors: Vec::new(),
            warnings: Vec::new(),
            mentioned_categories: Vec::new(),
            mentioned_subjects: Vec::new(),
            mentioned_uses: Vec::new(),
        }
    }

    /// A place in this file.
    pub(super) fn place(&self, line: u32) -> Place {
        Place { file: Arc::clone(&self.file), line }
    }

    /// Writes a mistake down.
    pub(super) fn error(&mut self, line: u32, message: impl Into<String>, hint: Option<String>) {
        self.errors.push(MapError { place: self.place(line), message: message.into(), hint });
    }

    /// Writes down what is passed over.
    pub(super) fn warn(&mut self, line: u32, message: impl Into<String>, hint: Option<String>) {
        self.warnings.push(MapWarning { place: self.place(line), message: message.into(), hint });
    }

    /// Remembers a data category for the check against the whole taxonomy.
    pub(super) fn mention_category(&mut self, category: &str, line: u32) {
        self.mentioned_categories.push((category.to_owned(), self.place(line)));
    }

    /// Takes a map and checks its keys.
    pub(super) fn object<'n>(&mut self, node: &'n Node, what: &'n str, keys: &Keys) -> Option<Object<'n>> {
        let object = self.free_object(node, what)?;
        for entry in object.entries.iter().filter(|entry| !keys.known.contains(&entry.key.as_str())) {
            self.unknown_key(entry, what, keys);
        }
        Some(object)
    }

    /// Takes a map whose keys are somebody else's business.
    pub(super) fn free_object<'n>(&mut self, node: &'n Node, what: &'n str) -> Option<Object<'n>> {
        let Value::Map(entries) = &node.value else {
            self.error(node.line, format!("{what} must be a map, found {}", node.value.kind()), None);
            return None;
        };
        Some(Object { entries, line: node.line, what })
    }

    fn unknown_key(&mut self, entry: &Entry, what: &str, keys: &Keys) {
        let message = format!("unknown key `{}` in {what}", entry.key);
        let stands_elsewhere = keys.elsewhere.iter().find(|(_, others)| others.contains(&entry.key.as_str()));
        let hint = match stands_elsewhere {
            Some((parent, _)) => Some(format!("`{}` stands under `{parent}:`", entry.key)),
            None => did_you_mean(&entry.key, keys.known.iter().copied()),
        };
        if self.lenient {
            self.warn(entry.line, message, hint);
        } else {
            self.error(entry.line, message, hint);
        }
    }

    /// Writes down that a key has a value of the wrong type.
    pub(super) fn wrong_type(&mut self, object: Object<'_>, key: &str, node: &Node, expected: &str, hint: Option<String>) {
        self.error(node.line, format!("`{key}` of {} must be {expected}, found {}", object.what, node.value.kind()), hint);
    }

    /// Text under a key.
    pub(super) fn text(&mut self, object: Object<'_>, key: &str) -> Option<String> {
        let node = object.get(key)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            other => {
                let hint = matches!(other, Value::Bool(_) | Value::Number(_)).then(|| "put it in quotes".to_owned());
                self.wrong_type(object, key, node, "text", hint);
                None
            }
        }
    }

    /// Text under a key that must be there and not empty.
    pub(super) fn required_text(&mut self, object: Object<'_>, key: &str) -> Option<String> {
        if object.get(key).is_none() {
            self.error(object.line, format!("{} has no `{key}`", object.what), None);
            return None;
        }
        let text = self.text(object, key)?;
        if text.trim().is_empty() {
            self.error(object.line_of(key), format!("`{key}` of {} is empty", object.what), None);
            return None;
        }
        Some(text)
    }

    /// A Fideslang key that must be there: letters, digits, `_ . < > -`.
    pub(super) fn required_fides_key(&mut self, object: Object<'_>, key: &str) -> Option<String> {
        let text = self.required_text(object, key)?;
        if is_fides_key(&text) {
            return Some(text);
        }
        let hint = "use letters, digits, `_`, `.`, `<`, `>` and `-` only".to_owned();
        self.error(object.line_of(key), format!("`{key}` of {} is not a Fideslang key: `{text}`", object.what), Some(hint));
        None
    }

    /// `true` or `false` under a key, also in the words of YAML 1.1, which Fides' parser takes; absent is `false`.
    pub(super) fn flag(&mut self, object: Object<'_>, key: &str) -> bool {
        let Some(node) = object.get(key) else { return false };
        let flag = match &node.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(word) => match word.to_ascii_lowercase().as_str() {
                "yes" | "on" => Some(true),
                "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if flag.is_none() {
            self.wrong_type(object, key, node, "true or false", None);
        }
        flag.unwrap_or(false)
    }

    /// A whole number above zero under a key.
    pub(super) fn count(&mut self, object: Object<'_>, key: &str) -> Option<usize> {
        let node = object.get(key)?;
        let Value::Number(number) = &node.value else {
            self.wrong_type(object, key, node, "a whole number above 0", None);
            return None;
        };
        let count = number.as_u64().and_then(|number| usize::try_from(number).ok()).filter(|count| *count > 0);
        if count.is_none() {
            self.error(node.line, format!("`{key}` of {} must be a whole number above 0", object.what), None);
        }
        count
    }

    /// The items of a list under a key; absent is empty.
    pub(super) fn list<'n>(&mut self, object: Object<'n>, key: &str) -> &'n [Node] {
        let Some(node) = object.get(key) else { return &[] };
        let Value::List(items) = &node.value else {
            self.wrong_type(object, key, node, "a list", None);
            return &[];
        };
        items
    }

    /// A list of texts under a key, each with its line.
    pub(super) fn texts_with_lines(&mut self, object: Object<'_>, key: &str) -> Vec<(String, u32)> {
        let mut texts = Vec::new();
        for item in self.list(object, key) {
            match &item.value {
                Value::Text(text) => texts.push((text.clone(), item.line)),
                other => {
                    let message = format!("`{key}` of {} must be a list of texts, found {}", object.what, other.kind());
                    self.error(item.line, message, None);
                }
            }
        }
        texts
    }

    /// A list of texts under a key.
    pub(super) fn texts(&mut self, object: Object<'_>, key: &str) -> Vec<String> {
        self.texts_with_lines(object, key).into_iter().map(|(text, _)| text).collect()
    }

    /// One of a closed list of words under a key.
    pub(super) fn word<T: Copy>(&mut self, object: Object<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(object, key)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = did_you_mean(&text, known.iter().copied()).unwrap_or_else(|| format!("known: {}", known.join(", ")));
        self.error(object.line_of(key), format!("`{key}` of {} cannot be `{text}`", object.what), Some(hint));
        None
    }
}

/// Fideslang's `^[a-zA-Z0-9_.<>-]+$`.
pub(super) fn is_fides_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.<>-".contains(&byte))
}
