-- Rows that the schema ships: kept true on every migrate, without overwriting what a team has changed.

select ops.ensure_project('default', 'demo');

insert into ops.signal_weights (signal, weight, direction, half_at, description) values
  ('outcome', 60, 'down', 1, 'The run ended otherwise than succeeded.'),
  ('retries', 15, 'down', 2, 'Attempts beyond the first.'),
  ('lost_leases', 10, 'down', 2, 'Executors lost on the way.'),
  ('failed_checks', 15, 'down', 1, 'Expectations that did not hold but only warned or quarantined.')
on conflict (signal) do nothing;

-- Section B of the backlog: who is asked first, who second, where the work happens.
insert into ops.routing_matrix (area, match, primary_owner, secondary_owner, surface, priority) values
  ('Spec + PRD', '{"area": "spec"}', '@spec-owners', '@platform-owners', 'GitHub PR + Spec Kit gate', 10),
  ('Ops schema + RLS', '{"area": "schema"}', '@data-owners', '@security-owners', 'Supabase migrations + CI', 20),
  ('Executor runtime', '{"area": "executor"}', '@platform-owners', '@data-owners', 'Edge Functions + DO workers', 30),
  ('Pipelines/Medallion', '{"area": "pipelines"}', '@data-owners', '@platform-owners', 'Executor phases', 40),
  ('BI publishing', '{"area": "bi"}', '@product-owners', '@data-owners', 'Superset + views', 50),
  ('Odoo ingestion', '{"area": "odoo"}', '@data-owners', '@platform-owners', 'CDC/ingest phase', 60),
  ('Security + secrets', '{"area": "security"}', '@security-owners', '@platform-owners', 'CI + secret management', 70)
on conflict (area) do nothing;

-- Section C: what we offer beside Databricks. Evidence is written by probes, never here.
insert into ops.capabilities (ordinal, capability, databricks, target, mvp, v1, v2) values
  (1, 'Jobs/Workflows', 'Native', 'Control Room Runs/Phases', 'supported', 'supported', 'supported'),
  (2, 'Pipeline authoring', 'DLT', 'YAML/JSON pipeline specs + dbt optional', 'supported', 'supported', 'supported'),
  (3, 'SQL Warehouse', 'DBSQL', 'Trino / Postgres+FDW', 'supported', 'supported', 'supported'),
  (4, 'Table format', 'Delta', 'Delta-rs or Iceberg', 'supported', 'supported', 'supported'),
  (5, 'Notebooks', 'Native', 'JupyterHub / markdown+SQL', 'not planned', 'planned', 'supported'),
  (6, 'Catalog/Governance', 'Unity', 'OpenMetadata/DataHub + policies', 'not planned', 'planned', 'planned'),
  (7, 'Dashboards', 'Native', 'Superset / Metabase', 'supported', 'supported', 'supported'),
  (8, 'NLQ (Genie)', 'Native', 'WrenAI-style templates + RAG', 'not planned', 'planned', 'planned'),
  (9, 'ML tracking', 'MLflow', 'MLflow OSS', 'not planned', 'planned', 'supported'),
  (10, 'Model serving', 'Native', 'BentoML/KServe', 'not planned', 'planned', 'planned'),
  (11, 'Lineage', 'Native', 'OpenLineage + Metadata', 'not planned', 'planned', 'supported')
on conflict (ordinal) do nothing;
