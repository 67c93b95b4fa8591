-- For the page of one run: the few events that tell whose it was among the many that tell how far it is, what is wrong among
-- what is as usual, and what people did to it.
create index run_events_lifecycle on ops.run_events (run_id, seq)
where type in (
  'RUN_CREATED', 'RUN_CLAIMED', 'RUN_STARTED', 'LEASE_EXPIRED', 'RUN_REQUEUED', 'CANCEL_REQUESTED', 'RUN_SUCCEEDED',
  'RUN_FAILED', 'RUN_CANCELED');
create index audit_log_target on ops.audit_log (target, at desc);
