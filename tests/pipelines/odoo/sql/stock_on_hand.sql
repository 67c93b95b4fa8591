select l.id as location_id, p.id as product_id, t.name ->> 'en_US' as product, l.complete_name as location, l.usage,
       coalesce(l.company_id, 0) as company_id, moved.received, moved.issued, moved.received - moved.issued as on_hand
  from stock_location l
 cross join product_product p
  join product_template t on t.id = p.product_tmpl_id
 cross join lateral (
   select coalesce(sum(quantity_product_uom) filter (where s.location_dest_id = l.id), 0) as received,
          coalesce(sum(quantity_product_uom) filter (where s.location_id = l.id), 0) as issued,
          count(*) as lines
     from stock_move_line s
    where s.state = 'done' and s.product_id = p.id and l.id in (s.location_id, s.location_dest_id)
 ) moved
 where moved.lines > 0
