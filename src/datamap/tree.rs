//! YAML text as a tree whose every node knows its line. The map is decoded from this tree by hand rather than through derived types,
//! because a person who mistypes a key must hear the line, the nearest known key, and all other mistakes in the same run.
//! It knows YAML and nothing of data maps.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{Spanned, budget, options};

/// Nesting that no honest map reaches; it keeps a hostile file from exhausting the stack.
const DEEPEST_NESTING: usize = 64;

/// A value and its line.
#[derive(Debug)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: u32,
    /// What stands there.
    pub(super) value: Value,
}

/// What a node can be.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`, as in YAML 1.2: `y` and `on` are ordinary names of columns.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Line of the key.
    pub(super) line: u32,
    /// The value.
    pub(super) node: Node,
}

/// Why a text is no YAML document.
#[derive(Debug)]
pub(super) struct SyntaxError {
    /// From 1; 0 when the parser does not say.
    pub(super) line: u32,
    /// What is wrong.
    pub(super) message: String,
}

/// Parses one document.
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let options = options! {
        with_snippet: false,
        strict_booleans: true,
        budget: budget! { max_depth: DEEPEST_NESTING },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(syntax_error)
}

fn syntax_error(error: serde_saphyr::Error) -> SyntaxError {
    let line = error.location().map_or(0, |location| line_of(location.line()));
    let message = match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key `{key}` is given twice in one map"),
        serde_saphyr::Error::MultipleDocuments { .. } => {
            "more than one YAML document in a file; put each into a file of its own".into()
        }
        other => {
            // The parser appends its own "at line 3, column 5"; the place is said once, in front.
            let full = other.to_string();
            full.split(" at line ").next().unwrap_or(&full).to_owned()
        }
    };
    SyntaxError { line, message }
}

fn line_of(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

impl Value {
    /// What a person would call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl Node {
    /// The same without lines, for parts that are read as JSON.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => serde_json::Value::Bool(*flag),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::Text(text) => serde_json::Value::String(text.clone()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { line: line_of(spanned.referenced.line()), value: spanned.value })
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

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or_else(|| Value::Text(number.to_string()), Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let node = map.next_value()?;
            entries.push(Entry { key: key.value, line: line_of(key.referenced.line()), node });
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(node: &Node) -> &[Entry] {
        match &node.value {
            Value::Map(entries) => entries,
            other => panic!("expected a map, found {other:?}"),
        }
    }

    #[test]
    fn every_key_and_item_knows_its_line() {
        let tree = parse("a: 1\nb:\n  - x\n  - c: true\n    d: ~\n").unwrap();
        let top = entries(&tree);
        assert_eq!((top[0].line, top[0].node.line), (1, 1));
        assert_eq!(top[1].line, 2);
        let Value::List(items) = &top[1].node.value else { panic!("expected a list") };
        assert_eq!((items[0].line, items[1].line), (3, 4));
        assert_eq!(entries(&items[1])[1].line, 5);
        assert!(matches!(entries(&items[1])[1].node.value, Value::Null));
    }

    #[test]
    fn quoted_numbers_stay_text() {
        let tree = parse("a: '1'\nb: 1\nc: 1.5\nd: -2\n").unwrap();
        assert_eq!(tree.to_json(), serde_json::json!({"a": "1", "b": 1, "c": 1.5, "d": -2}));
    }

    #[test]
    fn short_names_of_columns_are_not_taken_for_true_or_false() {
        let tree = parse("[x, y, n, on, yes, true, False]").unwrap();
        assert_eq!(tree.to_json(), serde_json::json!(["x", "y", "n", "on", "yes", true, false]));
    }

    #[test]
    fn anchors_and_merges_are_resolved() {
        let tree = parse("base: &base {x: 1}\nuse: *base\nmore:\n  <<: *base\n  y: 2\n").unwrap();
        assert_eq!(tree.to_json(), serde_json::json!({"base": {"x": 1}, "use": {"x": 1}, "more": {"x": 1, "y": 2}}));
    }

    #[test]
    fn a_key_given_twice_is_an_error_with_its_line() {
        let error = parse("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (3, "the key `a` is given twice in one map"));
    }

    #[test]
    fn broken_yaml_names_its_line_once() {
        let error = parse("a:\n  - [1, 2\nb: 3\n").unwrap_err();
        assert!(error.line >= 2, "{error:?}");
        assert!(!error.message.contains("line"), "{error:?}");
        assert!(!error.message.is_empty());
    }

    #[test]
    fn two_documents_in_a_file_are_refused_rather_than_half_read() {
        assert!(parse("a: 1\n---\na: 2\n").unwrap_err().message.contains("more than one YAML document"));
    }

    #[test]
    fn absurd_nesting_is_refused() {
        let text = "[".repeat(5_000) + &"]".repeat(5_000);
        assert!(parse(&text).is_err());
    }
}
