-- The foundation. Ids are UUIDv7 text, times are milliseconds UTC, booleans are 0 or 1.
-- Every row belongs to a workspace; "version" counts the changes of a row.

CREATE TABLE workspaces (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE members (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);

-- Browser sessions. Only the SHA-256 of a token is kept, here and below.
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);

CREATE TABLE printers (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    model TEXT,
    token_hash TEXT UNIQUE,
    last_event_seq BIGINT NOT NULL,
    last_seen_at BIGINT,
    created_at BIGINT NOT NULL,
    removed_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX printers_by_name ON printers (workspace_id, name) WHERE removed_at IS NULL;

CREATE TABLE pairing_codes (
    code_hash TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- A print file is a name; its bytes are versions. Objects are found by their SHA-256.
CREATE TABLE files (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    current_version_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX files_by_name ON files (workspace_id, name) WHERE deleted_at IS NULL;
CREATE INDEX files_by_time ON files (workspace_id, updated_at, id) WHERE deleted_at IS NULL;

CREATE TABLE file_versions (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    file_id TEXT NOT NULL REFERENCES files (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    number BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    extraction TEXT NOT NULL,
    extraction_error TEXT,
    metadata TEXT,
    estimated_time_s BIGINT,
    thumbnail_sha256 TEXT,
    thumbnail_type TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (file_id, number)
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    file_id TEXT NOT NULL REFERENCES files (id),
    file_version_id TEXT NOT NULL REFERENCES file_versions (id),
    file_name TEXT NOT NULL,
    target_printer_id TEXT REFERENCES printers (id),
    printer_id TEXT REFERENCES printers (id),
    claim_id TEXT,
    lease_until BIGINT,
    state TEXT NOT NULL,
    reason TEXT,
    requested TEXT,
    fraction DOUBLE PRECISION NOT NULL,
    elapsed_s BIGINT NOT NULL,
    idempotency_key TEXT,
    queued_at BIGINT NOT NULL,
    claimed_at BIGINT,
    started_at BIGINT,
    finished_at BIGINT,
    removed_at BIGINT,
    -- Whether the job stands in the queue or on a printer: 1 until it has ended and its bed is cleared.
    open BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX jobs_open ON jobs (workspace_id, queued_at, id) WHERE open = 1;
CREATE INDEX jobs_ended ON jobs (workspace_id, finished_at, id) WHERE open = 0;
CREATE INDEX jobs_of_file ON jobs (file_id) WHERE open = 1;
-- One job at a time on a printer, whatever the code does.
CREATE UNIQUE INDEX jobs_one_per_printer ON jobs (printer_id) WHERE open = 1;
CREATE UNIQUE INDEX jobs_idempotency ON jobs (owner_id, idempotency_key);

CREATE TABLE job_transitions (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    number BIGINT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    from_state TEXT,
    to_state TEXT NOT NULL,
    at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    reason TEXT,
    by_name TEXT,
    PRIMARY KEY (job_id, number)
);

CREATE TABLE commands (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    printer_id TEXT NOT NULL REFERENCES printers (id),
    job_id TEXT NOT NULL REFERENCES jobs (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    outcome TEXT,
    reason TEXT,
    answered_at BIGINT
);
CREATE INDEX commands_open ON commands (printer_id, created_at, id) WHERE outcome IS NULL;

-- The transactional outbox: written with the change that it tells of, handled at least once.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    available_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    state TEXT NOT NULL,
    error TEXT
);
CREATE INDEX outbox_due ON outbox (available_at, id) WHERE state = 'pending';
