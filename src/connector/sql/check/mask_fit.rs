//! Whether one column can take one mask. Pure: no map, no database, so that planning can ask the same question.

use crate::connector::sql::{Column, Table};
use crate::datamap::{Code, HashAlgorithm, Masking, Severity};
use crate::db::Dialect;

/// Why a mask does not fit, in the words of a finding.
pub(super) struct Misfit {
    pub severity: Severity,
    pub code: Code,
    pub problem: String,
    pub why: &'static str,
    pub hint: &'static str,
}

/// What is wrong with writing this mask into this column. `truncated_to` is the map's own limit of the field.
pub(super) fn misfit(
    dialect: Dialect,
    table: &Table,
    column: &Column,
    mask: &Masking,
    truncated_to: Option<usize>,
) -> Option<Misfit> {
    if *mask == Masking::Preserve {
        return None;
    }
    let error = |code, problem: String, why, hint| Some(Misfit { severity: Severity::Error, code, problem, why, hint });
    let (name, strategy) = (&column.name, mask.name());
    if column.generated {
        return error(
            Code::MaskGeneratedColumn,
            format!("`{name}` is computed by the database and cannot be overwritten"),
            "the statement would fail and the whole erasure roll back",
            "mask the columns that it is computed from, and leave this one out",
        );
    }
    if table.primary_key.contains(name) {
        return error(
            Code::MaskKeyColumn,
            format!("`{name}` is part of the primary key, and `{strategy}` would overwrite it"),
            "rows are found and verified by their key, and other rows may point to it",
            "write `strategy: preserve`, or delete the row with `habeas: {on_erasure: delete}`",
        );
    }
    if *mask == Masking::NullRewrite {
        return null_misfit(column);
    }
    if table.foreign_keys.iter().any(|key| key.columns.contains(name)) {
        return error(
            Code::MaskKeyColumn,
            format!("`{name}` points to another table, and what `{strategy}` writes is not there"),
            "the foreign key would refuse the statement",
            "write `strategy: null_rewrite`, or `habeas: {on_erasure: unlink}` on the field",
        );
    }
    if !column.column_type.is_text_like() {
        return error(
            Code::MaskType,
            format!("`{strategy}` writes text, and `{name}` is of type {}", column.declared_type),
            "the database would refuse it, or keep a value that the application cannot read",
            "write `strategy: null_rewrite`",
        );
    }
    constant_in_unique(table, name, mask)
        .or_else(|| narrow_type(dialect, column, mask))
        .or_else(|| too_long(column, mask, truncated_to))
}

fn null_misfit(column: &Column) -> Option<Misfit> {
    column.not_null.then(|| Misfit {
        severity: Severity::Error,
        code: Code::MaskNotNull,
        problem: format!("`{}` is NOT NULL, and `null_rewrite` would clear it", column.name),
        why: "the database would refuse the statement and the whole erasure roll back",
        hint: "write `strategy: random_string_rewrite` (text), or delete the row, or drop the NOT NULL",
    })
}

fn constant_in_unique(table: &Table, column: &String, mask: &Masking) -> Option<Misfit> {
    let Masking::StringRewrite { .. } = mask else {
        return None;
    };
    let unique = table.uniques.iter().filter(|columns| columns.contains(column)).min_by_key(|columns| columns.len())?;
    Some(Misfit {
        // Other columns of a composite key may still tell the rows apart.
        severity: if unique.len() == 1 { Severity::Error } else { Severity::Warning },
        code: Code::MaskUniqueColumn,
        problem: format!("`{column}` is unique, and `string_rewrite` writes the same value into every row"),
        why: "the first erased person takes the value, and every later erasure fails",
        hint: "write `strategy: random_string_rewrite` or `null_rewrite`",
    })
}

/// An enum or a domain is text to us, and may refuse what is written.
fn narrow_type(dialect: Dialect, column: &Column, mask: &Masking) -> Option<Misfit> {
    let base = column.declared_type.split('(').next().unwrap_or_default().trim();
    let is_plain = matches!(base, "text" | "character varying" | "character" | "citext" | "name" | "\"char\"" | "public.citext");
    (dialect == Dialect::Postgres && !is_plain).then(|| Misfit {
        severity: Severity::Warning,
        code: Code::MaskType,
        problem: format!("`{}` is of type {}, which may refuse what `{}` writes", column.name, column.declared_type, mask.name()),
        why: "an enum takes its own words only, a domain what its CHECK allows",
        hint: "write `strategy: null_rewrite`, or `string_rewrite` with a value that the type knows",
    })
}

fn too_long(column: &Column, mask: &Masking, truncated_to: Option<usize>) -> Option<Misfit> {
    let written = written_length(mask).min(truncated_to.unwrap_or(usize::MAX));
    let limit = column.max_length.filter(|limit| written > *limit)?;
    Some(Misfit {
        severity: Severity::Warning,
        code: Code::MaskTooLong,
        problem: format!("`{}` writes {written} characters, and `{}` takes {limit}", mask.name(), column.name),
        why: "what is written is cut, and a cut hash or random value may repeat",
        hint: "write a shorter value, or `fides_meta: {length: ..}` on the field",
    })
}

fn written_length(mask: &Masking) -> usize {
    let with = |length: usize, suffix: &Option<String>| length + suffix.as_ref().map_or(0, |suffix| suffix.chars().count());
    match mask {
        Masking::NullRewrite | Masking::Preserve => 0,
        Masking::StringRewrite { rewrite_value, suffix } => with(rewrite_value.chars().count(), suffix),
        Masking::RandomStringRewrite { length, suffix } => with(*length, suffix),
        Masking::Hash { algorithm, suffix } | Masking::Hmac { algorithm, suffix } => match algorithm {
            HashAlgorithm::Sha256 => with(64, suffix),
            HashAlgorithm::Sha512 => with(128, suffix),
        },
    }
}
