//! Conditions on a row: a small typed tree whose values are always bound as parameters, never SQL text.
//!
//! `{paid: true}` · `{total: {gt: 100}}` · `{all: [..]}` · `{any: [..]}` · `{not: ..}`. Several columns in one map must all hold.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A condition on the columns of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// All must hold; the empty list is true.
    All(Vec<Predicate>),
    /// One must hold; the empty list is false.
    Any(Vec<Predicate>),
    /// Must not hold.
    Not(Box<Predicate>),
    /// A comparison of one column.
    Compare {
        /// Column name.
        column: String,
        /// How.
        operator: Operator,
        /// With what; a list for `in`.
        value: Value,
    },
}

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// One of a list.
    In,
    /// NULL (`true`) or not NULL (`false`).
    IsNull,
}

impl Operator {
    const WORDS: [(&'static str, Operator); 8] = [
        ("eq", Operator::Eq),
        ("ne", Operator::Ne),
        ("lt", Operator::Lt),
        ("le", Operator::Le),
        ("gt", Operator::Gt),
        ("ge", Operator::Ge),
        ("in", Operator::In),
        ("is_null", Operator::IsNull),
    ];

    /// The word in the data map.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, operator)| *operator == self).map_or("", |(word, _)| word)
    }
}

impl Predicate {
    /// Reads the JSON or YAML form.
    pub fn from_value(value: &Value) -> Result<Predicate, String> {
        let Value::Object(map) = value else {
            return Err("a condition is a map, such as {paid: true}".into());
        };
        let mut parts = Vec::with_capacity(map.len());
        for (key, inner) in map {
            parts.push(Self::from_entry(key, inner)?);
        }
        match parts.len() {
            0 => Err("a condition may not be empty: it would cover every row; write {all: []} if that is meant".into()),
            1 => Ok(parts.remove(0)),
            _ => Ok(Predicate::All(parts)),
        }
    }

    fn from_entry(key: &str, inner: &Value) -> Result<Predicate, String> {
        match key {
            "all" | "any" => {
                let Value::Array(list) = inner else {
                    return Err(format!("`{key}` takes a list of conditions"));
                };
                let parts = list.iter().map(Predicate::from_value).collect::<Result<Vec<_>, _>>()?;
                Ok(if key == "all" { Predicate::All(parts) } else { Predicate::Any(parts) })
            }
            "not" => Ok(Predicate::Not(Box::new(Predicate::from_value(inner)?))),
            column => Self::from_comparison(column, inner),
        }
    }

    fn from_comparison(column: &str, inner: &Value) -> Result<Predicate, String> {
        let compare = |operator, value| Predicate::Compare { column: column.to_owned(), operator, value };
        match inner {
            Value::Object(map) => {
                let mut parts = Vec::new();
                for (word, operand) in map {
                    let Some((_, operator)) = Operator::WORDS.iter().find(|(known, _)| known == word) else {
                        return Err(format!("`{column}`: unknown operator `{word}`; known: eq, ne, lt, le, gt, ge, in, is_null"));
                    };
                    check_operand(column, *operator, operand)?;
                    parts.push(compare(*operator, operand.clone()));
                }
                match parts.len() {
                    0 => Err(format!("`{column}`: no operator given")),
                    1 => Ok(parts.remove(0)),
                    _ => Ok(Predicate::All(parts)),
                }
            }
            Value::Array(_) => {
                check_operand(column, Operator::In, inner)?;
                Ok(compare(Operator::In, inner.clone()))
            }
            Value::Null => Ok(compare(Operator::IsNull, Value::Bool(true))),
            scalar => Ok(compare(Operator::Eq, scalar.clone())),
        }
    }

    /// Names of all columns in the condition.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().flat_map(|part| part.columns()).collect(),
            Predicate::Not(inner) => inner.columns(),
            Predicate::Compare { column, .. } => vec![column],
        }
    }

    /// The canonical JSON form, which [`Predicate::from_value`] reads back.
    pub fn to_value(&self) -> Value {
        match self {
            Predicate::All(parts) => single("all", Value::Array(parts.iter().map(Predicate::to_value).collect())),
            Predicate::Any(parts) => single("any", Value::Array(parts.iter().map(Predicate::to_value).collect())),
            Predicate::Not(inner) => single("not", inner.to_value()),
            Predicate::Compare { column, operator, value } => single(column, single(operator.as_str(), value.clone())),
        }
    }
}

fn single(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

fn check_operand(column: &str, operator: Operator, operand: &Value) -> Result<(), String> {
    let scalar = |value: &Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    let fits = match operator {
        Operator::In => operand.as_array().is_some_and(|list| list.iter().all(scalar)),
        Operator::IsNull => operand.is_boolean(),
        _ => scalar(operand),
    };
    if fits {
        return Ok(());
    }
    Err(format!("`{column}`: `{}` cannot take this value", operator.as_str()))
}

impl Serialize for Predicate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Predicate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Predicate::from_value(&value).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_read_and_its_canonical_form_reads_back_the_same() {
        for text in [
            json!({"paid": true}),
            json!({"total": {"gt": 100, "le": 200}}),
            json!({"state": ["open", "late"]}),
            json!({"closed_on": null}),
            json!({"paid": false, "total": 0}),
            json!({"any": [{"a": 1}, {"not": {"b": {"is_null": false}}}]}),
            json!({"all": []}),
        ] {
            let predicate = Predicate::from_value(&text).unwrap();
            assert_eq!(Predicate::from_value(&predicate.to_value()), Ok(predicate), "{text}");
        }
    }

    #[test]
    fn all_columns_of_a_condition_are_known() {
        let predicate = Predicate::from_value(&json!({"any": [{"a": 1}, {"not": {"b": 2}}], "c": {"ge": 3}})).unwrap();
        assert_eq!(predicate.columns(), ["a", "b", "c"]);
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in [
            json!({}),
            json!([]),
            json!("paid = 1"),
            json!({"all": {"a": 1}}),
            json!({"a": {}}),
            json!({"a": {"like": "x%"}}),
            json!({"a": {"gt": null}}),
            json!({"a": {"in": 3}}),
            json!({"a": {"is_null": "yes"}}),
            json!({"a": [{"b": 1}]}),
        ] {
            assert!(Predicate::from_value(&text).is_err(), "{text}");
        }
    }
}
