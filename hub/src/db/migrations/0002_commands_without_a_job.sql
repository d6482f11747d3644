-- What a printer asks can be answered while no job of ours is on it: a command need not belong to a job.
-- SQLite can't take a NOT NULL back, so the table is made anew, on both engines alike.
CREATE TABLE commands_new (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    printer_id TEXT NOT NULL REFERENCES printers (id),
    job_id TEXT REFERENCES jobs (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    outcome TEXT,
    reason TEXT,
    answered_at BIGINT
);
INSERT INTO commands_new SELECT id, workspace_id, printer_id, job_id, user_id, body, created_at, expires_at, outcome,
    reason, answered_at FROM commands;
DROP TABLE commands;
ALTER TABLE commands_new RENAME TO commands;
CREATE INDEX commands_open ON commands (printer_id, created_at, id) WHERE outcome IS NULL;
