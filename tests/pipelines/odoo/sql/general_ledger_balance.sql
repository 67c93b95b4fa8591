-- code_store is keyed by the root company, the first part of parent_path.
select l.company_id, l.account_id, date_trunc('month', l.date)::date as month, c.name as company,
       a.code_store ->> split_part(c.parent_path, '/', 1) as code, a.name ->> 'en_US' as account, a.account_type,
       count(*) as items, sum(l.debit) as debit, sum(l.credit) as credit, sum(l.debit) - sum(l.credit) as balance,
       sum(sum(l.debit) - sum(l.credit)) over (partition by l.company_id, l.account_id
                                               order by date_trunc('month', l.date)::date) as closing_balance
  from account_move_line l
  join account_move m on m.id = l.move_id
  join account_account a on a.id = l.account_id
  join res_company c on c.id = l.company_id
 where m.state = 'posted'
 group by 1, 2, 3, 4, 5, 6, 7
