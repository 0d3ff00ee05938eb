-- Every call that may cost money, written down before it is made.
CREATE TABLE attempts (
  job_id TEXT NOT NULL,
  item INTEGER NOT NULL,
  n INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  model TEXT NOT NULL,
  -- unknown: it was sent and nobody knows whether it was served; it counts as billed.
  state TEXT NOT NULL CHECK (state IN ('sending', 'paid', 'unpaid', 'unknown')),
  -- Who made it: one worker with one delivery.
  worker TEXT NOT NULL,
  -- While it lives, and unless it is known to be unpaid, no other worker may call for this item: the picture may be on
  -- its way from the image API to `renders`.
  lease_until BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (job_id, item, n),
  FOREIGN KEY (job_id, item) REFERENCES items (job_id, item)
);

CREATE INDEX attempts_of_user ON attempts (user_id, started_at) WHERE state <> 'unpaid';

-- A model that asked not to be called for a while, by any worker of any replica.
CREATE TABLE gates (
  model TEXT PRIMARY KEY,
  open_at BIGINT NOT NULL
);

-- Why an item was put off, if its time runs out while it waits.
ALTER TABLE items ADD COLUMN deferred_reason TEXT;
