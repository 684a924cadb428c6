-- The tokens of OAuth grants: one row for each on whose behalf an integration was connected.

-- Numbers are never used twice: a sweep goes by them.
create table integration_tokens (
    id bigint generated always as identity primary key,
    integration_id uuid not null references integrations (id) on delete cascade,
    -- Empty for the integration itself.
    owner text not null,
    access_token text not null,
    refresh_token text,
    -- A keyed hash of the refresh token, or of the access token where there is no other. A refresh is saved by it.
    fingerprint text not null,
    -- That of the refresh token that the vendor has refused for good.
    refused_fingerprint text,
    token_type text not null,
    expires_at timestamptz not null,
    refresh_expires_at timestamptz,
    scope text,
    lease_owner text,
    lease_until timestamptz,
    updated_at timestamptz not null,
    unique (integration_id, owner)
);
