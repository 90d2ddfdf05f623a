//! A worker that dies while it erases objects: the next one ends as if nothing had happened, and every outcome is known (E-2, E-3).

use crate::objects_erase::{fill, objects_map, people};
use crate::support::deaths::an_erasure_ends_as_if_nobody_had_died;
use crate::support::store::Store;

const PLACES: [&str; 12] = [
    "freeze-before-ledger",
    "erase-before-permit",
    "erase-after-permit",
    "erase-before-source-commit",
    "erase-after-source-commit",
    "erase-after-close",
    "erase-after-permit:2",
    "erase-before-source-commit:2",
    "erase-after-source-commit:2",
    "verify-before-record",
    "certify-before-record",
    "certify-after-record",
];

#[test]
fn e_3_an_erasure_of_objects_that_dies_anywhere_ends_as_if_it_had_not() {
    let open = || {
        let worlds = Store::each(&people(), &objects_map());
        worlds.iter().for_each(|(_, store)| fill(store));
        worlds
    };
    // Several batches, and no long wait for the permit of the dead.
    an_erasure_ends_as_if_nobody_had_died(
        &PLACES,
        "limits: {batch_rows: 1, permit_seconds: 1}",
        open,
        |place, workspace, store| {
            assert!(!store.keys().iter().any(|key| key.starts_with("avatars/1/")), "{place}: {:?}", store.keys());
            assert_eq!(store.keys().len(), 4, "{place}: {:?}", store.keys());
            let left: Vec<String> = std::fs::read_dir(workspace.path("spool"))
                .expect("the folder")
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .filter(|name| name.ends_with(".found"))
                .collect();
            assert!(left.is_empty(), "{place}: {left:?}");
        },
    );
}
