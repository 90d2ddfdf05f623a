//! Reads Fideslang datasets: collections, fields, labels, identities and references, in the keys that users of Fides already have
//! (`fidesops_meta` is the older spelling of `fides_meta`). Keys that only matter to Fides' own running are accepted and passed over.
//! What stands under `habeas:` is read in `extension.rs`; whether names point at something that exists is asked in `check.rs`.

use super::extension::Declares;
use super::reader::{Keys, Object, Reader};
use super::tree::{Node, Value};
use super::{Collection, Dataset, Direction, EdgeWords, Field, Record, Reference, Transfer};

const META: [&str; 2] = ["fides_meta", "fidesops_meta"];

const DATASET: Keys = Keys {
    known: &[
        "fides_key",
        "organization_fides_key",
        "name",
        "description",
        "tags",
        "meta",
        "data_categories",
        "data_purposes",
        "data_subjects",
        "data_uses",
        "retention",
        "third_country_transfers",
        "fides_meta",
        "fidesops_meta",
        "collections",
        "habeas",
    ],
    elsewhere: &[("fides_meta", DATASET_META.known), ("habeas", super::extension::DATASET.known)],
};
const DATASET_META: Keys = Keys { known: &["resource_id", "after", "namespace", "redact"], elsewhere: &[] };

/// Keys of collections and of fields alike.
const DESCRIBED: [&str; 10] = [
    "name",
    "description",
    "data_categories",
    "data_purposes",
    "data_subjects",
    "data_uses",
    "fields",
    "fides_meta",
    "fidesops_meta",
    "habeas",
];
const COLLECTION: Keys =
    Keys { known: &DESCRIBED, elsewhere: &[("fides_meta", COLLECTION_META.known), ("habeas", super::extension::COLLECTION.known)] };
const COLLECTION_META: Keys = Keys {
    known: &["after", "erase_after", "skip_processing", "masking_strategy_override", "partitioning", "redact"],
    elsewhere: &[("habeas", super::extension::COLLECTION.known)],
};
const COLLECTION_OVERRIDE: Keys = Keys { known: &["strategy", "configuration"], elsewhere: &[] };

const FIELD: Keys =
    Keys { known: &DESCRIBED, elsewhere: &[("fides_meta", FIELD_META.known), ("habeas", super::extension::FIELD.known)] };
const FIELD_META: Keys = Keys {
    known: &[
        "identity",
        "references",
        "primary_key",
        "data_type",
        "length",
        "return_all_elements",
        "read_only",
        "custom_request_field",
        "masking_strategy_override",
        "redact",
    ],
    elsewhere: &[("habeas", super::extension::FIELD.known)],
};
const REFERENCE: Keys = Keys { known: &["dataset", "field", "direction"], elsewhere: &[] };

const DIRECTIONS: [(&str, Direction); 2] = [("from", Direction::From), ("to", Direction::To)];
const DATA_TYPES: [&str; 6] = ["string", "integer", "float", "boolean", "object_id", "object"];

/// How deep a field stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Column,
    SubField,
}

impl Reader {
    /// One dataset.
    pub(super) fn dataset(&mut self, node: &Node) -> Option<Dataset> {
        let what = self.called("dataset", node, &["fides_key"]);
        let object = self.object(node, &what, &DATASET)?;
        let fides_key = self.required_fides_key(object, "fides_key");
        let name = self.text(object, "name");
        let description = self.text(object, "description");
        // Fides never reads labels of a whole dataset for requests; they are checked and then left as documentation.
        self.categories(object);
        let schema = self.meta(object, &what, &DATASET_META).and_then(|meta| self.schema(meta));
        let retention = self.text(object, "retention");
        let countries = self.texts_with_lines(object, "third_country_transfers");
        let mut habeas = self.dataset_extension(object, &what);
        if habeas.record.transfers.is_none() && !countries.is_empty() {
            let transfer = |(to, line): (String, u32)| Transfer { to, recipient: None, safeguard: None, place: self.place(line) };
            habeas.record.transfers = Some(countries.into_iter().map(transfer).collect());
        }
        if object.get("collections").is_none() {
            self.error(object.line, format!("{what} has no `collections`"), None);
        }
        let mut collections: Vec<Collection> =
            self.list(object, "collections").iter().filter_map(|collection| self.collection(collection)).collect();
        collections.sort_by(|left, right| left.name.cmp(&right.name));
        Some(Dataset {
            fides_key: fides_key?,
            name,
            description,
            schema,
            source: habeas.source,
            role: habeas.role,
            record: habeas.record,
            on_behalf_of: habeas.on_behalf_of,
            retention,
            accept: habeas.accept,
            collections,
            place: self.place(object.line),
        })
    }

    fn schema(&mut self, meta: Object<'_>) -> Option<String> {
        let node = meta.get("namespace")?;
        // Other databases put other words here, so its keys are free.
        let namespace = self.free_object(node, "`namespace`")?;
        self.text(namespace, "schema")
    }

    fn collection(&mut self, node: &Node) -> Option<Collection> {
        let what = self.called("collection", node, &["name"]);
        let object = self.object(node, &what, &COLLECTION)?;
        let name = self.required_text(object, "name");
        let description = self.text(object, "description");
        let data_categories = self.categories(object);
        let mut collection = Collection {
            name: String::new(),
            description,
            data_categories,
            fields: Vec::new(),
            skip_processing: false,
            erase_after: Vec::new(),
            delete_override: false,
            on_erasure: None,
            names: None,
            knowingly_undecided: false,
            purpose: None,
            legal_basis: None,
            provided: None,
            recipients: Vec::new(),
            retention: None,
            record: Record::default(),
            retain_when: Vec::new(),
            controlled_by: None,
            held_by: None,
            note: None,
            accept: Vec::new(),
            triggers: Vec::new(),
            objects: None,
            place: self.place(object.line),
        };
        if let Some(meta) = self.meta(object, &what, &COLLECTION_META) {
            collection.skip_processing = self.flag(meta, "skip_processing");
            collection.erase_after = self.texts(meta, "erase_after");
            collection.delete_override = self.delete_override(meta);
        }
        self.collection_extension(object, &what, &mut collection);
        if object.get("fields").is_none() && collection.objects.is_none() {
            self.error(object.line, format!("{what} has no `fields`"), None);
        }
        collection.fields = self.fields(object, Level::Column);
        collection.name = name?;
        Some(collection)
    }

    fn delete_override(&mut self, meta: Object<'_>) -> bool {
        let Some(node) = meta.get("masking_strategy_override") else { return false };
        let Some(object) = self.object(node, "`masking_strategy_override`", &COLLECTION_OVERRIDE) else { return false };
        match self.required_text(object, "strategy").as_deref() {
            Some("delete") => true,
            Some(other) => {
                let message = format!("`masking_strategy_override` of a collection can only be `delete`, found `{other}`");
                self.error(object.line_of("strategy"), message, Some("put other strategies on the fields".into()));
                false
            }
            None => false,
        }
    }

    fn fields(&mut self, object: Object<'_>, level: Level) -> Vec<Field> {
        let mut fields: Vec<Field> = self.list(object, "fields").iter().filter_map(|field| self.field(field, level)).collect();
        fields.sort_by(|left, right| left.name.cmp(&right.name));
        fields
    }

    fn field(&mut self, node: &Node, level: Level) -> Option<Field> {
        let what = self.called("field", node, &["name"]);
        let object = self.object(node, &what, &FIELD)?;
        let name = match (level, object.get("name")) {
            // The empty text is a key of a JSON object like any other.
            (Level::SubField, Some(_)) => self.text(object, "name"),
            _ => self.required_text(object, "name"),
        };
        let mut field = Field {
            description: self.text(object, "description"),
            data_categories: self.categories(object),
            fields: self.fields(object, Level::SubField),
            place: self.place(object.line),
            ..Field::default()
        };
        let mut declares = Declares::default();
        if let Some(meta) = self.meta(object, &what, &FIELD_META) {
            declares = Declares { identity: meta.get("identity").is_some(), references: meta.get("references").is_some() };
            field.identity = meta.get("identity").and_then(|_| self.required_text(meta, "identity"));
            field.references = self.list(meta, "references").iter().filter_map(|reference| self.reference(reference)).collect();
            field.primary_key = self.flag(meta, "primary_key");
            field.data_type = self.data_type(meta, &what, !field.fields.is_empty());
            field.length = self.count(meta, "length");
            field.read_only = self.flag(meta, "read_only");
            field.mask = meta.get("masking_strategy_override").and_then(|strategy| self.masking(strategy));
            self.refuse_edges_inside_objects(meta, &what, &field, level);
        }
        self.field_extension(object, &what, declares, &mut field);
        if level == Level::SubField && field.references.iter().any(|reference| !reference.words.edges.is_empty()) {
            let message = format!("`edge` of {what}: a sub-field cannot be part of a composite key");
            self.error(object.line, message, Some("keep the parts of the key in columns of their own".to_owned()));
        }
        field.name = name?;
        Some(field)
    }

    /// What cannot be followed is refused: Fides drops it silently, and then nobody would be found by it.
    fn refuse_edges_inside_objects(&mut self, meta: Object<'_>, what: &str, field: &Field, level: Level) {
        let has_sub_fields = !field.fields.is_empty();
        for key in ["identity", "references"].into_iter().filter(|key| has_sub_fields && meta.get(key).is_some()) {
            let message = format!("`{key}` of {what} stands on a field with sub-fields, where it cannot be followed");
            self.error(meta.line_of(key), message, Some("write it on the sub-field that holds the value".to_owned()));
        }
        if level == Level::SubField && field.references.iter().any(|reference| reference.direction != Direction::From) {
            let message = format!("`references` of {what} stands on a sub-field, from which no way leads on");
            let hint = "write `direction: from`: rows are then found by the value in their JSON; to lead on from it, keep the value in a column of its own";
            self.error(meta.line_of("references"), message, Some(hint.to_owned()));
        }
    }

    fn data_type(&mut self, meta: Object<'_>, what: &str, has_sub_fields: bool) -> Option<String> {
        let data_type = self.text(meta, "data_type")?;
        let base = data_type.strip_suffix("[]").unwrap_or(&data_type);
        let line = meta.line_of("data_type");
        if !DATA_TYPES.contains(&base) {
            let hint = super::taxonomy::did_you_mean(base, DATA_TYPES)
                .unwrap_or_else(|| format!("known: {}, each also with `[]`", DATA_TYPES.join(", ")));
            self.error(line, format!("`data_type` of {what} cannot be `{data_type}`"), Some(hint));
            return None;
        }
        if has_sub_fields && base != "object" {
            let hint = "write `object` or `object[]`, or leave it out".to_owned();
            self.error(line, format!("{what} has sub-fields, so its `data_type` cannot be `{data_type}`"), Some(hint));
        }
        Some(data_type)
    }

    fn reference(&mut self, node: &Node) -> Option<Reference> {
        let object = self.object(node, "a reference", &REFERENCE)?;
        let dataset = self.required_fides_key(object, "dataset");
        let target = self.required_text(object, "field");
        let direction = match object.get("direction") {
            None => Direction::Either,
            Some(_) => self.word(object, "direction", &DIRECTIONS)?,
        };
        let (dataset, target) = (dataset?, target?);
        let Some((collection, field)) = target.split_once('.').filter(|(left, right)| !left.is_empty() && !right.is_empty()) else {
            let hint = "write `collection.field`, such as `users.id`".to_owned();
            self.error(object.line_of("field"), format!("`field` of a reference cannot be `{target}`"), Some(hint));
            return None;
        };
        let (collection, field) = (collection.to_owned(), field.to_owned());
        Some(Reference { dataset, collection, field, direction, words: EdgeWords::default(), place: self.place(object.line) })
    }

    /// `fides_meta`, or the older `fidesops_meta`.
    fn meta<'n>(&mut self, object: Object<'n>, what: &str, keys: &Keys) -> Option<Object<'n>> {
        let [current, older] = META;
        if object.get(current).is_some() && object.get(older).is_some() {
            let message = format!("{what} has `{current}` and `{older}`; only `{current}` counts");
            self.warn(object.line_of(older), message, Some(format!("move everything to `{current}`")));
        }
        let key = if object.get(current).is_some() { current } else { older };
        self.object(object.get(key)?, key, keys)
    }

    /// Labels, each remembered with its line until the whole taxonomy is known.
    pub(super) fn categories(&mut self, object: Object<'_>) -> Vec<String> {
        let labels = self.texts_with_lines(object, "data_categories");
        for (label, line) in &labels {
            self.mention_category(label, *line);
        }
        labels.into_iter().map(|(label, _)| label).collect()
    }

    /// What a person would call an object: its kind and its name, when it has one.
    pub(super) fn called(&self, kind: &str, node: &Node, name_keys: &[&str]) -> String {
        let Value::Map(entries) = &node.value else { return format!("a {kind}") };
        let named = entries.iter().find(|entry| name_keys.contains(&entry.key.as_str()));
        match named.map(|entry| &entry.node.value) {
            Some(Value::Text(name)) => format!("{kind} `{name}`"),
            _ => format!("a {kind}"),
        }
    }
}
