-- The last emergency stop of a printer, until a person says that the printer is in order again: nothing starts on it before.
CREATE TABLE emergency_stops (
    printer_id TEXT PRIMARY KEY REFERENCES printers (id),
    command_id TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    state_since BIGINT NOT NULL,
    reason TEXT
);
