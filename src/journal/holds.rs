//! Which holds the journal knows to be alive: placed, and not released. The ledger's table must have every one of them, or somebody has taken
//! a hold away without a word (H-1).

use std::collections::BTreeSet;

use super::event::{Event, EventKind};
use crate::ledger::{Ledger, LedgerError, journal};

const PAGE: u32 = 10_000;

/// Ids of the holds that the journal shows as placed and not released.
pub async fn living_holds(ledger: &Ledger) -> Result<BTreeSet<String>, LedgerError> {
    let mut living = BTreeSet::new();
    let mut from = 0;
    loop {
        let entries = journal::entries(ledger, from, PAGE).await?;
        let Some(last) = entries.last() else { return Ok(living) };
        from = last.seq + 1;
        for event in entries.iter().filter_map(|row| Event::from_canonical(&row.entry)) {
            match (event.kind(), event.hold()) {
                (EventKind::HoldPlaced, Some(hold)) => {
                    living.insert(hold.to_owned());
                }
                (EventKind::HoldReleased, Some(hold)) => {
                    living.remove(hold);
                }
                _ => {}
            }
        }
    }
}
