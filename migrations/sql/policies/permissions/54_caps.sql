grant execute on function ops.cap_standing() to authenticated, service_role;
