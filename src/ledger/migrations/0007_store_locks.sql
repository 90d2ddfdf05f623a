-- Legal holds that a store keeps for holds of ours: one row for each hold and version of an object. A bit in a store that no row here explains
-- is somebody else's and is never cleared.
CREATE TABLE store_lock (
    -- The hold of ours that is mirrored.
    hold_id TEXT NOT NULL REFERENCES hold (id),
    -- The configured source, the store.
    source TEXT NOT NULL,
    -- Keyed hash of the store's identity and the version: the same for every hold on it, and under whichever source it was found.
    entry_ref TEXT NOT NULL,
    -- Key and version id, sealed, because a key may name a person.
    entry BYTEA NOT NULL,
    -- setting: seen off and about to be set. set: set by us. clearing: about to be cleared. unsure: it is on and nobody knows whether we set
    -- it, so that it is never cleared; a word that a program does not know counts as that.
    state TEXT NOT NULL,
    -- When the state was noted.
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (hold_id, entry_ref)
);

-- Every look at a version asks which holds lock it.
CREATE INDEX store_lock_by_entry ON store_lock (entry_ref);
