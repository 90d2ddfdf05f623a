-- The application database of the reference deployment: a time-tracking service. The text runs on SQLite and on PostgreSQL.
-- Foreign keys have no ON DELETE action on purpose: what an erasure removes is what its plan lists, never what a cascade takes along.
-- Every column that leads from a person to a row has an index, because gathering and erasing look rows up by it.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    full_name     TEXT,
    locale        TEXT NOT NULL,
    time_zone     TEXT NOT NULL,
    api_key       TEXT,
    created_at    TIMESTAMP NOT NULL
);

CREATE TABLE login_sessions (
    id           INTEGER PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    token_hash   TEXT NOT NULL,
    ip           TEXT NOT NULL,
    started_at   TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP
);
CREATE INDEX login_sessions_user ON login_sessions (user_id);

-- The owner may be gone while the workspace of the others goes on.
CREATE TABLE workspaces (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    owner_id   INTEGER REFERENCES users (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX workspaces_owner ON workspaces (owner_id);

CREATE TABLE members (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    user_id      INTEGER NOT NULL REFERENCES users (id),
    role         TEXT NOT NULL,
    joined_at    TIMESTAMP NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE projects (
    id           INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    name         TEXT NOT NULL,
    client       TEXT
);
CREATE INDEX projects_workspace ON projects (workspace_id);

CREATE TABLE tasks (
    id          INTEGER PRIMARY KEY,
    project_id  INTEGER NOT NULL REFERENCES projects (id),
    title       TEXT NOT NULL,
    assignee_id INTEGER REFERENCES users (id)
);
CREATE INDEX tasks_project ON tasks (project_id);
CREATE INDEX tasks_assignee ON tasks (assignee_id);

CREATE TABLE time_entries (
    id           INTEGER PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    project_id   INTEGER NOT NULL REFERENCES projects (id),
    task_id      INTEGER REFERENCES tasks (id),
    started_at   TIMESTAMP NOT NULL,
    ended_at     TIMESTAMP,
    description  TEXT NOT NULL,
    billable     BOOLEAN NOT NULL,
    approved_by  INTEGER REFERENCES users (id)
);
CREATE INDEX time_entries_user ON time_entries (user_id);
CREATE INDEX time_entries_workspace ON time_entries (workspace_id);
CREATE INDEX time_entries_project ON time_entries (project_id);
CREATE INDEX time_entries_task ON time_entries (task_id);
CREATE INDEX time_entries_approver ON time_entries (approved_by);

CREATE TABLE attendance (
    id           INTEGER PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    day          DATE NOT NULL,
    clocked_in   TIMESTAMP NOT NULL,
    clocked_out  TIMESTAMP,
    note         TEXT
);
CREATE INDEX attendance_user ON attendance (user_id);
CREATE INDEX attendance_workspace ON attendance (workspace_id);

CREATE TABLE gps_points (
    id          INTEGER PRIMARY KEY,
    user_id     INTEGER NOT NULL REFERENCES users (id),
    recorded_at TIMESTAMP NOT NULL,
    latitude    DOUBLE PRECISION NOT NULL,
    longitude   DOUBLE PRECISION NOT NULL,
    accuracy_m  INTEGER NOT NULL
);
CREATE INDEX gps_points_user ON gps_points (user_id);

-- The pictures themselves are files: `uploads/screens/<file>`.
CREATE TABLE screenshots (
    id       INTEGER PRIMARY KEY,
    user_id  INTEGER NOT NULL REFERENCES users (id),
    taken_at TIMESTAMP NOT NULL,
    file     TEXT NOT NULL UNIQUE
);
CREATE INDEX screenshots_user ON screenshots (user_id);

CREATE TABLE usage_events (
    id         INTEGER PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    at         TIMESTAMP NOT NULL,
    ip         TEXT NOT NULL,
    path       TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX usage_events_user ON usage_events (user_id);

-- An invoice carries its own billing name and address: the law wants it kept long after the account is gone, and `user_id` is cleared then.
CREATE TABLE invoices (
    id              INTEGER PRIMARY KEY,
    number          TEXT NOT NULL UNIQUE,
    user_id         INTEGER REFERENCES users (id),
    billing_name    TEXT NOT NULL,
    billing_address TEXT NOT NULL,
    total_cents     INTEGER NOT NULL,
    currency        TEXT NOT NULL,
    paid            BOOLEAN NOT NULL,
    issued_on       DATE NOT NULL
);
CREATE INDEX invoices_user ON invoices (user_id);

-- Card numbers stay with the payment processor; the last four digits are all that is held here.
CREATE TABLE payments (
    id           INTEGER PRIMARY KEY,
    invoice_id   INTEGER NOT NULL REFERENCES invoices (id),
    amount_cents INTEGER NOT NULL,
    card_brand   TEXT NOT NULL,
    card_last4   TEXT NOT NULL,
    settled      BOOLEAN NOT NULL,
    paid_on      DATE NOT NULL
);
CREATE INDEX payments_invoice ON payments (invoice_id);

CREATE TABLE support_inquiries (
    id            INTEGER PRIMARY KEY,
    user_id       INTEGER NOT NULL REFERENCES users (id),
    agent_id      INTEGER REFERENCES users (id),
    contact_email TEXT NOT NULL,
    subject       TEXT NOT NULL,
    opened_at     TIMESTAMP NOT NULL,
    closed_at     TIMESTAMP
);
CREATE INDEX support_inquiries_user ON support_inquiries (user_id);
CREATE INDEX support_inquiries_agent ON support_inquiries (agent_id);

-- Messages of the customer name their author, the agent's replies name only what they reply to: every thread leads to its customer.
CREATE TABLE support_messages (
    id          INTEGER PRIMARY KEY,
    inquiry_id  INTEGER NOT NULL REFERENCES support_inquiries (id),
    author_id   INTEGER REFERENCES users (id),
    in_reply_to INTEGER REFERENCES support_messages (id),
    from_agent  BOOLEAN NOT NULL,
    body        TEXT NOT NULL,
    sent_at     TIMESTAMP NOT NULL,
    CHECK (author_id IS NOT NULL OR in_reply_to IS NOT NULL)
);
CREATE INDEX support_messages_inquiry ON support_messages (inquiry_id);
CREATE INDEX support_messages_author ON support_messages (author_id);
CREATE INDEX support_messages_reply ON support_messages (in_reply_to);

-- Anybody can sign up, with or without an account: the address is all that ties a row to a person.
CREATE TABLE newsletter_signups (
    id              INTEGER PRIMARY KEY,
    email           TEXT NOT NULL UNIQUE,
    consented_at    TIMESTAMP NOT NULL,
    unsubscribed_at TIMESTAMP
);

CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY,
    email      TEXT NOT NULL,
    invited_by INTEGER REFERENCES users (id),
    sent_at    TIMESTAMP,
    joined_at  TIMESTAMP
);
CREATE INDEX invitations_email ON invitations (email);
CREATE INDEX invitations_inviter ON invitations (invited_by);

-- Left over from a migration years ago. The data map does not mention it, as happens: only the residue scan looks here.
CREATE TABLE legacy_import_log (
    id          INTEGER PRIMARY KEY,
    imported_at TIMESTAMP NOT NULL,
    payload     TEXT NOT NULL
);
