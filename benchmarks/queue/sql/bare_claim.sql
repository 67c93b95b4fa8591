update bare_job
set status = 'claimed', owner = '00000000-0000-0000-0000-000000000001', claimed_at = clock_timestamp()
where id = any (array(
  select id from bare_job
  where status = 'queued' and available_at <= clock_timestamp()
  order by priority, available_at, id
  for update skip locked
  limit :batch))
returning id;
