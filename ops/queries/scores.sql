-- Scores, weights, gates. Row-level security decides which rows a caller sees.

-- name: score
select s.score, s.sentence, s.breakdown from ops.run_scores s where s.run_id = %(run_id)s;

-- name: what_if_score
select ops.what_if_score(p_run_id => %(run_id)s, p_weights => %(weights)s);

-- name: trend
select r.id as run_id, r.env, r.created_at, r.status, s.score, s.sentence
from ops.runs r
join ops.run_scores s on s.run_id = r.id
where r.project_id = %(project_id)s and r.pipeline = %(pipeline)s
order by r.created_at desc, r.id desc
limit %(limit)s;

-- name: signal_names
select distinct s.signal from ops.signals s where s.run_id = any (%(run_ids)s) order by s.signal;

-- name: signal_values
select s.run_id, s.value, coalesce(s.data ->> 'said', '') as said
from ops.signals s
where s.run_id = any (%(run_ids)s) and s.signal = %(signal)s;

-- name: weights
select w.signal, w.weight, w.direction, w.half_at, w.free_until, w.description
from ops.signal_weights w
order by w.weight desc, w.signal;

-- name: set_signal_weight
select ops.set_signal_weight(
  p_signal => %(signal)s, p_weight => %(weight)s, p_half_at => %(half_at)s, p_free_until => %(free_until)s
);

-- name: gates
select o.slug as org, p.slug as project, g.env, g.pipeline, g.min_score, g.created_at, g.created_by
from ops.score_gates g
join ops.projects p on p.id = g.project_id
join ops.orgs o on o.id = p.org_id
order by o.slug, p.slug, g.env, g.pipeline nulls first;

-- name: set_score_gate
select ops.set_score_gate(
  p_project_id => %(project_id)s, p_env => %(env)s, p_pipeline => %(pipeline)s, p_min_score => %(min_score)s::numeric
);
