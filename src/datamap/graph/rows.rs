//! Places of rows inside objects: where the objects lie, and which fields say whose a row is. They are no nodes, because nothing leads on from
//! such a row: what is looked for in its fields comes from the request and from rows of tables.

use super::build::fields_with_paths;
use super::{Graph, NodeId};
use crate::datamap::objects::{Locate, Objects};
use crate::datamap::{Collection, DataMap, Dataset, Field, MapError, OnErasure, Place, Right, RowFormat};
use crate::subject::NormalForm;

/// Objects that hold rows of many people.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPlace {
    /// Dataset key.
    pub dataset: String,
    /// The collection.
    pub collection: String,
    /// The configured store.
    pub source: String,
    /// How rows stand in an object.
    pub format: RowFormat,
    /// What keys of its objects begin with, or the one key.
    pub at: String,
    /// Whether [`RowPlace::at`] is the whole key of a single object.
    pub is_single: bool,
    /// The fields that say whose a row is; never none in a checked map.
    pub names: Vec<NamingField>,
    /// What erasure does to the rows; none where nobody has said it.
    pub on_erasure: Option<OnErasure>,
    /// Where it stands.
    pub place: Place,
}

/// A field that says whose a row is.
#[derive(Debug, Clone, PartialEq)]
pub struct NamingField {
    /// The names that lead to it.
    pub path: Vec<String>,
    /// How values are made comparable (I-1).
    pub form: NormalForm,
    /// What stands in it.
    pub by: NamedBy,
}

/// What stands in a naming field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedBy {
    /// An identifier of this kind.
    Identity(String),
    /// What stands in a column of a person's own rows.
    Rows {
        /// Whose rows.
        node: NodeId,
        /// The column.
        column: String,
    },
}

impl RowPlace {
    /// `dataset.collection`, for messages.
    pub fn name(&self) -> String {
        format!("{}.{}", self.dataset, self.collection)
    }

    /// Whether an object of this key is one of them.
    pub fn has_key(&self, key: &[u8]) -> bool {
        if self.is_single { key == self.at.as_bytes() } else { key.starts_with(self.at.as_bytes()) }
    }

    /// Whether rows may be found by what a person with these reachable collections has: an identity, or rows that name them.
    pub fn is_reached(&self, reached: &[bool], kinds: Option<&[&str]>) -> bool {
        self.names.iter().any(|field| match &field.by {
            NamedBy::Identity(kind) => kinds.is_none_or(|kinds| kinds.contains(&kind.as_str())),
            NamedBy::Rows { node, .. } => reached[node.0],
        })
    }

    /// In a few words, for people.
    pub fn located(&self) -> String {
        format!("{} rows, {} {}", self.format, if self.is_single { "key" } else { "prefix" }, self.at)
    }
}

impl NamingField {
    /// Its path with dots.
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

/// All places of a map.
pub(super) fn places(map: &DataMap, graph: &Graph) -> Vec<RowPlace> {
    let place = |(dataset, collection, objects, format): (&Dataset, &Collection, &Objects, RowFormat)| RowPlace {
        dataset: dataset.fides_key.clone(),
        collection: collection.name.clone(),
        source: objects.source.clone(),
        format,
        at: objects.locate.template().lead().to_owned(),
        is_single: matches!(objects.locate, Locate::Key(_)),
        names: naming_fields(collection).into_iter().flat_map(|(path, field)| names_of(graph, &path, field)).collect(),
        on_erasure: collection.on_erasure,
        place: objects.place.clone(),
    };
    row_sets(map).map(place).collect()
}

/// A field may be an identity and refer to rows as well: both say whose a row is.
fn names_of(graph: &Graph, path: &[String], field: &Field) -> Vec<NamingField> {
    let identity = field.identity.iter().map(|kind| NamedBy::Identity(kind.clone()));
    let rows = references(field).filter_map(|reference| {
        let node = graph.node(&reference.dataset, &reference.collection)?;
        Some(NamedBy::Rows { node, column: reference.field.clone() })
    });
    identity.chain(rows).map(|by| NamingField { path: path.to_vec(), form: field.normal_form, by }).collect()
}

fn references(field: &Field) -> impl Iterator<Item = &crate::datamap::Reference> {
    field.references.iter().filter(|reference| reference.words.right != Some(Right::None))
}

fn naming_fields(collection: &Collection) -> Vec<(Vec<String>, &Field)> {
    let says_whose = |field: &Field| field.identity.is_some() || references(field).next().is_some();
    fields_with_paths(&collection.fields).into_iter().filter(|(_, field)| says_whose(field)).collect()
}

/// Collections whose objects hold rows.
fn row_sets(map: &DataMap) -> impl Iterator<Item = (&Dataset, &Collection, &Objects, RowFormat)> {
    let all = map.datasets.iter().flat_map(|dataset| dataset.collections.iter().map(move |collection| (dataset, collection)));
    all.filter(|(_, collection)| !collection.skip_processing && collection.held_by.is_none()).filter_map(|(dataset, collection)| {
        let objects = collection.objects.as_ref()?;
        Some((dataset, collection, objects, objects.rows?))
    })
}

/// What a map says of such sets that cannot be carried out, or that says nothing of whose the rows are.
pub(in crate::datamap) fn mistakes(map: &DataMap) -> Vec<MapError> {
    let mut errors = Vec::new();
    for (_, collection, objects, format) in row_sets(map) {
        let what = format!("`objects` of collection `{}`", collection.name);
        if naming_fields(collection).is_empty() {
            errors.push(error(
                &objects.place,
                format!("{what} has a `format`, and no field says whose a row is"),
                "give a field `fides_meta: {identity: email}`, or `references` to what stands in people's own rows",
            ));
        }
        if let Some(duty) = collection.retain_when.first() {
            let hint = "keep the whole set (`on_erasure: keep`), or keep what the law wants in a place of its own";
            let until = duty.law.as_deref().map(|law| format!(" ({law})")).unwrap_or_default();
            errors.push(error(
                &collection.place,
                format!("`retain_when`{until} of collection `{}` asks something of rows inside objects", collection.name),
                hint,
            ));
        }
        for (path, field) in fields_with_paths(&collection.fields) {
            errors.extend(mistake_of_field(&path, field, format));
        }
    }
    errors
}

fn mistake_of_field(path: &[String], field: &Field, format: RowFormat) -> Option<MapError> {
    let name = path.join(".");
    let wrong = |message: String, hint: &str| Some(error(&field.place, message, hint));
    if matches!(format, RowFormat::Csv { .. }) && !field.fields.is_empty() {
        return wrong(
            format!("field `{name}` has sub-fields, and a cell of CSV has none"),
            "write the column's name as it stands in the header",
        );
    }
    if field.object.is_some() {
        return wrong(
            format!("field `{name}` names an object, and stands in a row inside an object itself"),
            "objects are named by rows of tables",
        );
    }
    if field.is_overwritten() {
        return wrong(
            format!("field `{name}` is to be overwritten, and rows inside objects are only deleted or kept"),
            "write `habeas: {on_erasure: delete}` on the collection",
        );
    }
    let said = |words: &crate::datamap::EdgeWords| {
        words.right == Some(Right::Accesses)
            || words.unlink
            || !words.hide.is_empty()
            || !words.edges.is_empty()
            || words.r#where.is_some()
    };
    if field.references.iter().any(|reference| said(&reference.words)) {
        return wrong(
            format!("field `{name}` says more of its `references` than rows inside objects can keep to"),
            "such a row is a person's own if all that its fields name is theirs; `right: none` leaves a field out of this",
        );
    }
    None
}

fn error(place: &Place, message: String, hint: &str) -> MapError {
    MapError { place: place.clone(), message, hint: Some(hint.into()) }
}
