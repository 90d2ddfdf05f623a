//! What SQLite tells only in the text that it has stored: triggers, CHECK constraints, indexes that are partial or on expressions, keys that
//! replace rows, and what a computed column is computed from. Read word by word; what cannot be told counts as able to do more.

use std::collections::BTreeSet;

use super::trigger::{Effect, Swallows, Trigger, writes_of};
use super::words::{Token, tokens};
use super::{Check, NarrowUnique, Table};

/// Adds what the text of a table, an index or a trigger on the table says.
pub(super) fn add(table: &mut Table, kind: &str, name: &str, sql: &str) {
    let words = tokens(sql);
    match kind {
        "table" => {
            table.checks = checks(sql, &words);
            add_computed(table, &words);
            table.replacing = replacing_keys(table, &words);
        }
        "index" => table.narrow_uniques.extend(narrow_unique(table, name, &words)),
        "trigger" => table.triggers.extend(trigger(&table.name.name, name, sql, &words)),
        _ => {}
    }
}

/// The bracket that opens at a position: tokens inside it, and the position behind it.
fn bracket<'t, 's>(words: &'t [Token<'s>], open: usize) -> Option<(&'t [Token<'s>], usize)> {
    let mut depth = 0;
    for (at, token) in words.iter().enumerate().skip(open) {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth -= 1;
            if depth == 0 {
                return Some((&words[open + 1..at], at + 1));
            }
        } else if depth == 0 {
            return None;
        }
    }
    None
}

fn checks(sql: &str, words: &[Token<'_>]) -> Vec<Check> {
    let mut checks = Vec::new();
    for (at, _) in words.iter().enumerate().filter(|(_, token)| token.is("CHECK")) {
        let Some((inside, _)) = bracket(words, at + 1) else { continue };
        let (Some(first), Some(last)) = (inside.first(), inside.last()) else { continue };
        let named = at >= 2 && words[at - 2].is("CONSTRAINT");
        let name = if named { words[at - 1].text.to_owned() } else { format!("check {}", checks.len() + 1) };
        checks.push(Check { name, condition: sql[first.start..last.end].to_owned() });
    }
    checks
}

/// The keys that say `ON CONFLICT REPLACE`, as constraint of a column or of the table. Where it cannot be told which columns are meant, all are.
fn replacing_keys(table: &Table, words: &[Token<'_>]) -> Vec<Vec<String>> {
    let known: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut keys = Vec::new();
    let starts = words.windows(3).enumerate().filter(|(_, w)| w[0].is("ON") && w[1].is("CONFLICT") && w[2].is("REPLACE"));
    for (at, _) in starts {
        let Some(before) = at.checked_sub(1).and_then(|before| words.get(before)) else { continue };
        let of_column = ["UNIQUE", "KEY", "ASC", "DESC"].iter().any(|word| before.is(word));
        if before.is("NULL") {
            // NOT NULL: the default takes the place of NULL in the same row.
            continue;
        }
        let named = if before.is_sign(")") {
            let open = (0..at).rev().find(|open| bracket(words, *open).is_some_and(|(_, behind)| behind == at)).unwrap_or(0);
            if open > 0 && words[open - 1].is("CHECK") {
                continue;
            }
            named_in(&words[open..at], &known)
        } else if of_column {
            named_in(defined_before(words, at), &known)
        } else {
            BTreeSet::new()
        };
        keys.push(if named.is_empty() { known.clone() } else { named.into_iter().collect() });
    }
    keys
}

/// The name of the column whose definition goes on at a position: it stands behind the last comma or bracket that is open there.
fn defined_before<'t, 's>(words: &'t [Token<'s>], at: usize) -> &'t [Token<'s>] {
    let mut depth = 0;
    for position in (0..at).rev() {
        if words[position].is_sign(")") {
            depth += 1;
        } else if depth == 0 && (words[position].is_sign(",") || words[position].is_sign("(")) {
            return &words[position + 1..position + 2];
        } else if words[position].is_sign("(") {
            depth -= 1;
        }
    }
    &[]
}

/// `name TYPE … GENERATED ALWAYS AS (…)` or `AS (…)`: every column that stands in the brackets counts.
fn add_computed(table: &mut Table, words: &[Token<'_>]) {
    let known: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    for column in table.columns.iter_mut().filter(|column| column.generated) {
        let defined = words.windows(2).position(|pair| {
            let begins = pair[0].is_sign("(") || pair[0].is_sign(",");
            begins && pair[1].as_name().is_some_and(|name| name.eq_ignore_ascii_case(&column.name))
        });
        let Some(from) = defined else { continue };
        let Some(expression) = words[from..].iter().position(|token| token.is("AS")).and_then(|at| bracket(words, from + at + 1))
        else {
            continue;
        };
        column.computed_from = named_in(expression.0, &known).into_iter().collect();
    }
}

/// The columns that these words name, in the table's spelling.
fn named_in(words: &[Token<'_>], known: &[String]) -> BTreeSet<String> {
    let is_named = |column: &&String| words.iter().any(|w| w.as_name().is_some_and(|name| name.eq_ignore_ascii_case(column)));
    known.iter().filter(is_named).cloned().collect()
}

/// A unique index with a condition or an expression; plain ones are read through the pragma.
fn narrow_unique(table: &Table, name: &str, words: &[Token<'_>]) -> Option<NarrowUnique> {
    let is_unique = words.get(1)?.is("UNIQUE");
    let open = words.iter().position(|token| token.is_sign("("))?;
    let (keys, behind) = bracket(words, open)?;
    let is_partial = words[behind..].iter().any(|token| token.is("WHERE"));
    let is_expression = keys.iter().any(|token| token.is_sign("("));
    let known: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let columns = named_in(&words[open..], &known);
    (is_unique && (is_partial || is_expression)).then(|| NarrowUnique { name: name.to_owned(), columns, nulls_collide: false })
}

/// A trigger that fires on DELETE or UPDATE; `None` for one on INSERT.
fn trigger(table: &str, name: &str, sql: &str, words: &[Token<'_>]) -> Option<Trigger> {
    let begin = words.iter().position(|token| token.is("BEGIN")).unwrap_or(words.len());
    let (head, body) = words.split_at(begin);
    let event = event(head);
    if event == Some("INSERT") {
        return None;
    }
    let has_condition = head.iter().any(|token| token.is("WHEN"));
    let before = head.iter().any(|token| token.is("BEFORE"));
    let mut effect = writes_of(body, table, &|_| false);
    let swallows = if before { ignores(body, has_condition || event.is_none()) } else { Swallows::Never };
    effect.swallows_delete = swallows;
    effect.swallows_update = if head.iter().any(|token| token.is("OF")) { swallows.min(Swallows::Perhaps) } else { swallows };
    let (on_delete, on_update) = (event != Some("UPDATE"), event != Some("DELETE"));
    Some(Trigger { name: name.to_owned(), on_delete, on_update, definition: sql.to_owned(), effect })
}

/// Whether a trigger fires for new rows, from its text.
pub(super) fn fires_on_insert(sql: &str) -> bool {
    let words = tokens(sql);
    let begin = words.iter().position(|token| token.is("BEGIN")).unwrap_or(words.len());
    !matches!(event(&words[..begin]), Some("DELETE" | "UPDATE"))
}

/// The event stands behind the name and the time; in doubt there is none, and the trigger counts for all.
fn event(head: &[Token<'_>]) -> Option<&'static str> {
    let mut at = head.iter().position(|token| token.is("TRIGGER"))? + 1;
    if head.get(at)?.is("IF") && head.get(at + 1)?.is("NOT") {
        at += 3;
    }
    at += 1;
    if head.get(at)?.is_sign(".") {
        at += 2;
    }
    if head.get(at)?.is("BEFORE") || head.get(at)?.is("AFTER") {
        at += 1;
    } else if head.get(at)?.is("INSTEAD") {
        at += 2;
    }
    ["DELETE", "UPDATE", "INSERT"].into_iter().find(|event| head.get(at).is_some_and(|token| token.is(event)))
}

/// `RAISE(IGNORE)`: for every row when it stands alone, for some when anything narrows it.
fn ignores(body: &[Token<'_>], has_condition: bool) -> Swallows {
    let Some(at) = body.windows(3).position(|w| w[0].is("RAISE") && w[1].is_sign("(") && w[2].is("IGNORE")) else {
        return Swallows::Never;
    };
    let is_alone = at >= 2 && body[at - 1].is("SELECT") && (body[at - 2].is("BEGIN") || body[at - 2].is_sign(";"));
    let ends_there = body.get(at + 4).is_some_and(|token| token.is_sign(";"));
    if has_condition || !is_alone || !ends_there { Swallows::Perhaps } else { Swallows::Always }
}

impl Effect {
    /// Nothing at all: what a trigger that only looks does.
    #[cfg(test)]
    pub(super) fn nothing() -> Effect {
        Effect::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::sql::{Column, TableKind, TableName};
    use crate::value::ColumnType;

    fn of(sql: &str) -> Option<Trigger> {
        trigger("users", "t", sql, &tokens(sql))
    }

    #[test]
    fn only_a_trigger_on_insert_is_left_out() {
        assert_eq!(of("CREATE TRIGGER log AFTER INSERT ON users BEGIN SELECT 1; END"), None);
        let deleting =
            of("CREATE TRIGGER log AFTER DELETE ON users BEGIN INSERT INTO x SELECT 1 ON CONFLICT DO NOTHING; END").unwrap();
        assert!(deleting.on_delete && !deleting.on_update && deleting.effect.inserts_into.contains("x"));
        let updating = of("CREATE TRIGGER \"INSERT ON\" BEFORE UPDATE OF email ON users BEGIN SELECT 1; END").unwrap();
        assert_eq!((updating.on_delete, updating.on_update, updating.effect), (false, true, Effect::nothing()));
        assert!(of("CREATE TRIGGER t -- INSERT ON\n DELETE ON users BEGIN SELECT 1; END").unwrap().on_delete);
        let tangled = of("CREATE TRIGGER IF NOT EXISTS main.\"x\" DELETE ON users BEGIN DELETE FROM y; END").unwrap();
        assert!(tangled.on_delete && tangled.effect.changes.contains("y"));
    }

    #[test]
    fn the_event_of_a_trigger_is_read_from_its_head() {
        assert!(fires_on_insert("CREATE TRIGGER t AFTER INSERT ON tomb BEGIN SELECT 1; END"));
        assert!(fires_on_insert("CREATE TRIGGER t INSTEAD OF INSERT ON v BEGIN SELECT 1; END"));
        assert!(!fires_on_insert("CREATE TRIGGER t AFTER DELETE ON tomb BEGIN INSERT INTO x VALUES (1); END"));
    }

    #[test]
    fn a_trigger_that_ignores_every_row_is_told_from_one_that_ignores_some() {
        let swallows = |sql: &str| of(sql).unwrap().swallows(true);
        assert_eq!(swallows("CREATE TRIGGER t BEFORE DELETE ON users BEGIN SELECT RAISE(IGNORE); END"), Swallows::Always);
        assert_eq!(
            swallows("CREATE TRIGGER t BEFORE DELETE ON users WHEN OLD.id = 1 BEGIN SELECT RAISE(IGNORE); END"),
            Swallows::Perhaps
        );
        assert_eq!(
            swallows("CREATE TRIGGER t BEFORE DELETE ON users BEGIN SELECT RAISE(IGNORE) WHERE OLD.id = 1; END"),
            Swallows::Perhaps
        );
        assert_eq!(swallows("CREATE TRIGGER t BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'no'); END"), Swallows::Never);
    }

    #[test]
    fn o_1_keys_that_replace_rows_are_found_in_the_text_of_their_table() {
        let mut table = Table::new(TableName { schema: "main".into(), name: "desks".into() }, TableKind::Table);
        table.columns = ["id", "seat", "code", "floor"].map(|name| Column::new(name, "TEXT", ColumnType::Text)).to_vec();
        for (text, expected) in [
            ("id INTEGER PRIMARY KEY ON CONFLICT REPLACE, seat", vec![vec!["id"]]),
            ("id INTEGER PRIMARY KEY DESC ON CONFLICT REPLACE AUTOINCREMENT, seat", vec![vec!["id"]]),
            ("id, code DECIMAL(3, 1) DEFAULT (1) UNIQUE ON CONFLICT REPLACE", vec![vec!["code"]]),
            ("id, seat, floor, UNIQUE (\"seat\", Floor) ON CONFLICT REPLACE", vec![vec!["floor", "seat"]]),
            ("id, seat, PRIMARY KEY (id) ON CONFLICT REPLACE, UNIQUE (seat) ON CONFLICT IGNORE", vec![vec!["id"]]),
            ("id NOT NULL ON CONFLICT REPLACE DEFAULT 1, seat CHECK (seat > 'ON CONFLICT REPLACE')", vec![]),
        ] {
            add(&mut table, "table", "desks", &format!("CREATE TABLE desks ({text})"));
            assert_eq!(table.replacing, expected, "{text}");
        }
    }

    #[test]
    fn checks_and_narrow_indexes_are_found_in_their_text() {
        let mut table = Table::new(TableName { schema: "main".into(), name: "users".into() }, TableKind::Table);
        let column = |name: &str, generated| Column { generated, ..Column::new(name, "TEXT", ColumnType::Text) };
        table.columns = vec![column("email", false), column("initial", true), column("gone", false)];
        let sql = "CREATE TABLE users (email TEXT CHECK (email LIKE '%@%(%'), gone TEXT, initial TEXT AS (substr(Email, 1, 1)),
                   CONSTRAINT short CHECK (length(email) < 40 OR (gone)))";
        add(&mut table, "table", "users", sql);
        let conditions: Vec<(&str, &str)> = table.checks.iter().map(|c| (c.name.as_str(), c.condition.as_str())).collect();
        assert_eq!(conditions, [("check 1", "email LIKE '%@%(%'"), ("short", "length(email) < 40 OR (gone)")]);
        assert_eq!(table.column("initial").unwrap().computed_from, ["email"]);
        add(&mut table, "index", "a", "CREATE UNIQUE INDEX a ON users (lower(email))");
        add(&mut table, "index", "b", "CREATE UNIQUE INDEX b ON users (email) WHERE gone IS NULL");
        add(&mut table, "index", "c", "CREATE UNIQUE INDEX c ON users (email)");
        add(&mut table, "index", "d", "CREATE INDEX d ON users (lower(email))");
        let narrow: Vec<(&str, usize)> = table.narrow_uniques.iter().map(|u| (u.name.as_str(), u.columns.len())).collect();
        assert_eq!(narrow, [("a", 1), ("b", 2)]);
    }
}
