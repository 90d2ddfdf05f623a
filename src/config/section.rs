//! Walks one mapping of the configuration: every getter names what it expects and notes what is wrong with its place, so that one run
//! reports everything. It never puts a value into a message.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Span, SpanRelativeTo};
use secrecy::SecretString;

use super::error::{ConfigError, ConfigProblem};
use super::reference::{self, Environment, Unresolved};
use super::size;
use super::yaml::{Key, Node, Position, Value};
use crate::suggest;

/// What all sections of one file share.
pub(super) struct Reader<'e> {
    file: PathBuf,
    folder: PathBuf,
    environment: Environment<'e>,
    problems: RefCell<Vec<ConfigProblem>>,
}

impl<'e> Reader<'e> {
    pub(super) fn new(file: &Path, environment: Environment<'e>) -> Self {
        let beside = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Absolute, so that what is stored in the ledger holds from every working directory.
        let folder = std::path::absolute(beside).unwrap_or_else(|_| beside.to_owned());
        Reader { file: file.to_owned(), folder, environment, problems: RefCell::default() }
    }

    /// A path as the file means it.
    pub(super) fn anchor(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    pub(super) fn note(&self, position: Position, message: impl Into<String>, hint: Option<String>) {
        self.problems.borrow_mut().push(ConfigProblem::new(&self.file, position, message, hint));
    }

    /// `value` if nothing was wrong.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        let mut problems = self.problems.into_inner();
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ => {
                problems.sort_by_key(|problem| (problem.line, problem.column));
                Err(ConfigError::Invalid { problems })
            }
        }
    }
}

/// One mapping with its closed list of keys.
pub(super) struct Section<'n, 'e> {
    pub(super) reader: &'n Reader<'e>,
    path: String,
    position: Position,
    entries: &'n [(Key, Node)],
}

/// A value with its place and full name.
pub(super) struct Entry<T> {
    pub(super) value: T,
    pub(super) name: String,
    pub(super) position: Position,
}

impl<'n, 'e> Section<'n, 'e> {
    /// Opens `node` as a mapping; keys outside `known` are noted. An absent value is an empty mapping.
    pub(super) fn open(reader: &'n Reader<'e>, path: &str, node: &'n Node, known: &[&str]) -> Option<Self> {
        let section = Self::open_any(reader, path, node)?;
        for (key, _) in section.entries {
            if !known.contains(&key.name.as_str()) {
                let within = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
                reader.note(key.position, format!("unknown key `{}`{within}", key.name), Some(suggest::hint(&key.name, known)));
            }
        }
        Some(section)
    }

    /// Opens a mapping whose keys are names that the file makes up.
    pub(super) fn open_any(reader: &'n Reader<'e>, path: &str, node: &'n Node) -> Option<Self> {
        let entries: &[(Key, Node)] = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            other => {
                let what = if path.is_empty() { "the configuration".into() } else { format!("`{path}`") };
                reader.note(node.position, format!("{what} must be a mapping of keys to values, not {}", other.describe()), None);
                return None;
            }
        };
        Some(Section { reader, path: path.to_owned(), position: node.position, entries })
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'n Key, &'n Node)> {
        self.entries.iter().map(|(key, node)| (key, node))
    }

    /// Where the mapping begins.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// The key's full name, as in `limits.max_rows`.
    pub(super) fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key; one that is absent or null is `None`.
    pub(super) fn node(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(_, node)| node).filter(|node| !matches!(node.value, Value::Null))
    }

    pub(super) fn section(&self, key: &str, known: &[&str]) -> Option<Section<'n, 'e>> {
        Section::open(self.reader, &self.name_of(key), self.node(key)?, known)
    }

    /// A mapping whose keys somebody else has looked at.
    pub(super) fn inside(&self, key: &str) -> Option<Section<'n, 'e>> {
        Section::open_any(self.reader, &self.name_of(key), self.node(key)?)
    }

    /// Text, by reference or as it stands.
    pub(super) fn text(&self, key: &str) -> Option<Entry<String>> {
        let node = self.node(key)?;
        let name = self.name_of(key);
        let (value, _) = self.referenced(node, &name)?;
        Some(Entry { value, name, position: node.position })
    }

    /// Text in which `file:` means what the value's own syntax says.
    pub(super) fn text_with_file_scheme(&self, key: &str) -> Option<Entry<String>> {
        let node = self.node(key)?;
        let name = self.name_of(key);
        let text = self.expect_text(node, &name)?;
        let value = self.resolved(node, &name, reference::resolve_environment_only(text, self.reader.environment))?;
        Some(Entry { value, name, position: node.position })
    }

    /// Text without which there is no configuration.
    pub(super) fn required_text(&self, key: &str, hint: &str) -> Option<String> {
        if self.node(key).is_none() {
            self.reader.note(self.position, format!("`{}` is missing", self.name_of(key)), Some(hint.to_owned()));
        }
        self.text(key).map(|entry| entry.value)
    }

    /// A URL that may hold a password; it must start with one of `schemes`.
    pub(super) fn secret_url(&self, key: &str, schemes: &[&str]) -> Option<SecretString> {
        let Entry { value, name, position } = self.text(key)?;
        if schemes.iter().any(|scheme| value.starts_with(scheme)) {
            return Some(SecretString::from(value));
        }
        let message = format!("`{name}` must start with {} (the value is not shown)", schemes.join(" or "));
        self.reader.note(position, message, None);
        None
    }

    /// A path, relative to the configuration file.
    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(|entry| self.reader.anchor(entry.value))
    }

    /// A number of bytes within bounds: `2 GiB`, `500 MB`, or bytes without a unit.
    pub(super) fn size(&self, key: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let node = self.node(key)?;
        let name = self.name_of(key);
        let size = match &node.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::Text(_) => size::parse(&self.referenced(node, &name)?.0),
            _ => None,
        };
        let size = size.filter(|size| bounds.contains(size));
        if size.is_none() {
            let (least, most) = (size::in_words(*bounds.start()), size::in_words(*bounds.end()));
            let hint = "write a number and its unit, such as 2 GiB".to_owned();
            self.reader.note(node.position, format!("`{name}` must be a size from {least} to {most}"), Some(hint));
        }
        size
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, key: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let node = self.node(key)?;
        let name = self.name_of(key);
        let number = match &node.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::Text(_) => self.referenced(node, &name)?.0.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            self.reader.note(
                node.position,
                format!("`{name}` must be a whole number from {} to {}", bounds.start(), bounds.end()),
                None,
            );
        }
        number
    }

    /// Yes or no; `absent` where nothing stands.
    pub(super) fn flag(&self, key: &str, absent: bool) -> Option<bool> {
        match self.node(key).map(|node| &node.value) {
            None => Some(absent),
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => {
                self.note_at(key, "must be true or false", None);
                None
            }
        }
    }

    /// A complaint about the value of a key.
    pub(super) fn note_at(&self, key: &str, problem: &str, hint: Option<&str>) {
        let position = self.node(key).map_or(self.position, |node| node.position);
        self.reader.note(position, format!("`{}` {problem}", self.name_of(key)), hint.map(str::to_owned));
    }

    /// A share: more than 0, at most 1.
    pub(super) fn share(&self, key: &str) -> Option<f64> {
        let node = self.node(key)?;
        let name = self.name_of(key);
        let number = match &node.value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Text(_) => self.referenced(node, &name)?.0.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|share| *share > 0.0 && *share <= 1.0);
        if number.is_none() {
            self.reader.note(
                node.position,
                format!("`{name}` must be a share: more than 0, at most 1"),
                Some("half is 0.5".into()),
            );
        }
        number
    }

    /// A length of time such as `24h`, `7d` or `P30D`.
    pub(super) fn duration(&self, key: &str) -> Option<SignedDuration> {
        self.duration_of(self.node(key)?, &self.name_of(key))
    }

    /// A list of lengths of time, ascending.
    pub(super) fn durations(&self, key: &str) -> Option<Vec<SignedDuration>> {
        let name = self.name_of(key);
        let node = self.node(key)?;
        let items = self.list(node, &name)?;
        let durations: Option<Vec<_>> =
            items.iter().enumerate().map(|(at, item)| self.duration_of(item, &format!("{name}[{at}]"))).collect();
        let durations = durations?;
        if !durations.is_sorted_by(|earlier, later| earlier < later) {
            self.reader.note(node.position, format!("`{name}` must be in ascending order, none twice"), None);
            return None;
        }
        Some(durations)
    }

    /// A list of texts with their places.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<Entry<String>>> {
        let name = self.name_of(key);
        let items = self.list(self.node(key)?, &name)?;
        let entries = items.iter().enumerate().map(|(at, item)| {
            let name = format!("{name}[{at}]");
            let (value, _) = self.referenced(item, &name)?;
            Some(Entry { value, name, position: item.position })
        });
        entries.collect()
    }

    fn list(&self, node: &'n Node, name: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) => Some(items),
            other => {
                self.reader.note(node.position, format!("`{name}` must be a list, not {}", other.describe()), None);
                None
            }
        }
    }

    fn duration_of(&self, node: &Node, name: &str) -> Option<SignedDuration> {
        let hint = || Some("write a number and its unit, such as 24h, 7d or P30D".to_owned());
        let Value::Text(_) = &node.value else {
            let message = format!("`{name}` must be a length of time, not {}", node.value.describe());
            self.reader.note(node.position, message, hint());
            return None;
        };
        let (text, _) = self.referenced(node, name)?;
        // A day is 24 hours here: these are waiting times of the program, not legal deadlines.
        let length = text.trim().parse::<Span>().ok().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
        let length = length.filter(|length| length.is_positive());
        if length.is_none() {
            self.reader.note(
                node.position,
                format!("`{name}` must be a length of time in days, hours, minutes or seconds"),
                hint(),
            );
        }
        length
    }

    fn expect_text<'t>(&self, node: &'t Node, name: &str) -> Option<&'t str> {
        let hint = match &node.value {
            Value::Text(text) => return Some(text),
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) => Some("put it in quotes to make it text".to_owned()),
            _ => None,
        };
        self.reader.note(node.position, format!("`{name}` must be text, not {}", node.value.describe()), hint);
        None
    }

    fn referenced(&self, node: &Node, name: &str) -> Option<(String, bool)> {
        let text = self.expect_text(node, name)?;
        self.resolved(node, name, reference::resolve(text, &self.reader.folder, self.reader.environment))
    }

    fn resolved<T>(&self, node: &Node, name: &str, outcome: Result<T, Unresolved>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(problem) => {
                self.reader.note(node.position, format!("`{name}`: {}", problem.message), problem.hint);
                None
            }
        }
    }
}
