-- Templates, integrations and what belongs to them, the log, leases.
--
-- Times are UTC text with six digits of the second, so that they sort as text. Identifiers are UUIDs as text. JSON is
-- text. The columns are described in the documentation of the crate.

create table integration_templates (
    id text not null primary key,
    name text not null unique,
    display_name text not null,
    description text not null,
    category text not null,
    icon text,
    is_active integer not null check (is_active in (0, 1)),
    config_schema text not null,
    settings_schema text not null,
    setup_instructions text not null,
    webhook_url text,
    api_version text,
    created_at text not null,
    updated_at text not null,
    created_by text
) strict;

create table integrations (
    id text not null primary key,
    tenant_id text not null,
    template_id text not null references integration_templates (id),
    vendor text not null,
    name text not null,
    description text,
    is_active integer not null check (is_active in (0, 1)),
    is_default integer not null check (is_default in (0, 1)),
    status text not null,
    reason_code text,
    error_message text,
    needs_reauth integer not null check (needs_reauth in (0, 1)),
    consecutive_failures integer not null,
    last_sync_at text,
    last_test_at text,
    last_test_ok integer check (last_test_ok in (0, 1)),
    last_test_message text,
    last_test_data text,
    paused_until text,
    next_check_at text,
    credentials_version integer not null,
    -- What else there is to the state: fields that nobody queries.
    state text not null,
    -- The newest config and, until it has passed its test, the one that still serves. Sealed fields are in
    -- integration_secrets.
    config_version integer not null,
    config text not null,
    config_hints text not null,
    serving_version integer,
    serving_config text,
    serving_hints text,
    settings text not null,
    external_account_id text,
    version integer not null,
    created_at text not null,
    updated_at text not null,
    created_by text
) strict;

create unique index integrations_one_default on integrations (tenant_id, vendor) where is_default;
create index integrations_by_tenant on integrations (tenant_id, id);
create index integrations_by_template on integrations (template_id);
create index integrations_by_check on integrations (next_check_at, id) where next_check_at is not null;

-- One sealed field each, so that a rotation can replace exactly the value it has read. Numbers are never used twice:
-- a sweep goes by them.
create table integration_secrets (
    id integer primary key autoincrement,
    integration_id text not null references integrations (id) on delete cascade,
    config text not null check (config in ('newest', 'serving')),
    credentials_version integer not null,
    field text not null,
    value text not null,
    unique (integration_id, config, field)
) strict;

create table integration_endpoints (
    id text not null primary key,
    integration_id text not null references integrations (id) on delete cascade,
    position integer not null,
    url text not null,
    created_at text not null
) strict;

create index integration_endpoints_by_integration on integration_endpoints (integration_id);

create table integration_webhooks (
    id integer primary key autoincrement,
    endpoint_id text not null references integration_endpoints (id) on delete cascade,
    position integer not null,
    vendor_webhook_id text not null,
    events text not null,
    secret text,
    unique (endpoint_id, vendor_webhook_id)
) strict;

create table integration_source_ids (
    integration_id text not null references integrations (id) on delete cascade,
    position integer not null,
    source_id text not null,
    primary key (integration_id, position)
) strict;

create index integration_source_ids_by_source on integration_source_ids (source_id, integration_id);

create table integration_status_history (
    id integer primary key autoincrement,
    integration_id text not null references integrations (id) on delete cascade,
    at text not null,
    from_status text,
    to_status text not null,
    event text not null,
    reason_code text,
    message text,
    actor text,
    version integer not null
) strict;

create index integration_status_history_by_integration on integration_status_history (integration_id, id);

create trigger integration_status_history_append_only before update on integration_status_history
begin
    select raise(abort, 'the status history is append-only');
end;

create table integration_logs (
    id text not null primary key,
    tenant_id text not null,
    integration_id text references integrations (id) on delete set null,
    provider text not null,
    action text not null,
    request_id text,
    status text not null,
    related_type text,
    related_id text,
    payload text,
    response text,
    error_message text,
    http_status integer,
    duration_ms integer,
    created_at text not null
) strict;

create index integration_logs_by_time on integration_logs (created_at, id);
create index integration_logs_by_tenant on integration_logs (tenant_id, created_at, id);
create index integration_logs_by_provider on integration_logs (tenant_id, provider, created_at, id);
create index integration_logs_by_status on integration_logs (tenant_id, status, created_at, id);
create index integration_logs_by_integration on integration_logs (integration_id, created_at, id);

create table integration_leases (
    name text not null primary key,
    owner text not null,
    expires_at text not null
) strict;
