//! Copies a JSON text, except where a tree of changes says otherwise.

use std::convert::Infallible;

use super::cursor::Cursor;
use super::string::unquoted;
use super::{Change, JsonError, Members};

/// Arrays inside arrays that are gone through; each takes a little of the stack.
pub(super) const MOST_ARRAYS: usize = 200;

/// Who is asked for replacements, and told what is cut.
pub trait Editor<C, R> {
    /// What stands in place of a value, as JSON text. `present` is the value's own text.
    fn replacement(&mut self, by: &R, present: &str) -> String;
    /// Something was left out.
    fn cut(&mut self, _why: &C) {}
}

/// The text after the changes. Everything that no change names is copied byte for byte, white space included.
///
/// # Errors
/// When the text is not JSON, or its arrays are nested absurdly deep.
pub fn rewrite<C, R>(text: &str, change: &Change<C, R>, editor: &mut dyn Editor<C, R>) -> Result<String, JsonError> {
    let mut cursor = Cursor::over(text)?;
    let mut copy = Copy { out: String::with_capacity(text.len()), copied: 0, editor };
    copy.value(&mut cursor, change, 0)?;
    copy.up_to(&cursor, text.len());
    Ok(copy.out)
}

/// The values that a change would replace, as they stand, in their order.
///
/// # Errors
/// As of [`rewrite()`].
pub fn replaced_values<C, R>(text: &str, change: &Change<C, R>) -> Result<Vec<String>, JsonError> {
    struct Listen(Vec<String>);
    impl<C, R> Editor<C, R> for Listen {
        fn replacement(&mut self, _: &R, present: &str) -> String {
            self.0.push(present.to_owned());
            String::new()
        }
    }
    let mut listen = Listen(Vec::new());
    rewrite(text, change, &mut listen)?;
    Ok(listen.0)
}

/// The values below these paths, as they stand, in their order.
///
/// # Errors
/// As of [`rewrite()`].
pub fn values_below(text: &str, paths: &[Vec<String>]) -> Result<Vec<String>, JsonError> {
    replaced_values(text, &at_paths(paths))
}

fn at_paths(paths: &[Vec<String>]) -> Change<Infallible, ()> {
    if paths.iter().any(Vec::is_empty) {
        return Change::Replace(());
    }
    let mut named: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for path in paths {
        let Some((first, rest)) = path.split_first() else { continue };
        match named.iter_mut().find(|(name, _)| name == first) {
            Some((_, below)) => below.push(rest.to_vec()),
            None => named.push((first.clone(), vec![rest.to_vec()])),
        }
    }
    let named = named.into_iter().map(|(name, below)| (name, at_paths(&below))).collect();
    Change::Into(Members { named, rest: Box::new(Change::Keep) })
}

/// Whether a member is meant by a name: by what its key says, not by how it is spelt.
pub(super) fn is_key(quoted_key: &str, name: &str) -> bool {
    unquoted(quoted_key).is_some_and(|key| key == name)
}

struct Copy<'e, C, R> {
    out: String,
    /// How much of the text is in `out`, or deliberately not.
    copied: usize,
    editor: &'e mut dyn Editor<C, R>,
}

impl<C, R> Copy<'_, C, R> {
    fn up_to(&mut self, cursor: &Cursor<'_>, to: usize) {
        self.out.push_str(cursor.between(self.copied, to));
        self.copied = to;
    }

    fn instead(&mut self, cursor: &Cursor<'_>, from: usize, text: &str) {
        self.up_to(cursor, from);
        self.out.push_str(text);
        self.copied = cursor.at();
    }

    fn value(&mut self, cursor: &mut Cursor<'_>, change: &Change<C, R>, depth: usize) -> Result<(), JsonError> {
        match (change, cursor.peek()) {
            (Change::Keep, _) => {
                cursor.value();
            }
            (Change::Cut(why), _) => {
                let from = cursor.at();
                cursor.value();
                self.editor.cut(why);
                self.instead(cursor, from, "null");
            }
            (_, b'[') => self.array(cursor, change, depth)?,
            (Change::Replace(by), _) => {
                let from = cursor.at();
                let present = cursor.value();
                let text = self.editor.replacement(by, present);
                self.instead(cursor, from, &text);
            }
            (Change::Into(members), b'{') => self.object(cursor, members, depth)?,
            (Change::Into(members), _) => self.other(cursor, &members.rest, depth)?,
        }
        Ok(())
    }

    /// A value where the tree has an object: null says nothing and stays, anything else goes the way of what is not named.
    fn other(&mut self, cursor: &mut Cursor<'_>, rest: &Change<C, R>, depth: usize) -> Result<(), JsonError> {
        match (cursor.peek(), rest) {
            (b'n', Change::Cut(_)) => {
                cursor.value();
                Ok(())
            }
            _ => self.value(cursor, rest, depth),
        }
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, change: &Change<C, R>, depth: usize) -> Result<(), JsonError> {
        if depth == MOST_ARRAYS {
            return Err(JsonError::TooDeep(MOST_ARRAYS));
        }
        cursor.step();
        while cursor.peek() != b']' {
            self.value(cursor, change, depth + 1)?;
            if cursor.peek() == b',' {
                cursor.step();
            }
        }
        cursor.step();
        Ok(())
    }

    /// A member that is left out takes one comma with it; those that are left keep the white space in front of them.
    fn object(&mut self, cursor: &mut Cursor<'_>, members: &Members<C, R>, depth: usize) -> Result<(), JsonError> {
        cursor.step();
        let (mut is_any_left, mut is_skipping) = (false, false);
        let mut end_of_member = cursor.at();
        loop {
            let lead = cursor.at();
            if cursor.peek() == b'}' {
                break;
            }
            let key = cursor.string();
            let named = members.named.iter().find(|(name, _)| is_key(key, name));
            let change = named.map_or(&*members.rest, |(_, change)| change);
            cursor.step();
            if let Change::Cut(why) = change {
                if !is_skipping {
                    self.up_to(cursor, end_of_member);
                }
                is_skipping = true;
                self.editor.cut(why);
                cursor.value();
            } else {
                if is_skipping {
                    self.out.push_str(if is_any_left { "," } else { "" });
                    self.copied = lead;
                }
                (is_any_left, is_skipping) = (true, false);
                self.value(cursor, change, depth)?;
            }
            end_of_member = cursor.at();
            if cursor.peek() == b',' {
                cursor.step();
            }
        }
        if is_skipping {
            self.copied = end_of_member;
        }
        cursor.step();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Mask(Vec<&'static str>);

    impl Editor<&'static str, &'static str> for Mask {
        fn replacement(&mut self, by: &&'static str, _: &str) -> String {
            (*by).to_owned()
        }
        fn cut(&mut self, why: &&'static str) {
            self.0.push(why);
        }
    }

    type Tree = Change<&'static str, &'static str>;

    fn into(named: Vec<(&str, Tree)>, rest: Tree) -> Tree {
        let named = named.into_iter().map(|(name, change)| (name.to_owned(), change)).collect();
        Change::Into(Members { named, rest: Box::new(rest) })
    }

    #[track_caller]
    fn changed(text: &str, tree: &Tree) -> String {
        let changed = rewrite(text, tree, &mut Mask(Vec::new())).unwrap();
        assert!(serde_json::from_str::<&serde_json::value::RawValue>(&changed).is_ok(), "{changed}");
        changed
    }

    #[test]
    fn only_the_named_values_change_and_everything_else_stays_byte_for_byte() {
        let tree = into(vec![("email", Change::Replace("null"))], Change::Keep);
        let text = "{ \"n\" : 1e400,\"email\" :\t\"a@b\" , \"z\":1.0,\n\"a\": 12345678901234567890123, \"a\":-0}";
        assert_eq!(changed(text, &tree), text.replace("\"a@b\"", "null"));
    }

    #[test]
    fn every_element_of_an_array_is_changed_in_its_place_however_deep() {
        let tree = into(vec![("phones", Change::Replace("\"x\""))], Change::Keep);
        assert_eq!(changed(r#"{"phones":["1",["2",null],{"no":3}]}"#, &tree), r#"{"phones":["x",["x","x"],"x"]}"#);
        let tree = into(vec![("m", into(vec![("id", Change::Replace("0"))], Change::Keep))], Change::Keep);
        assert_eq!(
            changed(r#"{"m":[{"id":1},"text",{"k":2},[[{"id":3,"id":4}]]]}"#, &tree),
            r#"{"m":[{"id":0},"text",{"k":2},[[{"id":0,"id":0}]]]}"#
        );
    }

    #[test]
    fn a_missing_path_stays_missing() {
        let tree = into(vec![("a", into(vec![("b", Change::Replace("null"))], Change::Keep))], Change::Keep);
        for text in ["{}", "[]", "null", "5", "\"a\"", r#"{"a":null}"#, r#"{"a":7}"#, r#"{"a":{"c":1}}"#, r#"{"b":1}"#] {
            assert_eq!(changed(text, &tree), text);
        }
    }

    #[test]
    fn keys_are_compared_by_what_they_say() {
        for (key, spelt) in
            [("a.b", r#""a.b""#), ("q\"\\", r#""q\"\\""#), ("🙂", r#""\ud83d\ude42""#), ("", r#""""#), ("e", "\"\\u0065\"")]
        {
            let tree = into(vec![(key, Change::Replace("1"))], Change::Keep);
            assert_eq!(changed(&format!("{{{spelt}:2,\"other\":2}}"), &tree), format!("{{{spelt}:1,\"other\":2}}"));
        }
        let tree = into(vec![("\u{fffd}", Change::Replace("1"))], Change::Keep);
        assert_eq!(changed(r#"{"\ud83d":2}"#, &tree), r#"{"\ud83d":2}"#, "half a pair is no key that a map can name");
    }

    #[test]
    fn members_are_cut_with_one_comma_and_elements_leave_their_place() {
        let tree = |keys: &[&str]| into(keys.iter().map(|key| (*key, Change::Cut("secret"))).collect(), Change::Keep);
        let text = r#"{"a":1, "b":2 ,"c":{"d":3}}"#;
        assert_eq!(changed(text, &tree(&["a"])), r#"{ "b":2 ,"c":{"d":3}}"#);
        assert_eq!(changed(text, &tree(&["b"])), r#"{"a":1,"c":{"d":3}}"#);
        assert_eq!(changed(text, &tree(&["c"])), r#"{"a":1, "b":2}"#);
        assert_eq!(changed(text, &tree(&["a", "b", "c"])), "{}");
        assert_eq!(changed(text, &tree(&["a", "c"])), r#"{ "b":2}"#);
        assert_eq!(changed("{ \"a\" : 1 }", &tree(&["a"])), "{ }");
        let parts = into(vec![("id", Change::Keep)], Change::Cut("not covered"));
        assert_eq!(changed(r#"[{"id":1,"x":2},"loose",null,{"x":3}]"#, &parts), r#"[{"id":1},null,null,{}]"#);
        let mut told = Mask(Vec::new());
        rewrite(r#"[{"id":1,"x":2},"loose",null,{"x":3}]"#, &parts, &mut told).unwrap();
        assert_eq!(told.0.len(), 3, "two members and one element; a null is nothing");
    }

    #[test]
    fn replaced_values_are_the_ones_at_the_paths() {
        let tree = into(vec![("m", into(vec![("id", Change::Replace("0"))], Change::Keep))], Change::Keep);
        assert_eq!(replaced_values(r#"{"m":[{"id":1},{"id":"x"},{}]}"#, &tree).unwrap(), ["1", "\"x\""]);
        let paths = [vec!["m".to_owned(), "id".to_owned()], vec!["m".to_owned(), "x".to_owned()], vec!["n".to_owned()]];
        assert_eq!(
            values_below(r#"{"n":[5,{"y":6}],"m":[{"x":2,"id":1},{"id":3,"z":9}]}"#, &paths).unwrap(),
            ["5", "{\"y\":6}", "2", "1", "3"]
        );
    }

    #[test]
    fn absurd_nesting_is_refused_and_does_not_end_the_program() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let tree = into(vec![], Change::Cut("x"));
        assert!(rewrite(&deep(MOST_ARRAYS), &tree, &mut Mask(Vec::new())).is_ok());
        let absurd = rewrite(&deep(100_000), &tree, &mut Mask(Vec::new()));
        assert_eq!(absurd, Err(JsonError::TooDeep(MOST_ARRAYS)));
        assert!(rewrite(&deep(100_000), &Tree::Keep, &mut Mask(Vec::new())).is_ok(), "what is kept is not looked into");
    }

    proptest::proptest! {
        #[test]
        fn what_is_kept_and_what_is_cut_never_breaks_the_json(value in any_json(), key in "[ab]") {
            let text = value.to_string();
            let tree = into(vec![(key.as_str(), Change::Cut("x"))], into(vec![], Change::Keep));
            let cut: serde_json::Value = serde_json::from_str(&changed(&text, &tree)).unwrap();
            let mut expected = value;
            remove(&mut expected, &key);
            proptest::prop_assert_eq!(cut, expected);
        }
    }

    fn remove(value: &mut serde_json::Value, key: &str) {
        match value {
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| remove(item, key)),
            serde_json::Value::Object(members) => {
                members.remove(key);
            }
            _ => {}
        }
    }

    fn any_json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(Into::into),
            "[\"\\\\a🙂, {}]{0,4}".prop_map(Into::into)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
                prop::collection::vec(("[abc]", inner), 0..4)
                    .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
            ]
        })
    }
}
