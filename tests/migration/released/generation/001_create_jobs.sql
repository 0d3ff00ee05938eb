CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  brand_kit_id TEXT NOT NULL,
  asset_type TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed', 'partial')),
  progress INTEGER NOT NULL CHECK (progress BETWEEN 0 AND 100),
  count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 4),
  custom_prompt TEXT NOT NULL,
  template_version TEXT NOT NULL,
  prompt TEXT NOT NULL,
  error_reason TEXT,
  error_stage TEXT,
  error_retryable BOOLEAN,
  error_message TEXT,
  has_assets BOOLEAN NOT NULL,
  -- Grows with every change; event_id of the job's stream.
  revision BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  -- Times are microseconds since 1970, UTC.
  start_by BIGINT NOT NULL,
  finish_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  completed_at BIGINT,
  CHECK ((progress = 100) = (status IN ('completed', 'partial'))),
  CHECK ((completed_at IS NOT NULL) = (status IN ('completed', 'failed', 'partial'))),
  CHECK ((error_reason IS NOT NULL) = (status IN ('failed', 'partial')))
);

CREATE INDEX jobs_by_user ON jobs (user_id, created_at, id);
CREATE INDEX jobs_by_user_and_status ON jobs (user_id, status, created_at, id);

-- One row a variation; the outbox.
CREATE TABLE items (
  job_id TEXT NOT NULL REFERENCES jobs (id),
  item INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'dispatched', 'stored', 'failed')),
  progress INTEGER NOT NULL,
  -- Start-time fair queueing: the lowest turn goes first.
  turn BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  -- How often it was sent on its way; part of every message id.
  dispatch INTEGER NOT NULL,
  -- Whether its message is surely in the queue; a dispatcher may die before it is.
  sent BOOLEAN NOT NULL DEFAULT FALSE,
  -- When it was last sent or heard of.
  touched_at BIGINT NOT NULL,
  finish_by BIGINT NOT NULL,
  seed BIGINT NOT NULL,
  render_key TEXT,
  render_sha256 TEXT,
  render_content_type TEXT,
  asset_id TEXT,
  error_reason TEXT,
  error_stage TEXT,
  error_retryable BOOLEAN,
  error_message TEXT,
  PRIMARY KEY (job_id, item),
  CHECK ((asset_id IS NOT NULL) = (state = 'stored')),
  CHECK ((error_reason IS NOT NULL) = (state = 'failed'))
);

CREATE INDEX items_waiting ON items (turn, job_id, item) WHERE state = 'waiting';
CREATE INDEX items_of_user_waiting ON items (user_id, turn) WHERE state = 'waiting';
CREATE INDEX items_dispatched ON items (touched_at) WHERE state = 'dispatched';
CREATE INDEX items_unfinished ON items (finish_by) WHERE state IN ('waiting', 'dispatched');

-- One row: locked by updating it, so dispatchers take turns. `clock` is the turn reached.
CREATE TABLE dispatch (
  one INTEGER PRIMARY KEY,
  clock BIGINT NOT NULL
);
INSERT INTO dispatch (one, clock) VALUES (1, 0);
