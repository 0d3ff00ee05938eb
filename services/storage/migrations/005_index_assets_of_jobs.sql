-- A job's assets, as their owner asks for them: without it, all of the owner's were read.
CREATE INDEX assets_by_user_and_job ON assets (user_id, job_id, created_at, id) WHERE state = 'stored';
