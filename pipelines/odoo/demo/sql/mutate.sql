-- One business day's changes to what is there already, with the traps that a real Odoo sets.
-- Named parameters: day (timestamp: the morning of that day), pick (0..96: which rows it hits).

-- Partners move, and have their phone numbers changed.
update res_partner
   set phone = '+1 555 01' || lpad((id %% 100)::text, 2, '0'), city = 'New ' || city, write_date = %(day)s
 where id %% 97 = %(pick)s and city is not null;

-- A product's price and, for one company only, its cost.
update product_template set list_price = list_price + 1.25, write_date = %(day)s where id %% 97 = %(pick)s;
update product_product
   set standard_price = jsonb_set(standard_price, '{2}', to_jsonb(round((standard_price ->> '2')::numeric * 1.05, 2))),
       write_date = %(day)s
 where id %% 97 = %(pick)s and standard_price ? '2';

-- Opportunities are won.
update crm_lead
   set won_status = 'won', stage_id = 5, probability = 100, prorated_revenue = expected_revenue, date_closed = %(day)s,
       write_date = %(day)s
 where id %% 97 = %(pick)s and won_status = 'pending';

-- Draft invoices are posted: the items' parent_state follows, as Odoo's stored related fields do.
update account_move_line l
   set parent_state = 'posted', write_date = %(day)s
  from account_move m
 where m.id = l.move_id and m.state = 'draft' and m.id %% 5 = %(pick)s %% 5;
update account_move
   set state = 'posted', name = 'LATE/' || to_char(date, 'YYYY') || '/' || lpad(id::text, 7, '0'), write_date = %(day)s
 where state = 'draft' and id %% 5 = %(pick)s %% 5;

-- Cancelled orders are deleted with their lines and taxes; nothing of it touches any write_date.
delete from account_tax_sale_order_line_rel r
 using sale_order_line l, sale_order o
 where l.id = r.sale_order_line_id and o.id = l.order_id and o.state = 'cancel' and o.id %% 7 = %(pick)s %% 7;
delete from sale_order_line l using sale_order o where o.id = l.order_id and o.state = 'cancel' and o.id %% 7 = %(pick)s %% 7;
delete from sale_order where state = 'cancel' and id %% 7 = %(pick)s %% 7;

-- A long transaction commits today what it began to write four days ago: behind any watermark.
update project_task
   set effective_hours = effective_hours + 1, remaining_hours = remaining_hours - 1, write_date = %(day)s - interval '4 days'
 where id %% 11 = %(pick)s %% 11;
