-- Jobs whose first turn must come in time, however many wait.
CREATE INDEX jobs_queued ON jobs (start_by) WHERE status = 'queued';

-- In place of `items_waiting`: an item that is to wait longer is passed over without its row being read.
CREATE INDEX items_in_turn ON items (turn, job_id, item, not_before) WHERE state = 'waiting';
DROP INDEX items_waiting;
