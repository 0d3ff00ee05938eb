-- Lists by type, and the lists of everybody's that services may ask for.
CREATE INDEX assets_by_user_and_type ON assets (user_id, asset_type, created_at, id) WHERE state = 'stored';
CREATE INDEX assets_by_time ON assets (created_at, id) WHERE state = 'stored';
