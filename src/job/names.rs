//! The names of a person as planning learned them, sealed beside the manifest: after the erasure no row may know them any more, and the search
//! for what is left over needs every one of them (V-1).

use super::case::JobError;
use crate::crypto::Keys;
use crate::ledger::execution::Execution;
use crate::subject::Identifier;

const PURPOSE: &str = "execution.names";

/// Seals names.
pub(super) fn seal(keys: &Keys, names: &[Identifier]) -> Result<Vec<u8>, JobError> {
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.kind.as_str(), name.expose())).collect();
    let text = serde_json::to_string(&pairs).map_err(|error| JobError::Stored(error.to_string()))?;
    Ok(keys.seal(PURPOSE, text.as_bytes())?)
}

/// Opens the names of all passes.
pub(super) fn of_passes(keys: &Keys, passes: &[Execution]) -> Result<Vec<Identifier>, JobError> {
    let mut names = Vec::new();
    for sealed in passes.iter().filter_map(|pass| pass.names_sealed.as_deref()) {
        let bytes = keys.open(PURPOSE, sealed)?;
        let pairs: Vec<(String, String)> =
            serde_json::from_slice(&bytes).map_err(|_| JobError::Stored("the sealed names are of another form".into()))?;
        names.extend(pairs.into_iter().map(|(kind, value)| Identifier::new(kind, value)));
    }
    Ok(names)
}
