//! Which objects rows of somebody else name (O-1). Asked of every place that names objects in the store, whichever collection it belongs to: a
//! file in one person's folder may be the one that another person's row names. In a folder `./a`, `a` and `b/../a` are one file, so that
//! there the names of others are compared in their plain spelling.

use std::collections::HashSet;

use futures_util::TryStreamExt;

use super::Gathering;
use super::traverse::GatherError;
use crate::connector::objects::{Entry, plain_path};
use crate::connector::sql::text::objects as text;
use crate::datamap::{Locate, ObjectPlace};
use crate::db::DbError;

/// Keys in one statement.
const KEYS_AT_ONCE: usize = 200;

/// Names that rows of others have and that are other spellings of a path.
#[derive(Default)]
pub struct OtherSpellings(HashSet<String>);

impl Gathering<'_> {
    /// Other people's names of files in a folder that are not written plainly, in their plain spelling. Few, or the application is at fault.
    pub async fn other_spellings(&mut self, source: &str) -> Result<OtherSpellings, GatherError> {
        let mut plain = HashSet::new();
        for place in self.graph.objects.iter().filter(|place| place.source == source) {
            let Locate::Key(template) = &place.locate else { continue };
            let Some((name, snapshot)) = self.snapshot_of(place.rows.0) else { continue };
            let name = name.to_owned();
            let failed = |problem: DbError| GatherError::Source { source_name: name.clone(), problem };
            let Some(location) = snapshot.location(place.rows.0).cloned() else { continue };
            let statement = text::spelt_otherwise(&location, template, snapshot.dialect);
            let mut rows = snapshot.stream(statement).map_err(failed)?;
            while let Some(row) = rows.try_next().await.map_err(failed)? {
                plain.extend(row.text_at(0).map_err(failed)?.and_then(plain_path));
            }
        }
        Ok(OtherSpellings(plain))
    }

    /// For each entry, whether a row that is not this person's alone names it.
    pub async fn claimed(&mut self, source: &str, entries: &[Entry], spellings: &OtherSpellings) -> Result<Vec<bool>, GatherError> {
        let keys: HashSet<&str> = entries.iter().filter_map(|entry| entry.key.text()).collect();
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        let mut claimed: HashSet<String> = HashSet::new();
        for place in self.graph.objects.iter().filter(|place| place.source == source) {
            if matches!(place.locate, Locate::Tag { .. } | Locate::Metadata { .. }) {
                // One object carries one value of a label.
                continue;
            }
            for some in keys.chunks(KEYS_AT_ONCE) {
                claimed.extend(self.claimed_over(place, some).await?);
            }
        }
        let is_claimed = |entry: &Entry| match entry.key.text() {
            Some(key) => claimed.contains(key) || spellings.0.contains(key),
            None => false,
        };
        Ok(entries.iter().map(is_claimed).collect())
    }

    async fn claimed_over(&mut self, place: &ObjectPlace, keys: &[String]) -> Result<Vec<String>, GatherError> {
        let Some((name, snapshot)) = self.snapshot_of(place.rows.0) else { return Ok(Vec::new()) };
        let name = name.to_owned();
        let failed = |problem: DbError| GatherError::Source { source_name: name.clone(), problem };
        let Some(location) = snapshot.location(place.rows.0).cloned() else { return Ok(Vec::new()) };
        let is_prefix = matches!(place.locate, Locate::Prefix(_));
        let statement = text::named_by_others(&location, place.locate.template(), keys, is_prefix, snapshot.dialect);
        let mut named = Vec::new();
        for row in snapshot.list(statement).await.map_err(failed)? {
            named.extend(row.text_at(0).map_err(failed)?.map(str::to_owned));
        }
        Ok(named)
    }
}
