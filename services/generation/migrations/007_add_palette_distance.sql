-- How far an item's picture is from the brand's colours: recorded together with its render, and never changed.
ALTER TABLE items ADD COLUMN palette_distance DOUBLE PRECISION;
