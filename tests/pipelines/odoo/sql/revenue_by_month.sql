-- Posted customer invoices less refunds, in the company's currency.
select m.company_id, date_trunc('month', m.date)::date as month, c.name as company, u.name as currency,
       count(*) filter (where m.move_type <> 'out_refund') as invoices,
       count(*) filter (where m.move_type = 'out_refund') as refunds,
       sum(m.amount_untaxed_signed) as revenue, sum(m.amount_tax_signed) as tax, sum(m.amount_total_signed) as total
  from account_move m
  join res_company c on c.id = m.company_id
  join res_currency u on u.id = c.currency_id
 where m.state = 'posted' and m.move_type in ('out_invoice', 'out_refund', 'out_receipt')
 group by 1, 2, 3, 4
