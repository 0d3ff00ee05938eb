-- Assets of jobs that ended without them, until storage has deleted them.
CREATE TABLE discards (
  asset_id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id)
);
