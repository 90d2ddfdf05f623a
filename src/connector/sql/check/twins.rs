//! Two columns of one kind of identifier in a table of accounts: one that is never the same in two rows and tells the holder, and another, a
//! second address of theirs or that of an emergency contact. Only the map can say which (O-1); messages with a sender and a recipient, of which
//! neither tells whose record it is, are several people's anyway.

use super::{Live, Mapped};
use crate::connector::sql::Table;
use crate::datamap::{Code, Finding, IdentityField, Severity, whom};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    live.reached().flat_map(|(mapped, table)| second_names(live, mapped, table)).collect()
}

fn second_names(live: &Live<'_>, mapped: &Mapped<'_>, table: &Table) -> Vec<Finding> {
    let Some(node) = mapped.node.and_then(|node| live.graph.nodes.get(node.0)).filter(|node| node.names.is_none()) else {
        return Vec::new();
    };
    let columns = || node.identities.iter().filter(|field| field.path.is_empty());
    let tells_the_holder = |field: &&IdentityField| table.names_one_row(std::slice::from_ref(&field.column));
    let mut findings = Vec::new();
    for holder in columns().filter(tells_the_holder) {
        for second in columns().filter(|field| field.kind == holder.kind && *field != holder) {
            // Of two that both tell the holder, once is enough.
            if tells_the_holder(&second) && second.column < holder.column {
                continue;
            }
            findings.push(Finding {
                severity: Severity::Error,
                code: Code::NamesUndecided,
                place: Some(mapped.collection.field(&second.column).map_or(&mapped.collection.place, |field| &field.place).clone()),
                subject: mapped.field_name(&second.column),
                problem: format!(
                    "it names a person, `{}` in the same row names one by the same kind of identifier, and nobody has said whether they are the same",
                    holder.column
                ),
                why: whom::WHY.into(),
                hint: whom::what_to_say(&second.column),
                write: Some(whom::reference_to(node, &holder.column)),
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite};
    use crate::datamap::Severity::Error;

    fn map(habeas: &str, second: &str) -> String {
        format!(
            "
dataset:
  - fides_key: app
    collections:
      - name: accounts
        habeas: {{on_erasure: delete{habeas}}}
        fields:
          - {{name: id, fides_meta: {{primary_key: true}}}}
          - {{name: email, fides_meta: {{identity: email}}}}
          - {{name: second, {second}}}
"
        )
    }

    #[tokio::test]
    async fn o_1_a_second_column_of_a_kind_beside_the_holders_is_an_error_until_the_map_says_whose_it_is() {
        const UNIQUE: &str = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT UNIQUE, second TEXT)";
        const BOTH: &str = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT UNIQUE, second TEXT UNIQUE)";
        const NEITHER: &str = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT, second TEXT)";
        let identity = |kind: &str| format!("fides_meta: {{identity: {kind}}}");
        let reference = "fides_meta: {references: [{dataset: app, field: accounts.email, direction: from}]}, habeas: {right: none, on_erasure: unlink}";
        for (habeas, second, schema, is_wrong) in [
            ("", identity("email"), UNIQUE, true),
            ("", identity("email"), BOTH, true),
            ("", identity("email"), NEITHER, false),
            ("", identity("phone_number"), UNIQUE, false),
            ("", reference.to_owned(), UNIQUE, false),
            (", names: account", identity("email"), UNIQUE, false),
            (", names: several", identity("email"), UNIQUE, false),
        ] {
            let expected: &[&str] = if is_wrong { &["app.accounts.second"] } else { &[] };
            assert_eq!(
                about(&check_sqlite(&map(habeas, &second), schema).await, Error, "names_undecided"),
                expected,
                "{schema} {habeas} {second}"
            );
        }
    }
}
