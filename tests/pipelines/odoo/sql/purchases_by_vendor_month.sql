select o.company_id, o.partner_id, date_trunc('month', coalesce(o.date_approve, o.date_order))::date as month,
       p.complete_name as vendor, count(*) as orders, sum(o.amount_total_cc) as total
  from purchase_order o
  join res_partner p on p.id = o.partner_id
 where o.state in ('purchase', 'done')
 group by 1, 2, 3, 4
