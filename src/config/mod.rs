//! The configuration `habeas.yaml`: who the controller is, where ledger, archives and keys lie, which systems hold personal data. Read
//! strictly: an unknown key is an error with file, line and a suggestion, and all errors are reported at once. Secrets come by
//! reference (`env:NAME`, `file:PATH`) and are never printed. Nothing here opens a connection.

mod archives;
mod controller;
mod error;
mod object_source;
mod reference;
mod section;
mod settings;
mod size;
mod source;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

pub use archives::{ArchivePlace, Archives};
pub use controller::{Controller, Recipient, SupervisoryAuthority};
pub use error::{ConfigError, ConfigProblem};
pub use reference::{Environment, process_environment};
pub use settings::{DeadlineProfile, Holds, Journal, Limits, Verification};
pub use source::{Source, System};

use section::{Reader, Section};

/// A whole configuration, checked. Paths are as the program can open them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it was read from.
    pub file: PathBuf,
    /// Who answers the requests.
    pub controller: Controller,
    /// `sqlite:PATH` or `postgres://…`, for [`crate::ledger::Ledger::open`].
    pub ledger: SecretString,
    /// Where archives go, and how long they stay.
    pub archives: Archives,
    /// Folder into which certificates are written.
    pub certificates: PathBuf,
    /// Folder of the sealed manifests of running erasures.
    pub spool: PathBuf,
    /// Folder of the keys.
    pub keys: PathBuf,
    /// File or folder of the data map.
    pub data_map: PathBuf,
    /// Systems that hold personal data, by name.
    pub sources: BTreeMap<String, Source>,
    /// Fuses and batch sizes.
    pub limits: Limits,
    /// Copies of the journal's checkpoints.
    pub journal: Journal,
    /// Release of holds.
    pub holds: Holds,
    /// Deadlines of requests.
    pub deadlines: DeadlineProfile,
    /// When verification looks again.
    pub verify: Verification,
    /// Sections that are accepted and that this version does nothing with.
    pub unused: Vec<&'static str>,
}

const KEYS: &[&str] = &[
    "controller",
    "ledger",
    "archives",
    "archives_expire_after",
    "certificates",
    "spool",
    "keys",
    "data_map",
    "sources",
    "limits",
    "journal",
    "holds",
    "deadlines",
    "verify",
    "http",
    "mail",
];

/// Sections for parts of the program that this version does not have.
const UNUSED: &[&str] = &["http", "mail"];

impl Config {
    /// The file's name when nobody gives another.
    pub const FILE_NAME: &'static str = "habeas.yaml";

    /// Which file to read: the one given (by `--config` or `$HABEAS_CONFIG`), else `./habeas.yaml`.
    pub fn locate(given: Option<&Path>) -> PathBuf {
        given.map_or_else(|| PathBuf::from(Self::FILE_NAME), Path::to_owned)
    }

    /// Reads and checks a file, with the process's environment.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        Self::load_with(path, &process_environment)
    }

    /// As [`Config::load`], with `env:NAME` looked up in the environment given.
    pub fn load_with(path: &Path, environment: Environment<'_>) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ConfigError::Missing { path: path.to_owned() },
            _ => ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        })?;
        Self::parse(&text, path, environment)
    }

    /// Reads a configuration's text; `path` is where it would lie.
    pub fn parse(text: &str, path: &Path, environment: Environment<'_>) -> Result<Config, ConfigError> {
        let root = yaml::parse(text).map_err(|problem| ConfigError::Invalid {
            problems: vec![ConfigProblem::new(path, problem.position, problem.message, None)],
        })?;
        let reader = Reader::new(path, environment);
        let config = Section::open(&reader, "", &root, KEYS).and_then(|root| read(path, &root));
        reader.finish(config)
    }

    /// The source that serves a dataset: the one that the data map names, else the one that lists it, else the one of the same name.
    pub fn source_of(&self, dataset: &str, named_by_map: Option<&str>) -> Option<&Source> {
        match named_by_map {
            Some(name) => self.sources.get(name),
            None => {
                let listing = self.sources.values().find(|source| source.datasets.iter().any(|listed| listed == dataset));
                listing.or_else(|| self.sources.get(dataset))
            }
        }
    }
}

fn read(path: &Path, root: &Section<'_, '_>) -> Option<Config> {
    let folder = |key: &str, default: &str| root.path(key).unwrap_or_else(|| root.reader.anchor(default));
    let keys = folder("keys", "keys");
    let controller = controller::read(root);
    let ledger = read_ledger(root);
    let archives = archives::read(root);
    let sources = source::read_all(root);
    let limits = settings::read_limits(root);
    let journal = settings::read_journal(root, &keys);
    let holds = settings::read_holds(root);
    let deadlines = settings::read_deadlines(root);
    let verify = settings::read_verification(root);
    let (ledger, ledger_folder) = ledger?;
    Some(Config {
        file: path.to_owned(),
        controller: controller?,
        ledger,
        archives: archives?,
        certificates: folder("certificates", "certificates"),
        spool: root.path("spool").unwrap_or_else(|| ledger_folder.join("spool")),
        keys,
        data_map: folder("data_map", "datamap"),
        sources: sources?,
        limits,
        journal,
        holds,
        deadlines,
        verify,
        unused: UNUSED.iter().copied().filter(|key| root.node(key).is_some()).collect(),
    })
}

/// The ledger's URL, and the folder beside it: that of the file, or of the configuration for a server.
fn read_ledger(root: &Section<'_, '_>) -> Option<(SecretString, PathBuf)> {
    let here = root.reader.anchor("");
    if root.node("ledger").is_none() {
        return Some((SecretString::from(sqlite_url(&root.reader.anchor("habeas.db"))), here));
    }
    let entry = root.text("ledger")?;
    if entry.value.starts_with("postgres://") || entry.value.starts_with("postgresql://") {
        return Some((SecretString::from(entry.value), here));
    }
    if entry.value.starts_with("sqlite:") && !entry.value.contains(":memory:") {
        let path = root.reader.anchor(source::sqlite_path(&entry.value));
        let beside = path.parent().map_or(here, Path::to_owned);
        return Some((SecretString::from(sqlite_url(&path)), beside));
    }
    if entry.value.starts_with("mysql:") || entry.value.starts_with("mariadb:") {
        let message = format!(
            "`{}`: the ledger cannot lie in MySQL or MariaDB, which can only be sources (the value is not shown)",
            entry.name
        );
        root.reader.note(entry.position, message, Some("use `ledger: sqlite:habeas.db`, or a PostgreSQL database".into()));
        return None;
    }
    let message = format!("`{}` must be sqlite:PATH or postgres://… (the value is not shown)", entry.name);
    root.reader.note(entry.position, message, Some("such as `ledger: sqlite:habeas.db`".into()));
    None
}

fn sqlite_url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[cfg(test)]
mod tests;
