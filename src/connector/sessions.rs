//! Ends whatever works under a permit, in whichever system. Databases end a session; a store of objects has none, so that its calls are bounded
//! by the permit's own end, and waiting for that ends them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::sql::SqlSource;
use crate::erase::{SessionError, SessionKiller};

/// Every system in which something may be under way.
pub struct Sessions<'a> {
    /// Open databases.
    pub databases: &'a BTreeMap<String, SqlSource>,
    /// Names of stores.
    pub stores: BTreeSet<String>,
}

impl SessionKiller for Sessions<'_> {
    fn end_session<'a>(&'a self, source: &'a str, permit_id: &'a str, left: Duration) -> BoxFuture<'a, Result<(), SessionError>> {
        if !self.stores.contains(source) {
            return self.databases.end_session(source, permit_id, left);
        }
        async move {
            // No call to a store is begun, or goes on, after the end of its permit.
            tokio::time::sleep(left).await;
            Ok(())
        }
        .boxed()
    }
}
