-- One row a user: whoever counts or chooses among a user's kits updates it first, so that two of them take turns.
CREATE TABLE brand_kit_owners (
  user_id TEXT PRIMARY KEY
);

CREATE TABLE brand_kits (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  is_active BOOLEAN NOT NULL,
  -- Colours are `#RRGGBB` with a space between.
  primary_colors TEXT NOT NULL,
  accent_colors TEXT NOT NULL,
  headline_font TEXT NOT NULL,
  body_font TEXT NOT NULL,
  -- Empty: none. As NULL it could not be told from a field that an update leaves.
  logo_url TEXT NOT NULL,
  tone TEXT NOT NULL CHECK (tone IN ('competitive', 'casual', 'educational', 'comedic', 'professional')),
  style_reference TEXT NOT NULL,
  extracted_from TEXT,
  -- Times are microseconds since 1970, UTC.
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX brand_kits_by_user ON brand_kits (user_id, created_at, id);
CREATE UNIQUE INDEX brand_kits_one_active ON brand_kits (user_id) WHERE is_active;
