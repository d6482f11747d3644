-- How a print went: what its agent saw of it from time to time, each sample once.
CREATE TABLE job_telemetry (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    -- Of the agent, in no order: a sample that comes twice has the same one.
    number BIGINT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    at BIGINT NOT NULL,
    fraction DOUBLE PRECISION NOT NULL,
    layer BIGINT,
    -- JSON: tools, bed, chamber.
    heat TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
);
CREATE INDEX job_telemetry_by_time ON job_telemetry (job_id, at, number);
