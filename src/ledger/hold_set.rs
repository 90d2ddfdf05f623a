//! Loads the holds that cover, for matching. Errs towards keeping: every state but `proposed` and `released` covers, also one that a
//! newer program wrote, and a scope that does not open covers everything (H-1). A failure to load is an error, never an empty set.

use std::collections::{BTreeMap, BTreeSet};

use super::LedgerError;
use super::hold::{SCOPE_SEAL, share_epoch};
use super::hold_row::{matter, review_on};
use crate::args;
use crate::crypto::Keys;
use crate::datamap::DataMap;
use crate::db::{Record, Tx};
use crate::hold::{Coverage, HoldRef, HoldSet, NotUnderstood, Scope};

/// All covering holds as of this transaction. The epoch cannot change before the transaction ends, so that the set stays true in it.
pub async fn load_active(tx: &mut Tx, keys: &Keys, map: &DataMap) -> Result<HoldSet, LedgerError> {
    // The lock comes first: PostgreSQL (READ COMMITTED) gives each later statement a snapshot that has what committed before the lock.
    let epoch = share_epoch(tx).await?;
    let sql =
        "SELECT hold_id, alias_ref FROM hold_alias JOIN hold ON hold.id = hold_id WHERE state NOT IN ('proposed', 'released')";
    let mut aliases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in tx.on().fetch_all(sql, args![]).await? {
        aliases.entry(row.text("hold_id")?).or_default().insert(row.text("alias_ref")?);
    }
    let sql = "SELECT id, matter, review_on, scope FROM hold WHERE state NOT IN ('proposed', 'released')";
    let mut holds = Vec::new();
    for row in tx.on().fetch_all(sql, args![]).await? {
        let id = row.text("id")?;
        let coverage = coverage(&row, keys, map, aliases.remove(&id).unwrap_or_default())?;
        holds.push((HoldRef { id, matter: matter(&row)?, review_on: review_on(&row)? }, coverage));
    }
    Ok(HoldSet::new(epoch, holds))
}

fn coverage(row: &Record, keys: &Keys, map: &DataMap, mut aliases: BTreeSet<String>) -> Result<Coverage, LedgerError> {
    let Ok(plain) = keys.open(SCOPE_SEAL, &row.bytes("scope")?) else {
        return Ok(Coverage::Unclear(NotUnderstood::Sealed));
    };
    let Ok(scope) = serde_json::from_slice::<Scope>(&plain) else {
        return Ok(Coverage::Unclear(NotUnderstood::Format));
    };
    if let Scope::Subject(subject) = &scope {
        // The sealed scope is authenticated, the alias rows are not: rows that were lost do not free the person.
        aliases.extend(subject.identifiers().iter().map(|identifier| keys.alias_ref(identifier)));
    }
    Ok(Coverage::of(scope, aliases, map))
}
