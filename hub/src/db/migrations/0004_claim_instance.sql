-- Which agent a job was claimed by, of those that use its printer's credential: leave to start is for that one alone.
ALTER TABLE jobs ADD COLUMN claim_instance TEXT;
