//! A configured SQL database: one pool for gathering and erasing, one for verifying, and the live catalogue.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::Catalogue;
use crate::db::{Conn, Db, DbError, Dialect, PoolOptions};

/// Why a source cannot be used.
#[derive(Debug, Error)]
#[error("source `{source_name}`: {problem}")]
pub struct SourceError {
    /// Name in the configuration.
    pub source_name: String,
    /// What the database said, without values.
    #[source]
    pub problem: DbError,
}

/// An open SQL source.
#[derive(Debug)]
pub struct SqlSource {
    /// Name in the configuration.
    pub name: String,
    /// What is live.
    pub catalogue: Catalogue,
    /// The same as the verifying role sees it, where that is another role.
    verifiers_catalogue: Option<Catalogue>,
    work: Db,
    verify: Db,
}

/// Where a source is and how to verify it.
#[derive(Clone)]
pub struct SqlAddress {
    /// Name in the configuration.
    pub name: String,
    /// `sqlite:PATH` or `postgres://…`.
    pub url: SecretString,
    /// Another address for verification, with a role of its own; the same when absent.
    pub verify_url: Option<SecretString>,
}

impl SqlSource {
    /// Connects and reads the catalogue.
    pub async fn open(address: &SqlAddress) -> Result<SqlSource, SourceError> {
        let refuse = |problem: DbError| SourceError { source_name: address.name.clone(), problem };
        let options = |application_name: &str| PoolOptions {
            connections: 4,
            patience: Duration::from_secs(10),
            application_name: application_name.to_owned(),
            ..PoolOptions::default()
        };
        let work = Db::open(address.url.expose_secret(), options("habeas")).await.map_err(refuse)?;
        // Always a pool of its own: the sessions that verify are never the ones that erased.
        let verify_url = address.verify_url.as_ref().unwrap_or(&address.url);
        let verify = Db::open(verify_url.expose_secret(), options("habeas-verify")).await.map_err(refuse)?;
        let mut session = work.session().await.map_err(refuse)?;
        let catalogue = super::load_catalogue(session.on()).await.map_err(refuse)?;
        let verifiers_catalogue = match &address.verify_url {
            None => None,
            Some(_) => {
                let mut session = verify.session().await.map_err(refuse)?;
                Some(super::load_catalogue(session.on()).await.map_err(refuse)?)
            }
        };
        Ok(SqlSource { name: address.name.clone(), catalogue, verifiers_catalogue, work, verify })
    }

    /// The catalogue as the verifying session sees it: what it may not read there, or what row security hides from it, proves nothing.
    pub fn sight(&self) -> &Catalogue {
        self.verifiers_catalogue.as_ref().unwrap_or(&self.catalogue)
    }

    /// Whether another role verifies than erases.
    pub fn has_its_own_verifier(&self) -> bool {
        self.verifiers_catalogue.is_some()
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        self.work.dialect()
    }

    /// A session for gathering or erasing.
    pub async fn work_session(&self) -> Result<Conn, DbError> {
        self.work.session().await
    }

    /// A session for verifying, never one that has erased.
    pub async fn verify_session(&self) -> Result<Conn, DbError> {
        self.verify.session().await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.work.close().await;
        self.verify.close().await;
    }
}
