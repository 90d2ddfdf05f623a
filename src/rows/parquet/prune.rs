//! Whether a column chunk can hold anything that is looked for, by what the file says about it: smallest and largest value, bloom filter.
//! "Maybe" costs time; a wrong "no" would leave a row behind. So statistics of the old, undefined order are not believed, and whoever
//! verifies looks at everything instead.

use parquet::basic::Type;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use super::super::RowsError;
use super::damage::unreadable;
use super::kind::Kind;
use super::leaf::Leaf;
use super::ranged::Ranged;

/// Whether a chunk can hold an identifier that is looked for.
pub(super) fn can_match(
    leaf: &Leaf<'_>,
    chunk: &ColumnChunkMetaData,
    orders_known: bool,
    source: &Ranged,
) -> Result<bool, RowsError> {
    if let Some(statistics) = chunk.statistics() {
        let believed = orders_known && !statistics.is_min_max_deprecated();
        if believed && lies_outside(leaf, statistics) {
            return Ok(false);
        }
    }
    if !has_exact_values(leaf) {
        return Ok(true);
    }
    let filter = Sbbf::read_from_column_chunk(chunk, source).map_err(unreadable("read (a bloom filter)"))?;
    Ok(filter.is_none_or(|filter| any_in(leaf, chunk.column_type(), &filter)))
}

/// Whether what is looked for can be written as values of the column.
fn has_exact_values(leaf: &Leaf<'_>) -> bool {
    match leaf.kind {
        Kind::Signed | Kind::Unsigned => true,
        Kind::Text | Kind::Bytes => leaf.field.exact_texts().is_some(),
        _ => false,
    }
}

fn lies_outside(leaf: &Leaf<'_>, statistics: &Statistics) -> bool {
    let between = |smallest: i64, largest: i64| {
        let inside = |value: i64| match leaf.kind {
            Kind::Unsigned => (smallest.cast_unsigned()..=largest.cast_unsigned()).contains(&value.cast_unsigned()),
            _ => (smallest..=largest).contains(&value),
        };
        leaf.integers.keys().any(|value| inside(*value))
    };
    // An unsigned number of 32 bits is stored in a signed one.
    let widened = |value: i32| if leaf.kind == Kind::Unsigned { i64::from(value.cast_unsigned()) } else { i64::from(value) };
    match (leaf.kind, statistics) {
        (Kind::Signed | Kind::Unsigned, Statistics::Int32(values)) => match (values.min_opt(), values.max_opt()) {
            (Some(smallest), Some(largest)) => !between(widened(*smallest), widened(*largest)),
            _ => false,
        },
        (Kind::Signed | Kind::Unsigned, Statistics::Int64(values)) => match (values.min_opt(), values.max_opt()) {
            (Some(smallest), Some(largest)) => !between(*smallest, *largest),
            _ => false,
        },
        (Kind::Text | Kind::Bytes, Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_)) => {
            let (Some(mut texts), Some(smallest), Some(largest)) =
                (leaf.field.exact_texts(), statistics.min_bytes_opt(), statistics.max_bytes_opt())
            else {
                return false;
            };
            !texts.any(|(text, _)| (smallest..=largest).contains(&text))
        }
        _ => false,
    }
}

fn any_in(leaf: &Leaf<'_>, stored_as: Type, filter: &Sbbf) -> bool {
    match (leaf.kind, stored_as) {
        // The low half is what is stored, whatever the sign means.
        (Kind::Signed | Kind::Unsigned, Type::INT32) => leaf.integers.keys().any(|value| filter.check(&(*value as i32))),
        (Kind::Signed | Kind::Unsigned, _) => leaf.integers.keys().any(|value| filter.check(value)),
        _ => leaf.field.exact_texts().is_none_or(|mut texts| texts.any(|(text, _)| filter.check(text))),
    }
}
