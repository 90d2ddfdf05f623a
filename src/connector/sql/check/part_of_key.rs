//! References by a part of a key. `people (region, no)` has a person 7 in each region: who is found by the number alone is somebody of another
//! region as well, and a row that bears the number may be anybody's (O-1). A column that is in no key is another matter: all rows with the value
//! count as owners then. It reads the schema alone.

use super::{Live, Mapped, listed};
use crate::connector::sql::Table;
use crate::datamap::{Code, Edge, Finding, NodeId, Severity};

/// One end of an edge.
#[derive(Clone, Copy)]
struct End<'e> {
    node: NodeId,
    columns: &'e [String],
}

pub(super) fn check(live: &Live<'_>, edge: &Edge) -> Option<Finding> {
    let ends = [End { node: edge.from, columns: &edge.from_columns }, End { node: edge.to, columns: &edge.to_columns }];
    // A reference to a whole key, whichever way it is followed, may well stand in a part of the key of the table that refers.
    if ends.iter().any(|end| names_one_row(live, *end)) {
        return None;
    }
    let [start, end] = ends;
    let halves = [(start, end), (end, start)].into_iter();
    halves.filter_map(|(keyed, other)| half(live, edge, keyed, other)).next()
}

/// What is wrong with an edge whose end `keyed` is a part of a key and names nothing by itself.
fn half(live: &Live<'_>, edge: &Edge, keyed: End<'_>, other: End<'_>) -> Option<Finding> {
    let parent = live.of_node(keyed.node)?;
    let table = parent.table?;
    let key = key_around(parent, table, keyed.columns)?;
    let said_to_be_unique = |name: &String| parent.collection.field(name).is_some_and(|field| field.unique);
    if keyed.columns.iter().any(said_to_be_unique) || refers_by_itself(live, keyed, table) {
        return None;
    }
    let (name, parts) = (&parent.collection.name, listed(keyed.columns.iter().map(String::as_str)));
    let whole = listed(key.iter().map(String::as_str));
    let referring = format!("{}.{}", live.graph.nodes.get(other.node.0)?.name(), other.columns.join("+"));
    Some(Finding {
        severity: Severity::Error,
        code: Code::CompositeKeyHalfDeclared,
        place: Some(edge.place.clone()),
        problem: format!(
            "`{referring}` is read together with {parts} of `{name}`, which is a part of its key ({whole}) and not unique by itself"
        ),
        subject: referring,
        why: "one part alone is equal in rows of several people: they would be taken for each other's".into(),
        hint: format!(
            "let the reference have all parts: one to `{name}` on a field for each of {whole}, and `habeas: {{edge: {name}}}` on each field; where {parts} alone is never the same in two rows, make it unique, or write `habeas: {{unique: true}}` on it; where the other parts are not known, write `right: none`"
        ),
        write: None,
    })
}

/// The composite key of which these columns are a part: the primary key, or a unique one whose other columns always hold a value. Where they may
/// be NULL they tell old rows from the present one (`deleted_at`), and not people. A value by which the map knows people names them, wherever it
/// stands; only in a primary key is it a number among others.
fn key_around<'t>(mapped: &Mapped<'_>, table: &'t Table, columns: &[String]) -> Option<&'t Vec<String>> {
    let has_all = |key: &&Vec<String>| columns.iter().all(|name| key.contains(name));
    if let Some(key) = Some(&table.primary_key).filter(has_all) {
        return Some(key);
    }
    let is_identity = |name: &String| mapped.collection.field(name).is_some_and(|field| field.identity.is_some());
    let is_sure = |name: &String| table.column(name).is_some_and(|column| column.not_null);
    let others_are_sure = |key: &&Vec<String>| key.iter().filter(|name| !columns.contains(name)).all(is_sure);
    if columns.iter().any(is_identity) {
        return None;
    }
    table.uniques.iter().filter(has_all).find(others_are_sure)
}

/// Whether the columns are a reference of their own: the team of a membership names one team, in whichever key it stands.
fn refers_by_itself(live: &Live<'_>, end: End<'_>, table: &Table) -> bool {
    let same = |columns: &[String]| columns.len() == end.columns.len() && columns.iter().all(|name| end.columns.contains(name));
    let by_key = table.foreign_keys.iter().filter(|key| same(&key.columns)).any(|key| {
        let target = live.catalogue.tables.get(&key.referenced);
        target.is_none_or(|target| target.names_one_row(&key.referenced_columns))
    });
    let edges = || live.graph.edges.iter().chain(&live.graph.ignored);
    let over = |edge: &Edge| {
        let ends = [
            (edge.from, &edge.from_columns, edge.to, &edge.to_columns),
            (edge.to, &edge.to_columns, edge.from, &edge.from_columns),
        ];
        ends.into_iter().any(|(own, own_columns, target, columns)| {
            own == end.node && edge.to_path.is_empty() && same(own_columns) && names_one_row(live, End { node: target, columns })
        })
    };
    by_key || edges().any(over)
}

/// Of a table in another source nobody knows here more than what the map says of its key.
fn names_one_row(live: &Live<'_>, end: End<'_>) -> bool {
    if let Some(table) = live.of_node(end.node).and_then(|mapped| mapped.table) {
        return table.names_one_row(end.columns);
    }
    let Some(node) = live.graph.nodes.get(end.node.0) else { return false };
    let Some(collection) = live.map.collection(&node.dataset, &node.collection) else { return false };
    let mut key = collection.fields.iter().filter(|field| field.primary_key).peekable();
    key.peek().is_some() && key.all(|field| end.columns.contains(&field.name))
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, catalogue_of, check_catalogue, check_sqlite, only};
    use crate::datamap::Severity::Error;
    use crate::db::testing;

    const CODE: &str = "composite_key_half_declared";

    fn map(region: &str, no: &str, owner: &str) -> String {
        format!(
            "
dataset:
  - fides_key: app
    collections:
      - name: regions
        habeas: {{on_erasure: keep}}
        fields: [{{name: id}}, {{name: lead, fides_meta: {{references: [{{dataset: app, field: people.email, direction: from}}]}}}}]
      - name: people
        habeas: {{on_erasure: delete}}
        fields:
          - {{name: region, fides_meta: {{primary_key: true}}{region}}}
          - {{name: no, fides_meta: {{primary_key: true}}{no}}}
          - {{name: email, fides_meta: {{identity: email}}}}
      - name: notes
        habeas: {{on_erasure: delete}}
        fields:
          - {{name: id, fides_meta: {{primary_key: true}}}}
          - {{name: owner, {owner}}}
"
        )
    }

    fn to(field: &str, direction: &str, habeas: &str) -> String {
        format!("fides_meta: {{references: [{{dataset: app, field: {field}, direction: {direction}}}]}}, habeas: {{{habeas}}}")
    }

    /// People with a number of their own in each region; the key is given, and what else is said of them.
    macro_rules! people {
        ($key:literal) => {
            concat!(
                "CREATE TABLE regions (id INTEGER PRIMARY KEY, lead VARCHAR(90)); CREATE TABLE people (region INTEGER NOT NULL, no INTEGER NOT NULL, \
                 email VARCHAR(90), ",
                $key,
                "); CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER)"
            )
        };
    }
    const KEYED: &str = people!("PRIMARY KEY (region, no)");

    #[tokio::test]
    async fn o_1_a_part_of_a_key_names_nobody() {
        let plain = to("people.no", "from", "");
        for (map, schema, is_wrong) in [
            (map("", "", &plain), KEYED, true),
            (map("", "", &to("people.no", "from", "right: accesses")), KEYED, true),
            (map("", "", &to("people.no", "from", "right: none")), KEYED, false),
            (map("", "", &plain), people!("id INTEGER PRIMARY KEY, UNIQUE (region, no)"), true),
            (map("", "", &plain), people!("PRIMARY KEY (region, no), UNIQUE (no)"), false),
            (map("", ", habeas: {unique: true}", &plain), KEYED, false),
            // In no key at all: whoever has the number is an owner.
            (map("", "", &plain), people!("id INTEGER PRIMARY KEY"), false),
            // Old rows beside the present one.
            (map("", "", &plain), people!("id INTEGER PRIMARY KEY, gone TEXT, UNIQUE (no, gone)"), false),
            // Everybody of the region owns the note: a region is one thing, whatever it is a part of.
            (
                map("", "", &to("people.region", "from", "")),
                people!("PRIMARY KEY (region, no), FOREIGN KEY (region) REFERENCES regions (id)"),
                false,
            ),
            (map("", "", &to("people.region", "from", "")), KEYED, true),
        ] {
            let expected: &[&str] = if is_wrong { &["app.notes.owner"] } else { &[] };
            assert_eq!(about(&check_sqlite(&map, schema).await, Error, CODE), expected, "{schema}\n{map}");
        }
    }

    #[tokio::test]
    async fn o_1_a_part_of_a_key_names_nobody_whichever_end_declares_it() {
        let declared = ", habeas: {}".replace("habeas: {}", &to("notes.owner", "to", ""));
        let reversed = map("", "", "description: x")
            .replace("{name: no, fides_meta: {primary_key: true}}", &format!("{{name: no{declared}}}"));
        let findings = check_sqlite(&reversed, KEYED).await;
        assert_eq!(about(&findings, Error, CODE), ["app.notes.owner"], "{reversed}");
        assert!(only(&findings, CODE).problem.contains("`no` of `people`"), "{findings:?}");
    }

    #[tokio::test]
    async fn o_1_a_part_of_a_key_names_nobody_on_the_other_servers() {
        let wrong = map("", "", &to("people.no", "from", ""));
        let right = map("", "", &to("people.no", "from", "right: none"));
        for database in [testing::postgres(KEYED).await, testing::mariadb(KEYED).await].into_iter().flatten() {
            let catalogue = catalogue_of(&database).await;
            assert_eq!(about(&check_catalogue(&wrong, &catalogue), Error, CODE), ["app.notes.owner"]);
            assert_eq!(about(&check_catalogue(&right, &catalogue), Error, CODE), Vec::<&str>::new());
        }
    }
}
