-- How far the picture is from the brand's colours, as whoever made it measured; absent: nobody did.
ALTER TABLE assets ADD COLUMN palette_distance DOUBLE PRECISION;
