-- Values of the anomaly signals are robust z-scores: up to 3.5 is as usual, at twice that half of the points are gone.
insert into ops.signal_weights (signal, weight, direction, half_at, free_until, description) values
  ('schema_drift', 10, 'down', 1, 0, 'Columns that came, went or changed their type since the version before.'),
  ('null_rate', 15, 'down', 3.5, 3.5, 'The column whose share of nulls is furthest above its own history.'),
  ('row_count_anomaly', 15, 'down', 3.5, 3.5, 'The table whose number of rows is furthest from its own history.'),
  ('freshness_lag', 10, 'down', 3.5, 3.5, 'The table whose newest data is furthest behind its own history.'),
  ('duration_anomaly', 10, 'down', 3.5, 3.5, 'How much longer the run took than runs of its pipeline do.'),
  ('error_rate', 10, 'down', 0.25, 0.05, 'The share of failed runs among the last twenty of the pipeline.')
on conflict (signal) do nothing;
