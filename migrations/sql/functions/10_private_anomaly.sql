-- How unusual a number is beside its own history: a robust z-score. Robust means medians throughout: of deviations the median
-- (times 1.4826, which makes it a standard deviation where the numbers are normal; Iglewicz and Hoaglin 1993, who call 3.5 the
-- border of an outlier), so that what was unusual before does not widen what is usual now.
--
-- The history is cut into weeks before p_at, each with a level (its median). What is left of a number when its week's level is
-- taken away is the season's part (the median of the same time of the week, where four weeks have one) and noise. Expected is
-- the last week's level, without its seasons, and the season's part of p_at. So growth follows within half a week, a changed
-- level is the new usual after half a week, and the spread is known from all of the history and not from four Tuesdays. Without
-- four weeks there is no season, and the spread covers what lies between the 5th and the 95th of a hundred: weekends stay usual.
--
-- Nothing is judged (no row) below eight points or a week of history. p_floor is the least deviation that is believed: of
-- numbers that never change any change would be infinite; p_counts adds what counts vary by themselves, 1 / sqrt(n).
create or replace function private.anomaly(
  p_value float8, p_at timestamptz, p_values float8[], p_times timestamptz[], p_floor float8, p_counts boolean default false
) returns table (z float8, usual float8, points int, season text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with past as materialized (
    select v, (extract(epoch from p_at - t) / 3600)::float8 as age
    from unnest(p_values, p_times) as u (v, t)
    where v is not null and t < p_at
  ), pace as (
    select count(*)::int as points, max(age) - min(age) as span, (max(age) - min(age)) / nullif(count(*) - 1, 0) as apart
    from past
  ), grid as (
    -- Weeks, or as long as eight numbers take to come; steps into which a week is cut, about one number each.
    select points, greatest(168, 8 * apart) as block, (
        select min(step) from unnest(array[1, 2, 3, 4, 6, 8, 12, 24]) as step
        where step >= 0.9 * apart or (step = 24 and apart <= 36)
      ) as step
    from pace
    where points >= 8 and span >= 156
  ), placed as materialized (
    select v, floor(age / block)::int as block, round(age / 168)::int as week,
      mod(round(age / step)::int, (168 / step)::int) as slot, g.points
    from past cross join grid g
  ), levels as (
    select block, percentile_cont(0.5) within group (order by v) as level from placed group by block
  ), apart_from_level as materialized (
    select p.v, p.block, p.week, p.slot, p.v - l.level as rest from placed p join levels l on l.block = p.block
  ), seasons as materialized (
    select slot, percentile_cont(0.5) within group (order by rest) as part, count(distinct week)::int as weeks
    from apart_from_level
    where slot is not null
    group by slot
    having count(distinct week) >= 4
  ), mine as (
    select coalesce(max(weeks), 0) as weeks, coalesce(max(part), 0) as part from seasons where slot = 0
  ), unseasoned as (
    select a.block, case when m.weeks > 0 then a.v - s.part else a.v end as v,
      case when m.weeks > 0 then a.rest - s.part else a.rest end as noise
    from apart_from_level a cross join mine m left join seasons s on s.slot = a.slot
  ), noise as (
    select 1.4826 * percentile_cont(0.5) within group (order by abs(noise)) as typical,
      (percentile_cont(0.95) within group (order by noise) - percentile_cont(0.05) within group (order by noise)) / 3.29 as wide
    from unseasoned
    where noise is not null
  ), newest as (
    select percentile_cont(0.5) within group (order by v) as level, count(v) as points
    from unseasoned
    where block = (select min(block) from unseasoned where v is not null)
  ), expected as (
    select n.level + m.part as usual, m.weeks, n.points as level_points from newest n cross join mine m
  ), spread as (
    select e.usual, e.weeks,
      greatest(
        case when e.weeks > 0 then o.typical * sqrt(e.weeks / (e.weeks - 1.0)) else greatest(o.typical, o.wide) end,
        p_floor, case when p_counts then 1 / sqrt(greatest(exp(e.usual), 1)) end)
      -- The expectation is an estimate too: of medians of so many numbers.
      * sqrt(1 + pi() / 2 * (1.0 / e.level_points + coalesce(1.0 / nullif(e.weeks, 0), 0))) as deviation
    from expected e cross join noise o
    where e.level_points > 0
  )
  select (p_value - s.usual) / s.deviation, s.usual, g.points,
    case when s.weeks = 0 then 'all' when g.step = 24 then 'day of the week' else 'week' end
  from spread s cross join grid g
$$;

-- The same for numbers without seasons, such as a share of nulls: beside the latest of its own, eight at least.
create or replace function private.steady_anomaly(p_value float8, p_values float8[], p_floor float8)
returns table (z float8, usual float8, points int)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with middle as (
    select percentile_cont(0.5) within group (order by v) as usual, count(*)::int as points from unnest(p_values) as v
  ), spread as (
    select percentile_cont(0.5) within group (order by abs(v - m.usual)) as deviation
    from unnest(p_values) as v cross join middle m
  )
  select (p_value - m.usual) / (greatest(1.4826 * s.deviation, p_floor) * (1 + 3.0 / m.points)), m.usual, m.points
  from middle m cross join spread s
  where m.points >= 8
$$;

-- "usual on Tuesdays around 02:00 UTC", "usual on Tuesdays", "usual".
create or replace function private.season_words(p_season text, p_at timestamptz) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case p_season
    when 'week' then pg_catalog.format(
      'usual on %ss around %s UTC', trim(to_char(p_at at time zone 'UTC', 'Day')), to_char(p_at at time zone 'UTC', 'HH24:MI'))
    when 'day of the week' then pg_catalog.format('usual on %ss', trim(to_char(p_at at time zone 'UTC', 'Day')))
    else 'usual'
  end
$$;

-- "48 % fewer", "2.1 times as many": how a number stands to what is usual.
create or replace function private.change_words(p_seen float8, p_usual float8, p_less text, p_more text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_usual <= 0 then pg_catalog.format('%s instead of none', round(p_seen::numeric))
    when p_seen < p_usual then pg_catalog.format('%s %% %s', round((100 * (1 - p_seen / p_usual))::numeric), p_less)
    when p_seen < 2 * p_usual then pg_catalog.format('%s %% %s', round((100 * (p_seen / p_usual - 1))::numeric), p_more)
    else pg_catalog.format('%s times as %s', round((p_seen / p_usual)::numeric, 1),
      case p_more when 'longer' then 'long' when 'later' then 'late' else 'many' end)
  end
$$;
