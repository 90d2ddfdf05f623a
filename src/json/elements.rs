//! The part of an array that is one person's: an element that names them at a path. What others' elements hold is copied as it stands.

use super::cursor::Cursor;
use super::rewrite::{MOST_ARRAYS, is_key};
use super::{Change, Editor, JsonError, plain, rewrite};

/// Rewrites the elements in which the value at `path` is one of ours: each by the part of `change` that stands at the element's own path,
/// and only the nearest element around the value. Where no array stands on the way, `change` does not count: then the value at the path
/// becomes `null`, as a column would be cleared.
///
/// # Errors
/// As of [`rewrite()`].
pub fn rewrite_elements<C, R>(
    text: &str,
    path: &[String],
    is_ours: &dyn Fn(&str) -> bool,
    change: &Change<C, R>,
    editor: &mut dyn Editor<C, R>,
) -> Result<String, JsonError> {
    Cursor::over(text)?;
    let mut walk = Walk { is_ours, editor };
    walk.value(text, path, change, 0)
}

/// The scalar values at a path, null left out, as they are written; in arrays those of every element.
///
/// # Errors
/// As of [`rewrite()`].
pub fn values_at(text: &str, path: &[String]) -> Result<Vec<String>, JsonError> {
    let mut found = Vec::new();
    collect(text, path, 0, &mut found)?;
    Ok(found)
}

fn collect(text: &str, path: &[String], depth: usize, found: &mut Vec<String>) -> Result<(), JsonError> {
    let parts = Parts::of(text)?;
    match parts {
        Parts::Array(items) => {
            deeper(depth)?;
            items.iter().try_for_each(|item| collect(item, path, depth + 1, found))
        }
        Parts::Object(members) => {
            let Some((first, rest)) = path.split_first() else { return Ok(()) };
            members.iter().filter(|(key, _)| is_key(key, first)).try_for_each(|(_, value)| collect(value, rest, depth, found))
        }
        Parts::Scalar(value) => {
            if path.is_empty() && value != "null" {
                found.push(value.to_owned());
            }
            Ok(())
        }
    }
}

fn deeper(depth: usize) -> Result<(), JsonError> {
    if depth == MOST_ARRAYS { Err(JsonError::TooDeep(MOST_ARRAYS)) } else { Ok(()) }
}

/// A value and what stands right inside it, each part as its own text.
enum Parts<'t> {
    Array(Vec<&'t str>),
    Object(Vec<(&'t str, &'t str)>),
    Scalar(&'t str),
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Result<Parts<'t>, JsonError> {
        let mut cursor = Cursor::over(text)?;
        Ok(match cursor.peek() {
            b'[' => {
                let mut items = Vec::new();
                cursor.step();
                while cursor.peek() != b']' {
                    items.push(cursor.value());
                    if cursor.peek() == b',' {
                        cursor.step();
                    }
                }
                Parts::Array(items)
            }
            b'{' => {
                let mut members = Vec::new();
                cursor.step();
                while cursor.peek() != b'}' {
                    let key = cursor.string();
                    cursor.step();
                    members.push((key, cursor.value()));
                    if cursor.peek() == b',' {
                        cursor.step();
                    }
                }
                Parts::Object(members)
            }
            _ => Parts::Scalar(cursor.value()),
        })
    }
}

struct Walk<'w, C, R> {
    is_ours: &'w dyn Fn(&str) -> bool,
    editor: &'w mut dyn Editor<C, R>,
}

impl<C, R> Walk<'_, C, R> {
    /// A value outside of any array, or the nearest one already gone through without a match.
    fn value(&mut self, text: &str, path: &[String], change: &Change<C, R>, depth: usize) -> Result<String, JsonError> {
        match Parts::of(text)? {
            Parts::Array(items) => {
                deeper(depth)?;
                let mut new = Vec::with_capacity(items.len());
                for item in &items {
                    new.push(self.element(item, path, change, depth + 1)?);
                }
                Ok(replaced(text, &items, &new))
            }
            Parts::Object(members) => self.object(text, &members, path, change, depth),
            Parts::Scalar(value) if path.is_empty() && self.is_mine(value) => Ok(text.replacen(value, "null", 1)),
            Parts::Scalar(_) => Ok(text.to_owned()),
        }
    }

    fn element(&mut self, text: &str, path: &[String], change: &Change<C, R>, depth: usize) -> Result<String, JsonError> {
        match Parts::of(text)? {
            Parts::Scalar(value) if path.is_empty() && self.is_mine(value) => Ok("null".to_owned()),
            Parts::Object(_) if self.names_us(text, path)? => rewrite(text, change, self.editor),
            _ => self.value(text, path, change, depth),
        }
    }

    fn object(
        &mut self,
        text: &str,
        members: &[(&str, &str)],
        path: &[String],
        change: &Change<C, R>,
        depth: usize,
    ) -> Result<String, JsonError> {
        let Some((first, rest)) = path.split_first() else { return Ok(text.to_owned()) };
        let below = match change {
            Change::Into(members) => members.named.iter().find(|(name, _)| name == first).map(|(_, change)| change),
            _ => None,
        };
        let values: Vec<&str> = members.iter().filter(|(key, _)| is_key(key, first)).map(|(_, value)| *value).collect();
        let mut new = Vec::with_capacity(values.len());
        for value in &values {
            new.push(self.value(value, rest, below.unwrap_or(&Change::Keep), depth)?);
        }
        Ok(replaced(text, &values, &new))
    }

    /// Whether the value at the path, without another array in between, is ours.
    fn names_us(&self, text: &str, path: &[String]) -> Result<bool, JsonError> {
        match (Parts::of(text)?, path.split_first()) {
            (Parts::Object(members), Some((first, rest))) => {
                for (_, value) in members.iter().filter(|(key, _)| is_key(key, first)) {
                    if self.names_us(value, rest)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (Parts::Scalar(value), None) => Ok(self.is_mine(value)),
            _ => Ok(false),
        }
    }

    fn is_mine(&self, value: &str) -> bool {
        value != "null" && (self.is_ours)(&plain(value))
    }
}

/// The text with parts of it, which are slices of it, exchanged.
fn replaced(text: &str, parts: &[&str], new: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (part, new) in parts.iter().zip(new) {
        let from = part.as_ptr() as usize - text.as_ptr() as usize;
        out.push_str(&text[copied..from]);
        out.push_str(new);
        copied = from + part.len();
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Members;

    struct Null;
    impl Editor<(), ()> for Null {
        fn replacement(&mut self, (): &(), _: &str) -> String {
            "null".to_owned()
        }
    }

    fn path(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Members named here become null in an element of ours.
    fn nulls(names: &[&str]) -> Change<(), ()> {
        let named = names.iter().map(|name| ((*name).to_owned(), Change::Replace(()))).collect();
        Change::Into(Members { named, rest: Box::new(Change::Keep) })
    }

    fn under(name: &str, change: Change<(), ()>) -> Change<(), ()> {
        Change::Into(Members { named: vec![(name.to_owned(), change)], rest: Box::new(Change::Keep) })
    }

    #[track_caller]
    fn cleared(text: &str, at: &[&str], change: &Change<(), ()>) -> String {
        rewrite_elements(text, &path(at), &|value| value == "1", change, &mut Null).unwrap()
    }

    #[test]
    fn o_1_only_the_element_that_names_us_changes() {
        let change = under("members", nulls(&["id", "name"]));
        let text = r#"{"title":"x","members":[{"id":1,"name":"Ada","role":"r"}, {"id":2 ,"name":"Grace"},{"id":"1"}]}"#;
        let expected = r#"{"title":"x","members":[{"id":null,"name":null,"role":"r"}, {"id":2 ,"name":"Grace"},{"id":null}]}"#;
        assert_eq!(cleared(text, &["members", "id"], &change), expected);
    }

    #[test]
    fn o_1_the_nearest_element_is_meant_and_not_the_one_around_it() {
        let change = under("teams", under("members", nulls(&["id", "name"])));
        let text = r#"{"teams":[{"name":"A","members":[{"id":1,"name":"Ada"},{"id":2,"name":"Grace"}]},{"name":"B","members":[{"id":3}]}]}"#;
        let expected = text.replace(r#""id":1,"name":"Ada""#, r#""id":null,"name":null"#);
        assert_eq!(cleared(text, &["teams", "members", "id"], &change), expected);
    }

    #[test]
    fn values_in_arrays_leave_their_place() {
        assert_eq!(cleared("[2,1,[1,\"1\",10]]", &[], &Change::Keep), "[2,null,[null,null,10]]");
        assert_eq!(cleared(r#"{"ids":[1,2]}"#, &["ids"], &Change::Keep), r#"{"ids":[null,2]}"#);
    }

    #[test]
    fn outside_of_arrays_only_the_value_itself_goes() {
        let change = under("user", nulls(&["id", "name"]));
        assert_eq!(
            cleared(r#"{"user":{"id": 1 ,"name":"Ada"}}"#, &["user", "id"], &change),
            r#"{"user":{"id": null ,"name":"Ada"}}"#
        );
    }

    #[test]
    fn values_are_those_of_every_element() {
        let text = r#"{"m":[{"id":1},{"id":"x"},{"id":null},{},[{"id":true}],{"id":{"id":9}}]}"#;
        assert_eq!(values_at(text, &path(&["m", "id"])).unwrap(), ["1", "\"x\"", "true"]);
        assert_eq!(values_at(text, &path(&["m"])).unwrap(), Vec::<String>::new());
    }
}
