//! Objects in the map: a collection may be a set of objects in a store (`habeas: {objects: …}`), and a column may name one
//! (`habeas: {object: …}`). Which objects are a person's is said by templates that their rows fill.

use std::fmt;

use super::reader::{Keys, Object, Reader};
use super::row_format::RowFormat;
use super::template::Template;
use super::tree::Node;
use super::{OnErasure, Place};

/// How objects are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locate {
    /// Everything whose key begins so.
    Prefix(Template),
    /// The one of exactly this key.
    Key(Template),
    /// Everything under a fixed prefix that carries a tag with this value.
    Tag {
        /// Where to look; may be empty.
        prefix: String,
        /// Name of the tag.
        name: String,
        /// Its value.
        value: Template,
    },
    /// Everything under a fixed prefix whose metadata have this value.
    Metadata {
        /// Where to look; may be empty.
        prefix: String,
        /// Name of the entry, without `x-amz-meta-`.
        name: String,
        /// Its value.
        value: Template,
    },
}

impl Locate {
    /// The template that rows fill.
    pub fn template(&self) -> &Template {
        match self {
            Locate::Prefix(template) | Locate::Key(template) => template,
            Locate::Tag { value, .. } | Locate::Metadata { value, .. } => value,
        }
    }

    /// Whether an object of this key may be meant. Labels are not in the key, so that every key below their prefix may.
    pub fn could_name(&self, key: &[u8]) -> bool {
        match self {
            Locate::Prefix(template) => template.could_name(key, false),
            Locate::Key(template) => template.could_name(key, true),
            Locate::Tag { prefix, .. } | Locate::Metadata { prefix, .. } => key.starts_with(prefix.as_bytes()),
        }
    }
}

impl fmt::Display for Locate {
    /// In a few words, for people.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = |prefix: &str| if prefix.is_empty() { String::new() } else { format!(" below {prefix}") };
        match self {
            Locate::Prefix(template) => write!(formatter, "prefix {template}"),
            Locate::Key(template) => write!(formatter, "key {template}"),
            Locate::Tag { prefix, name, value } => write!(formatter, "tag {name} = {value}{}", below(prefix)),
            Locate::Metadata { prefix, name, value } => write!(formatter, "metadata {name} = {value}{}", below(prefix)),
        }
    }
}

/// Objects of a collection, or of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    /// The configured store.
    pub source: String,
    /// How they are found.
    pub locate: Locate,
    /// They hold rows of many people, in this form; none where an object as a whole is somebody's.
    pub rows: Option<RowFormat>,
    /// Of a column only: what erasure does to them where it does not follow the row.
    pub on_erasure: Option<OnErasure>,
    /// Where it stands.
    pub place: Place,
}

const OBJECTS: Keys = Keys { known: &["source", "prefix", "key", "tag", "metadata", "format", "delimiter"], elsewhere: &[] };
const OBJECT: Keys = Keys { known: &["source", "key", "on_erasure"], elsewhere: &[] };
const LABEL: Keys = Keys { known: &["name", "value"], elsewhere: &[] };
const ON_ERASURE: [(&str, OnErasure); 2] = [("delete", OnErasure::Delete), ("keep", OnErasure::Keep)];

impl Reader {
    /// `objects` of a collection.
    pub(super) fn objects(&mut self, node: &Node, what: &str) -> Option<Objects> {
        let called = format!("`objects` of {what}");
        let object = self.object(node, &called, &OBJECTS)?;
        let source = self.required_text(object, "source");
        let rows = self.row_format(object, &called);
        let locate = match (object.get("format"), rows) {
            (None, _) => self.locate(object, &called)?,
            (Some(_), Some(_)) => self.fixed_place(object, &called)?,
            (Some(_), None) => return None,
        };
        Some(Objects { source: source?, locate, rows, on_erasure: None, place: self.place(object.line) })
    }

    fn locate(&mut self, object: Object<'_>, called: &str) -> Option<Locate> {
        let given: Vec<&str> = ["key", "tag", "metadata"].into_iter().filter(|key| object.get(key).is_some()).collect();
        match given.as_slice() {
            [] if object.get("prefix").is_none() => {
                let hint = "write `prefix: \"avatars/{users.id}/\"`, or `key:`, `tag:` or `metadata:`";
                self.error(object.line, format!("{called} does not say which objects"), Some(hint.into()));
                None
            }
            [] => {
                let template = self.template(object, "prefix")?;
                if template.ends_with_value() {
                    let hint = "end it with a separator, such as `/`; a single object is named by `key:`";
                    let message =
                        format!("`prefix` of {called} ends with a value, so that user 1 would get what belongs to user 10");
                    self.error(object.line_of("prefix"), message, Some(hint.into()));
                    return None;
                }
                self.filled(object, "prefix", &template)?;
                Some(Locate::Prefix(template))
            }
            ["key"] if object.get("prefix").is_none() => {
                let template = self.template(object, "key")?;
                self.filled(object, "key", &template)?;
                Some(Locate::Key(template))
            }
            ["tag"] => self.label(object, "tag").map(|(prefix, name, value)| Locate::Tag { prefix, name, value }),
            ["metadata"] => {
                let (prefix, name, value) = self.label(object, "metadata")?;
                Some(Locate::Metadata { prefix, name: name.to_ascii_lowercase(), value })
            }
            _ => {
                let message = format!("{called} says in several ways which objects are meant");
                self.error(object.line, message, Some("keep one of `prefix`, `key`, `tag` and `metadata`".into()));
                None
            }
        }
    }

    /// `tag: {name: …, value: "{users.id}"}` under a prefix without values.
    fn label(&mut self, object: Object<'_>, key: &'static str) -> Option<(String, String, Template)> {
        let prefix = match object.get("prefix") {
            None => String::new(),
            Some(_) => {
                let template = self.template(object, "prefix")?;
                if !template.columns().is_empty() {
                    let message = format!("`prefix` beside `{key}` has values: it only says where to look");
                    self.error(object.line_of("prefix"), message, None);
                    return None;
                }
                template.lead().to_owned()
            }
        };
        let node = object.get(key)?;
        let called = format!("`{key}`");
        let label = self.object(node, &called, &LABEL)?;
        let name = self.required_text(label, "name");
        self.required_text(label, "value")?;
        let value = self.template(label, "value")?;
        self.filled(label, "value", &value)?;
        Some((prefix, name?, value))
    }

    /// `object` of a field.
    pub(super) fn object_of_field(&mut self, node: &Node, what: &str) -> Option<Objects> {
        let called = format!("`object` of {what}");
        let object = self.object(node, &called, &OBJECT)?;
        let source = self.required_text(object, "source");
        self.required_text(object, "key")?;
        let template = self.template(object, "key")?;
        self.filled(object, "key", &template)?;
        if !template.collections().is_empty() {
            let hint = "write `{column}`: the values are those of the row that names the object";
            self.error(object.line_of("key"), format!("`key` of {called} names another collection"), Some(hint.into()));
            return None;
        }
        let on_erasure = self.word(object, "on_erasure", &ON_ERASURE);
        Some(Objects { source: source?, locate: Locate::Key(template), rows: None, on_erasure, place: self.place(object.line) })
    }

    pub(super) fn template(&mut self, object: Object<'_>, key: &str) -> Option<Template> {
        let text = self.text(object, key)?;
        match text.parse() {
            Ok(template) => Some(template),
            Err(problem) => {
                self.error(object.line_of(key), format!("`{key}`: {problem}"), Some("a brace itself is written `{{`".into()));
                None
            }
        }
    }

    /// A template that no row fills would name the same objects for everybody.
    fn filled(&mut self, object: Object<'_>, key: &str, template: &Template) -> Option<()> {
        if template.columns().is_empty() {
            let message = format!("`{key}` has no value in it: it would name the same objects for everybody");
            self.error(object.line_of(key), message, Some("write a column in braces, such as `{users.id}`".into()));
            return None;
        }
        Some(())
    }
}
