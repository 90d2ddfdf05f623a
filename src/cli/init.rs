//! `habeas init`: writes what is missing of the configuration, the keys and the data map, so that a folder becomes an installation. It
//! never overwrites anything, and a second run changes nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use crate::config::Config;
use crate::crypto::Keys;

/// What `habeas init` takes: nothing but the global flags.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Who answers requests, as long as nobody has written it.
pub(super) const UNNAMED: &str = "Your Company";

const CONFIG_TEMPLATE: &str = include_str!("init/habeas.yaml");
const DATA_MAP_TEMPLATE: &str = include_str!("init/datamap.yml");

/// Writes what is missing and says what it wrote.
pub fn run(_args: &Args, context: &Context) -> Result<Exit, CliError> {
    let path = context.config_path();
    let written = write_missing(&path)?;
    if context.printer.is_json() {
        let paths: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        context.printer.document(&json!({"config": path.display().to_string(), "written": paths}))?;
        return Ok(Exit::Done);
    }
    for path in &written {
        context.printer.data(&format!("wrote {}", path.display()))?;
    }
    if written.is_empty() {
        context.printer.talk("nothing was missing");
    } else {
        context.printer.hint(
            "fill in `controller` and `sources`, describe your tables in the data map; `habeas doctor` says what is still missing",
        );
    }
    Ok(Exit::Done)
}

fn write_missing(config_path: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut written = Vec::new();
    if !config_path.exists() {
        write_new(config_path, CONFIG_TEMPLATE)?;
        written.push(config_path.to_owned());
    }
    // The configuration says where the rest belongs; one that cannot be read must be put right first.
    let config = Config::load(config_path)?;
    written.extend(Keys::create_missing(&config.keys)?);
    if let Some(path) = missing_data_map(&config.data_map) {
        write_new(&path, DATA_MAP_TEMPLATE)?;
        written.push(path);
    }
    Ok(written)
}

/// The file to write where there is no data map yet: the file itself, or an example in a folder without any.
fn missing_data_map(data_map: &Path) -> Option<PathBuf> {
    let is_yaml = |path: &Path| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    if is_yaml(data_map) {
        return (!data_map.exists()).then(|| data_map.to_owned());
    }
    let has_any = fs::read_dir(data_map).is_ok_and(|entries| entries.flatten().any(|entry| is_yaml(&entry.path())));
    (!has_any && !data_map.is_file()).then(|| data_map.join("example.yml"))
}

fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let unwritable = |error: std::io::Error| CliError::Unwritable { path: Some(path.to_owned()), reason: error.to_string() };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(unwritable)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_an_installation_whose_configuration_loads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("habeas.yaml");
        let written = write_missing(&path).unwrap();
        let names: Vec<_> = written.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
        assert_eq!(names.first().map(String::as_str), Some("habeas.yaml"));
        assert!(names.contains(&"keys/master.key".to_owned()), "{names:?}");
        assert_eq!(names.last().map(String::as_str), Some("datamap/example.yml"));
        let config = Config::load(&path).unwrap();
        assert!(Keys::load(&config.keys).is_ok());
        assert_eq!(config.controller.name, UNNAMED);
    }

    #[test]
    fn a_second_run_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("habeas.yaml");
        fs::write(&path, "controller: {name: Mine}\ndata_map: map.yml\n").unwrap();
        let first = write_missing(&path).unwrap();
        assert!(!first.contains(&path));
        assert!(first.contains(&folder.path().join("map.yml")));
        let key = fs::read(folder.path().join("keys/master.key")).unwrap();
        assert_eq!(write_missing(&path).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(fs::read(folder.path().join("keys/master.key")).unwrap(), key);
        assert_eq!(Config::load(&path).unwrap().controller.name, "Mine");
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_put_right_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("habeas.yaml");
        fs::write(&path, "controler: {name: Mine}\n").unwrap();
        assert!(write_missing(&path).unwrap_err().to_string().contains("unknown key `controler`"));
        assert!(!folder.path().join("keys").exists());
    }
}
