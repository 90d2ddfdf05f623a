//! Brings a version of an object with rows to a file without a name.

use std::fs::File;
use std::path::Path;

use crate::connector::objects::{Entry, ObjectStore, StoreError, copy_to_file};

/// The bytes of a version, as many as the list said, in a nameless file in `folder`, read from its beginning on.
///
/// # Errors
/// As of [`copy_to_file`].
pub async fn bring(store: &dyn ObjectStore, entry: &Entry, folder: &Path) -> Result<File, StoreError> {
    let (file, ()) = copy_to_file(store, entry, entry.size, folder, |(), _| {}).await?;
    Ok(file)
}
