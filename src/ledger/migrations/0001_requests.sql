-- Requests, the jobs that answer them, the plans they follow and what came of each item.
-- Instants are whole microseconds since the epoch in UTC; flags are 0 or 1; the text runs on SQLite and on PostgreSQL.

-- What a data subject, or a duty of the controller, asks for.
CREATE TABLE request (
    -- UUID version 7; sorts by the time of intake.
    id TEXT PRIMARY KEY NOT NULL,
    -- Six characters of Crockford's base 32 that people can read out, and that confirm a destructive command.
    code TEXT NOT NULL UNIQUE,
    -- What is asked for, as in a job file.
    kind TEXT NOT NULL,
    -- Where the request stands; which status may follow which is written in src/request/lifecycle.rs.
    status TEXT NOT NULL CHECK (status IN ('queued', 'waiting_identity', 'waiting_controller', 'waiting_approval', 'running', 'verifying',
                                           'completed', 'partial', 'refused', 'cancelled', 'failed')),
    -- Keyed hash of the person as the request named them; NULL when the request is about nobody in particular.
    subject_ref TEXT,
    -- The person's identifiers as JSON, sealed; NULL together with subject_ref.
    subject_sealed BYTEA,
    -- What else in the job file may hold personal data (new values for a rectification), as JSON, sealed.
    private_sealed BYTEA,
    -- The job file as JSON without its subject, its private part and its idempotency key.
    document TEXT NOT NULL,
    -- When the request reached the controller: the clock starts here, not at intake.
    received_at BIGINT NOT NULL,
    -- The last second at which the answer is in time; NULL for duties that nobody waits for.
    due_at BIGINT,
    -- The later deadline, once an extension has been announced; due_at keeps the first one.
    extended_to BIGINT,
    -- The rule and the time zone that gave due_at.
    deadline_rule TEXT,
    -- Keyed hash of the idempotency key that the sender chose; a second request with the same key is the same request.
    idempotency_key_hash TEXT UNIQUE,
    -- Keyed hash of the whole job file: tells a repetition from another request under the same idempotency key.
    content_digest TEXT NOT NULL,
    -- Digest of the frozen plan; an approval has to name it.
    plan_digest TEXT,
    -- The answer as JSON: items, gaps, archive, certificate. Counts and codes, no identifiers.
    result TEXT,
    -- Error code of the job that gave up, while the status is 'failed'.
    failure_code TEXT,
    -- Whether this is a rehearsal on a made-up person.
    is_test BIGINT NOT NULL CHECK (is_test IN (0, 1)),
    -- When the ledger took the request in.
    created_at BIGINT NOT NULL,
    -- When this row last changed.
    updated_at BIGINT NOT NULL,
    -- When nothing was left to do; NULL while the request is open.
    closed_at BIGINT
);

CREATE INDEX request_by_due ON request (due_at) WHERE closed_at IS NULL;
CREATE INDEX request_by_subject ON request (subject_ref);

-- Every name under which a request knows its person, so that two requests about one person meet even if they name different identifiers.
CREATE TABLE request_alias (
    -- The request.
    request_id TEXT NOT NULL REFERENCES request (id),
    -- Keyed hash of one identifier.
    alias_ref TEXT NOT NULL,
    PRIMARY KEY (request_id, alias_ref)
);

CREATE INDEX request_alias_by_alias ON request_alias (alias_ref);

-- Who agreed to which plan.
CREATE TABLE approval (
    -- The request.
    request_id TEXT NOT NULL REFERENCES request (id),
    -- The plan as it was shown: a changed plan needs new approvals.
    plan_digest TEXT NOT NULL,
    -- Name of the member of staff who approved.
    actor TEXT NOT NULL,
    -- When.
    approved_at BIGINT NOT NULL,
    PRIMARY KEY (request_id, plan_digest, actor)
);

-- A piece of work for a worker. The queue knows nothing of what it means.
CREATE TABLE job (
    -- UUID version 7.
    id TEXT PRIMARY KEY NOT NULL,
    -- The request that the job answers; NULL for recurring duties.
    request_id TEXT REFERENCES request (id),
    -- What is to be done: the name under which a handler is registered.
    duty TEXT NOT NULL,
    -- Jobs of one lane run one after the other; the lane of a request is its subject (Q-1).
    lane TEXT NOT NULL,
    -- Waiting, being worked on, finished, given up (dead letter), or withdrawn.
    state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead', 'cancelled')),
    -- Version of the payload's form and of the steps behind it: an older program leaves newer jobs alone.
    format BIGINT NOT NULL,
    -- Higher runs first.
    priority BIGINT NOT NULL,
    -- Deadline of the request, or the largest integer: among equals the earlier deadline runs first.
    due_at BIGINT NOT NULL,
    -- Not before this instant.
    run_at BIGINT NOT NULL,
    -- How often the job has been claimed. It is the fencing token: a write that names an older attempt is refused (Q-1).
    attempt BIGINT NOT NULL,
    -- How many attempts failed or were lost since the job was queued.
    failures BIGINT NOT NULL,
    -- With this many failures the job is dead.
    max_attempts BIGINT NOT NULL,
    -- The worker that holds it or held it last.
    worker TEXT,
    -- Until when the worker holds the job, by the database's own clock; set exactly while the job runs.
    lease_until BIGINT,
    -- At most one waiting or running job has this key; NULL makes no such promise.
    unique_key TEXT,
    -- What the handler needs to know, as JSON. No identifiers.
    payload TEXT NOT NULL,
    -- Somebody asked for the job to stop; the worker sees it at its next heartbeat.
    cancel_requested BIGINT NOT NULL CHECK (cancel_requested IN (0, 1)),
    -- Somebody asked for the same job while it ran: it goes back to 'ready' instead of 'done', so that the wish is not lost.
    rerun BIGINT NOT NULL CHECK (rerun IN (0, 1)),
    -- Code of the last failure.
    last_error TEXT,
    -- When the job was queued.
    created_at BIGINT NOT NULL,
    -- When it was done, dead or cancelled.
    finished_at BIGINT,
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
);

-- The guarantee behind "one running job per subject": a second one cannot be written.
CREATE UNIQUE INDEX job_one_per_lane ON job (lane) WHERE state = 'running';
CREATE UNIQUE INDEX job_unique_key ON job (unique_key) WHERE state IN ('ready', 'running');
CREATE INDEX job_in_order ON job (priority DESC, due_at, run_at, id) WHERE state = 'ready';
CREATE INDEX job_running_by_request ON job (request_id) WHERE state = 'running';
CREATE INDEX job_by_request ON job (request_id);

-- One row per claim: who worked on a job, and how that ended.
CREATE TABLE attempt (
    -- The job.
    job_id TEXT NOT NULL REFERENCES job (id),
    -- The fencing token of this attempt.
    attempt BIGINT NOT NULL,
    -- The worker that claimed it.
    worker TEXT NOT NULL,
    -- When it was claimed.
    started_at BIGINT NOT NULL,
    -- When it ended or was found lost; NULL while it runs.
    ended_at BIGINT,
    -- How it ended; NULL while it runs.
    outcome TEXT CHECK (outcome IN ('done', 'parked', 'failed', 'dead', 'released', 'cancelled', 'lost')),
    -- Code of the failure, if it failed.
    error TEXT,
    PRIMARY KEY (job_id, attempt)
);

-- What is to happen to which records, frozen before anything is touched (P-1).
CREATE TABLE plan (
    -- The request.
    request_id TEXT NOT NULL REFERENCES request (id),
    -- Digest of the document: the plan's name.
    digest TEXT NOT NULL,
    -- Digest without counts: two plans that differ only by new rows have the same shape.
    shape_digest TEXT NOT NULL,
    -- The plan as JSON: places, dispositions, counts, grounds. No keys and no identifiers.
    document TEXT NOT NULL,
    -- When the plan was made.
    created_at BIGINT NOT NULL,
    -- From when on it could no longer change; NULL while it may.
    frozen_at BIGINT,
    PRIMARY KEY (request_id, digest)
);

-- What the installation has to remember about itself, such as the identity of each source when it was first seen.
CREATE TABLE setting (
    -- Name, with dots.
    key TEXT PRIMARY KEY NOT NULL,
    -- Value.
    value TEXT NOT NULL,
    -- When it was written.
    updated_at BIGINT NOT NULL
);
