//! `habeas init`: writes what is missing of the configuration, the keys, the data map and the folder of job files, so that a folder becomes
//! an installation. It never overwrites anything, and a second run changes nothing.

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

/// What editors check job files against.
const JOB_SCHEMA: (&str, &str) = ("job.schema.json", include_str!("../../jobs/job.schema.json"));

/// One job of each kind that is carried out.
const EXAMPLE_JOBS: [(&str, &str); 4] = [
    ("access.json", include_str!("../../jobs/access.json")),
    ("portability.json", include_str!("../../jobs/portability.json")),
    ("erasure.json", include_str!("../../jobs/erasure.json")),
    ("reverify.json", include_str!("../../jobs/reverify.json")),
];

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
    let jobs = config_path.parent().unwrap_or(Path::new("")).join("jobs");
    for (name, text) in missing_jobs(&jobs) {
        write_new(&jobs.join(name), text)?;
        written.push(jobs.join(name));
    }
    Ok(written)
}

/// The schema where it is missing, and examples where nobody has written a job yet.
fn missing_jobs(folder: &Path) -> Vec<(&'static str, &'static str)> {
    let names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let has_jobs = names.iter().any(|name| name.ends_with(".json") && name != JOB_SCHEMA.0);
    let examples = EXAMPLE_JOBS.into_iter().filter(|_| !has_jobs);
    std::iter::once(JOB_SCHEMA).filter(|_| !names.iter().any(|name| name == JOB_SCHEMA.0)).chain(examples).collect()
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
    use crate::request::JobFile;

    #[test]
    fn a_folder_becomes_an_installation_whose_configuration_loads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("habeas.yaml");
        let written = write_missing(&path).unwrap();
        let names: Vec<_> = written.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
        assert_eq!(names.first().map(String::as_str), Some("habeas.yaml"));
        assert!(names.contains(&"keys/master.key".to_owned()), "{names:?}");
        assert!(names.contains(&"datamap/example.yml".to_owned()), "{names:?}");
        let jobs: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("jobs/")).collect();
        assert_eq!(jobs, ["job.schema.json", "access.json", "portability.json", "erasure.json", "reverify.json"]);
        for name in &jobs[1..] {
            let job = JobFile::parse(&fs::read_to_string(folder.path().join("jobs").join(name)).unwrap(), name).unwrap();
            assert_eq!((job.not_carried_out(), format!("{}.json", job.kind.as_str())), (None, (*name).to_owned()));
        }
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
    fn a_folder_with_jobs_of_its_own_gets_the_schema_and_no_examples() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("jobs")).unwrap();
        fs::write(folder.path().join("jobs/mine.json"), "{}").unwrap();
        let written = write_missing(&folder.path().join("habeas.yaml")).unwrap();
        let jobs: Vec<_> = written.iter().filter(|path| path.starts_with(folder.path().join("jobs"))).collect();
        assert_eq!(jobs, [&folder.path().join("jobs/job.schema.json")]);
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
