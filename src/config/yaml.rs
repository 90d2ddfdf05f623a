//! YAML as a tree in which every key and value knows its line and column, so that any later complaint can point at its place.
//! Reading into typed structs would lose the place of everything that is well-formed but wrong. It never shows a line of the file in
//! an error: a configuration may hold secrets.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Spanned, UserMessageFormatter};

/// Line and column in the file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A value and where it stands.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) position: Position,
}

/// A key and where it stands.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) position: Position,
}

/// What YAML can say.
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// The file is not YAML.
pub(super) struct SyntaxProblem {
    pub(super) position: Position,
    pub(super) message: String,
}

/// Reads one document. An empty one is [`Value::Null`].
pub(super) fn parse(text: &str) -> Result<Node, SyntaxProblem> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|place| Position { line: place.line().max(1), column: place.column().max(1) });
        let position = place.unwrap_or(Position { line: 1, column: 1 });
        SyntaxProblem { position, message: without_place(&error.render_with_formatter(&UserMessageFormatter)) }
    })
}

/// The renderer appends the place in words; ours stands in front.
fn without_place(message: &str) -> String {
    let end = message.find(" at line ").unwrap_or(message.len());
    message[..end].trim_end_matches([':', ',', ' ']).replace('\n', " ")
}

impl Value {
    /// What it is, without saying what it holds.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let position = Position { line: spanned.referenced.line(), column: spanned.referenced.column() };
        Ok(Node { value: spanned.value, position })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Node>()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Node>()? {
            let position = Position { line: key.referenced.line(), column: key.referenced.column() };
            map.push((Key { name: key.value, position }, value));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_place() {
        let Ok(root) = parse("a: 1\nb:\n  c: [x, {d: true}]\n") else { panic!("is YAML") };
        let Value::Map(entries) = &root.value else { panic!("is a mapping") };
        assert_eq!(entries[1].0.position, Position { line: 2, column: 1 });
        let Value::Map(inner) = &entries[1].1.value else { panic!("is a mapping") };
        assert_eq!((inner[0].0.name.as_str(), inner[0].0.position), ("c", Position { line: 3, column: 3 }));
        let Value::List(items) = &inner[0].1.value else { panic!("is a list") };
        assert_eq!(items[1].position, Position { line: 3, column: 10 });
    }

    #[test]
    fn s_1_a_syntax_error_shows_its_place_and_not_the_line() {
        for broken in
            ["a: 1\npassword: hunter2 hunter3: [\n", "a: 1\na: hunter2\n", "a: 1\n  b: hunter2\n c: hunter2\n", "a: 'hunter2\n"]
        {
            let Err(problem) = parse(broken) else { panic!("is not YAML: {broken}") };
            assert!(problem.position.line >= 1, "{broken}");
            assert!(!problem.message.contains("hunter"), "{}", problem.message);
            assert!(!problem.message.contains(" at line "), "{}", problem.message);
        }
    }
}
