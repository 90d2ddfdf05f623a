-- The one counter that orders holds against permits. Placing or ending a hold locks and raises it; opening a permit reads it under a
-- shared lock, so that every permit either was opened before a hold and is waited for, or sees the hold.
CREATE TABLE hold_epoch (
    -- Always 1: there is one row.
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Grows by one whenever the set of covering holds changes.
    epoch BIGINT NOT NULL
);
INSERT INTO hold_epoch (id, epoch) VALUES (1, 0);

-- Legal holds, each with one scope that never changes; a matter may have several.
CREATE TABLE hold (
    -- A code that people can read out.
    id TEXT NOT NULL PRIMARY KEY,
    -- Opaque reference of the matter: letters, digits, dots, underscores and hyphens.
    matter TEXT NOT NULL,
    -- litigation, investigation, regulator, audit or other.
    reason_code TEXT NOT NULL,
    -- proposed, placing, active, releasing or released; a word that a program does not know counts as covering.
    state TEXT NOT NULL,
    -- subject, record, collection, predicate or everything: for lists, never for matching.
    scope_kind TEXT NOT NULL,
    -- The scope as JSON, sealed, because keys and conditions may name a person.
    scope BYTEA NOT NULL,
    -- The value of hold_epoch from which on every permit sees this hold; NULL while it is only proposed.
    epoch BIGINT,
    -- Login of who proposed it, when it began as a proposal.
    proposed_by TEXT,
    -- When it was proposed.
    proposed_at BIGINT,
    -- Login of who placed it.
    placed_by TEXT,
    -- When it was placed, by the program's clock.
    placed_at BIGINT,
    -- When it was placed, by database time: permits closed later were in flight.
    barrier_at BIGINT,
    -- When nothing in flight could erase what it covers any more.
    active_at BIGINT,
    -- Login of who asked for its release.
    release_requested_by TEXT,
    -- When the release was asked for.
    release_requested_at BIGINT,
    -- Login of who approved the release.
    release_approved_by TEXT,
    -- When the release was approved.
    release_approved_at BIGINT,
    -- End of the grace, from which on it may be released.
    release_at BIGINT,
    -- When it ceased to cover.
    released_at BIGINT,
    -- Date (ISO 8601) at which somebody should look at it again.
    review_on TEXT,
    -- Two people release a hold, whatever the program thinks.
    CHECK (release_approved_by IS NULL OR LOWER(TRIM(release_approved_by)) <> LOWER(TRIM(release_requested_by))),
    CHECK (state NOT IN ('placing', 'active', 'releasing') OR (epoch IS NOT NULL AND barrier_at IS NOT NULL AND placed_by IS NOT NULL)),
    CHECK (state NOT IN ('releasing', 'released') OR (release_at IS NOT NULL AND release_requested_by IS NOT NULL AND release_approved_by IS NOT NULL))
);

-- Every alias by which a subject's hold matches.
CREATE TABLE hold_alias (
    -- The hold.
    hold_id TEXT NOT NULL REFERENCES hold (id),
    -- Keyed hash of one identifier.
    alias_ref TEXT NOT NULL,
    PRIMARY KEY (hold_id, alias_ref)
);

-- Permits: leave to erase one bounded batch in one source, given in the sight of all holds.
CREATE TABLE permit (
    -- Random, in hex; also the name of the source session that works under it.
    id TEXT NOT NULL PRIMARY KEY,
    -- The request whose erasure it is.
    request_id TEXT NOT NULL,
    -- The job that carries it out.
    job_id TEXT NOT NULL,
    -- The fencing token: the attempt of that job which opened it and alone may close it.
    attempt BIGINT NOT NULL,
    -- The value of hold_epoch that it was opened under: it has seen all holds up to it.
    hold_epoch BIGINT NOT NULL,
    -- Digest of the holds that it has seen.
    hold_digest TEXT NOT NULL,
    -- The configured source.
    source TEXT NOT NULL,
    -- Number of the batch within the request and source.
    batch_no BIGINT NOT NULL,
    -- Records in the batch.
    record_count BIGINT NOT NULL,
    -- Digest of the batch as frozen in the manifest.
    digest TEXT NOT NULL,
    -- When it was opened, in microseconds of database time.
    opened_at BIGINT NOT NULL,
    -- When it ends by itself, in microseconds of database time: nothing is committed in the source after it.
    deadline BIGINT NOT NULL,
    -- When it was revoked for a hold or for a later attempt; it can then commit nothing.
    revoked_at BIGINT,
    -- When its source session was known to have ended: from then on an unknown outcome can be read in the source.
    fenced_at BIGINT,
    -- When its outcome was recorded.
    closed_at BIGINT,
    -- committed, rolled_back, or unknown until the source has been read again; NULL while it is open.
    outcome TEXT,
    -- Records erased, masked or unlinked.
    affected BIGINT,
    -- Records that were gone before.
    already_absent BIGINT,
    -- Records left alone because of a hold.
    held BIGINT,
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK (fenced_at IS NULL OR revoked_at IS NOT NULL)
);

-- A batch whose outcome is not known is not tried again.
CREATE UNIQUE INDEX permit_unsettled ON permit (request_id, source, batch_no) WHERE outcome IS NULL OR outcome = 'unknown';
-- A hold being placed looks for what may still commit: what is open, and what was closed as unknown while its session may live on.
CREATE INDEX permit_in_flight ON permit (hold_epoch) WHERE outcome IS NULL OR outcome = 'unknown';
-- A hold that has been placed reports what was closed since.
CREATE INDEX permit_closed ON permit (closed_at);
