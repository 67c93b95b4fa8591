-- For lists of runs: each state but the common one, and each pipeline, has its own short way to its newest runs.
create index runs_waiting on ops.runs (project_id, created_at desc, id desc) where status = 'queued';
create index runs_at_work on ops.runs (project_id, created_at desc, id desc) where status in ('claimed', 'running');
create index runs_failed on ops.runs (project_id, created_at desc, id desc) where status = 'failed';
create index runs_canceled on ops.runs (project_id, created_at desc, id desc) where status = 'canceled';
create index runs_of_pipeline on ops.runs (project_id, pipeline, created_at desc, id desc);
