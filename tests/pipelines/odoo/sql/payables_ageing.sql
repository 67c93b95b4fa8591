with today as (select max(write_date)::date as day from account_move_line),
aged as (
  select l.company_id, coalesce(l.partner_id, 0) as partner_id, l.amount_residual as amount,
         today.day - coalesce(l.date_maturity, l.date) as days, today.day
    from account_move_line l
    join account_move m on m.id = l.move_id
    join account_account a on a.id = l.account_id
    cross join today
   where m.state = 'posted' and a.account_type = 'liability_payable' and l.amount_residual <> 0
)
select g.company_id, g.partner_id, max(p.complete_name) as partner, max(g.day) as as_of, count(*) as items,
       coalesce(sum(amount) filter (where days <= 0), 0) as not_due,
       coalesce(sum(amount) filter (where days between 1 and 30), 0) as overdue_1_30,
       coalesce(sum(amount) filter (where days between 31 and 60), 0) as overdue_31_60,
       coalesce(sum(amount) filter (where days between 61 and 90), 0) as overdue_61_90,
       coalesce(sum(amount) filter (where days > 90), 0) as overdue_over_90,
       sum(amount) as total
  from aged g
  left join res_partner p on p.id = g.partner_id
 group by 1, 2
