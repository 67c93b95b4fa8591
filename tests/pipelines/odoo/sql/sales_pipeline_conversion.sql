select date_trunc('month', l.create_date)::date as month, coalesce(t.id, 0) as team_id, coalesce(s.id, 0) as stage_id,
       coalesce(t.name ->> 'en_US', 'No team') as team, coalesce(s.name ->> 'en_US', 'No stage') as stage, count(*) as leads,
       count(*) filter (where l.won_status = 'won') as won, count(*) filter (where l.won_status = 'lost') as lost,
       sum(l.expected_revenue) as expected_revenue, sum(l.prorated_revenue) as weighted_revenue,
       coalesce(sum(l.expected_revenue) filter (where l.won_status = 'won'), 0) as won_revenue
  from crm_lead l
  left join crm_team t on t.id = l.team_id
  left join crm_stage s on s.id = l.stage_id
 group by 1, 2, 3, 4, 5
