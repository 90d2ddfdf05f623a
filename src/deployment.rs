//! A configured installation, opened: keys, ledger, data map, journal. Verbs and jobs work on it. Sources are opened when a job needs them,
//! because their catalogue must be fresh, and one that cannot be reached is a gap and no reason to stop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use thiserror::Error;

use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::connector::Sessions;
use crate::connector::objects::{ObjectSource, Stores};
use crate::connector::sql::{SourceError, SqlAddress, SqlSource};
use crate::crypto::{CryptoError, Keys, SigningKey};
use crate::datamap::{DataMap, Graph, MapErrors, MapWarning};
use crate::gather::Unreached;
use crate::journal::{Notary, Origin};
use crate::ledger::{Ledger, LedgerError};
use crate::observe::progress::Progress;

/// Why an installation cannot be opened.
#[derive(Debug, Error)]
pub enum DeploymentError {
    /// The data map is missing or wrong.
    #[error("{0}")]
    Map(#[from] MapErrors),
    /// Keys are missing or damaged.
    #[error(transparent)]
    Keys(#[from] CryptoError),
    /// The ledger cannot be used.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// A dataset is served by no source.
    #[error("dataset `{dataset}` is served by no source of the configuration")]
    NoSource {
        /// The dataset.
        dataset: String,
    },
    /// A table is served by a store of objects.
    #[error("collection `{collection}` is a table, and its source `{store}` is a store of objects")]
    NotATable {
        /// `dataset.collection`.
        collection: String,
        /// The store.
        store: String,
    },
    /// Objects are said to be in a database.
    #[error("{place}: source `{store}` is no store of objects")]
    NotAStore {
        /// Where the map says it.
        place: String,
        /// The source.
        store: String,
    },
    /// Objects are in a store that is not configured.
    #[error("{place}: there is no source `{store}` in the configuration")]
    NoStore {
        /// Where the map says it.
        place: String,
        /// The source.
        store: String,
    },
    /// A folder cannot be made.
    #[error("cannot make folder `{path}`: {reason}")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        reason: String,
    },
}

impl DeploymentError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            DeploymentError::Map(_) => None,
            DeploymentError::Keys(_) => {
                Some("run `habeas init` to make missing keys, or restore the key folder from its backup".into())
            }
            DeploymentError::Ledger(LedgerError::Newer { .. }) => {
                Some("use the newer program: an older one would not understand what stands there".into())
            }
            DeploymentError::Ledger(_) => Some("check `ledger:` in the configuration, and that nothing else locks it".into()),
            DeploymentError::NoSource { dataset } => Some(format!(
                "name a source `{dataset}`, or write `habeas: {{source: NAME}}` on the dataset, or `datasets: [{dataset}]` on a source"
            )),
            DeploymentError::NotATable { .. } => Some(
                "write `habeas: {objects: {source: …, prefix: …}}` on it if it is a set of objects, or name its database".into(),
            ),
            DeploymentError::NotAStore { .. } => Some("name a source that is `s3:` or `folder:`".into()),
            DeploymentError::NoStore { store, .. } => {
                Some(format!("add `{store}: {{s3: {{bucket: …}}}}` or `{store}: {{folder: …}}` under `sources:`"))
            }
            DeploymentError::Folder { .. } => None,
        }
    }
}

/// An opened installation.
pub struct Deployment {
    /// Its configuration.
    pub config: Config,
    /// Its keys.
    pub keys: Keys,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its data map.
    pub map: DataMap,
    /// The graph of the map, with the configured source of each dataset.
    pub graph: Graph,
    /// What the map's reader wished to mention.
    pub map_warnings: Vec<MapWarning>,
    /// Who signs checkpoints and certificates.
    pub notary: Notary,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who listens.
    pub progress: Arc<dyn Progress>,
}

impl Deployment {
    /// Opens everything but the sources. `lenient_map` makes unknown keys of the data map warnings.
    pub async fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        progress: Arc<dyn Progress>,
        lenient_map: bool,
    ) -> Result<Deployment, DeploymentError> {
        let mut loaded = crate::datamap::load(&config.data_map, lenient_map)?;
        name_sources(&config, &mut loaded.map);
        let keys = Keys::load(&config.keys)?;
        let graph = graph_of(&config, &loaded.map)?;
        let workshop = config.archives.workshop(&config.spool);
        for folder in [workshop, &config.certificates, &config.spool, &config.journal.copies] {
            let refuse =
                |error: std::io::Error| DeploymentError::Folder { path: folder.display().to_string(), reason: error.to_string() };
            std::fs::create_dir_all(folder).map_err(refuse)?;
        }
        let notary =
            Notary::new(SigningKey::load(&config.keys)?, Origin::of_controller(&config.controller.name), &config.journal.copies);
        let ledger = Ledger::open(config.ledger.expose_secret()).await?;
        Ok(Deployment { config, keys, ledger, map: loaded.map, graph, map_warnings: loaded.warnings, notary, clock, progress })
    }

    /// Opens all sources that the map uses. Those that cannot be reached are named.
    pub async fn open_sources(&self) -> (BTreeMap<String, SqlSource>, Vec<Unreached>) {
        open_sources(&self.config, &self.graph).await
    }

    /// Opens all stores of objects that the map uses. Those that cannot be reached are named.
    pub async fn open_stores(&self) -> (Stores, Vec<Unreached>) {
        open_stores(&self.config, &self.graph).await
    }

    /// Where something may be under way: these databases, and every configured store.
    pub fn sessions<'a>(&self, databases: &'a BTreeMap<String, SqlSource>) -> Sessions<'a> {
        let is_store = |source: &&Source| source.object_address().is_some();
        Sessions { databases, stores: self.config.sources.values().filter(is_store).map(|source| source.name.clone()).collect() }
    }

    /// The folder in which archives are made.
    pub fn workshop(&self) -> &Path {
        self.config.archives.workshop(&self.config.spool)
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Today in the controller's time zone, ISO.
    pub fn today(&self) -> String {
        self.now().to_zoned_datetime(self.config.controller.time_zone.clone()).date().to_string()
    }
}

/// Writes into every dataset which configured source serves it, so that nobody has to ask the configuration again. One that none serves
/// is left: it may be there only to say what others hold.
pub fn name_sources(config: &Config, map: &mut DataMap) {
    for dataset in &mut map.datasets {
        if let Some(source) = config.source_of(&dataset.fides_key, dataset.source.as_deref()) {
            dataset.source = Some(source.name.clone());
        }
    }
}

/// The graph, each node with the configured source of its dataset.
pub fn graph_of(config: &Config, map: &DataMap) -> Result<Graph, DeploymentError> {
    let mut graph = Graph::build(map);
    for node in &mut graph.nodes {
        let named = map.dataset(&node.dataset).and_then(|dataset| dataset.source.as_deref());
        let source =
            config.source_of(&node.dataset, named).ok_or_else(|| DeploymentError::NoSource { dataset: node.dataset.clone() })?;
        if source.object_address().is_some() {
            return Err(DeploymentError::NotATable { collection: node.name(), store: source.name.clone() });
        }
        node.source = source.name.clone();
    }
    let of_objects = graph.objects.iter().map(|place| (&place.source, &place.place));
    for (store, place) in of_objects.chain(graph.rows.iter().map(|place| (&place.source, &place.place))) {
        match config.sources.get(store).map(|source| source.object_address()) {
            Some(Some(_)) => {}
            Some(None) => return Err(DeploymentError::NotAStore { place: place.to_string(), store: store.clone() }),
            None => return Err(DeploymentError::NoStore { place: place.to_string(), store: store.clone() }),
        }
    }
    Ok(graph)
}

/// Opens one source.
pub async fn open_source(source: &Source) -> Result<SqlSource, Unreached> {
    let no_database = || Unreached { source: source.name.clone(), problem: "it is no database".into() };
    let url = source.url().ok_or_else(no_database)?;
    let verify_url = source.verify_url().filter(|_| source.verifies_separately());
    let address = SqlAddress { name: source.name.clone(), url, verify_url };
    let unreached = |error: SourceError| Unreached { source: source.name.clone(), problem: error.problem.to_string() };
    SqlSource::open(&address).await.map_err(unreached)
}

/// Opens the sources that nodes of the graph name.
pub async fn open_sources(config: &Config, graph: &Graph) -> (BTreeMap<String, SqlSource>, Vec<Unreached>) {
    let mut open = BTreeMap::new();
    let mut unreached = Vec::new();
    for (name, source) in &config.sources {
        if !graph.nodes.iter().any(|node| &node.source == name) {
            continue;
        }
        match open_source(source).await {
            Ok(source) => {
                open.insert(name.clone(), source);
            }
            Err(gap) => unreached.push(gap),
        }
    }
    (open, unreached)
}

/// Opens the stores that places of the graph name.
pub async fn open_stores(config: &Config, graph: &Graph) -> (Stores, Vec<Unreached>) {
    let mut open = Stores::new();
    let mut unreached = Vec::new();
    for (name, source) in &config.sources {
        let Some(address) = source.object_address() else { continue };
        if !graph.uses_store(name) {
            continue;
        }
        match ObjectSource::open(name, address).await {
            Ok(store) => {
                open.insert(name.clone(), store);
            }
            Err(problem) => unreached.push(Unreached { source: name.clone(), problem: problem.to_string() }),
        }
    }
    (open, unreached)
}
