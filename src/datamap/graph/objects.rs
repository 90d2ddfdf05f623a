//! Places of objects in the graph: which rows name which objects. They are no nodes, because nothing leads on from an object.

use super::{Graph, NodeId};
use crate::datamap::objects::{Locate, Objects};
use crate::datamap::template::Piece;
use crate::datamap::{Collection, DataMap, Dataset, MapError, OnErasure, Place};

/// Objects that rows of a collection name.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPlace {
    /// Dataset key.
    pub dataset: String,
    /// Its name in results: the collection, or `collection.field` of the column that names them.
    pub collection: String,
    /// The collection of the map that describes them: holds on it hold them, and its labels are theirs.
    pub described_in: String,
    /// The column that names them; none for a set.
    pub field: Option<String>,
    /// The configured store.
    pub source: String,
    /// The rows that name them.
    pub rows: NodeId,
    /// How they are found.
    pub locate: Locate,
    /// What erasure does to them; none where nobody has said it.
    pub on_erasure: Option<OnErasure>,
    /// They share the fate of the row that names them: deleted with it, kept with it.
    pub follows_row: bool,
    /// Where it stands.
    pub place: Place,
}

impl ObjectPlace {
    /// `dataset.collection`, for messages.
    pub fn name(&self) -> String {
        format!("{}.{}", self.dataset, self.collection)
    }
}

/// All places of a map whose rows are nodes of the graph.
pub(super) fn places(map: &DataMap, graph: &Graph) -> Vec<ObjectPlace> {
    let mut places = Vec::new();
    for dataset in &map.datasets {
        for collection in
            dataset.collections.iter().filter(|collection| !collection.skip_processing && collection.held_by.is_none())
        {
            if let Some(objects) = collection.objects.as_ref().filter(|objects| objects.rows.is_none())
                && let Some(rows) = naming_collection(objects).and_then(|name| graph.node(&dataset.fides_key, name))
            {
                places.push(ObjectPlace {
                    dataset: dataset.fides_key.clone(),
                    collection: collection.name.clone(),
                    described_in: collection.name.clone(),
                    field: None,
                    source: objects.source.clone(),
                    rows,
                    locate: objects.locate.clone(),
                    on_erasure: collection.on_erasure,
                    follows_row: false,
                    place: objects.place.clone(),
                });
            }
            places.extend(of_fields(dataset, collection, graph));
        }
    }
    places
}

fn of_fields(dataset: &Dataset, collection: &Collection, graph: &Graph) -> Vec<ObjectPlace> {
    let Some(rows) = graph.node(&dataset.fides_key, &collection.name) else { return Vec::new() };
    let named = collection.fields.iter().filter_map(|field| Some((field, field.object.as_ref()?)));
    let place = |(field, objects): (&crate::datamap::Field, &Objects)| ObjectPlace {
        dataset: dataset.fides_key.clone(),
        collection: format!("{}.{}", collection.name, field.name),
        described_in: collection.name.clone(),
        field: Some(field.name.clone()),
        source: objects.source.clone(),
        rows,
        locate: objects.locate.clone(),
        on_erasure: objects.on_erasure,
        follows_row: objects.on_erasure.is_none(),
        place: objects.place.clone(),
    };
    named.map(place).collect()
}

/// The one collection whose rows fill the template of a set of objects.
fn naming_collection(objects: &Objects) -> Option<&str> {
    objects.locate.template().collections().first().copied()
}

/// What is wrong with the names that templates use.
pub(in crate::datamap) fn mistakes(map: &DataMap) -> Vec<MapError> {
    let mut errors = Vec::new();
    for dataset in &map.datasets {
        for collection in &dataset.collections {
            if let Some(objects) = collection.objects.as_ref().filter(|objects| objects.rows.is_none()) {
                errors.extend(mistake_of_set(dataset, collection, objects));
            }
            for (field, objects) in collection.fields.iter().filter_map(|field| Some((field, field.object.as_ref()?))) {
                let what = format!("`object` of field `{}`", field.name);
                errors.extend(missing_column(collection, objects, &what));
            }
        }
    }
    errors
}

fn mistake_of_set(dataset: &Dataset, collection: &Collection, objects: &Objects) -> Option<MapError> {
    let what = format!("`objects` of collection `{}`", collection.name);
    let error = |message: String, hint: &str| Some(MapError { place: objects.place.clone(), message, hint: Some(hint.into()) });
    let nameless = objects.locate.template().pieces().iter().any(|piece| matches!(piece, Piece::Value { collection: None, .. }));
    if nameless {
        return error(format!("{what} does not say whose column a value is"), "write `{collection.column}`, such as `{users.id}`");
    }
    let mut named = objects.locate.template().collections();
    named.dedup();
    let [rows] = named.as_slice() else {
        return error(format!("{what} takes values from several collections"), "one row must fill the whole template");
    };
    let Some(rows) = dataset.collections.iter().find(|candidate| candidate.name == *rows) else {
        return error(
            format!("{what} names collection `{rows}`, which dataset `{}` does not have", dataset.fides_key),
            "the rows that name objects are in the same dataset as the objects",
        );
    };
    if rows.objects.is_some() {
        return error(format!("{what} names `{}`, which is a set of objects itself", rows.name), "rows of a table name objects");
    }
    missing_column(rows, objects, &what)
}

fn missing_column(rows: &Collection, objects: &Objects, what: &str) -> Option<MapError> {
    let missing = objects.locate.template().columns().into_iter().find(|column| rows.field(column).is_none())?;
    Some(MapError {
        place: objects.place.clone(),
        message: format!("{what} names `{}.{missing}`, a field that the map does not have", rows.name),
        hint: Some(format!("write the field under `{}`, or correct its name", rows.name)),
    })
}
