-- How unusual a number is beside its own history: a robust z-score, the distance from the median in units of the median
-- absolute deviation (times 1.4826, which makes it a standard deviation where the numbers are normal; Iglewicz and Hoaglin
-- 1993, who call 3.5 the border of an outlier).
--
-- The history that counts is of the same hour of the week where there are four of it, else of the same hour of the day where
-- there are eight, else all of it where there are eight; each an hour more or less, since nothing begins at the same second.
-- Below that nothing is judged: no row. p_floor is the least deviation that is believed: of numbers that never change any
-- change would be infinite. Few points know their spread badly, hence 1 + 3 / n.
create or replace function private.anomaly(
  p_value float8, p_at timestamptz, p_values float8[], p_times timestamptz[], p_floor float8
) returns table (z float8, usual float8, points int, season text)
language sql stable
set search_path = ''
as $$
  with past as (
    select v, abs(extract(epoch from p_at - t)::float8 / 3600) as hours
    from unnest(p_values, p_times) as u (v, t)
    where v is not null
  ), near as (
    select v,
      least(hours - floor(hours / 168) * 168, ceil(hours / 168) * 168 - hours) <= 1 as same_week_hour,
      least(hours - floor(hours / 24) * 24, ceil(hours / 24) * 24 - hours) <= 1 as same_day_hour
    from past
  ), chosen as (
    select case
      when count(*) filter (where same_week_hour) >= 4 then 'week'
      when count(*) filter (where same_day_hour) >= 8 then 'day'
      when count(*) >= 8 then 'all'
    end as season
    from near
  ), kept as (
    select n.v, c.season
    from near n cross join chosen c
    where case c.season when 'week' then n.same_week_hour when 'day' then n.same_day_hour when 'all' then true else false end
  ), middle as (
    select percentile_cont(0.5) within group (order by v) as usual, count(*)::int as points, min(season) as season from kept
  ), spread as (
    select percentile_cont(0.5) within group (order by abs(k.v - m.usual)) as deviation from kept k cross join middle m
  )
  select (p_value - m.usual) / (greatest(1.4826 * s.deviation, p_floor) * (1 + 3.0 / m.points)), m.usual, m.points, m.season
  from middle m cross join spread s
  where m.points > 0
$$;

-- "usual on Tuesdays around 02:00", "usual around 02:00", "usual".
create or replace function private.season_words(p_season text, p_at timestamptz) returns text
language sql stable
set search_path = ''
as $$
  select case p_season
    when 'week' then pg_catalog.format(
      'usual on %ss around %s UTC', trim(to_char(p_at at time zone 'UTC', 'Day')), to_char(p_at at time zone 'UTC', 'HH24:MI'))
    when 'day' then pg_catalog.format('usual around %s UTC', to_char(p_at at time zone 'UTC', 'HH24:MI'))
    else 'usual'
  end
$$;

-- "48 % fewer", "2.1 times as many": how a number stands to what is usual.
create or replace function private.change_words(p_seen float8, p_usual float8, p_less text, p_more text) returns text
language sql immutable
set search_path = ''
as $$
  select case
    when p_usual <= 0 then pg_catalog.format('%s instead of none', round(p_seen::numeric))
    when p_seen < p_usual then pg_catalog.format('%s %% %s', round((100 * (1 - p_seen / p_usual))::numeric), p_less)
    when p_seen < 2 * p_usual then pg_catalog.format('%s %% %s', round((100 * (p_seen / p_usual - 1))::numeric), p_more)
    else pg_catalog.format('%s times as %s', round((p_seen / p_usual)::numeric, 1),
      case p_more when 'longer' then 'long' when 'later' then 'late' else 'many' end)
  end
$$;
