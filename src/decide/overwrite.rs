//! Which columns of a row are overwritten, as a whole or in parts: the strategies of sub-fields become a tree that changes those values of a
//! JSON column alone. Pure.

use std::collections::BTreeSet;
use std::convert::Infallible;

use super::MaskSecret;
use super::masks;
use crate::datamap::{Collection, Field, Masking};
use crate::json::{Change, Editor, JsonError, Members, plain, quoted, rewrite, rewrite_elements};
use crate::plan::ColumnChange;
use crate::subject::NormalForm;

/// A column that is overwritten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Overwrite {
    pub column: String,
    pub how: How,
}

/// How much of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum How {
    /// All of it: the strategy, and the length that the map allows.
    Whole(Masking, Option<usize>),
    /// Values inside its JSON.
    Inside(MaskTree),
    /// The elements of its JSON that name the subject; what others' hold stays.
    Elements(Elements),
}

/// The subject's part of a JSON column that others have a part in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Elements {
    /// Where an element names somebody, and whom it names when it is the subject's.
    pub ties: Vec<Tie>,
    /// What is overwritten in such an element.
    pub tree: MaskTree,
}

/// A place inside a JSON column by which an element is the subject's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tie {
    /// Keys that lead to it.
    pub path: Vec<String>,
    /// How the values there are made comparable.
    pub form: NormalForm,
    /// The subject's values, in that form.
    pub ours: BTreeSet<String>,
}

impl Elements {
    /// Of a JSON column: everything that the map names in an element of the subject is overwritten, by its own strategy or with null, but for
    /// what is `read_only` or preserved, and for what the job does not ask for: `is_asked_for` says of a field whether it does, with all that is in
    /// it. What ties the element to the subject becomes null in any case.
    pub(super) fn of(field: &Field, ties: Vec<Tie>, is_asked_for: &dyn Fn(&Field) -> bool) -> Elements {
        let paths: Vec<&[String]> = ties.iter().map(|tie| tie.path.as_slice()).collect();
        let tree = element_tree(field, &mut Vec::new(), &paths, is_asked_for, false);
        Elements { ties, tree }
    }

    fn rewrite(&self, text: &str, masker: &mut Masker<'_>) -> Result<String, JsonError> {
        self.ties.iter().try_fold(text.to_owned(), |text, tie| {
            rewrite_elements(&text, &tie.path, &|value| tie.ours.contains(&tie.form.apply(value)), &self.tree, masker)
        })
    }
}

fn element_tree(
    field: &Field,
    path: &mut Vec<String>,
    ties: &[&[String]],
    is_asked_for: &dyn Fn(&Field) -> bool,
    is_inside_asked: bool,
) -> MaskTree {
    let null =
        |path: &Vec<String>, masking: Masking| Change::Replace(PartMask { path: path.clone(), masking, length: field.length });
    if ties.contains(&path.as_slice()) {
        return null(path, Masking::NullRewrite);
    }
    if field.read_only || field.mask == Some(Masking::Preserve) {
        return Change::Keep;
    }
    let is_asked = is_inside_asked || is_asked_for(field);
    if field.fields.is_empty() {
        return if is_asked { null(path, field.mask.clone().unwrap_or(Masking::NullRewrite)) } else { Change::Keep };
    }
    let mut named = Vec::with_capacity(field.fields.len());
    for sub in &field.fields {
        path.push(sub.name.clone());
        named.push((sub.name.clone(), element_tree(sub, path, ties, is_asked_for, is_asked)));
        path.pop();
    }
    Change::Into(Members { named, rest: Box::new(Change::Keep) })
}

/// What is overwritten inside a JSON value.
pub(super) type MaskTree = Change<Infallible, PartMask>;

/// How one sub-field is overwritten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PartMask {
    /// Keys that lead to it.
    pub path: Vec<String>,
    pub masking: Masking,
    pub length: Option<usize>,
}

/// The columns of a collection that are overwritten when each field's strategy is as `strategy_of` says. What is `read_only` is never
/// written, and an object with a strategy of its own is overwritten as a whole, except for what is `read_only` or preserved inside it.
pub(super) fn overwrites(collection: &Collection, strategy_of: &dyn Fn(&Field) -> Option<Masking>) -> Vec<Overwrite> {
    let of_field = |field: &Field| Some(Overwrite { column: field.name.clone(), how: how(field, strategy_of)? });
    collection.fields.iter().filter_map(of_field).collect()
}

fn how(field: &Field, strategy_of: &dyn Fn(&Field) -> Option<Masking>) -> Option<How> {
    match tree(field, None, &mut Vec::new(), strategy_of) {
        Change::Replace(part) => Some(How::Whole(part.masking, part.length)),
        tree if tree.is_keep() => None,
        tree => Some(How::Inside(tree)),
    }
}

fn tree(
    field: &Field,
    from_above: Option<&Masking>,
    path: &mut Vec<String>,
    strategy_of: &dyn Fn(&Field) -> Option<Masking>,
) -> MaskTree {
    let own = strategy_of(field);
    let masking = own.as_ref().or(from_above);
    if field.read_only || masking == Some(&Masking::Preserve) {
        return Change::Keep;
    }
    let whole = |path: &Vec<String>| match masking {
        None => Change::Keep,
        Some(masking) => Change::Replace(PartMask { path: path.clone(), masking: masking.clone(), length: field.length }),
    };
    if field.fields.is_empty() || (masking.is_some() && !protects_something(field, strategy_of)) {
        return whole(path);
    }
    let mut named = Vec::with_capacity(field.fields.len());
    for sub in &field.fields {
        path.push(sub.name.clone());
        named.push((sub.name.clone(), tree(sub, masking, path, strategy_of)));
        path.pop();
    }
    Change::Into(Members { named, rest: Box::new(whole(path)) })
}

fn protects_something(field: &Field, strategy_of: &dyn Fn(&Field) -> Option<Masking>) -> bool {
    field
        .fields
        .iter()
        .any(|sub| sub.read_only || strategy_of(sub) == Some(Masking::Preserve) || protects_something(sub, strategy_of))
}

impl Overwrite {
    /// What a plan says of it: each column or sub-field with its strategy.
    pub(super) fn changes(&self) -> Vec<ColumnChange> {
        let mut changes = Vec::new();
        match &self.how {
            How::Whole(masking, _) => changes.push(change(self.column.clone(), masking)),
            How::Elements(elements) => {
                for tie in &elements.ties {
                    let column = [std::slice::from_ref(&self.column), &tie.path].concat().join(".");
                    changes.push(ColumnChange { column, strategy: "unlink".to_owned(), pseudonymisation: false });
                }
            }
            How::Inside(tree) => {
                for part in parts(tree) {
                    let name = [std::slice::from_ref(&self.column), &part.path].concat().join(".");
                    changes.push(change(name, &part.masking));
                }
            }
        }
        changes
    }

    /// The keys that lead to each value that is overwritten, by which a row is recognised as done; empty where the whole text is.
    pub(super) fn paths(&self) -> Vec<Vec<String>> {
        match &self.how {
            How::Whole(..) => Vec::new(),
            How::Elements(elements) => elements.ties.iter().map(|tie| tie.path.clone()).collect(),
            // What lies beside the named members is overwritten too: then no list of paths says it all.
            How::Inside(tree) if replaces_unnamed(tree) => Vec::new(),
            How::Inside(tree) => parts(tree).iter().map(|part| part.path.clone()).collect(),
        }
    }

    /// What stands in the column afterwards. `most` are the characters that the column takes.
    ///
    /// # Errors
    /// When parts are to be overwritten and the text is no JSON.
    pub(super) fn value(
        &self,
        secret: &MaskSecret,
        row: &str,
        present: Option<&str>,
        most: Option<usize>,
    ) -> Result<Option<String>, JsonError> {
        match (&self.how, present) {
            (How::Whole(masking, length), _) => {
                let most = length.iter().chain(most.iter()).min().copied();
                Ok(masks::value(masking, secret, &self.column, row, present, most))
            }
            (How::Inside(_) | How::Elements(_), None) => Ok(None),
            (How::Elements(elements), Some(text)) => {
                let mut masker = Masker { secret, column: &self.column, row, written: 0 };
                elements.rewrite(text, &mut masker).map(Some)
            }
            (How::Inside(tree), Some(text)) => {
                let mut masker = Masker { secret, column: &self.column, row, written: 0 };
                rewrite(text, tree, &mut masker).map(Some)
            }
        }
    }
}

fn change(column: String, masking: &Masking) -> ColumnChange {
    ColumnChange { column, strategy: masking.name().to_owned(), pseudonymisation: masking.is_pseudonymisation() }
}

/// All parts that a tree overwrites.
pub(super) fn parts(tree: &MaskTree) -> Vec<&PartMask> {
    match tree {
        Change::Keep => Vec::new(),
        Change::Cut(never) => match *never {},
        Change::Replace(part) => vec![part],
        Change::Into(members) => {
            let named = members.named.iter().map(|(_, change)| change);
            named.chain([&*members.rest]).flat_map(parts).collect()
        }
    }
}

fn replaces_unnamed(tree: &MaskTree) -> bool {
    match tree {
        Change::Into(members) => !members.rest.is_keep() || members.named.iter().any(|(_, change)| replaces_unnamed(change)),
        _ => false,
    }
}

/// Writes masked values into one JSON text.
struct Masker<'m> {
    secret: &'m MaskSecret,
    column: &'m str,
    row: &'m str,
    written: u64,
}

impl Editor<Infallible, PartMask> for Masker<'_> {
    fn replacement(&mut self, by: &PartMask, present: &str) -> String {
        // Elements of one array get different random values; which is whose follows from their order, so that it is the same each time (E-3).
        let place = format!("{}\u{0}{}\u{0}{}", self.column, by.path.join("\u{0}"), self.written);
        self.written += 1;
        let present = (present != "null").then(|| plain(present));
        match masks::value(&by.masking, self.secret, &place, self.row, present.as_deref(), by.length) {
            None => "null".to_owned(),
            Some(text) => quoted(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::datamap;

    fn collection(fields: &str) -> Collection {
        let text = format!("dataset:\n  - fides_key: app\n    collections:\n      - name: users\n        fields:\n{fields}");
        let loaded = datamap::parse(&[(PathBuf::from("app.yml"), text)], false).unwrap_or_else(|errors| panic!("{errors}"));
        loaded.map.collection("app", "users").unwrap().clone()
    }

    fn by_map(fields: &str) -> Vec<Overwrite> {
        overwrites(&collection(fields), &|field| field.mask.clone())
    }

    fn secret() -> MaskSecret {
        MaskSecret::new([7; 32])
    }

    #[track_caller]
    fn masked(overwrite: &Overwrite, text: &str) -> String {
        overwrite.value(&secret(), "1", Some(text), None).unwrap().unwrap()
    }

    const NULL: &str = "fides_meta: {masking_strategy_override: {strategy: null_rewrite}}";

    #[test]
    fn sub_fields_with_a_strategy_are_overwritten_inside_and_nothing_else() {
        let fields = format!(
            "          - name: profile
            fields:
              - {{name: email, {NULL}}}
              - {{name: nick, fides_meta: {{length: 4, masking_strategy_override: {{strategy: string_rewrite, configuration: {{rewrite_value: 'gön\"e'}}}}}}}}
              - {{name: plan}}
              - {{name: tax_no, fides_meta: {{read_only: true, masking_strategy_override: {{strategy: null_rewrite}}}}}}
              - {{name: jobs, fields: [{{name: 'a.b', {NULL}}}]}}\n"
        );
        let overwrites = by_map(&fields);
        let [profile] = overwrites.as_slice() else { panic!("{overwrites:?}") };
        let names: Vec<String> = profile.changes().into_iter().map(|change| change.column).collect();
        assert_eq!(names, ["profile.email", "profile.jobs.a.b", "profile.nick"]);
        let text = r#"{"email":"a@b","plan":1.0,"nick":null,"tax_no":9,"jobs":[{"a.b":"x"},{"a":{"b":1}}]}"#;
        assert_eq!(
            masked(profile, text),
            r#"{"email":null,"plan":1.0,"nick":"gön\"","tax_no":9,"jobs":[{"a.b":null},{"a":{"b":1}}]}"#
        );
        assert_eq!(profile.value(&secret(), "1", None, None), Ok(None), "no column, no parts");
        assert_eq!(profile.value(&secret(), "1", Some("no json"), None), Err(JsonError::NotJson));
    }

    #[test]
    fn an_object_with_a_strategy_is_overwritten_whole_but_for_what_is_read_only_in_it() {
        let fields = format!("          - {{name: profile, {NULL}, fields: [{{name: nick}}]}}\n");
        assert_eq!(by_map(&fields)[0].how, How::Whole(Masking::NullRewrite, None));
        let fields = format!(
            "          - {{name: profile, {NULL}, fields: [{{name: nick}}, {{name: no, fides_meta: {{read_only: true}}}}]}}\n"
        );
        assert_eq!(masked(&by_map(&fields)[0], r#"{"nick":"A","no":7,"more":[1]}"#), r#"{"nick":null,"no":7,"more":[null]}"#);
        assert_eq!(by_map(&fields)[0].paths(), Vec::<Vec<String>>::new());
    }

    #[test]
    fn e_3_random_values_differ_by_element_and_are_the_same_each_time() {
        let fields = "          - {name: profile, fields: [{name: phones, fides_meta: {masking_strategy_override: {strategy: random_string_rewrite, configuration: {length: 8}}}}]}\n";
        let text = r#"{"phones":["1","2"]}"#;
        let once = masked(&by_map(fields)[0], text);
        assert_eq!(once, masked(&by_map(fields)[0], text));
        let phones: serde_json::Value = serde_json::from_str(&once).unwrap();
        assert_ne!(phones["phones"][0], phones["phones"][1]);
    }

    #[test]
    fn null_stays_null_under_a_hash_and_a_number_is_hashed_by_its_digits() {
        let fields =
            "          - {name: profile, fields: [{name: no, fides_meta: {masking_strategy_override: {strategy: hash}}}]}\n";
        let overwrite = &by_map(fields)[0];
        assert_eq!(masked(overwrite, r#"{"no":null}"#), r#"{"no":null}"#);
        assert_eq!(masked(overwrite, r#"{"no":42}"#), masked(overwrite, r#"{"no":"42"}"#));
    }
}
