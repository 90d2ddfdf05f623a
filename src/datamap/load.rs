//! Reads the files of a data map from disk: one file, or the YAML files directly inside a folder. The only I/O of this module.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Loaded, MapError, MapErrors, MapWarning, Place, parse};

/// Reads and checks a map. A folder stands for its `*.yml` and `*.yaml` files in the order of their names; hidden ones are left out.
///
/// # Errors
/// A path that cannot be read, or all mistakes of all files.
pub fn load(path: &Path, lenient: bool) -> Result<Loaded, MapErrors> {
    let listing = list(path)?;
    let mut texts = Vec::with_capacity(listing.files.len());
    let mut unreadable = Vec::new();
    for file in listing.files {
        match fs::read_to_string(&file) {
            Ok(text) => texts.push((file, text)),
            Err(error) => unreadable.push(mistake(&file, format!("cannot be read: {error}"), None)),
        }
    }
    if !unreadable.is_empty() {
        return Err(MapErrors(unreadable));
    }
    let mut loaded = parse(&texts, lenient).map_err(|errors| name_the_map(errors, path))?;
    loaded.warnings.extend(listing.folders.iter().map(|folder| MapWarning {
        place: place(folder),
        message: "this folder is not read: only files directly inside the folder of the data map are".into(),
        hint: None,
    }));
    Ok(loaded)
}

struct Listing {
    files: Vec<PathBuf>,
    /// Folders inside: somebody may believe that they are read.
    folders: Vec<PathBuf>,
}

fn list(path: &Path) -> Result<Listing, MapErrors> {
    let fail = |message: String, hint: Option<&str>| MapErrors(vec![mistake(path, message, hint)]);
    let cannot_be_read = |error: std::io::Error| {
        let hint = "`data_map:` in the configuration names the file or folder";
        fail(format!("cannot be read: {error}"), Some(hint))
    };
    if !fs::metadata(path).map_err(cannot_be_read)?.is_dir() {
        return Ok(Listing { files: vec![path.to_owned()], folders: Vec::new() });
    }
    let mut listing = Listing { files: Vec::new(), folders: Vec::new() };
    for entry in fs::read_dir(path).map_err(cannot_be_read)? {
        let entry = entry.map_err(cannot_be_read)?.path();
        let hidden = entry.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        if entry.is_dir() {
            listing.folders.push(entry);
        } else if entry.extension().is_some_and(|extension| extension == "yml" || extension == "yaml") {
            listing.files.push(entry);
        }
    }
    listing.files.sort();
    listing.folders.sort();
    if listing.files.is_empty() {
        return Err(fail(
            "this folder has no *.yml file".into(),
            Some("put the data map there, one file for each system or all in one"),
        ));
    }
    Ok(listing)
}

/// A mistake of the map as a whole gets the path that was asked for.
fn name_the_map(mut errors: MapErrors, path: &Path) -> MapErrors {
    for error in errors.0.iter_mut().filter(|error| error.place == Place::default()) {
        error.place = place(path);
    }
    errors
}

fn place(path: &Path) -> Place {
    Place { file: Arc::new(path.to_owned()), line: 0 }
}

fn mistake(path: &Path, message: String, hint: Option<&str>) -> MapError {
    MapError { place: place(path), message, hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATASET: &str = "dataset: [{fides_key: NAME, collections: [{name: t, fields: [{name: id}]}]}]\n";

    fn write(folder: &Path, name: &str, text: &str) {
        fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn a_folder_is_its_yaml_files_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "b.yaml", &DATASET.replace("NAME", "second"));
        write(folder.path(), "a.yml", &DATASET.replace("NAME", "first"));
        write(folder.path(), ".hidden.yml", "not: [a map");
        write(folder.path(), "notes.txt", "not: [a map");
        let loaded = load(folder.path(), false).unwrap();
        let keys: Vec<&str> = loaded.map.datasets.iter().map(|dataset| dataset.fides_key.as_str()).collect();
        assert_eq!(keys, ["first", "second"]);
        assert!(loaded.warnings.is_empty());
    }

    #[test]
    fn one_file_is_a_map_too() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.yml", &DATASET.replace("NAME", "only"));
        assert_eq!(load(&folder.path().join("a.yml"), false).unwrap().map.datasets.len(), 1);
    }

    #[test]
    fn a_folder_inside_is_named_rather_than_silently_left_out() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.yml", &DATASET.replace("NAME", "only"));
        fs::create_dir(folder.path().join("more")).unwrap();
        assert!(load(folder.path(), false).unwrap().warnings[0].to_string().contains("more: this folder is not read"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        assert!(load(folder.path(), false).unwrap_err().to_string().contains("no *.yml file"));
        assert!(load(&folder.path().join("absent"), false).unwrap_err().to_string().contains("absent: cannot be read"));
        fs::write(folder.path().join("latin1.yml"), b"name: \xe9").unwrap();
        assert!(load(folder.path(), false).unwrap_err().to_string().contains("latin1.yml: cannot be read"));
    }

    #[test]
    fn a_map_without_datasets_is_refused_under_its_path() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.yml", "policy: []\n");
        let text = load(folder.path(), false).unwrap_err().to_string();
        assert!(text.contains(&format!("{}: the data map names no dataset", folder.path().display())), "{text}");
    }
}
