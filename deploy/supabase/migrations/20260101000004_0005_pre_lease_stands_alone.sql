-- A lease no longer refers to its run by a foreign key. Where one transaction updates a lease twice (an event, then the next),
-- Postgres checks the key again, because the version that it updates is its own; the check locks the run's row after the
-- lease's, against the order of everybody else, and the two wait for each other (tests/migrations/test_zombies.py met it).
-- The key guarded nothing: only ops.claim_run makes leases, holding the run's row, and runs are never deleted.
alter table ops.run_leases drop constraint run_leases_run_id_fkey;

update private.schema_revision set version_num = '0005_pre_lease_stands_alone';
