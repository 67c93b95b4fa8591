-- Inbound webhooks, signed as the Standard Webhooks specification has it: HMAC-SHA256 over `id.timestamp.body`, so that its
-- libraries, which there are for each language, can send them. Verified here: what stands at the door cannot start a run.

-- RFC 2104 with SHA-256; keys of up to 64 bytes.
create or replace function private.hmac_sha256(p_key bytea, p_message bytea) returns bytea
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_inner bytea := pg_catalog.decode(pg_catalog.repeat('36', 64), 'hex');
  v_outer bytea := pg_catalog.decode(pg_catalog.repeat('5c', 64), 'hex');
begin
  for i in 0 .. pg_catalog.length(p_key) - 1 loop
    v_inner := pg_catalog.set_byte(v_inner, i, 54 # pg_catalog.get_byte(p_key, i));
    v_outer := pg_catalog.set_byte(v_outer, i, 92 # pg_catalog.get_byte(p_key, i));
  end loop;
  return pg_catalog.sha256(v_outer || pg_catalog.sha256(v_inner || p_message));
end
$$;

-- A new secret for the schedule's sender, told this once; the one before ends.
create or replace function ops.create_webhook_secret(p_schedule_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules := private.my_schedule(p_schedule_id, 'editor');
  v_key bytea := pg_catalog.sha256(
    pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
    || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));
begin
  if v_schedule.kind <> 'webhook' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'schedule %s is of kind %s; only a webhook has a secret', v_schedule.slug, v_schedule.kind);
  end if;
  insert into private.webhook_keys (schedule_id, key) values (p_schedule_id, v_key)
  on conflict (schedule_id) do update set key = excluded.key, made_at = pg_catalog.clock_timestamp();
  perform private.audit(
    null, v_schedule.project_id, 'schedules.webhook_secret', p_schedule_id::text, null,
    pg_catalog.jsonb_build_object('env', v_schedule.env, 'slug', v_schedule.slug));
  return 'whsec_' || pg_catalog.encode(v_key, 'base64');
end
$$;

-- Takes a signed request and returns the id of its tick; a repeat of the same message is the same tick. Whatever is wrong
-- with it, the answer is one: a stranger must not find out which schedules there are.
create or replace function ops.receive_webhook(
  p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.receive_webhook(
    p_schedule_id, p_message_id, p_timestamp, p_signatures, p_body, pg_catalog.clock_timestamp());
end
$$;

create or replace function private.receive_webhook(
  p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea, p_now timestamptz
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key bytea;
  v_expected bytea;
  v_schedule ops.schedules;
  v_tick uuid;
begin
  select k.key into v_key from private.webhook_keys k where k.schedule_id = p_schedule_id;
  -- Unknown ones cost the same work.
  v_expected := private.hmac_sha256(
    coalesce(v_key, '\x00'),
    pg_catalog.convert_to(coalesce(p_message_id, '') || '.' || coalesce(p_timestamp, 0) || '.', 'UTF8') || coalesce(p_body, ''));
  -- Hashes are compared and not the signatures themselves: how long that takes says nothing of how much was right.
  if v_key is null or coalesce(p_message_id, '') = '' or pg_catalog.length(p_message_id) > 200
    or p_timestamp is null or pg_catalog.abs(extract(epoch from p_now) - p_timestamp) > 300
    or pg_catalog.length(p_body) > 65536
    or not exists (
      select from pg_catalog.regexp_split_to_table(coalesce(p_signatures, ''), ' ') as s
      where pg_catalog.sha256(pg_catalog.convert_to(s, 'UTF8'))
        = pg_catalog.sha256(pg_catalog.convert_to('v1,' || pg_catalog.encode(v_expected, 'base64'), 'UTF8')))
  then
    raise exception using errcode = 'CR005', message =
      'no webhook takes this request; check its address, secret, clock (5 min) and size (64 KiB)';
  end if;
  select * into strict v_schedule from ops.schedules where id = p_schedule_id;
  insert into ops.schedule_ticks as t (project_id, env, schedule_id, key, tick, outcome, data)
  values (
    v_schedule.project_id, v_schedule.env, p_schedule_id, 'webhook:' || p_message_id, p_now, 'pending',
    private.webhook_data(p_body))
  on conflict (schedule_id, key) do nothing
  returning t.id into v_tick;
  if v_tick is null then
    select t.id into strict v_tick from ops.schedule_ticks t
    where t.schedule_id = p_schedule_id and t.key = 'webhook:' || p_message_id;
  end if;
  return v_tick;
end
$$;

-- The body, and from it `params`: values for the run's parameters. Of a body that is no JSON only the hash is kept.
create or replace function private.webhook_data(p_body bytea) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_body jsonb;
begin
  if coalesce(p_body, '') = '' then
    return '{}';
  end if;
  v_body := pg_catalog.convert_from(p_body, 'UTF8')::jsonb;
  return pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'body', v_body,
    'params', case when pg_catalog.jsonb_typeof(v_body -> 'params') = 'object' then v_body -> 'params' end));
exception
  when data_exception then
    return pg_catalog.jsonb_build_object('body_sha256', pg_catalog.encode(pg_catalog.sha256(p_body), 'hex'));
end
$$;
