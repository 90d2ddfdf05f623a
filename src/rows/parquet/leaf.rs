//! Which columns of a file the fields are, and what is looked for in each. A field's path is either the column's own or the one that a
//! reader of the data sees, without the groups that lists and maps are wrapped in.

use std::collections::HashMap;

use parquet::basic::{ConvertedType, LogicalType, Repetition};
use parquet::schema::types::{SchemaDescriptor, Type};

use super::super::matcher::{Field, Matcher};
use super::super::{RowsError, number};
use super::kind::{Kind, unscaled, uuid_text};

/// A column that holds identifiers.
pub(super) struct Leaf<'m> {
    /// Its place among the columns.
    pub(super) column: usize,
    pub(super) field: &'m Field,
    pub(super) kind: Kind,
    /// For columns of whole numbers: what is looked for, by the bits as they are stored.
    pub(super) integers: HashMap<i64, usize>,
}

/// The columns of all fields.
pub(super) fn leaves<'m>(schema: &SchemaDescriptor, matcher: &'m Matcher) -> Result<Vec<Leaf<'m>>, RowsError> {
    let mut seen_as = Vec::new();
    for field in schema.root_schema().get_fields() {
        logical_paths(field, &[], &mut seen_as);
    }
    let mut leaves = Vec::new();
    for field in matcher.fields() {
        let before = leaves.len();
        for (number, column) in schema.columns().iter().enumerate() {
            if column.path().parts() != field.path() && seen_as.get(number).is_none_or(|path| path != field.path()) {
                continue;
            }
            let kind = Kind::of(column);
            if !kind.is_comparable() {
                return Err(RowsError::NotComparable { field: field.name(), found: format!("{kind:?}").to_lowercase() });
            }
            leaves.push(Leaf { column: number, field, kind, integers: integers(field, kind) });
        }
        if leaves.len() == before {
            return Err(RowsError::NoSuchField { field: field.name() });
        }
    }
    Ok(leaves)
}

fn integers(field: &Field, kind: Kind) -> HashMap<i64, usize> {
    let stored = |text: &str| match kind {
        Kind::Signed => text.parse::<i64>().ok(),
        Kind::Unsigned => text.parse::<u64>().ok().map(u64::cast_signed),
        _ => None,
    };
    field.numbers().filter_map(|(number, subject)| Some((stored(std::str::from_utf8(number).ok()?)?, subject))).collect()
}

impl Leaf<'_> {
    /// Whose a whole number is, or a decimal that is stored as one. `value` has the sign or not, as the column says.
    pub(super) fn integer(&self, value: i64) -> Option<usize> {
        match self.kind {
            Kind::Decimal(scale) => self.decimal(i128::from(value), scale),
            _ => self.integers.get(&value).copied(),
        }
    }

    pub(super) fn boolean(&self, value: bool) -> Option<usize> {
        self.field.text(if value { b"true" } else { b"false" })
    }

    /// A float by its shortest decimal text.
    pub(super) fn float(&self, text: &str) -> Option<usize> {
        self.field.number(text.as_bytes())
    }

    pub(super) fn bytes(&self, bytes: &[u8]) -> Option<usize> {
        match self.kind {
            Kind::Uuid => self.field.text(uuid_text(bytes).as_bytes()),
            Kind::Decimal(scale) => self.decimal(unscaled(bytes)?, scale),
            _ => self.field.text(bytes),
        }
    }

    fn decimal(&self, unscaled: i128, scale: i32) -> Option<usize> {
        let text = format!("{unscaled}e{}", -i64::from(scale));
        self.field.number(number::canonical(text.as_bytes())?.as_ref())
    }
}

/// The element of a list, past the groups that it is wrapped in (the rules of the format for old writers included).
pub(super) fn list_element(list: &Type) -> Option<(&Type, bool)> {
    let [repeated] = list.get_fields() else { return None };
    if repeated.get_basic_info().repetition() != Repetition::REPEATED {
        return None;
    }
    if repeated.is_primitive() {
        return Some((repeated, false));
    }
    let is_element =
        repeated.get_fields().len() != 1 || repeated.name() == "array" || repeated.name() == format!("{}_tuple", list.name());
    if is_element { Some((repeated, false)) } else { Some((repeated.get_fields().first()?.as_ref(), true)) }
}

/// Whether a group is annotated as a list.
pub(super) fn is_list(group: &Type) -> bool {
    let info = group.get_basic_info();
    group.is_group() && (info.logical_type_ref() == Some(&LogicalType::List) || info.converted_type() == ConvertedType::LIST)
}

/// Whether a group is annotated as a map.
pub(super) fn is_map(group: &Type) -> bool {
    let info = group.get_basic_info();
    group.is_group()
        && (info.logical_type_ref() == Some(&LogicalType::Map)
            || matches!(info.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE))
}

/// The paths of all columns as a reader of the data sees them, in their order.
fn logical_paths(node: &Type, above: &[String], paths: &mut Vec<Vec<String>>) {
    let path = [above, &[node.name().to_owned()]].concat();
    below(node, &path, paths);
}

fn below(node: &Type, path: &[String], paths: &mut Vec<Vec<String>>) {
    if node.is_primitive() {
        paths.push(path.to_vec());
        return;
    }
    if is_list(node)
        && let Some((element, _)) = list_element(node)
    {
        return below(element, path, paths);
    }
    if is_map(node)
        && let [pairs] = node.get_fields()
        && pairs.is_group()
    {
        pairs.get_fields().iter().for_each(|part| logical_paths(part, path, paths));
        return;
    }
    node.get_fields().iter().for_each(|child| logical_paths(child, path, paths));
}
