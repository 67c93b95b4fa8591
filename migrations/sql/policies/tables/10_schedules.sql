-- Ledger and freshness are seen by whoever sees the environment. What the steward moves on in a schedule is no change of it.

do $$
declare
  v_table text;
  v_scope constant text := 'project_id = any (array(select private.my_projects()))'
    ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())';
begin
  foreach v_table in array array['schedule_ticks', 'freshness_rules', 'freshness', 'freshness_breaches'] loop
    perform private.let_people_read(v_table, v_scope);
  end loop;
  perform private.audit_table('schedules', 'next_at', 'due_at', 'last_tick', 'open_runs', 'anchored_at', 'revision'),
    private.audit_table('freshness_rules');

  alter table private.webhook_keys enable row level security;
  alter table private.webhook_keys force row level security;
  drop policy if exists owner_all on private.webhook_keys;
  execute pg_catalog.format(
    'create policy owner_all on private.webhook_keys for all to %I using (true) with check (true)', current_user);
end
$$;
