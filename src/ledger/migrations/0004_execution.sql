-- The carrying out of a frozen manifest: how far it has come. One row per pass: pass 0 carries out the plan that was approved, later ones
-- carry out rows that appeared while it ran.
CREATE TABLE execution (
    -- The request that is answered.
    request_id TEXT NOT NULL REFERENCES request (id),
    -- Which plan of the request; a request that was held is planned and carried out again after the release.
    plan_digest TEXT NOT NULL,
    -- 0 for the approved plan, 1, 2, … for rows found later.
    pass BIGINT NOT NULL,
    -- File name of the encrypted manifest inside the spool folder; NULL once it is destroyed.
    manifest_file TEXT,
    -- The steps of the manifest as JSON: tables, columns and counts, no keys.
    steps TEXT NOT NULL,
    -- Digest of the holds that were known when the manifest was made: under the same holds its co-owned rows are known to be free.
    holds_digest TEXT NOT NULL,
    -- How many records of the manifest have been dealt with.
    position BIGINT NOT NULL DEFAULT 0,
    -- Sealed: the person's names as planning learned them. After the erasure nothing in the sources may know them any more, and the search
    -- needs them.
    names_sealed BYTEA,
    -- 1 for a pass that holds everything of its plan, 0 for one that holds only rows found later.
    is_whole BIGINT NOT NULL,
    -- Where a later whole pass took over, in records; NULL while this pass is the one to go on with.
    truncated_at BIGINT,
    -- Per step, what the records came to, as JSON.
    tallies TEXT NOT NULL DEFAULT '[]',
    -- Where it stands: frozen, seen (the verifier has seen the records), executed, done.
    stage TEXT NOT NULL CHECK (stage IN ('frozen', 'seen', 'executed', 'done')),
    -- Per step, how many records the verifier saw before anything was erased, as JSON; NULL before it looked.
    seen TEXT,
    -- When the verifier had seen them, in microseconds.
    seen_at BIGINT,
    -- When the manifest was frozen, in microseconds.
    created_at BIGINT NOT NULL,
    PRIMARY KEY (request_id, plan_digest, pass)
);
