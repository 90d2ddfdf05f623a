//! What a trigger or a rewrite rule may do to an erasure: swallow it, rewrite what is written, copy rows elsewhere, or reach further than any
//! plan. Read from its text, which is a guess: in doubt it counts as able to do more, and E-1 and the verification look all the same.

use std::collections::BTreeSet;

use super::words::{Token, tokens};

/// A trigger or rule that runs when rows of its table are deleted or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Whether it runs on DELETE.
    pub on_delete: bool,
    /// Whether it runs on UPDATE.
    pub on_update: bool,
    /// Its definition as the database stores it: a change of it is a change of the schema.
    pub definition: String,
    /// What it does.
    pub effect: Effect,
}

/// What running it may bring about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Whether the deletion takes place all the same.
    pub swallows_delete: Swallows,
    /// Whether the change takes place all the same.
    pub swallows_update: Swallows,
    /// Tables into which it writes new rows, as the text spells them.
    pub inserts_into: BTreeSet<String>,
    /// Other tables of which it changes or deletes rows; also its own, where it replaces rows that are there.
    pub changes: BTreeSet<String>,
    /// Those of the tables into which it writes that have triggers or rules of their own for new rows: nobody reads what these do then.
    pub sets_off: BTreeSet<String>,
    /// Tables into which it writes and where a row that has the key already is deleted then (SQLite's `ON CONFLICT REPLACE`).
    pub replaces: BTreeSet<String>,
    /// It changes the row that is being written, or rows of its own table.
    pub rewrites: bool,
    /// It does something that the text does not tell: it runs text as SQL, calls another function, or is in a language that is not read.
    pub is_opaque: bool,
}

/// Whether a trigger lets the statement through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Swallows {
    /// Yes.
    #[default]
    Never,
    /// Not for every row, or not always.
    Perhaps,
    /// No row gets through.
    Always,
}

impl Effect {
    /// Whether it may touch rows that no plan lists.
    pub fn reaches_further(&self) -> bool {
        self.is_opaque || !self.changes.is_empty() || !self.sets_off.is_empty() || !self.replaces.is_empty()
    }
}

impl Trigger {
    /// What it does to a deletion, or to a change.
    pub fn swallows(&self, deleting: bool) -> Swallows {
        match deleting {
            true if self.on_delete => self.effect.swallows_delete,
            false if self.on_update => self.effect.swallows_update,
            _ => Swallows::Never,
        }
    }
}

/// What the writing statements of a body do. `own` is the name of the table; `has_effects` tells whether calling a function of that name may have
/// effects of its own.
pub(super) fn writes_of(body: &[Token<'_>], own: &str, has_effects: &dyn Fn(&str) -> bool) -> Effect {
    let mut effect = Effect::default();
    let mut written: Option<String> = None;
    for (at, token) in body.iter().enumerate() {
        let next = |offset: usize| body.get(at + offset);
        let next_is = |offset: usize, keyword: &str| next(offset).is_some_and(|token| token.is(keyword));
        let previous_is = |keyword: &str| at.checked_sub(1).is_some_and(|before| body[before].is(keyword));
        if token.is("INTO")
            && (previous_is("INSERT") || previous_is("MERGE") || previous_is("REPLACE") || at >= 3 && body[at - 3].is("INSERT"))
        {
            written = target(body, at + 1);
            insert(&mut effect, written.clone(), own, previous_is("MERGE"));
            // `REPLACE INTO t`, `INSERT OR REPLACE INTO t`: a row that has the key already is gone, whoever owns it.
            if previous_is("REPLACE") {
                effect.changes.extend(written.clone());
            }
        } else if token.is("UPDATE") && (previous_is("DO") || previous_is("KEY")) {
            // `ON CONFLICT … DO UPDATE`, `ON DUPLICATE KEY UPDATE`: the row that is there already is changed. `FOR NO KEY UPDATE` only locks.
            effect.changes.extend(written.clone());
        } else if token.is("UPDATE")
            && !previous_is("FOR")
            && !previous_is("DO")
            && !previous_is("OR")
            && !previous_is("KEY")
            && !next_is(1, "OF")
        {
            // `UPDATE OR REPLACE t`, `UPDATE ONLY t`.
            let skipped = if next_is(1, "OR") { 3 } else { 1 + usize::from(next_is(1, "ONLY")) };
            change(&mut effect, target(body, at + skipped), own, false);
        } else if token.is("DELETE") && next_is(1, "FROM") {
            change(&mut effect, target(body, at + 2 + usize::from(next_is(2, "ONLY"))), own, true);
        } else if token.is("TRUNCATE") {
            let skipped = 1 + usize::from(next_is(1, "TABLE"));
            change(&mut effect, target(body, at + skipped), own, true);
        } else if token.is("EXECUTE") || token.is("PERFORM") && !next_is(1, "pg_notify") || token.is("CALL") || token.is("COPY") {
            effect.is_opaque |= !token.is("PERFORM") || calls_with_effects(&body[at..], has_effects);
        } else if token.is("NEW") && next(1).is_some_and(|sign| sign.is_sign(".")) && assigns(body, at + 3) {
            effect.rewrites = true;
        } else if next(1).is_some_and(|sign| sign.is_sign("(")) && token.as_name().is_some_and(has_effects) {
            effect.is_opaque = true;
        }
    }
    effect
}

fn calls_with_effects(body: &[Token<'_>], has_effects: &dyn Fn(&str) -> bool) -> bool {
    let statement = body.iter().take_while(|token| !token.is_sign(";"));
    let named: Vec<&Token<'_>> = statement.collect();
    named.windows(2).any(|pair| pair[1].is_sign("(") && pair[0].as_name().is_some_and(has_effects))
}

/// `:=` or `=` behind `NEW.column`.
fn assigns(body: &[Token<'_>], at: usize) -> bool {
    let is_assignment = body.get(at).is_some_and(|sign| sign.is_sign(":"));
    let begins_statement = at.checked_sub(4).is_none_or(|before| {
        body[before].is_sign(";") || ["BEGIN", "THEN", "ELSE", "LOOP"].iter().any(|word| body[before].is(word))
    });
    is_assignment || (begins_statement && body.get(at).is_some_and(|sign| sign.is_sign("=")))
}

/// The last part of the table's name at a position: `audit` of `"old".audit`.
fn target(body: &[Token<'_>], at: usize) -> Option<String> {
    let first = body.get(at)?.as_name()?;
    match (body.get(at + 1), body.get(at + 2).and_then(Token::as_name)) {
        (Some(dot), Some(second)) if dot.is_sign(".") => Some(second.to_owned()),
        _ => Some(first.to_owned()),
    }
}

fn insert(effect: &mut Effect, table: Option<String>, own: &str, merges: bool) {
    match table {
        None => effect.is_opaque = true,
        Some(table) if merges && !table.eq_ignore_ascii_case(own) => drop(effect.changes.insert(table)),
        Some(table) => drop(effect.inserts_into.insert(table)),
    }
}

fn change(effect: &mut Effect, table: Option<String>, own: &str, deletes: bool) {
    match table {
        None => effect.is_opaque = true,
        // A timestamp or a deletion mark on the row itself is usual; deleting more rows of the table is not.
        Some(table) if table.eq_ignore_ascii_case(own) && !deletes => effect.rewrites = true,
        Some(table) => drop(effect.changes.insert(table)),
    }
}

/// What the values returned by a PL/pgSQL function mean for a BEFORE trigger: no row, no deletion. `NEW` is no row while one is deleted.
pub(super) fn swallows_by_return(body: &[Token<'_>], is_conditional: bool, deleting: bool) -> Swallows {
    let mut goes_on = false;
    let mut ends = false;
    for (at, _) in body.iter().enumerate().filter(|(_, token)| token.is("RETURN")) {
        let value = &body[at + 1..];
        let end = value.iter().position(|token| token.is_sign(";")).unwrap_or(value.len());
        let names_old = value[..end].iter().any(|token| token.is("OLD"));
        let names_new = value[..end].iter().any(|token| token.is("NEW"));
        let lets_through = if deleting { names_old } else { names_new || names_old };
        goes_on |= lets_through || end != 1;
        ends |= !lets_through;
    }
    match (ends, goes_on || is_conditional) {
        (false, _) => Swallows::Never,
        (true, true) => Swallows::Perhaps,
        (true, false) => Swallows::Always,
    }
}

/// The effect of a rule, from what stands behind its `DO`.
pub(super) fn rule_effect(definition: &str, own: &str, is_instead: bool, is_conditional: bool) -> Effect {
    let words = tokens(definition);
    let from = words.iter().position(|token| token.is("DO")).map_or(words.len(), |at| at + 1);
    let mut effect = writes_of(&words[from..], own, &|_| false);
    let swallows = match (is_instead, is_conditional) {
        (false, _) => Swallows::Never,
        (true, true) => Swallows::Perhaps,
        (true, false) => Swallows::Always,
    };
    effect.swallows_delete = swallows;
    effect.swallows_update = swallows;
    effect
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(body: &str) -> Effect {
        writes_of(&tokens(body), "orders", &|name| name == "send_mail")
    }

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_tables_that_a_body_writes_to_are_found() {
        let effect = writes(
            "BEGIN INSERT INTO audit.\"Log\" SELECT OLD.*; UPDATE users SET n = n - 1; DELETE FROM ONLY lines; RETURN OLD; END",
        );
        assert_eq!((effect.inserts_into, effect.changes), (names(&["Log"]), names(&["users", "lines"])));
        let harmless =
            writes("SELECT 1 FROM users FOR NO KEY UPDATE; INSERT INTO log VALUES (1) ON CONFLICT DO NOTHING; RAISE 'UPDATE x'");
        assert_eq!((harmless.inserts_into.clone(), harmless.reaches_further()), (names(&["log"]), false));
        assert!(writes("INSERT OR IGNORE INTO log SELECT 1").inserts_into.contains("log"));
        assert!(writes("UPDATE OR REPLACE users SET a = 1").changes.contains("users"));
    }

    #[test]
    fn o_1_a_new_row_that_takes_the_place_of_another_changes_it() {
        for upsert in [
            "INSERT OR REPLACE INTO lockers VALUES (3)",
            "REPLACE INTO lockers VALUES (3)",
            "INSERT INTO lockers VALUES (3) ON CONFLICT (id) DO UPDATE SET code = 'x'",
            "INSERT INTO lockers VALUES (3) ON DUPLICATE KEY UPDATE code = 'x'",
        ] {
            assert_eq!(writes(upsert).changes, names(&["lockers"]), "{upsert}");
        }
        assert!(writes("REPLACE INTO orders VALUES (3)").reaches_further(), "also in its own table");
        assert!(!writes("INSERT OR IGNORE INTO lockers VALUES (3)").reaches_further());
    }

    #[test]
    fn what_a_text_does_not_tell_is_opaque() {
        assert!(writes("EXECUTE format('DELETE FROM %I', t)").is_opaque);
        assert!(writes("PERFORM send_mail(OLD.email)").is_opaque && writes("x := send_mail(1);").is_opaque);
        assert!(!writes("PERFORM pg_notify('a', 'b')").is_opaque && !writes("PERFORM lower('a')").is_opaque);
    }

    #[test]
    fn rows_that_are_rewritten_are_told_from_rows_that_are_compared() {
        assert!(writes("BEGIN NEW.email := OLD.email; RETURN NEW; END").rewrites);
        assert!(writes("BEGIN NEW.email = OLD.email; RETURN NEW; END").rewrites);
        assert!(!writes("BEGIN IF NEW.email = OLD.email THEN RETURN NEW; END IF; END").rewrites);
        assert!(writes("UPDATE orders SET deleted = true WHERE id = OLD.id").rewrites);
        assert!(writes("DELETE FROM orders WHERE parent = OLD.id").changes.contains("orders"));
    }

    #[test]
    fn a_function_that_returns_no_row_swallows() {
        let swallows = |body: &str, when: bool, deleting: bool| swallows_by_return(&tokens(body), when, deleting);
        assert_eq!(swallows("BEGIN RETURN NULL; END", false, true), Swallows::Always);
        assert_eq!(swallows("BEGIN RETURN NULL; END", true, true), Swallows::Perhaps);
        assert_eq!(swallows("BEGIN RETURN NEW; END", false, true), Swallows::Always, "NEW is no row while one is deleted");
        assert_eq!(swallows("BEGIN RETURN NEW; END", false, false), Swallows::Never);
        assert_eq!(swallows("BEGIN RETURN OLD; END", false, true), Swallows::Never);
        assert_eq!(swallows("BEGIN RETURN COALESCE(NEW, OLD); END", false, true), Swallows::Never);
        assert_eq!(swallows("BEGIN IF OLD.paid THEN RETURN NULL; END IF; RETURN OLD; END", false, true), Swallows::Perhaps);
    }

    #[test]
    fn a_rule_instead_swallows_and_one_beside_copies() {
        let nothing = rule_effect("CREATE RULE r AS ON DELETE TO orders DO INSTEAD NOTHING;", "orders", true, false);
        assert_eq!(nothing.swallows_delete, Swallows::Always);
        let soft =
            rule_effect("CREATE RULE r AS ON DELETE TO orders DO INSTEAD UPDATE orders SET gone = true;", "orders", true, false);
        assert!(soft.rewrites && soft.swallows_delete == Swallows::Always);
        let also =
            rule_effect("CREATE RULE r AS ON DELETE TO orders DO INSERT INTO history SELECT old.id;", "orders", false, false);
        assert_eq!((also.swallows_delete, also.inserts_into), (Swallows::Never, names(&["history"])));
    }
}
