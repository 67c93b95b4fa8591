-- People: it checks the caller's membership itself.
grant execute on function ops.save_answer(uuid, text) to authenticated, service_role;
