//! A world as the engine meets it: SQL for either database, the data map, the hold files.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::*;

/// Which SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// Tables and rows.
pub fn schema(world: &World, dialect: Dialect) -> String {
    let mut text = String::new();
    let sqlite = dialect == Dialect::Sqlite;
    if sqlite {
        text.push_str("PRAGMA foreign_keys = OFF;\n");
    }
    for (at, table) in world.tables.iter().enumerate() {
        let mut lines: Vec<String> = table.key.iter().map(|name| format!("{name} INTEGER NOT NULL")).collect();
        for column in &table.columns {
            let kind = if column.is_text { "TEXT" } else { "INTEGER" };
            lines.push(format!("{} {kind}{}", column.name, if column.not_null { " NOT NULL" } else { "" }));
        }
        lines.push(format!("PRIMARY KEY ({})", table.key.join(", ")));
        if sqlite {
            lines.extend(
                world
                    .references
                    .iter()
                    .filter(|reference| reference.on == at)
                    .filter_map(|reference| foreign_key(world, reference)),
            );
        }
        let _ = writeln!(text, "CREATE TABLE {} ({});", table.name, lines.join(", "));
        for row in &table.rows {
            let names: Vec<&str> = row.keys().map(String::as_str).collect();
            let values: Vec<String> = row.values().map(literal).collect();
            let _ = writeln!(text, "INSERT INTO {} ({}) VALUES ({});", table.name, names.join(", "), values.join(", "));
        }
    }
    if !sqlite {
        for reference in &world.references {
            if let Some(key) = foreign_key(world, reference) {
                let _ = writeln!(text, "ALTER TABLE {} ADD {key};", world.tables[reference.on].name);
            }
        }
    }
    text
}

fn foreign_key(world: &World, reference: &Reference) -> Option<String> {
    let action = match reference.declared? {
        OnDelete::NoAction => "NO ACTION",
        OnDelete::Restrict => "RESTRICT",
        OnDelete::Cascade => "CASCADE",
        OnDelete::SetNull => "SET NULL",
        OnDelete::SetDefault => "SET DEFAULT",
    };
    Some(format!(
        "FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {action}",
        reference.columns.join(", "),
        world.tables[reference.other].name,
        reference.other_columns.join(", ")
    ))
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => format!("'{text}'"),
    }
}

/// The data map.
pub fn map(world: &World) -> String {
    let mut text = String::from("dataset:\n  - fides_key: app\n    collections:\n");
    for (at, table) in world.tables.iter().enumerate().filter(|(_, table)| table.mapped) {
        let rule = match table.rule {
            Rule::Delete => "delete",
            Rule::Mask => "mask",
            Rule::Unlink => "unlink",
            Rule::Keep => "keep",
        };
        let law = table
            .law_keeps
            .map(|kind| format!(", retain_when: [{{where: {{kind: {kind}}}, ground: art17_3_b}}]"))
            .unwrap_or_default();
        let _ = writeln!(text, "      - name: {}\n        habeas: {{on_erasure: {rule}{law}}}\n        fields:", table.name);
        let names = table.key.iter().chain(table.columns.iter().map(|column| &column.name));
        for name in names {
            let _ = writeln!(text, "          - {{{}}}", field(world, at, name));
        }
    }
    text
}

fn field(world: &World, at: usize, name: &str) -> String {
    let table = &world.tables[at];
    let mut meta = Vec::new();
    if table.key.iter().any(|key| key == name) {
        meta.push("primary_key: true".to_owned());
    }
    if table.columns.iter().any(|column| column.identity && column.name == name) {
        meta.push("identity: email".to_owned());
    }
    if name == "note" && table.rule == Rule::Mask {
        meta.push("masking_strategy_override: {strategy: null_rewrite}".to_owned());
    }
    let said = said_of(world, at, name);
    if !said.is_empty() {
        let mut references: Vec<&String> = said.iter().map(|said| &said.reference).collect();
        references.dedup();
        meta.push(format!("references: [{}]", references.into_iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    let mut parts = vec![format!("name: {name}")];
    if !meta.is_empty() {
        parts.push(format!("fides_meta: {{{}}}", meta.join(", ")));
    }
    if !said.is_empty() {
        parts.push(format!("habeas: {{{}}}", words_of(&said)));
    }
    parts.join(", ")
}

/// What is said on a field of one of its references.
struct Said {
    /// As Fideslang has it.
    reference: String,
    target: String,
    /// Name of the composite edge.
    edge: Option<String>,
    words: Vec<String>,
}

fn said_of(world: &World, at: usize, name: &str) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for (number, reference) in world.references.iter().enumerate() {
        let Some(words) = &reference.words else { continue };
        let (here, own, there, foreign, outwards) = match words.on_other_side {
            false => (reference.on, &reference.columns, reference.other, &reference.other_columns, !words.to_referrer),
            true => (reference.other, &reference.other_columns, reference.on, &reference.columns, words.to_referrer),
        };
        let Some(part) = own.iter().position(|column| column == name).filter(|_| here == at) else { continue };
        let direction = if outwards { "to" } else { "from" };
        let target = format!("{}.{}", world.tables[there].name, foreign[part]);
        // The words of a composite edge stand on its last field.
        let is_last = part + 1 == own.len();
        said.push(Said {
            reference: format!("{{dataset: app, field: {target}, direction: {direction}}}"),
            target,
            edge: (own.len() > 1).then(|| format!("e{number}")),
            words: if is_last { edge_words(words) } else { Vec::new() },
        });
    }
    said.sort_by(|left, right| left.reference.cmp(&right.reference));
    said
}

fn edge_words(words: &Words) -> Vec<String> {
    let right = match words.right {
        Right::Owns => "owns",
        Right::Accesses => "accesses",
        Right::None => "none",
    };
    let mut said = vec![format!("right: {right}")];
    if words.hide {
        said.push("hide: [note]".to_owned());
    }
    if words.unlink {
        said.push("on_erasure: unlink".to_owned());
    }
    if let Some(kind) = words.kind {
        said.push(format!("where: {{kind: {kind}}}"));
    }
    said
}

/// One reference is spoken of directly, several by their targets.
fn words_of(said: &[Said]) -> String {
    let targets: std::collections::BTreeSet<&String> = said.iter().map(|said| &said.target).collect();
    let of = |target: &String| {
        let here: Vec<&Said> = said.iter().filter(|said| said.target == *target).collect();
        let edges: Vec<&str> = here.iter().filter_map(|said| said.edge.as_deref()).collect();
        let mut words: Vec<String> = here.iter().flat_map(|said| said.words.clone()).collect();
        match edges.as_slice() {
            [] => {}
            [only] => words.push(format!("edge: {only}")),
            several => words.push(format!("edge: [{}]", several.join(", "))),
        }
        words.join(", ")
    };
    match targets.len() {
        1 => of(&said[0].target),
        _ => {
            let each: Vec<String> = targets.into_iter().map(|target| format!("{target}: {{{}}}", of(target))).collect();
            format!("references: {{{}}}", each.join(", "))
        }
    }
}

/// Scopes of the holds.
pub fn holds(world: &World) -> Vec<Json> {
    let scope = |hold: &Hold| match hold {
        Hold::Record(row) => {
            let key: Vec<String> = world.tables[row.0].key.iter().map(|name| text(world.value(*row, name))).collect();
            json!({"record": {"dataset": "app", "collection": world.tables[row.0].name, "key": key}})
        }
        Hold::Collection(table) => json!({"collection": {"dataset": "app", "collection": world.tables[*table].name}}),
        Hold::Kind(table, kind) => {
            json!({"predicate": {"dataset": "app", "collection": world.tables[*table].name, "where": {"kind": kind}}})
        }
        Hold::Person(address) => json!({"subject": {"email": address}}),
    };
    world.holds.iter().map(scope).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
    }
}

/// A row as the dump of a database has it.
pub fn json_of(row: &Row) -> Json {
    let value = |value: &Value| match value {
        Value::Null => Json::Null,
        Value::Int(number) => json!(number),
        Value::Text(text) => json!(text),
    };
    Json::Object(row.iter().map(|(name, known)| (name.clone(), value(known))).collect())
}
