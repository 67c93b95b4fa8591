-- Local accounts and what signed-in people hold. All of it lies in `private`, which grants no row of anything to anybody:
-- only the functions of 30_accounts*.sql reach it. What a person presents (a cookie, a link) is kept as its sha256.

create table private.accounts (
  -- The `sub` claim of the person. A bar would let it be taken for a subject of an OIDC issuer.
  subject text primary key check (subject ~ '^[a-z0-9][a-z0-9._@+-]{0,127}$' and subject <> 'local'),
  -- All three null: no password was set yet.
  salt bytea,
  -- The cost of argon2id: passes, memory in KiB, lanes.
  cost int[] check (pg_catalog.cardinality(cost) = 3),
  -- sha256 of what argon2id made of the password: a copy of this table is no key to the door that compares with it.
  verifier bytea,
  created_at timestamptz not null default clock_timestamp(),
  disabled_at timestamptz,
  check (pg_catalog.num_nulls(salt, cost, verifier) in (0, 3))
);

-- Sign-ins, of local accounts and by OIDC. Of the latter the row only serves to end one before its id token expires.
create table private.sessions (
  sha256 bytea primary key check (pg_catalog.length(sha256) = 32),
  subject text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  -- Where it began: address and user agent.
  origin jsonb not null default '{}'
);

create index sessions_subject on private.sessions (subject);
create index sessions_expiry on private.sessions (expires_at);

-- A link lets its holder set the account's password, once.
create table private.sign_in_links (
  sha256 bytea primary key check (pg_catalog.length(sha256) = 32),
  subject text not null references private.accounts,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at timestamptz
);

create index sign_in_links_subject on private.sign_in_links (subject);

-- What throttling counts. Names are hashed, since people type their password into the field above it now and then.
create table private.sign_in_failures (
  id uuid primary key default private.new_id(),
  at timestamptz not null default clock_timestamp(),
  name_sha256 bytea not null,
  address text not null
);

create index sign_in_failures_name on private.sign_in_failures (name_sha256, at);
create index sign_in_failures_address on private.sign_in_failures (address, at);
create index sign_in_failures_at on private.sign_in_failures (at);

-- One row of random bytes: the salts that unknown names are answered with must be the same each time, and not guessable.
create table private.sign_in_pepper (
  bytes bytea not null,
  only_one boolean primary key default true check (only_one)
);

insert into private.sign_in_pepper (bytes)
values (pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));

-- What pools log in as asks for a person's sign-in before it may become that person.
grant usage on schema ops to controlroom_login;

update private.schema_revision set version_num = '0007_pre_accounts';
