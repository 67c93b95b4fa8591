with held as (
  select l.company_id, s.product_id, s.quantity_product_uom as quantity
    from stock_move_line s join stock_location l on l.id = s.location_dest_id
   where s.state = 'done' and l.usage in ('internal', 'transit') and l.company_id is not null
  union all
  select l.company_id, s.product_id, -s.quantity_product_uom
    from stock_move_line s join stock_location l on l.id = s.location_id
   where s.state = 'done' and l.usage in ('internal', 'transit') and l.company_id is not null
)
select h.company_id, h.product_id, t.name ->> 'en_US' as product, sum(h.quantity) as quantity,
       coalesce((p.standard_price ->> h.company_id::text)::numeric, 0) as unit_cost,
       round(sum(h.quantity) * coalesce((p.standard_price ->> h.company_id::text)::numeric, 0), 4) as value
  from held h
  join product_product p on p.id = h.product_id
  join product_template t on t.id = p.product_tmpl_id
 group by h.company_id, h.product_id, t.name, p.standard_price
