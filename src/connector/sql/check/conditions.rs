//! `retain_when` and `where` against the types of the columns that they name. A condition that the database cannot evaluate must be
//! found before a plan, because it decides which rows are kept.

use serde_json::Value;

use super::{Live, Mapped, closest};
use crate::connector::sql::{Column, Table};
use crate::datamap::{Code, Finding, Operator, Place, Predicate, Severity};
use crate::db::Dialect;
use crate::value::ColumnType;

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for mapped in &live.collections {
        let Some(table) = mapped.table else {
            continue;
        };
        let mut conditions = Vec::new();
        for duty in &mapped.collection.retain_when {
            conditions.push((&duty.r#where, "retain_when", &mapped.collection.place));
            if let Some(until) = &duty.until {
                findings.extend(until_type(mapped, table, &until.column));
            }
        }
        let edges = live.graph.edges.iter().filter(|edge| mapped.node == Some(edge.to));
        conditions.extend(edges.filter_map(|edge| Some((edge.filter.as_ref()?, "where", &edge.place))));
        for (condition, key, place) in conditions {
            let subject = Subject { live, mapped, table, key, place };
            subject.check(condition, &mut findings);
        }
    }
    findings
}

fn until_type(mapped: &Mapped<'_>, table: &Table, name: &str) -> Option<Finding> {
    let place = &mapped.collection.place;
    let Some(column) = table.column(name) else {
        return Some(missing_column(mapped, table, "until", name, place));
    };
    if matches!(column.column_type, ColumnType::Date | ColumnType::TimestampUtc | ColumnType::TimestampLocal) {
        return None;
    }
    Some(Finding {
        severity: Severity::Error,
        code: Code::UntilType,
        write: None,
        place: Some(place.clone()),
        subject: mapped.field_name(name),
        problem: format!("`until` counts from `{name}`, which is of type {}", column.declared_type),
        why: "without a date nobody can tell when the duty to keep the row ends".into(),
        hint: "name a date or timestamp column, as in `until: \"issued_on + P7Y\"`".into(),
    })
}

fn missing_column(mapped: &Mapped<'_>, table: &Table, key: &str, name: &str, place: &Place) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::MissingColumn,
        write: None,
        place: Some(place.clone()),
        subject: mapped.field_name(name),
        problem: format!("`{key}` names the column `{name}`, which table `{}` does not have", table.name),
        why: "which rows are kept or reached could not be told".into(),
        hint: match closest(name, table.columns.iter().map(|column| column.name.as_str())) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => "name a column of the table".into(),
        },
    }
}

struct Subject<'a> {
    live: &'a Live<'a>,
    mapped: &'a Mapped<'a>,
    table: &'a Table,
    key: &'a str,
    place: &'a Place,
}

impl Subject<'_> {
    fn check(&self, condition: &Predicate, findings: &mut Vec<Finding>) {
        match condition {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().for_each(|part| self.check(part, findings)),
            Predicate::Not(inner) => self.check(inner, findings),
            Predicate::Compare { column: name, operator, value } => match self.table.column(name) {
                None => findings.push(missing_column(self.mapped, self.table, self.key, name, self.place)),
                Some(column) => findings.extend(self.compare(column, *operator, value)),
            },
        }
    }

    fn compare(&self, column: &Column, operator: Operator, value: &Value) -> Option<Finding> {
        let dialect = self.live.catalogue.dialect;
        let fits = match (operator, value) {
            (Operator::IsNull, _) => true,
            (Operator::In, Value::Array(list)) => list.iter().all(|one| value_fits(dialect, column.column_type, one)),
            (_, one) => value_fits(dialect, column.column_type, one),
        };
        (!fits).then(|| Finding {
            severity: Severity::Error,
            code: Code::ConditionType,
            write: None,
            place: Some(self.place.clone()),
            subject: self.mapped.field_name(&column.name),
            problem: format!("`{}` compares `{}` ({}) with a value of another type", self.key, column.name, column.declared_type),
            why: "the database would refuse the comparison, or answer it by its own rules of conversion".into(),
            hint: format!("write {}", example(column.column_type)),
        })
    }
}

fn value_fits(dialect: Dialect, column_type: ColumnType, value: &Value) -> bool {
    match column_type {
        // SQLite stores 0 and 1.
        ColumnType::Boolean => value.is_boolean() || (dialect == Dialect::Sqlite && matches!(value.as_i64(), Some(0 | 1))),
        ColumnType::Integer => value.is_i64() || value.is_u64() || (dialect == Dialect::Sqlite && value.is_boolean()),
        ColumnType::Decimal | ColumnType::Float => value.is_number(),
        ColumnType::Text | ColumnType::Time | ColumnType::Interval => value.is_string(),
        ColumnType::Date | ColumnType::TimestampLocal | ColumnType::TimestampUtc => value.as_str().is_some_and(is_date_or_time),
        ColumnType::Uuid => value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_ok()),
        ColumnType::Json | ColumnType::Bytes | ColumnType::Array | ColumnType::Other => false,
    }
}

fn is_date_or_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
        || text.parse::<jiff::civil::DateTime>().is_ok()
        || text.parse::<jiff::civil::Date>().is_ok()
}

fn example(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Boolean => "`true` or `false`",
        ColumnType::Integer => "a whole number without quotes",
        ColumnType::Decimal | ColumnType::Float => "a number without quotes",
        ColumnType::Text | ColumnType::Time | ColumnType::Interval => "text in quotes",
        ColumnType::Date | ColumnType::TimestampLocal | ColumnType::TimestampUtc => "a date in quotes, such as \"2024-12-31\"",
        ColumnType::Uuid => "a UUID in quotes",
        ColumnType::Json | ColumnType::Bytes | ColumnType::Array | ColumnType::Other => {
            "`{is_null: true}` or `{is_null: false}`: other comparisons do not apply to this type"
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite};
    use crate::datamap::Severity::Error;

    fn map(condition: &str, until: &str) -> String {
        format!(
            "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {{on_erasure: delete, retain_when: [{{where: {condition}, ground: art17_3_b, until: \"{until} + P7Y\"}}]}}
        fields: [{{name: id}}, {{name: email, fides_meta: {{identity: email}}}}]
"
        )
    }

    const SCHEMA: &str =
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, paid BOOLEAN, total DECIMAL(10,2), issued_on DATE,
        token UUID, doc JSON)";

    async fn errors(condition: &str, until: &str, code: &str) -> Vec<String> {
        about(&check_sqlite(&map(condition, until), SCHEMA).await, Error, code).into_iter().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn conditions_that_the_types_allow_are_fine() {
        for condition in [
            "{paid: true}",
            "{paid: 1}",
            "{total: {gt: 9.5}}",
            "{issued_on: {lt: '2024-12-31'}}",
            "{any: [{email: {in: [a, b]}}, {not: {id: 7}}]}",
            "{doc: {is_null: false}}",
            "{token: 0190d5b8-0000-7000-8000-000000000000}",
        ] {
            assert_eq!(errors(condition, "issued_on", "condition_type").await, Vec::<String>::new(), "{condition}");
        }
    }

    #[tokio::test]
    async fn a_value_of_another_type_is_an_error() {
        for (condition, column) in [
            ("{paid: 'yes'}", "paid"),
            ("{total: {gt: '9'}}", "total"),
            ("{issued_on: {lt: 2024}}", "issued_on"),
            ("{issued_on: 'last year'}", "issued_on"),
            ("{not: {email: 7}}", "email"),
            ("{id: {in: [1, '2']}}", "id"),
            ("{token: abc}", "token"),
            ("{doc: '{}'}", "doc"),
        ] {
            assert_eq!(errors(condition, "issued_on", "condition_type").await, [format!("app.users.{column}")], "{condition}");
        }
    }

    #[tokio::test]
    async fn until_counts_from_a_date_that_is_there() {
        assert_eq!(errors("{paid: true}", "total", "until_type").await, ["app.users.total"]);
        assert_eq!(errors("{paid: true}", "issued", "missing_column").await, ["app.users.issued"]);
        assert_eq!(errors("{payed: true}", "issued_on", "missing_column").await, ["app.users.payed"]);
    }
}
