CREATE TABLE journal_entry (
    -- Position in the Merkle tree, from 0, without gaps.
    seq BIGINT PRIMARY KEY,
    -- When the event happened, as the entry itself says it, for reading a span of time without parsing entries.
    at BIGINT NOT NULL,
    -- The event in its canonical form: these bytes, and no others, are the leaf.
    entry TEXT NOT NULL,
    -- RFC 6962 leaf hash of the entry, kept so that proofs need not read the entries.
    leaf_hash BYTEA NOT NULL
);
CREATE INDEX journal_entry_at ON journal_entry (at);

CREATE TABLE checkpoint (
    -- How many entries the checkpoint covers.
    size BIGINT PRIMARY KEY,
    -- Root of the tree over these entries.
    root BYTEA NOT NULL,
    -- The signed note, as it was copied outside.
    note TEXT NOT NULL,
    -- When it was signed.
    at BIGINT NOT NULL
);

CREATE TABLE certificate (
    -- Random id (UUID), also the name of the certificate's folder.
    id TEXT PRIMARY KEY,
    -- The request that it is about.
    request_id TEXT NOT NULL,
    -- complete, partial or refused.
    outcome TEXT NOT NULL,
    -- Level of assurance of the whole, NULL where nothing was erased.
    level BIGINT,
    -- sha256: and hex of the document.
    digest TEXT NOT NULL,
    -- The exact text that is signed, so that the folder can be written again at any time.
    document TEXT NOT NULL,
    -- Position of the journal entry that records the issue.
    entry_seq BIGINT NOT NULL,
    -- Where the folder was published, NULL until it is.
    folder TEXT,
    -- When it was issued.
    issued_at BIGINT NOT NULL,
    -- The earlier certificate that this one adds to or replaces.
    supersedes TEXT
);
CREATE INDEX certificate_request ON certificate (request_id);
