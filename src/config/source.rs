//! The configured systems that hold personal data, and which datasets of the data map each of them serves. A kind of system that this
//! version cannot talk to is an error here and not a gap later: whoever configured it expects it to be covered (V-2).

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::object_source;
use super::section::{Entry, Section};
use super::yaml::{Key, Node};
use crate::connector::objects::ObjectAddress;

/// A configured system.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in the configuration, also in results.
    pub name: String,
    /// What it is and how to reach it.
    pub system: System,
    /// Datasets that it serves besides the one of its own name.
    pub datasets: Vec<String>,
}

/// A kind of system, with what reaching it needs.
#[derive(Debug, Clone)]
pub enum System {
    /// A PostgreSQL database.
    Postgres {
        /// `postgres://…`
        url: SecretString,
        /// The same database through another role, for verification.
        verify: Option<SecretString>,
    },
    /// A MySQL or MariaDB database.
    MySql {
        /// `mysql://…/DATABASE`
        url: SecretString,
        /// The same database through another role, for verification.
        verify: Option<SecretString>,
    },
    /// A SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A store of objects.
    Objects(ObjectAddress),
}

impl Source {
    /// The URL for [`crate::db::Db::open`]; none for what is no database.
    pub fn url(&self) -> Option<SecretString> {
        match &self.system {
            System::Postgres { url, .. } | System::MySql { url, .. } => Some(url.clone()),
            System::Sqlite { path } => Some(SecretString::from(format!("sqlite:{}", path.display()))),
            System::Objects(_) => None,
        }
    }

    /// The URL by which verification reads: a role of its own where one is configured.
    pub fn verify_url(&self) -> Option<SecretString> {
        match &self.system {
            System::Postgres { verify: Some(verify), .. } | System::MySql { verify: Some(verify), .. } => Some(verify.clone()),
            _ => self.url(),
        }
    }

    /// The address of a store of objects; none for anything else.
    pub fn object_address(&self) -> Option<&ObjectAddress> {
        match &self.system {
            System::Objects(address) => Some(address),
            _ => None,
        }
    }

    /// Whether verification has credentials of its own.
    pub fn verifies_separately(&self) -> bool {
        match &self.system {
            System::Postgres { url, verify: Some(verify) } | System::MySql { url, verify: Some(verify) } => {
                verify.expose_secret() != url.expose_secret()
            }
            _ => false,
        }
    }
}

const KINDS: &[&str] = &["postgres", "mysql", "sqlite", "s3", "folder"];
const KEYS: &[&str] = &["postgres", "mysql", "sqlite", "datasets", "verify", "s3", "folder", "processor", "params", "manual"];
/// Kinds of the interface that this version cannot talk to, and what they are.
const NOT_SUPPORTED: &[(&str, &str)] = &[("processor", "processors' interfaces"), ("manual", "manual tasks")];

pub(super) fn read_all(root: &Section<'_, '_>) -> Option<BTreeMap<String, Source>> {
    let Some(node) = root.node("sources") else { return Some(BTreeMap::new()) };
    let section = Section::open_any(root.reader, "sources", node)?;
    let mut sources = BTreeMap::new();
    let mut served: BTreeMap<String, String> = BTreeMap::new();
    let mut whole = true;
    for (key, node) in section.entries() {
        let Some((source, datasets)) = read_one(&section, key, node) else {
            whole = false;
            continue;
        };
        for dataset in datasets {
            if let Some(other) = served.insert(dataset.value.clone(), source.name.clone()) {
                let message = format!("`{}`: dataset `{}` is already served by `sources.{other}`", dataset.name, dataset.value);
                section.reader.note(dataset.position, message, None);
            }
        }
        sources.insert(source.name.clone(), source);
    }
    whole.then_some(sources)
}

fn read_one(sources: &Section<'_, '_>, key: &Key, node: &Node) -> Option<(Source, Vec<Entry<String>>)> {
    let reader = sources.reader;
    let name = key.name.clone();
    if !is_word(&name) {
        let hint = "letters, digits, `_` and `-`; it names files in archives";
        reader.note(key.position, format!("`sources`: `{name}` cannot be a name of a source"), Some(hint.into()));
        return None;
    }
    let section = Section::open(reader, &sources.name_of(&name), node, KEYS)?;
    for (kind, noun) in NOT_SUPPORTED {
        if let Some(node) = section.node(kind) {
            let message = format!("`sources.{name}`: `{kind}` ({noun}) is not supported by this version");
            let hint =
                "take the source out; what it holds is then not covered, which `habeas doctor` and every certificate will say";
            reader.note(node.position, message, Some(hint.into()));
            return None;
        }
    }
    let given: Vec<&str> = KINDS.iter().copied().filter(|kind| section.node(kind).is_some()).collect();
    let system = match given.as_slice() {
        ["postgres"] => read_postgres(&section),
        ["mysql"] => read_mysql(&section),
        ["sqlite"] => read_sqlite(&section),
        ["s3"] => object_source::read_s3(&section).map(System::Objects),
        ["folder"] => object_source::read_folder(&section).map(System::Objects),
        [] => {
            let hint = "such as `{postgres: env:APP_DATABASE_URL}`, `{mysql: env:APP_DATABASE_URL}`, `{sqlite: app.db}`, \
                        `{s3: {bucket: uploads}}` or `{folder: uploads}`";
            reader.note(section.position(), format!("`sources.{name}` does not say what it is"), Some(hint.into()));
            None
        }
        many => {
            reader.note(
                section.position(),
                format!("`sources.{name}` is both {}: one source, one system", many.join(" and ")),
                None,
            );
            None
        }
    };
    let datasets = if section.node("datasets").is_some() { section.texts("datasets")? } else { Vec::new() };
    let names = datasets.iter().map(|entry| entry.value.clone()).collect();
    Some((Source { name, system: system?, datasets: names }, datasets))
}

fn read_postgres(section: &Section<'_, '_>) -> Option<System> {
    const SCHEMES: &[&str] = &["postgres://", "postgresql://"];
    let verify = section.node("verify").map(|_| section.secret_url("verify", SCHEMES));
    let url = section.secret_url("postgres", SCHEMES)?;
    Some(System::Postgres { url, verify: verify.map_or(Some(None), |url| url.map(Some))? })
}

fn read_mysql(section: &Section<'_, '_>) -> Option<System> {
    const SCHEMES: &[&str] = &["mysql://", "mariadb://"];
    let verify = section.node("verify").map(|_| section.secret_url("verify", SCHEMES));
    let url = section.secret_url("mysql", SCHEMES)?;
    Some(System::MySql { url, verify: verify.map_or(Some(None), |url| url.map(Some))? })
}

fn read_sqlite(section: &Section<'_, '_>) -> Option<System> {
    if let Some(node) = section.node("verify") {
        let message = format!("`{}`: a SQLite file has no roles", section.name_of("verify"));
        section.reader.note(node.position, message, Some("leave it out: verification opens the file read-only by itself".into()));
    }
    let path = section.text("sqlite")?.value;
    Some(System::Sqlite { path: section.reader.anchor(sqlite_path(&path)) })
}

/// The path in `PATH`, `sqlite:PATH` or `sqlite://PATH`.
pub(super) fn sqlite_path(text: &str) -> &str {
    let path = text.strip_prefix("sqlite:").unwrap_or(text);
    path.strip_prefix("//").unwrap_or(path)
}

fn is_word(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
