INSERT INTO jobs (id, user_id, brand_kit_id, asset_type, status, progress, count, custom_prompt, template_version, prompt,
                  error_reason, error_stage, error_retryable, error_message, has_assets, revision, request_id, start_by,
                  finish_by, created_at, updated_at, completed_at)
VALUES
  ('20000000-0000-4000-8000-000000000001', 'ada', '10000000-0000-4000-8000-000000000001', 'banner', 'queued', 0, 1,
   'Ranked finals tonight', '', '', NULL, NULL, NULL, NULL, FALSE, 1, 'request-1', 4102444800000000,
   4102444800000000, 1760000001000000, 1760000001000000, NULL),
  ('20000000-0000-4000-8000-000000000002', 'ada', '10000000-0000-4000-8000-000000000001', 'banner', 'processing', 20, 1,
   '', 'v1.0', '', NULL, NULL, NULL, NULL, FALSE, 3, 'request-2', 4102444800000000,
   4102444800000000, 1760000002000000, 1760000002500000, NULL),
  ('20000000-0000-4000-8000-000000000003', 'ada', '10000000-0000-4000-8000-000000000001', 'thumbnail', 'completed', 100, 1,
   '', '', 'A thumbnail', NULL, NULL, NULL, NULL, TRUE, 5, 'request-3', 4102444800000000,
   4102444800000000, 1760000003000000, 1760000003500000, 1760000003500000),
  ('20000000-0000-4000-8000-000000000004', 'ada', '10000000-0000-4000-8000-000000000002', 'overlay', 'failed', 20, 1,
   '', '', 'An overlay', 'CONTENT_POLICY', 'render', FALSE, 'The image service refused these words.', FALSE, 4,
   'request-4', 4102444800000000, 4102444800000000, 1760000004000000, 1760000004500000, 1760000004500000),
  ('20000000-0000-4000-8000-000000000005', 'bob', '10000000-0000-4000-8000-000000000003', 'clip_cover', 'partial', 100, 2,
   '', '', 'A cover', 'PROVIDER_ERROR', 'render', TRUE, '1 of 2 pictures could not be made.', TRUE, 7,
   'request-5', 4102444800000000, 4102444800000000, 1760000005000000, 1760000005500000, 1760000005500000);

INSERT INTO items (job_id, item, user_id, state, progress, turn, not_before, dispatch, sent, touched_at, finish_by, seed,
                   render_key, render_sha256, render_content_type, asset_id, error_reason, error_stage,
                   error_retryable, error_message, deferred_reason)
VALUES
  ('20000000-0000-4000-8000-000000000001', 0, 'ada', 'waiting', 0, 6, 1760000001000000, 0, FALSE, 1760000001000000,
   4102444800000000, 7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'PROVIDER_RATE_LIMIT'),
  ('20000000-0000-4000-8000-000000000002', 0, 'ada', 'dispatched', 20, 5, 1760000002000000, 1, TRUE, 1760000002500000,
   4102444800000000, 7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('20000000-0000-4000-8000-000000000003', 0, 'ada', 'stored', 100, 4, 1760000003000000, 1, TRUE, 1760000003500000,
   4102444800000000, 7, '20000000-0000-4000-8000-000000000003.0', 'abc', 'image/png',
   '30000000-0000-4000-8000-000000000003', NULL, NULL, NULL, NULL, NULL),
  ('20000000-0000-4000-8000-000000000004', 0, 'ada', 'failed', 20, 3, 1760000004000000, 1, TRUE, 1760000004500000,
   4102444800000000, 7, NULL, NULL, NULL, NULL, 'CONTENT_POLICY', 'render', FALSE,
   'The image service refused these words.', NULL),
  ('20000000-0000-4000-8000-000000000005', 0, 'bob', 'stored', 100, 1, 1760000005000000, 1, TRUE, 1760000005500000,
   4102444800000000, 7, NULL, NULL, NULL, '30000000-0000-4000-8000-000000000005', NULL, NULL, NULL, NULL, NULL),
  ('20000000-0000-4000-8000-000000000005', 1, 'bob', 'failed', 20, 2, 1760000005000000, 2, TRUE, 1760000005500000,
   4102444800000000, 8, NULL, NULL, NULL, NULL, 'PROVIDER_ERROR', 'render', TRUE, 'The image service failed.', NULL);

UPDATE dispatch SET clock = 5;

INSERT INTO attempts (job_id, item, n, user_id, model, state, worker, lease_until, started_at, ended_at)
VALUES
  ('20000000-0000-4000-8000-000000000002', 0, 1, 'ada', 'a-model', 'sending', 'worker-1', 1760000062000000,
   1760000002000000, NULL),
  ('20000000-0000-4000-8000-000000000003', 0, 1, 'ada', 'a-model', 'unpaid', 'worker-1', 1760000063000000,
   1760000003000000, 1760000003100000),
  ('20000000-0000-4000-8000-000000000003', 0, 2, 'ada', 'a-model', 'paid', 'worker-1', 1760000063000000,
   1760000003200000, 1760000003300000),
  ('20000000-0000-4000-8000-000000000005', 1, 1, 'bob', 'a-model', 'unknown', 'worker-2', 1760000065000000,
   1760000005000000, 1760000005100000);

INSERT INTO gates (model, open_at) VALUES ('a-model', 1760000000000000);
INSERT INTO discards (asset_id, job_id)
VALUES ('30000000-0000-4000-8000-000000000009', '20000000-0000-4000-8000-000000000004');
INSERT INTO idempotency_keys (user_id, key, request_sha256, job_id, created_at)
VALUES ('ada', 'tap', 'abc', '20000000-0000-4000-8000-000000000003', 1760000003000000);
