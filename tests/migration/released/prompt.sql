INSERT INTO brand_kit_owners (user_id) VALUES ('ada');
INSERT INTO brand_kits (id, user_id, name, is_active, primary_colors, accent_colors, headline_font, body_font, logo_url,
                        tone, style_reference, extracted_from, created_at, updated_at)
VALUES
  ('10000000-0000-4000-8000-000000000001', 'ada', 'Neon Arena', TRUE, '#FF0055 #1A0B2E', '#00E5FF', 'Montserrat', 'Inter',
   'https://example.com/logo.png', 'competitive', '90s anime', 'https://example.com', 1760000000000000, 1760000001000000),
  ('10000000-0000-4000-8000-000000000002', 'ada', 'Calm', FALSE, '#0F172A', '', 'Lora', 'Inter',
   '', 'casual', '', NULL, 1760000002000000, 1760000002000000);
