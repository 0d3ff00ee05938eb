-- A row is there before any byte of its picture is, and stays after the last one is gone: domain.py draws the states.
CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL,
    item INTEGER NOT NULL,
    -- Empty once the asset is deleted.
    user_id TEXT NOT NULL,
    asset_type TEXT NOT NULL,
    state TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    -- Set while the bytes are on their way to this key; being set, it is the lock.
    next_key TEXT UNIQUE,
    -- Of an attempt that other bytes have overtaken: what is there has to go.
    old_key TEXT UNIQUE,
    is_public BOOLEAN NOT NULL,
    sha256 TEXT NOT NULL,
    content_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    file_size INTEGER NOT NULL,
    viral_score INTEGER,
    -- When it was stored; until then, when that began.
    created_at BIGINT NOT NULL,
    UNIQUE (job_id, item)
);

CREATE INDEX assets_by_user ON assets (user_id, created_at, id) WHERE state = 'stored';

CREATE INDEX assets_unfinished ON assets (created_at)
WHERE next_key IS NOT NULL OR state IN ('writing', 'deleting', 'abandoning');
