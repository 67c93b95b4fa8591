-- Values of the anomaly signals are robust z-scores: up to free_until is as usual. What is wrong with data costs most.
insert into ops.signal_weights (signal, weight, direction, half_at, free_until, description) values
  ('schema_drift', 30, 'down', 1, 0, 'Columns that came, went or changed their type since the version before.'),
  ('null_rate', 40, 'down', 2, 4, 'The column whose share of nulls is furthest above its own history.'),
  ('row_count_anomaly', 40, 'down', 2, 4, 'The table whose number of rows is furthest from its own history.'),
  ('freshness_lag', 30, 'down', 2, 4, 'The table whose newest data is furthest behind its own history.'),
  ('duration_anomaly', 20, 'down', 2, 4, 'How much longer the run took than runs of its pipeline do.'),
  ('cost_anomaly', 5, 'down', 2, 4, 'How much more processor time the run took than runs of its pipeline do.'),
  ('error_rate', 10, 'down', 0.25, 0.05, 'The share of failed runs among the last twenty of the pipeline.')
on conflict (signal) do nothing;
