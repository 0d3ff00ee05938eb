-- Which template the prompt of an item's picture was written from, and the SHA-256 of its file; NULL: not known.
ALTER TABLE items ADD COLUMN template_version TEXT;
ALTER TABLE items ADD COLUMN template_hash TEXT;
