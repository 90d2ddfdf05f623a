//! From the text of all files to one checked map. Files are parts of one whole: a reference may cross them, and a mistake in one does
//! not hide the mistakes in the others. Pure; `load.rs` reads the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::reader::{Keys, Reader};
use super::taxonomy::did_you_mean;
use super::tree::{self, Node};
use super::{DataMap, Loaded, MapError, MapErrors, MapWarning, Place, Taxonomy, Vocabulary, check, graph};
use crate::crypto::hex;

/// Resource types that Fideslang knows and that say nothing of where data lives are passed over.
const TOP_LEVEL: Keys = Keys {
    known: &["dataset", "policy", "system", "data_category", "data_use", "data_subject", "organization"],
    elsewhere: &[("dataset", &["collections", "fides_key"])],
};
const DATA_CATEGORY: Keys = Keys {
    known: &[
        "fides_key",
        "parent_key",
        "name",
        "description",
        "organization_fides_key",
        "tags",
        "is_default",
        "active",
        "version_added",
        "version_deprecated",
        "replaced_by",
    ],
    elsewhere: &[],
};

/// What has been read so far.
#[derive(Default)]
struct Reading {
    map: DataMap,
    errors: Vec<MapError>,
    warnings: Vec<MapWarning>,
    mentioned_categories: Vec<(String, Place)>,
    mentioned_subjects: Vec<(String, Place)>,
    mentioned_uses: Vec<(String, Place)>,
    /// Data subjects and uses that the map adds, with their names.
    own_subjects: Vec<(String, String)>,
    own_uses: Vec<(String, String)>,
    /// Categories that the map adds.
    own_categories: Vec<(String, Place)>,
    /// Some file is no YAML, so what seems to be missing may stand there.
    incomplete: bool,
}

/// Reads a map from the text of its files. Strict: an unknown key is an error; `lenient` makes it a warning, and nothing else.
///
/// # Errors
/// All mistakes of all files, in the order of files and lines.
pub fn parse(files: &[(PathBuf, String)], lenient: bool) -> Result<Loaded, MapErrors> {
    let mut files: Vec<&(PathBuf, String)> = files.iter().collect();
    files.sort();
    let mut reading = Reading::default();
    for (path, text) in &files {
        reading.file(path, text, lenient);
    }
    reading.map.digest = digest(files.iter().map(|(_, text)| text.as_str()));
    reading.finish()
}

fn digest<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.as_bytes());
    }
    format!("sha256:{}", hex(&hasher.finalize()))
}

impl Reading {
    fn file(&mut self, path: &Path, text: &str, lenient: bool) {
        let file = Arc::new(path.to_owned());
        let mut reader = Reader::new(Arc::clone(&file), lenient);
        match tree::parse(text) {
            Ok(root) => self.root(&mut reader, &root),
            Err(error) => {
                self.incomplete = true;
                reader.error(error.line, format!("this is not valid YAML: {}", error.message), None);
            }
        }
        self.errors.append(&mut reader.errors);
        self.warnings.append(&mut reader.warnings);
        self.mentioned_categories.append(&mut reader.mentioned_categories);
        self.mentioned_subjects.append(&mut reader.mentioned_subjects);
        self.mentioned_uses.append(&mut reader.mentioned_uses);
    }

    fn root(&mut self, reader: &mut Reader, root: &Node) {
        if matches!(root.value, tree::Value::Null) {
            reader.warn(0, "this file is empty", None);
            return;
        }
        let Some(top) = reader.object(root, "a data map", &TOP_LEVEL) else { return };
        for node in reader.list(top, "dataset") {
            self.map.datasets.extend(reader.dataset(node));
        }
        for node in reader.list(top, "policy") {
            self.map.policies.extend(reader.policy(node));
        }
        for node in reader.list(top, "system") {
            self.map.systems.extend(reader.system(node));
        }
        for node in reader.list(top, "data_subject") {
            self.own_subjects.extend(reader.own_word(node, "data subject"));
        }
        for node in reader.list(top, "data_use") {
            self.own_uses.extend(reader.own_word(node, "data use"));
        }
        for node in reader.list(top, "data_category") {
            self.data_category(reader, node);
        }
    }

    fn data_category(&mut self, reader: &mut Reader, node: &Node) {
        let what = reader.called("data category", node, &["fides_key"]);
        let Some(object) = reader.object(node, &what, &DATA_CATEGORY) else { return };
        let Some(key) = reader.required_fides_key(object, "fides_key") else { return };
        if let Some(declared) = reader.text(object, "parent_key")
            && Taxonomy::parent_of(&key) != Some(declared.as_str())
        {
            let hint = "a category stands below the key without its last segment".to_owned();
            reader.error(object.line_of("parent_key"), format!("`parent_key` of {what} cannot be `{declared}`"), Some(hint));
        }
        if let Some(name) = reader.text(object, "name") {
            self.map.category_names.insert(key.clone(), name);
        }
        self.own_categories.push((key, reader.place(object.line)));
    }

    fn finish(mut self) -> Result<Loaded, MapErrors> {
        self.map.datasets.sort_by(|left, right| left.fides_key.cmp(&right.fides_key));
        self.map.policies.sort_by(|left, right| left.fides_key.cmp(&right.fides_key));
        self.map.systems.sort_by(|left, right| left.fides_key.cmp(&right.fides_key));
        self.complete_taxonomy();
        self.complete_vocabularies();
        self.errors.extend(check::names(&self.map));
        if !self.incomplete {
            self.errors.extend(check::references(&self.map));
            self.errors.extend(graph::object_mistakes(&self.map));
            self.errors.extend(graph::row_mistakes(&self.map));
        }
        if self.map.datasets.is_empty() && self.errors.is_empty() {
            // A map of nothing would make every answer "nothing held", which nobody has checked.
            let message = "the data map names no dataset".to_owned();
            self.errors.push(MapError {
                place: Place::default(),
                message,
                hint: Some("describe tables under `dataset:`; the comments of the map that `habeas init` writes show how".into()),
            });
        }
        sort_by_place(&mut self.errors, |error| &error.place);
        sort_by_place(&mut self.warnings, |warning| &warning.place);
        if self.errors.is_empty() { Ok(Loaded { map: self.map, warnings: self.warnings }) } else { Err(MapErrors(self.errors)) }
    }

    fn complete_vocabularies(&mut self) {
        for (key, name) in std::mem::take(&mut self.own_subjects) {
            self.map.data_subjects.add(key, name);
        }
        for (key, name) in std::mem::take(&mut self.own_uses) {
            self.map.data_uses.add(key, name);
        }
        if !self.incomplete {
            self.errors.extend(unknown_words(&self.mentioned_subjects, &self.map.data_subjects, "data subject", "data_subject"));
            self.errors.extend(unknown_words(&self.mentioned_uses, &self.map.data_uses, "data use", "data_use"));
        }
    }

    fn complete_taxonomy(&mut self) {
        for (category, _) in &self.own_categories {
            self.map.taxonomy.add(category.clone());
        }
        for (category, place) in &self.own_categories {
            if let Some(parent) = Taxonomy::parent_of(category).filter(|parent| !self.map.taxonomy.is_known(parent)) {
                let message = format!("data category `{category}` stands below `{parent}`, which does not exist");
                let hint = self.map.taxonomy.suggest(parent).map(|known| format!("did you mean `{known}`?"));
                self.errors.push(MapError { place: place.clone(), message, hint });
            }
        }
        if self.incomplete {
            return;
        }
        for (category, place) in self.mentioned_categories.iter().filter(|(category, _)| !self.map.taxonomy.is_known(category)) {
            let hint = match self.map.taxonomy.suggest(category) {
                Some(known) => format!("did you mean `{known}`? A category of your own is listed under `data_category:`"),
                None => "a category of your own is listed under `data_category:`".into(),
            };
            let message = format!("unknown data category `{category}`");
            self.errors.push(MapError { place: place.clone(), message, hint: Some(hint) });
        }
    }
}

fn unknown_words(mentioned: &[(String, Place)], vocabulary: &Vocabulary, kind: &str, key: &str) -> Vec<MapError> {
    let unknown = mentioned.iter().filter(|(word, _)| !vocabulary.is_known(word));
    unknown
        .map(|(word, place)| {
            let own = format!("one of your own is listed under `{key}:`");
            let hint = match did_you_mean(word, vocabulary.keys()) {
                Some(suggestion) => format!("{suggestion} {own}"),
                None => own,
            };
            MapError { place: place.clone(), message: format!("unknown {kind} `{word}`"), hint: Some(hint) }
        })
        .collect()
}

fn sort_by_place<T>(items: &mut [T], place: impl Fn(&T) -> &Place) {
    items.sort_by(|left, right| {
        let (left, right) = (place(left), place(right));
        (&left.file, left.line).cmp(&(&right.file, right.line))
    });
}
