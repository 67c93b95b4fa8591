select run_id, lease_token from ops.claim_run('00000000-0000-0000-0000-000000000001', '{}', 600, :batch);
