//! A typed predicate as a SQL condition with bound values. A condition that is NULL for a row is neither true nor false: the caller
//! says which way that falls (a hold covers it, a retention rule covers it).

use serde_json::Value;

use super::Builder;
use super::{mysql, quote};
use crate::connector::sql::{Column, Table};
use crate::datamap::{Operator, Predicate, Until};
use crate::db::{Arg, Dialect};
use crate::value::ColumnType;

/// Appends the condition in brackets. A column that the table lacks is an error text for the plan.
pub fn condition(
    builder: &mut Builder,
    predicate: &Predicate,
    table: &Table,
    alias: &str,
    dialect: Dialect,
) -> Result<String, String> {
    match predicate {
        Predicate::All(parts) => joined(builder, parts, table, alias, dialect, " AND ", true),
        Predicate::Any(parts) => joined(builder, parts, table, alias, dialect, " OR ", false),
        Predicate::Not(inner) => Ok(format!("(NOT {})", condition(builder, inner, table, alias, dialect)?)),
        Predicate::Compare { column, operator, value } => {
            let live = table.column(column).ok_or_else(|| format!("`{}` has no column `{column}`", table.name.name))?;
            comparison(builder, live, *operator, value, alias, dialect)
        }
    }
}

fn joined(
    builder: &mut Builder,
    parts: &[Predicate],
    table: &Table,
    alias: &str,
    dialect: Dialect,
    glue: &str,
    empty: bool,
) -> Result<String, String> {
    if parts.is_empty() {
        return Ok(if empty { "(1 = 1)" } else { "(1 = 0)" }.to_owned());
    }
    let texts = parts.iter().map(|part| condition(builder, part, table, alias, dialect)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("({})", texts.join(glue)))
}

fn comparison(
    builder: &mut Builder,
    live: &Column,
    operator: Operator,
    value: &Value,
    alias: &str,
    dialect: Dialect,
) -> Result<String, String> {
    let left = quote::column(alias, &live.name);
    let symbol = match operator {
        Operator::Eq => "=",
        Operator::Ne => "<>",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Gt => ">",
        Operator::Ge => ">=",
        Operator::IsNull => {
            let wanted = value.as_bool().unwrap_or(true);
            let is_null = quote::is_null(&left, dialect);
            return Ok(if wanted { format!("({is_null})") } else { format!("(NOT ({is_null}))") });
        }
        Operator::In => {
            let left = if dialect == Dialect::MySql { mysql::compared(live, &left) } else { left };
            let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
            if list.is_empty() {
                return Ok("(1 = 0)".to_owned());
            }
            let places = list.iter().map(|item| operand(builder, live, item, dialect)).collect::<Result<Vec<_>, _>>()?;
            return Ok(format!("({left} IN ({}))", places.join(", ")));
        }
    };
    let right = operand(builder, live, value, dialect)?;
    match dialect {
        // The first comparison can use an index, the second decides.
        Dialect::MySql if operator == Operator::Eq && live.column_type.is_text_like() => {
            let found = builder.bind(value.as_str());
            Ok(format!("({left} = {found} AND {} = {right})", mysql::compared(live, &left)))
        }
        Dialect::MySql => Ok(format!("({} {symbol} {right})", mysql::compared(live, &left))),
        Dialect::Sqlite | Dialect::Postgres => Ok(format!("({left} {symbol} {right})")),
    }
}

fn operand(builder: &mut Builder, live: &Column, value: &Value, dialect: Dialect) -> Result<String, String> {
    match dialect {
        Dialect::Postgres => {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => return Err(format!("`{}` is compared with something that is not a plain value", live.name)),
            };
            let place = builder.bind(text);
            Ok(format!("{place}::text::{}", live.declared_type))
        }
        Dialect::Sqlite => Ok(builder.bind(sqlite_arg(live, value)?)),
        Dialect::MySql => mysql::operand(builder, live, value),
    }
}

pub(super) fn sqlite_arg(live: &Column, value: &Value) -> Result<Arg, String> {
    match value {
        Value::String(text) => Ok(Arg::from(text.as_str())),
        Value::Bool(flag) => Ok(Arg::from(*flag)),
        Value::Number(number) if number.is_f64() => Ok(Arg::Real(number.as_f64())),
        Value::Number(number) => Ok(Arg::Int(number.as_i64())),
        _ => Err(format!("`{}` is compared with something that is not a plain value", live.name)),
    }
}

/// The day on which a retention duty ends, as an expression of ISO text; NULL when the column is NULL or no date.
pub fn until_day(until: &Until, table: &Table, alias: &str, dialect: Dialect) -> Result<String, String> {
    let live = table.column(&until.column).ok_or_else(|| format!("`{}` has no column `{}`", table.name.name, until.column))?;
    let column = quote::column(alias, &live.name);
    match dialect {
        Dialect::Postgres => {
            if !matches!(live.column_type, ColumnType::Date | ColumnType::TimestampLocal | ColumnType::TimestampUtc) {
                return Err(format!("`until` needs a date, `{}` is {}", live.name, live.declared_type));
            }
            Ok(format!(
                "to_char({column} + make_interval(years => {}, months => {}, days => {}), 'YYYY-MM-DD')",
                until.years, until.months, until.days
            ))
        }
        // A date of zeros has no end either.
        Dialect::MySql => Ok(format!(
            "DATE_FORMAT({column} + INTERVAL {} YEAR + INTERVAL {} MONTH + INTERVAL {} DAY, '%Y-%m-%d')",
            until.years, until.months, until.days
        )),
        Dialect::Sqlite => {
            Ok(format!("date({column}, '+{} years', '+{} months', '+{} days')", until.years, until.months, until.days))
        }
    }
}
