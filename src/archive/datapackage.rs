//! `datapackage.json`: the archive as a Frictionless Data Package, in which every payload file is a resource with its size and digest. A
//! column is declared with the type that all its values kept, and with no constraint that the data would break.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::bag::Entry;
use super::column::{Column, Declared};
use super::files::{INDEX_PATH, StoredFile};
use super::parts::{self, Part};
use super::table::ForeignKeySpec;
use super::written::{Written, WrittenData};
use super::{ArchiveHeader, completeness, dictionary, processing, request_json, timestamp};
use crate::value::ColumnType;

/// Path of the document: a tag file at the root of the bag.
pub(super) const PATH: &str = "datapackage.json";

/// Builds the document. `entry` tells size and digest of a payload file.
pub(super) fn build<'a>(
    header: &ArchiveHeader,
    name: &str,
    statement: &str,
    tables: &[Written],
    files: &[StoredFile],
    entry: impl Fn(&str) -> Option<&'a Entry>,
) -> Value {
    let mut resources = Vec::new();
    for table in tables {
        if let Some(data) = &table.data {
            resources.push(csv_resource(table, data, tables));
            resources.push(jsonl_resource(table, data));
        }
    }
    let mut document = |path: &str, name: &str, title: &str| {
        let Some(entry) = entry(path) else { return };
        resources.push(match path.ends_with(".csv") {
            true => {
                let fields: Vec<Value> = fields_of(path).iter().map(|field| json!({"name": field, "type": "string"})).collect();
                plain_csv_resource(path, name, title, entry, fields)
            }
            false => json!({
                "name": name, "title": title, "path": path, "type": "json", "format": "json",
                "mediatype": if path.ends_with(".jsonld") { "application/ld+json" } else { "application/json" },
                "encoding": "utf-8", "bytes": entry.bytes, "hash": hash(entry),
            }),
        });
    };
    document(completeness::PATH, "completeness", "What every source answered");
    document(dictionary::PATH, "dictionary", "What every column means");
    document(INDEX_PATH, "files", "Files and the records they belong to");
    document(processing::PATH, "processing", "What the data is used for (Art. 15 GDPR)");
    document(request_json::PATH, "request", "The request that is answered");
    document(parts::PATH, "parts", "The other parts of this archive");
    resources.extend(stored_in(1, files));
    let title = format!("Personal data held by {}", header.controller.name);
    package(header, name, &uuid_of(&header.request.id), &title, statement, &resources)
}

/// The document of a further part, which holds nothing but files.
pub(super) fn of_part(header: &ArchiveHeader, folder: &str, part: Part, files: &[StoredFile]) -> Value {
    let Part { number, of } = part;
    let id = uuid_of(&format!("{}, part {number}", header.request.id));
    let title = format!("Personal data held by {}, part {number} of {of}", header.controller.name);
    let description = format!("Files that belong to the records in part 1 of {of}.");
    package(header, folder, &id, &title, &description, &stored_in(number, files).collect::<Vec<_>>())
}

fn package(header: &ArchiveHeader, name: &str, id: &Uuid, title: &str, description: &str, resources: &[Value]) -> Value {
    json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "profile": "data-package",
        "name": name,
        "id": format!("urn:uuid:{id}"),
        "title": title,
        "description": description,
        "created": timestamp::of(header.created),
        "contributors": [{"title": header.controller.name, "role": "publisher", "roles": ["publisher"]}],
        "resources": resources,
    })
}

/// The files of a part, each once.
fn stored_in(part: u32, files: &[StoredFile]) -> impl Iterator<Item = Value> {
    let mut stored: Vec<&StoredFile> = files.iter().filter(|file| file.part == part).collect();
    stored.sort_by(|a, b| a.path.cmp(&b.path));
    stored.dedup_by(|a, b| a.path == b.path);
    stored.into_iter().enumerate().map(|(number, file)| {
        json!({
            "name": format!("file-{}", number + 1), "path": file.path, "type": "file", "mediatype": file.media_type,
            "format": file.path.rsplit('.').next(), "bytes": file.bytes, "hash": format!("sha256:{}", file.sha256),
        })
    })
}

/// A UUID for any request id: the id itself when it is one.
pub(super) fn uuid_of(request_id: &str) -> Uuid {
    Uuid::try_parse(request_id).unwrap_or_else(|_| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(request_id)[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    })
}

fn hash(entry: &Entry) -> String {
    format!("sha256:{}", entry.sha256)
}

/// `csv/<source>/<table>` or `jsonl/<source>/<table>`: unique because the path is.
fn resource_name(format: &str, data: &WrittenData) -> String {
    let place = data.csv_path["data/tables/".len()..data.csv_path.len() - ".csv".len()].to_ascii_lowercase();
    format!("{format}/{place}")
}

fn dialect() -> Value {
    json!({"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": "\"", "doubleQuote": true, "header": true, "skipInitialSpace": false})
}

fn csv_resource(table: &Written, data: &WrittenData, tables: &[Written]) -> Value {
    let mut schema = schema(table, Column::in_csv);
    if primary_key_holds(table) {
        schema["primaryKey"] = json!(names_of(table, &table.spec.primary_key));
    }
    let foreign_keys: Vec<Value> = table.spec.foreign_keys.iter().filter_map(|key| foreign_key(table, key, tables)).collect();
    if !foreign_keys.is_empty() {
        schema["foreignKeys"] = json!(foreign_keys);
    }
    let mut resource = json!({
        "name": resource_name("csv", data),
        "title": table.title(),
        "path": data.csv_path,
        "type": "table",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": data.csv.bytes,
        "hash": hash(&data.csv),
        "dialect": dialect(),
        "schema": schema,
        "x-formula-guard": "'",
        "x-null": "nothing between two commas; an empty text is \"\"",
    });
    add_counts(&mut resource, table);
    resource
}

fn jsonl_resource(table: &Written, data: &WrittenData) -> Value {
    let mut resource = json!({
        "name": resource_name("jsonl", data),
        "title": format!("{} (for programs)", table.title()),
        "path": data.jsonl_path,
        "type": "table",
        "profile": "tabular-data-resource",
        "format": "jsonl",
        "mediatype": "application/jsonl",
        "encoding": "utf-8",
        "bytes": data.jsonl.bytes,
        "hash": hash(&data.jsonl),
        "dialect": {"json": {"keyed": true}},
        "schema": schema(table, Column::in_jsonl),
    });
    add_counts(&mut resource, table);
    resource
}

fn add_counts(resource: &mut Value, table: &Written) {
    resource["description"] = json!(table.spec.description);
    if table.spec.description.is_none()
        && let Some(resource) = resource.as_object_mut()
    {
        resource.remove("description");
    }
    resource["x-source"] = json!(table.spec.source);
    resource["x-rows"] = json!(table.rows);
    resource["x-redacted-cells"] = json!(table.tally.redacted_cells);
    resource["x-withheld-rows"] = json!(completeness::withheld_rows(&table.tally.withheld));
}

fn schema(table: &Written, declared: impl Fn(&Column) -> Declared) -> Value {
    let fields: Vec<Value> = table.columns.iter().map(|column| field(column, declared(column))).collect();
    let mut schema = json!({"fields": fields, "missingValues": [""]});
    if !table.spec.foreign_keys.is_empty() {
        // What the source declares, whether or not the rows at the other end are here.
        schema["x-references"] = table
            .spec
            .foreign_keys
            .iter()
            .map(|key| json!({"fields": key.columns, "reference": {"source": key.source, "table": key.table, "fields": key.referenced}}))
            .collect();
    }
    schema
}

fn field(column: &Column, declared: Declared) -> Value {
    let mut field = json!({"name": column.name, "type": declared.type_name});
    let optional =
        [("format", declared.format), ("title", column.spec.label.as_deref()), ("description", column.spec.description.as_deref())];
    for (key, value) in optional {
        if let Some(value) = value {
            field[key] = json!(value);
        }
    }
    if column.holds_json() {
        field["x-json"] = json!(true);
    }
    if column.spec.column_type == ColumnType::Bytes {
        field["x-encoding"] = json!("base64");
    }
    field
}

/// Columns of the source, as the files name them; those that are not in the files are left out.
fn columns_of<'a>(table: &'a Written, names: &'a [String]) -> impl Iterator<Item = &'a Column> {
    names.iter().filter_map(|name| table.columns.iter().find(|column| column.spec.name == *name))
}

fn names_of<'a>(table: &'a Written, names: &'a [String]) -> Vec<&'a str> {
    columns_of(table, names).map(|column| column.name.as_str()).collect()
}

/// A reference that holds inside the archive; `None` for any other.
fn foreign_key(table: &Written, key: &ForeignKeySpec, tables: &[Written]) -> Option<Value> {
    let other = tables.iter().find(|other| other.spec.source == key.source && other.spec.table == key.table)?;
    let data = other.data.as_ref()?;
    let holds = table.keys.of(&key.columns)?.is_within(other.keys.of(&key.referenced)?);
    let same_types = columns_of(table, &key.columns).map(Column::in_csv).eq(columns_of(other, &key.referenced).map(Column::in_csv));
    (holds && same_types).then(|| {
        json!({
            "fields": names_of(table, &key.columns),
            "reference": {"resource": resource_name("csv", data), "fields": names_of(other, &key.referenced)},
        })
    })
}

/// Whether a validator will find the key whole: all its columns are here and none of its cells reads as missing.
fn primary_key_holds(table: &Written) -> bool {
    let key = &table.spec.primary_key;
    !key.is_empty()
        && columns_of(table, key).count() == key.len()
        && columns_of(table, key).all(|column| !column.has_blanks && column.nuls_replaced == 0)
}

fn fields_of(path: &str) -> &'static [&'static str] {
    match path {
        dictionary::PATH => &dictionary::COLUMNS,
        _ => &super::files::INDEX_COLUMNS,
    }
}

fn plain_csv_resource(path: &str, name: &str, title: &str, entry: &Entry, fields: Vec<Value>) -> Value {
    json!({
        "name": name, "title": title, "path": path, "type": "table", "profile": "tabular-data-resource", "format": "csv",
        "mediatype": "text/csv", "encoding": "utf-8", "bytes": entry.bytes, "hash": hash(entry), "dialect": dialect(),
        "schema": {"fields": fields, "missingValues": [""]}, "x-formula-guard": "'",
    })
}
