-- Pictures that users bring. A row is there before any byte of its picture is, and goes after the last one.
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    state TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    content_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    file_size INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX uploads_by_user ON uploads (user_id, created_at, id);

CREATE INDEX uploads_by_time ON uploads (created_at, id) WHERE state = 'stored';

CREATE INDEX uploads_unfinished ON uploads (created_at) WHERE state IN ('writing', 'deleting');

-- One row a user, which lets one new upload of theirs in at a time: so the limit holds when calls race.
CREATE TABLE upload_owners (
    user_id TEXT PRIMARY KEY
);
