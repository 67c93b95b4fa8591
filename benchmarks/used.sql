-- What of everything that can be switched on the runs of this database have really used, in words.
select
  (select count(*) from ops.runs) as "runs",
  (select count(*) from ops.lineage_sent where done) as "runs told to the receiver of lineage",
  (select count(*) from ops.run_scores) as "runs scored by the steward",
  (select count(*) from ops.run_artifacts where kind = 'log') as "logs kept",
  (select count(*) from ops.cap_usage u join ops.caps c on c.id = u.cap_id where c.period = 'concurrent')
    as "charges to a concurrent cap",
  (select count(*) from ops.cap_usage u join ops.caps c on c.id = u.cap_id where c.unit <> 'runs') as "charges to metered caps",
  -- A use ends with its lease; what is left of it is the count of those that were.
  pg_stat_get_tuples_inserted('ops.pool_uses'::regclass) as "uses of a pool",
  (select count(*) from (select run_id from ops.phase_usage group by run_id having sum(cost) > 0) as r) as "runs with a cost"
