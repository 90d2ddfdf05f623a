//! A found row as cells of its table: those fields that the map names, that were asked for and that are not withheld, as they are stored. What
//! the map does not mention is not handed over and is named as not covered, as with columns of tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Selection;
use super::inside::{Inside, LeftOut};
use crate::archive::{ColumnSpec, TableSpec, Withheld};
use crate::connector::objects::ObjectKey;
use crate::datamap::{Collection, Dataset, RowFormat, RowPlace, Withhold};
use crate::rows::{Content, Found};
use crate::value::{Cell, ColumnType};

/// The cells of a row, or why it could not be carried over, with its place.
pub(super) type Made = Result<Vec<Cell<'static>>, String>;

/// What rows of one place become.
#[derive(Clone)]
pub(super) struct RowShape {
    fields: Vec<(String, Option<Inside>)>,
    /// Fields that are left out, with the reason.
    pub(super) withheld: Vec<(String, Withhold)>,
    /// All fields that the map names.
    mapped: BTreeSet<String>,
    is_text: bool,
}

/// What was counted while rows were made into cells.
#[derive(Default)]
pub(super) struct Gathered {
    /// Rows found.
    pub(super) found: u64,
    /// What was cut out inside fields.
    pub(super) left_out: LeftOut,
    /// Fields of the rows that the map does not mention.
    pub(super) not_covered: BTreeSet<String>,
}

/// Names of such fields that are kept for the account; rows of free shape may have any number.
const MOST_NOT_COVERED: usize = 100;

impl RowShape {
    pub(super) fn of(place: &RowPlace, collection: &Collection, selection: &Selection) -> RowShape {
        let taken = || collection.fields.iter().filter(|field| selection.takes(collection, field));
        RowShape {
            fields: taken()
                .filter(|field| field.withhold.is_none())
                .map(|field| (field.name.clone(), Inside::of(collection, field, selection)))
                .collect(),
            withheld: taken().filter_map(|field| Some((field.name.clone(), field.withhold?))).collect(),
            mapped: collection.fields.iter().map(|field| field.name.clone()).collect(),
            is_text: matches!(place.format, RowFormat::Csv { .. }),
        }
    }

    /// Why no row is handed over though they were asked for: every field is withheld.
    pub(super) fn why_nothing(&self, selection: &Selection) -> Option<Withheld> {
        let is_nothing = self.fields.is_empty() && selection.is_everything();
        is_nothing.then(|| Withheld {
            count: 0,
            reason_code: "credential".into(),
            legal_ref: None,
            text: "Every field of these records is withheld; the dictionary of the data map names the reason.".into(),
        })
    }

    pub(super) fn table_spec(&self, place: &RowPlace, dataset: &Dataset, collection: &Collection) -> TableSpec {
        let described = |name: &str, kind: ColumnType, words: &str| {
            let mut column = ColumnSpec::new(name, kind);
            column.description = Some(words.to_owned());
            column
        };
        let mut columns = vec![
            described("object", ColumnType::Text, "The name of the object that holds the row."),
            described("row", ColumnType::Integer, "Which row of it, from 1."),
        ];
        let kind = if self.is_text { ColumnType::Text } else { ColumnType::Json };
        columns.extend(self.fields.iter().map(|(name, _)| {
            let mut column = ColumnSpec::new(name, kind);
            if let Some(field) = collection.field(name) {
                column.description = field.description.clone();
                column.categories = field.data_categories.clone();
            }
            column
        }));
        let mut spec = TableSpec::new(&place.source, &place.collection, columns);
        let looked_at = format!("Rows in {} objects as they are now; older versions were not looked at.", place.format);
        spec.description = Some(match &collection.description {
            Some(words) => format!("{words} {looked_at}"),
            None => looked_at,
        });
        spec.purpose = collection.purpose.clone();
        spec.legal_basis = collection.legal_basis.clone();
        spec.categories = collection.data_categories.clone();
        spec.recipients = collection.recipients.clone();
        spec.origin = collection.provided;
        spec.role = dataset.role;
        spec
    }

    /// The cells of a row. One that fails counts nothing as left out: nothing of it is handed over.
    pub(super) fn cells(&self, key: &ObjectKey, found: &Found<'_>, gathered: &mut Gathered) -> Made {
        let mut left_out = LeftOut::default();
        let mut not_covered = BTreeSet::new();
        let cells = self.parts(key, found, &mut left_out, &mut not_covered);
        let cells = cells.map_err(|problem| format!("row {} of an object: {problem}", found.row))?;
        gathered.left_out.add(left_out);
        let room = MOST_NOT_COVERED.saturating_sub(gathered.not_covered.len());
        gathered.not_covered.extend(not_covered.into_iter().take(room));
        Ok(cells)
    }

    fn parts(
        &self,
        key: &ObjectKey,
        found: &Found<'_>,
        left_out: &mut LeftOut,
        not_covered: &mut BTreeSet<String>,
    ) -> Result<Vec<Cell<'static>>, String> {
        let mut members = match &found.content {
            Content::Json(text) => members_of(text)?,
            Content::Cells { names, cells } => cells_of(names, cells)?,
        };
        let mut row = vec![
            match key.text() {
                Some(text) => Cell::Text(text.to_owned().into()),
                None => Cell::Bytes(key.bytes().to_vec().into()),
            },
            Cell::Number(found.row.to_string().into()),
        ];
        for (name, inside) in &self.fields {
            let cell = members.remove(name).unwrap_or(Cell::Null);
            row.push(match inside {
                None => cell,
                Some(inside) => inside.apply(cell, left_out).map_err(|problem| format!("field `{name}`: {problem}"))?,
            });
        }
        not_covered.extend(members.into_keys().filter(|name| !self.mapped.contains(name)));
        Ok(row)
    }
}

/// The members of a JSON object, each as it is written.
fn members_of(text: &str) -> Result<BTreeMap<String, Cell<'static>>, String> {
    let mut read = serde_json::Deserializer::from_str(text);
    let members = read.deserialize_map(Members).map_err(|_| "it is no JSON object".to_owned())?;
    let mut cells = BTreeMap::new();
    for (name, value) in members {
        if cells.insert(name, Cell::Json(Box::<str>::from(value).into_string().into())).is_some() {
            return Err("a field comes twice in it".to_owned());
        }
    }
    Ok(cells)
}

fn cells_of(names: &[String], cells: &[std::borrow::Cow<'_, [u8]>]) -> Result<BTreeMap<String, Cell<'static>>, String> {
    let mut all = BTreeMap::new();
    for (name, cell) in names.iter().zip(cells) {
        let text = std::str::from_utf8(cell).map_err(|_| format!("column `{name}` holds bytes that are not UTF-8"))?;
        if all.insert(name.clone(), Cell::Text(text.to_owned().into())).is_some() {
            return Err(format!("two columns are called `{name}`"));
        }
    }
    Ok(all)
}

/// Reads an object without losing what comes twice.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(entry) = map.next_entry::<String, Box<RawValue>>()? {
            members.push(entry);
        }
        Ok(members)
    }
}
