-- Templates, integrations and what belongs to them, the log, leases.
--
-- What is listed in order of a text is collated "C": the order of its bytes, the same on every server and on SQLite.
-- The columns are described in the documentation of the crate.

create table integration_templates (
    id uuid not null primary key,
    name text collate "C" not null unique,
    display_name text not null,
    description text not null,
    category text not null,
    icon text,
    is_active boolean not null,
    config_schema jsonb not null,
    settings_schema jsonb not null,
    setup_instructions text not null,
    webhook_url text,
    api_version text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    created_by text
);

create table integrations (
    id uuid not null primary key,
    tenant_id text collate "C" not null,
    template_id uuid not null references integration_templates (id),
    vendor text not null,
    name text not null,
    description text,
    is_active boolean not null,
    is_default boolean not null,
    status text not null,
    reason_code text,
    error_message text,
    needs_reauth boolean not null,
    consecutive_failures bigint not null,
    last_sync_at timestamptz,
    last_test_at timestamptz,
    last_test_ok boolean,
    last_test_message text,
    last_test_data jsonb,
    paused_until timestamptz,
    next_check_at timestamptz,
    credentials_version bigint not null,
    -- What else there is to the state: fields that nobody queries.
    state jsonb not null,
    -- The newest config and, until it has passed its test, the one that still serves. Sealed fields are in
    -- integration_secrets.
    config_version bigint not null,
    config jsonb not null,
    config_hints jsonb not null,
    serving_version bigint,
    serving_config jsonb,
    serving_hints jsonb,
    settings jsonb not null,
    external_account_id text,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    created_by text
);

create unique index integrations_one_default on integrations (tenant_id, vendor) where is_default;
create index integrations_by_tenant on integrations (tenant_id, id);
create index integrations_by_template on integrations (template_id);
create index integrations_by_check on integrations (next_check_at, id) where next_check_at is not null;

-- One sealed field each, so that a rotation can replace exactly the value it has read. Numbers are never used twice:
-- a sweep goes by them.
create table integration_secrets (
    id bigint generated always as identity primary key,
    integration_id uuid not null references integrations (id) on delete cascade,
    config text not null check (config in ('newest', 'serving')),
    credentials_version bigint not null,
    field text not null,
    value text not null,
    unique (integration_id, config, field)
);

create table integration_endpoints (
    id uuid not null primary key,
    integration_id uuid not null references integrations (id) on delete cascade,
    position bigint not null,
    url text not null,
    created_at timestamptz not null
);

create index integration_endpoints_by_integration on integration_endpoints (integration_id);

create table integration_webhooks (
    id bigint generated always as identity primary key,
    endpoint_id uuid not null references integration_endpoints (id) on delete cascade,
    position bigint not null,
    vendor_webhook_id text not null,
    events jsonb not null,
    secret text,
    unique (endpoint_id, vendor_webhook_id)
);

create table integration_source_ids (
    integration_id uuid not null references integrations (id) on delete cascade,
    position bigint not null,
    source_id text not null,
    primary key (integration_id, position)
);

create index integration_source_ids_by_source on integration_source_ids (source_id, integration_id);

create table integration_status_history (
    id bigint generated always as identity primary key,
    integration_id uuid not null references integrations (id) on delete cascade,
    at timestamptz not null,
    from_status text,
    to_status text not null,
    event text not null,
    reason_code text,
    message text,
    actor text,
    version bigint not null
);

create index integration_status_history_by_integration on integration_status_history (integration_id, id);

create function integration_status_history_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the status history is append-only';
end
$$;

create trigger integration_status_history_append_only before update on integration_status_history
    for each row execute function integration_status_history_append_only();

create table integration_logs (
    id uuid not null primary key,
    tenant_id text not null,
    integration_id uuid references integrations (id) on delete set null,
    provider text not null,
    action text not null,
    request_id text,
    status text not null,
    related_type text,
    related_id text,
    payload jsonb,
    response jsonb,
    error_message text,
    http_status bigint,
    duration_ms bigint,
    created_at timestamptz not null
);

create index integration_logs_by_time on integration_logs (created_at, id);
create index integration_logs_by_tenant on integration_logs (tenant_id, created_at, id);
create index integration_logs_by_provider on integration_logs (tenant_id, provider, created_at, id);
create index integration_logs_by_status on integration_logs (tenant_id, status, created_at, id);
create index integration_logs_by_integration on integration_logs (integration_id, created_at, id);

create table integration_leases (
    name text not null primary key,
    owner text not null,
    expires_at timestamptz not null
);
