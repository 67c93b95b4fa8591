-- How far the receiver of lineage has been told of runs. One row; there is none before telling was switched on for the first time.
create table private.lineage_mark (
  one boolean primary key default true check (one),
  horizon bigint not null,
  at timestamptz not null
);

-- What is still to be told, however many runs have been.
create index lineage_sent_untold on ops.lineage_sent (run_id) where not done;
