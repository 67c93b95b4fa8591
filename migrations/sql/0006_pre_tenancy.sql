-- Who may do what, in whose name, and the memory of it: tokens, grants between projects, promotions, the audit log.

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'controlroom_token') then
    -- What holders of an access token log in as. It may become `authenticated` and nothing else, and the database takes its
    -- word for nothing: who it is follows from the token that it presents (private.subject), not from claims.
    create role controlroom_token login noinherit;
  end if;
exception
  -- Roles belong to the whole server: another database's installer may have been a moment earlier with this one.
  when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
  grant authenticated to controlroom_token;
exception
  -- Another database's installer gives the same at this moment ("tuple concurrently updated" has no code of its own).
  when unique_violation or internal_error then null;
end
$$;

-- Replaced by ops.set_member, which people may call too.
drop function if exists ops.ensure_membership(uuid, text, text, text[]);

-- Without foreign keys: the log outlives what it tells of.
create table ops.audit_log (
  id uuid primary key default private.new_id(),
  at timestamptz not null default clock_timestamp(),
  -- Both null: it concerns the whole installation.
  org_id uuid,
  project_id uuid,
  -- Null: no person, but the installation itself.
  subject text,
  acting_role text not null,
  access_token_id uuid,
  action text not null,
  target text not null,
  before jsonb,
  after jsonb,
  origin jsonb not null default '{}'
);

create index audit_log_project on ops.audit_log (project_id, at desc, id desc);
create index audit_log_org on ops.audit_log (org_id, at desc, id desc);

create table ops.access_tokens (
  id uuid primary key default private.new_id(),
  subject text not null check (subject <> ''),
  name text not null check (name <> ''),
  -- What the token may do at most, whatever its owner's memberships allow.
  role text not null check (role in ('viewer', 'operator', 'editor', 'admin')),
  -- Null: every project of its owner.
  project_id uuid references ops.projects,
  envs text[] not null default '{dev,stage,prod}' check (envs <@ '{dev,stage,prod}' and envs <> '{}'),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz,
  unique (subject, name)
);

create index access_tokens_project on ops.access_tokens (project_id);

-- Apart from the tokens, and in a schema that nobody is given: reading one's tokens must not mean reading these.
create table private.access_token_hashes (
  token_id uuid primary key references ops.access_tokens,
  sha256 bytea not null unique
);

-- A dataset of one project that another may read.
create table ops.grants (
  dataset_id uuid not null references ops.datasets,
  -- Whose it is.
  project_id uuid not null references ops.projects,
  -- The project that may read it.
  reader_id uuid not null references ops.projects,
  granted_at timestamptz not null default clock_timestamp(),
  primary key (dataset_id, reader_id)
);

create index grants_project on ops.grants (project_id);
create index grants_reader on ops.grants (reader_id);

-- Which secret references the runs of a project may resolve. A pattern may end in `*`.
create table ops.secret_grants (
  project_id uuid not null references ops.projects,
  reference text not null check (reference ~ '^secret://[a-z][a-z0-9_]*/[^*]*\*?$'),
  envs text[] not null default '{dev,stage,prod}' check (envs <@ '{dev,stage,prod}' and envs <> '{}'),
  granted_at timestamptz not null default clock_timestamp(),
  primary key (project_id, reference)
);

-- The latest row of a pipeline and environment says which version runs there. Append-only: going back is another promotion.
create table ops.promotions (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  pipeline text not null,
  version int not null,
  env text not null check (env in ('stage', 'prod')),
  subject text,
  note text not null default '',
  -- The run of the environment below that succeeded with all its checks.
  evidence_run uuid references ops.runs,
  promoted_at timestamptz not null default clock_timestamp(),
  foreign key (project_id, pipeline, version) references ops.pipelines (project_id, slug, version)
);

create index promotions_current on ops.promotions (project_id, pipeline, env, promoted_at desc, id desc);
create index promotions_version on ops.promotions (project_id, pipeline, version);
create index promotions_evidence on ops.promotions (evidence_run);

-- Words of a run, for ops.find_runs, which people call because under row-level security no text operator may use an index.
create index runs_words on ops.runs using gin (
  to_tsvector('simple'::regconfig, pipeline || ' ' || coalesce(error_code, '') || ' ' || coalesce(error_message, '')),
  to_tsvector('simple'::regconfig, tags)
);

-- The version that readers get. Null: no run that wrote the dataset has succeeded yet (see private.release_datasets).
alter table ops.datasets alter column version drop not null;
