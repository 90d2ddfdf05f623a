//! An opened store of the configuration: one client that gathers and erases, another that verifies, and what was known of the store when it was
//! opened.

use std::collections::BTreeMap;

use super::{ObjectAddress, ObjectStore, StoreError, StoreFacts, open_store};

/// An opened store.
pub struct ObjectSource {
    /// Its name in the configuration.
    pub name: String,
    /// Family, as results name it: `s3` or `folder`.
    pub kind: &'static str,
    /// Gathers and erases.
    pub work: Box<dyn ObjectStore>,
    /// Reads back: a client of its own, with credentials of its own where there are any.
    pub verify: Box<dyn ObjectStore>,
    /// What was known of it when it was opened.
    pub facts: StoreFacts,
}

/// Opened stores by name.
pub type Stores = BTreeMap<String, ObjectSource>;

impl ObjectSource {
    /// Opens both clients and asks the store about itself.
    pub async fn open(name: &str, address: &ObjectAddress) -> Result<ObjectSource, StoreError> {
        let work = open_store(address, false).await?;
        let verify = open_store(address, true).await?;
        let facts = work.facts().await?;
        let kind = match address {
            ObjectAddress::S3(_) => "s3",
            ObjectAddress::Folder(_) => "folder",
        };
        Ok(ObjectSource { name: name.to_owned(), kind, work, verify, facts })
    }
}
