-- Contacts, what is known of them at each target, and the outbox of what has still to be done.
--
-- A line is one contact at one target. Names begin with sync_, because the tables may lie in the host's own file.

create table sync_contacts (
    id text not null primary key,
    tenant_id text not null,
    -- h: and the host's own id, or d: and a key derived from the person; null where there is nothing to go by.
    contact_key text,
    -- 0 while a strict create has only kept the key for itself.
    revision integer not null,
    -- Null when there is nothing yet, or nothing any more.
    contact text,
    erased_at text,
    created_at text not null,
    updated_at text not null,
    unique (tenant_id, contact_key)
) strict;

-- Erased contacts that have still a key.
create index sync_contacts_leaving on sync_contacts (id) where erased_at is not null and contact_key is not null;

create table sync_lines (
    contact_id text not null,
    target text not null,
    tenant_id text not null,
    link text not null check (link in ('none', 'intent', 'linked')),
    remote_id text,
    -- Whether one of our own creates has made the record.
    is_ours integer not null default 0 check (is_ours in (0, 1)),
    -- When the first create that nobody heard of was about to be called.
    intent_at text,
    -- Until when a request of an intent may still take effect.
    settles_at text,
    delivered integer not null default 0,
    -- The job or the operation that is at work.
    holder text,
    -- The contact under which the line stands in sync_claims.
    held_contact text,
    -- The delivery that waits for a person.
    stopped_job text,
    primary key (contact_id, target),
    check ((link = 'linked') = (remote_id is not null))
) strict, without rowid;

create index sync_lines_by_remote on sync_lines (tenant_id, target, remote_id) where remote_id is not null;

-- Lines that run or have an intent, by what others of the same person would share with them.
create table sync_claims (
    tenant_id text not null,
    target text not null,
    -- e: and an e-mail address, p: and a phone number.
    identifier text not null,
    contact_id text not null,
    is_running integer not null check (is_running in (0, 1)),
    primary key (tenant_id, target, identifier, contact_id)
) strict, without rowid;

create unique index sync_claims_running on sync_claims (tenant_id, target, identifier) where is_running = 1;
create index sync_claims_by_line on sync_claims (contact_id, target);

-- Records of people who are known by an identifier, each with one contact that it belongs to.
create table sync_known (
    tenant_id text not null,
    target text not null,
    identifier text not null,
    remote_id text not null,
    contact_id text not null,
    primary key (tenant_id, target, identifier, remote_id)
) strict, without rowid;

-- The record first: begun like the primary key, it would look as good to a planner for what is known of an identifier.
create index sync_known_by_remote on sync_known (remote_id, target, tenant_id);
create index sync_known_by_contact on sync_known (contact_id);

create table sync_outbox (
    seq integer primary key autoincrement,
    id text not null unique,
    tenant_id text not null,
    kind text not null check (kind in ('deliver', 'undo', 'remove')),
    target text not null,
    contact_id text not null,
    -- Ids alone: what is personal lies in sync_contacts and sync_undos.
    payload text not null,
    ordering_key text not null,
    dedup_key text not null,
    -- The order within a line, the lowest first.
    position integer not null,
    is_head integer not null check (is_head in (0, 1)),
    -- The ordering key of the line whose end this job waits for.
    waits_for text,
    -- 0 while somebody waits for it, else 1.
    lane integer not null,
    state text not null check (state in ('ready', 'retrying', 'running', 'held', 'review', 'dead')),
    -- Waits for an integration to be mended.
    is_parked integer not null default 0 check (is_parked in (0, 1)),
    -- Runs for a contact that has been erased meanwhile: whatever comes of the attempt, there is no other.
    is_dropped integer not null default 0 check (is_dropped in (0, 1)),
    run_at text not null,
    -- Moved forward by what was spent parked.
    born_at text not null,
    attempts integer not null default 0,
    crash_count integer not null default 0,
    lease_until text,
    lease_token text,
    operation_id text,
    last_error text,
    trace_id text,
    updated_at text not null
) strict;

create unique index sync_outbox_live on sync_outbox (kind, dedup_key)
    where state in ('ready', 'retrying', 'running', 'held');
create index sync_outbox_due on sync_outbox (lane, run_at, seq)
    where is_head = 1 and waits_for is null and state in ('ready', 'retrying');
create index sync_outbox_leased on sync_outbox (lease_until) where state = 'running';
create index sync_outbox_by_line on sync_outbox (contact_id, target, position);
create index sync_outbox_waiting on sync_outbox (waits_for) where waits_for is not null;
-- For counting, without a look at the rows.
create index sync_outbox_by_state on sync_outbox (state, born_at);
create index sync_outbox_parked on sync_outbox (tenant_id, target) where is_parked = 1;
create index sync_outbox_stopped on sync_outbox (id) where state in ('review', 'dead');

-- What an undo or a removal has to take back. It goes with the job.
create table sync_undos (
    job_id text not null primary key,
    contact text not null,
    external_key text not null,
    remote_id text,
    -- Of a removal: under what its record is known or may be found besides, as in sync_claims; a JSON list.
    also text,
    started_at text not null
) strict;

-- Strict creates that are going on.
create table sync_operations (
    id text not null primary key,
    token text not null,
    lease_until text not null,
    tenant_id text not null,
    contact_id text not null,
    contact text not null,
    targets text not null,
    -- What the links of its lines were before.
    before text not null
) strict;

create index sync_operations_leased on sync_operations (lease_until);

-- Which of them are confirmed. A row of its own, so that the lease is renewed while the host's transaction is open. It
-- outlives the operation for a while, for its holder to ask.
create table sync_confirmations (
    operation_id text not null primary key,
    token text not null,
    -- What it has changed, for taking it back; null where the host's own transaction has written it, and in the end.
    changes text,
    ended_at text
) strict;

create index sync_confirmations_ended on sync_confirmations (ended_at) where ended_at is not null;

-- One row for each attempt of a job, with what it says about the integration.
create table sync_attempts (
    seq integer primary key autoincrement,
    at text not null,
    job_id text not null,
    kind text not null,
    tenant_id text not null,
    target text not null,
    contact_id text not null,
    attempt integer not null,
    duration_ms integer not null,
    outcome text not null,
    signal text,
    trace_id text
) strict;

create index sync_attempts_by_time on sync_attempts (at);
create index sync_attempts_by_contact on sync_attempts (contact_id, seq);
