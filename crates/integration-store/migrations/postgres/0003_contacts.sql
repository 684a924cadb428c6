-- Contacts, what is known of them at each target, and the outbox of what has still to be done.
--
-- A line is one contact at one target. On SQLite the tables may lie in the host's own file: their names begin with sync_.

create table sync_contacts (
    id uuid not null primary key,
    tenant_id text collate "C" not null,
    -- h: and the host's own id, or d: and a key derived from the person; null where there is nothing to go by.
    contact_key text collate "C",
    -- 0 while a strict create has only kept the key for itself.
    revision bigint not null,
    -- Null when there is nothing yet, or nothing any more.
    contact text,
    erased_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (tenant_id, contact_key)
);

-- Erased contacts that have still a key.
create index sync_contacts_leaving on sync_contacts (id) where erased_at is not null and contact_key is not null;

create table sync_lines (
    contact_id uuid not null,
    target text collate "C" not null,
    tenant_id text collate "C" not null,
    link text not null check (link in ('none', 'intent', 'linked')),
    remote_id text collate "C",
    -- Whether one of our own creates has made the record.
    is_ours boolean not null default false,
    -- When the first create that nobody heard of was about to be called.
    intent_at timestamptz,
    -- Until when a request of an intent may still take effect.
    settles_at timestamptz,
    delivered bigint not null default 0,
    -- The job or the operation that is at work.
    holder uuid,
    -- The contact under which the line stands in sync_claims.
    held_contact text,
    -- The delivery that waits for a person.
    stopped_job uuid,
    primary key (contact_id, target),
    check ((link = 'linked') = (remote_id is not null))
);

create index sync_lines_by_remote on sync_lines (tenant_id, target, remote_id) where remote_id is not null;

-- Lines that run or have an intent, by what others of the same person would share with them.
create table sync_claims (
    tenant_id text collate "C" not null,
    target text collate "C" not null,
    -- e: and an e-mail address, p: and a phone number.
    identifier text collate "C" not null,
    contact_id uuid not null,
    is_running boolean not null,
    primary key (tenant_id, target, identifier, contact_id)
);

create unique index sync_claims_running on sync_claims (tenant_id, target, identifier) where is_running;
create index sync_claims_by_line on sync_claims (contact_id, target);

-- Records of people who are known by an identifier, each with one contact that it belongs to.
create table sync_known (
    tenant_id text collate "C" not null,
    target text collate "C" not null,
    identifier text collate "C" not null,
    remote_id text collate "C" not null,
    contact_id uuid not null,
    primary key (tenant_id, target, identifier, remote_id)
);

-- The record first: begun like the primary key, it would look as good to a planner for what is known of an identifier.
create index sync_known_by_remote on sync_known (remote_id, target, tenant_id);
create index sync_known_by_contact on sync_known (contact_id);

create table sync_outbox (
    seq bigint generated always as identity primary key,
    id uuid not null unique,
    tenant_id text collate "C" not null,
    kind text not null check (kind in ('deliver', 'undo', 'remove')),
    target text collate "C" not null,
    contact_id uuid not null,
    -- Ids alone: what is personal lies in sync_contacts and sync_undos.
    payload text not null,
    ordering_key text collate "C" not null,
    dedup_key text collate "C" not null,
    -- The order within a line, the lowest first.
    position bigint not null,
    is_head boolean not null,
    -- The ordering key of the line whose end this job waits for.
    waits_for text collate "C",
    -- 0 while somebody waits for it, else 1.
    lane bigint not null,
    state text not null check (state in ('ready', 'retrying', 'running', 'held', 'review', 'dead')),
    -- Waits for an integration to be mended.
    is_parked boolean not null default false,
    -- Runs for a contact that has been erased meanwhile: whatever comes of the attempt, there is no other.
    is_dropped boolean not null default false,
    run_at timestamptz not null,
    -- Moved forward by what was spent parked.
    born_at timestamptz not null,
    attempts bigint not null default 0,
    crash_count bigint not null default 0,
    lease_until timestamptz,
    lease_token uuid,
    operation_id uuid,
    last_error text,
    trace_id text,
    updated_at timestamptz not null
);

create unique index sync_outbox_live on sync_outbox (kind, dedup_key)
    where state in ('ready', 'retrying', 'running', 'held');
create index sync_outbox_due on sync_outbox (lane, run_at, seq)
    where is_head and waits_for is null and state in ('ready', 'retrying');
create index sync_outbox_leased on sync_outbox (lease_until) where state = 'running';
create index sync_outbox_by_line on sync_outbox (contact_id, target, position);
create index sync_outbox_waiting on sync_outbox (waits_for) where waits_for is not null;
-- For counting, without a look at the rows.
create index sync_outbox_by_state on sync_outbox (state, born_at);
create index sync_outbox_parked on sync_outbox (tenant_id, target) where is_parked;
create index sync_outbox_stopped on sync_outbox (id) where state in ('review', 'dead');

-- What an undo or a removal has to take back. It goes with the job.
create table sync_undos (
    job_id uuid not null primary key,
    contact text not null,
    external_key text not null,
    remote_id text collate "C",
    -- Of a removal: under what its record is known or may be found besides, as in sync_claims; a JSON list.
    also text,
    started_at timestamptz not null
);

-- Strict creates that are going on.
create table sync_operations (
    id uuid not null primary key,
    token uuid not null,
    lease_until timestamptz not null,
    tenant_id text collate "C" not null,
    contact_id uuid not null,
    contact text not null,
    targets text not null,
    -- What the links of its lines were before.
    before text not null
);

create index sync_operations_leased on sync_operations (lease_until);

-- Which of them are confirmed. A row of its own, so that the lease is renewed while the host's transaction is open. It
-- outlives the operation for a while, for its holder to ask.
create table sync_confirmations (
    operation_id uuid not null primary key,
    token uuid not null,
    -- What it has changed, for taking it back; null where the host's own transaction has written it, and in the end.
    changes text,
    ended_at timestamptz
);

create index sync_confirmations_ended on sync_confirmations (ended_at) where ended_at is not null;

-- One row for each attempt of a job, with what it says about the integration.
create table sync_attempts (
    seq bigint generated always as identity primary key,
    at timestamptz not null,
    job_id uuid not null,
    kind text not null,
    tenant_id text collate "C" not null,
    target text collate "C" not null,
    contact_id uuid not null,
    attempt bigint not null,
    duration_ms bigint not null,
    outcome text not null,
    signal text,
    trace_id text
);

create index sync_attempts_by_time on sync_attempts (at);
create index sync_attempts_by_contact on sync_attempts (contact_id, seq);

-- Signups that a host has put in by enqueue(), until a worker takes them over.
create table sync_intake (
    seq bigint generated always as identity primary key,
    id uuid not null unique,
    -- As it was given: what is personal lies here for that long.
    signup jsonb not null,
    created_at timestamptz not null,
    -- When it was found that it cannot be taken over.
    failed_at timestamptz
);

create index sync_intake_waiting on sync_intake (seq) where failed_at is null;
create index sync_intake_failed on sync_intake (failed_at) where failed_at is not null;

-- For hosts on any database library: a signup in the host's own transaction. The function finds its tables wherever it
-- is called from, and what it says holds nothing of what it was given.
select set_config('search_path', quote_ident(current_schema()) || ', pg_catalog, pg_temp', true);

create function enqueue(signup jsonb) returns uuid language plpgsql set search_path from current as $$
declare
    ticket uuid := gen_random_uuid();
begin
    if signup is null or jsonb_typeof(signup) <> 'object' then
        raise exception using errcode = 'invalid_parameter_value', message = 'enqueue: a signup is a JSON object';
    end if;
    if exists (
        select 1 from jsonb_object_keys(signup) k where k <> all (array[
            'tenant', 'host_id', 'name', 'first_name', 'last_name', 'email', 'phone', 'company', 'notes', 'targets',
            'trace_id'])
    ) then
        raise exception using errcode = 'invalid_parameter_value', message = 'enqueue: a signup has a field that is not known',
            hint = 'The fields are tenant, host_id, name, first_name, last_name, email, phone, company, notes, targets and trace_id.';
    end if;
    if exists (
        select 1 from jsonb_each(signup) f
        where f.key <> 'targets' and jsonb_typeof(f.value) not in ('string', 'null')
            and not (f.key = 'host_id' and jsonb_typeof(f.value) = 'number')
    ) then
        raise exception using errcode = 'invalid_parameter_value', message = 'enqueue: a field of a signup is no text';
    end if;
    if octet_length(signup ->> 'tenant') > 200 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'enqueue: the tenant has more than 200 bytes';
    end if;
    if jsonb_typeof(coalesce(signup -> 'targets', '[]')) not in ('array', 'null')
        or jsonb_path_exists(signup, 'strict $.targets[*] ? (@.type() != "string")', '{}', true)
    then
        raise exception using errcode = 'invalid_parameter_value', message = 'enqueue: targets are a list of names';
    end if;
    insert into sync_intake (id, signup, created_at) values (ticket, enqueue.signup, clock_timestamp());
    perform pg_notify('integration_store_work', current_schema());
    return ticket;
end
$$;

select set_config('search_path', quote_ident(current_schema()), true);
