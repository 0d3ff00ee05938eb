-- One row for each user who submitted under limits. It is locked by updating it, so that of one user's submissions one
-- at a time is counted and written.
CREATE TABLE submitters (
  user_id TEXT PRIMARY KEY
);
