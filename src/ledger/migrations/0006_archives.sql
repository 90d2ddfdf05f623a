-- Files of archives, from before they are written until they are proved gone, so that none is forgotten wherever an attempt dies.
CREATE TABLE archive_file (
    -- The request that it answers.
    request_id TEXT NOT NULL REFERENCES request (id),
    -- Where it is: a path, or s3://bucket/key.
    path TEXT NOT NULL,
    -- When an attempt was about to write it.
    begun_at BIGINT NOT NULL,
    -- When the request's answer named it; NULL while that has not happened.
    published_at BIGINT,
    -- When it is to be removed.
    expires_at BIGINT NOT NULL,
    -- When it was removed and a list showed nothing of it any more; NULL while it may be there.
    removed_at BIGINT,
    -- Code of why it could not be removed when it was due.
    problem TEXT,
    PRIMARY KEY (request_id, path)
);

CREATE INDEX archive_file_by_expiry ON archive_file (expires_at) WHERE removed_at IS NULL;
