-- Agents that wait for a member to type their PIN. Both secrets are hashes; the printer is there once it was typed.
CREATE TABLE pairing_pins (
    poll_hash TEXT PRIMARY KEY,
    pin_hash TEXT NOT NULL UNIQUE,
    printer_name TEXT NOT NULL,
    printer_model TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    printer_id TEXT REFERENCES printers (id)
);
CREATE INDEX pairing_pins_by_expiry ON pairing_pins (expires_at);
