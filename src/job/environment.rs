//! Which system a source's name stands for. It is pinned at the first look, and ever after a source that turns out to be another database
//! (a restored copy, a test server under the production name) is an error before anything is erased in it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::connector::sql::SqlSource;
use crate::db::Tx;
use crate::deployment::Deployment;
use crate::gather::Unreached;
use crate::ledger::LedgerError;
use crate::ledger::setting::{self, Pinned};

/// Pins the source's system identity, or compares it with the pinned one.
pub async fn pin_source(tx: &mut Tx, source: &SqlSource, now: Timestamp) -> Result<Pinned, LedgerError> {
    let key = format!("source.{}.system_identity", source.name);
    setting::pin(tx, &key, &source.catalogue.system_identity, now).await
}

/// Leaves out sources that are not the systems that they were: nothing is read or erased in them, and they are gaps (V-2).
pub async fn only_known(
    deployment: &Deployment,
    sources: BTreeMap<String, SqlSource>,
    unreached: &mut Vec<Unreached>,
) -> Result<BTreeMap<String, SqlSource>, LedgerError> {
    let mut known = BTreeMap::new();
    let mut tx = deployment.ledger.begin().await?;
    for (name, source) in sources {
        match pin_source(&mut tx, &source, deployment.now()).await? {
            Pinned::First | Pinned::Same => {
                known.insert(name, source);
            }
            Pinned::Other(_) => {
                source.close().await;
                let problem = "it is another database than the one that this name stood for (`habeas doctor` says more)".into();
                unreached.push(Unreached { source: name, problem });
            }
        }
    }
    tx.commit().await?;
    Ok(known)
}
