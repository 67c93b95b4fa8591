select l.company_id, date_trunc('month', l.date)::date as month, coalesce(l.product_id, 0) as product_id,
       coalesce(t.name ->> 'en_US', 'No product') as product, count(*) as items, sum(l.credit - l.debit) as revenue
  from account_move_line l
  join account_move m on m.id = l.move_id
  left join product_product p on p.id = l.product_id
  left join product_template t on t.id = p.product_tmpl_id
 where m.state = 'posted' and m.move_type in ('out_invoice', 'out_refund', 'out_receipt') and l.display_type = 'product'
 group by 1, 2, 3, 4
