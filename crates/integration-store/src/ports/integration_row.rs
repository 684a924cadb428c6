//! The table `integrations`: one row with everything that belongs to it, in one statement and so from one moment.

use integration_core::instance::{StoredConfig, StoredIntegration};
use integration_core::status::CredentialsVersion;
use integration_core::store::StoreError;
use integration_core::{Actor, IntegrationId, TemplateId, TenantId};
use serde_json::{Map, Value};
use sqlx::types::Json;

use super::{Database, Query, Row, get};
use crate::failure::{Class, Failure, corrupt};
use crate::rows::{
    EndpointRow, Id, SecretRow, SourceRow, StateColumns, TestColumns, Time, counter, rest_of_state,
    unite_endpoints, unite_secrets, unite_sources, word,
};

/// No part of it is a join: PostgreSQL would read a whole table for one where it has not counted the rows yet.
pub(super) const SELECT: &str = "
    select i.id, i.tenant_id, i.template_id, i.vendor, i.name, i.description, i.is_active, i.is_default, i.status,
        i.reason_code, i.error_message, i.needs_reauth, i.consecutive_failures, i.last_sync_at, i.last_test_at,
        i.last_test_ok, i.last_test_message, i.last_test_data, i.paused_until, i.next_check_at,
        i.credentials_version, i.state, i.config_version, i.config, i.config_hints, i.serving_version,
        i.serving_config, i.serving_hints, i.settings, i.external_account_id, i.version, i.created_at, i.updated_at,
        i.created_by,
        (select json_group_array(json_object('config', s.config, 'field', s.field, 'value', s.value))
            from main.integration_secrets s where s.integration_id = i.id) as secrets,
        (select json_group_array(json_object('id', e.id, 'position', e.position, 'url', e.url,
                'created_at', e.created_at, 'webhooks',
                (select json_group_array(json_object('position', w.position,
                        'vendor_webhook_id', w.vendor_webhook_id, 'events', w.events, 'secret', w.secret))
                    from main.integration_webhooks w where w.endpoint_id = e.id)))
            from main.integration_endpoints e where e.integration_id = i.id) as endpoints,
        (select json_group_array(json_object('position', n.position, 'source_id', n.source_id))
            from main.integration_source_ids n where n.integration_id = i.id) as source_ids
    from main.integrations i";

pub(super) const INSERT: &str = "
    insert into main.integrations
        (id, tenant_id, template_id, vendor, created_at, created_by, name, description, is_active, is_default, status,
         reason_code, error_message, needs_reauth, consecutive_failures, last_sync_at, last_test_at, last_test_ok,
         last_test_message, last_test_data, paused_until, next_check_at, credentials_version, state, config_version,
         config, config_hints, serving_version, serving_config, serving_hints, settings, external_account_id, version,
         updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
         $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)";

/// `$2` to `$6` are bound and do not change.
pub(super) const UPDATE: &str = "
    update main.integrations
    set name = $7, description = $8, is_active = $9, is_default = $10, status = $11, reason_code = $12,
        error_message = $13, needs_reauth = $14, consecutive_failures = $15, last_sync_at = $16, last_test_at = $17,
        last_test_ok = $18, last_test_message = $19, last_test_data = $20, paused_until = $21, next_check_at = $22,
        credentials_version = $23, state = $24, config_version = $25, config = $26, config_hints = $27,
        serving_version = $28, serving_config = $29, serving_hints = $30, settings = $31, external_account_id = $32,
        version = $33, updated_at = $34
    where id = $1 and version = $35";

/// Binds a row to `$1` to `$34`, in the order of [`INSERT`].
pub(super) fn bind(query: Query, row: &StoredIntegration) -> Query {
    let state = &row.state;
    let test = state.last_test.as_ref();
    let serving = row.serving.as_ref();
    query
        .bind(Id::from(row.id.as_uuid()))
        .bind(row.tenant.as_str())
        .bind(Id::from(row.template.as_uuid()))
        .bind(&row.vendor)
        .bind(Time::from(row.created_at))
        .bind(row.created_by.as_ref().map(Actor::as_str))
        .bind(&row.name)
        .bind(&row.description)
        .bind(state.is_active)
        .bind(row.is_default)
        .bind(word(&state.status))
        .bind(state.reason.as_ref().map(word))
        .bind(&state.error_message)
        .bind(state.needs_reauth)
        .bind(i64::from(state.consecutive_failures))
        .bind(state.last_sync_at.map(Time::from))
        .bind(test.map(|test| Time::from(test.at)))
        .bind(test.map(|test| test.ok))
        .bind(test.map(|test| test.message.as_str()))
        .bind(row.last_test_data.as_ref().map(Json))
        .bind(state.paused_until.map(Time::from))
        .bind(row.next_check_at.map(Time::from))
        .bind(counter(state.credentials.0))
        .bind(Json(rest_of_state(state)))
        .bind(counter(row.config.version.0))
        .bind(Json(&row.config.readable))
        .bind(Json(&row.config.hints))
        .bind(serving.map(|config| counter(config.version.0)))
        .bind(serving.map(|config| Json(&config.readable)))
        .bind(serving.map(|config| Json(&config.hints)))
        .bind(Json(&row.settings))
        .bind(&row.external_account_id)
        .bind(counter(state.version))
        .bind(Time::from(row.updated_at))
}

/// Reads a row of [`SELECT`]. What cannot be read is told with the id: it may be one of many.
pub(super) fn read(row: &Row) -> Result<StoredIntegration, StoreError> {
    read_columns(row).map_err(|error| match (error, get::<Id>(row, "id")) {
        (StoreError::Corrupt(what), Ok(Id(id))) => {
            Failure::new(Class::Damaged, format!("integration {id}: {what}")).into()
        }
        (error, _) => error,
    })
}

fn read_columns(row: &Row) -> Result<StoredIntegration, StoreError> {
    let state = read_state(row)?.into_state()?;
    let mut integration = StoredIntegration::new(
        IntegrationId::from(get::<Id>(row, "id")?.0),
        TenantId::from(get::<String>(row, "tenant_id")?),
        TemplateId::from(get::<Id>(row, "template_id")?.0),
        get::<String>(row, "vendor")?,
        get::<String>(row, "name")?,
        state,
        get::<Time>(row, "created_at")?.0,
    );
    integration.description = get(row, "description")?;
    integration.config = read_config(
        get(row, "config_version")?,
        get(row, "config")?,
        get(row, "config_hints")?,
    );
    integration.serving = match get(row, "serving_version")? {
        Some(version) => Some(read_config(
            version,
            there(row, "serving_config")?,
            there(row, "serving_hints")?,
        )),
        None => None,
    };
    unite_secrets(
        parts::<SecretRow>(row, "secrets")?,
        &mut integration.config,
        integration.serving.as_mut(),
    )?;
    integration.settings = get::<Json<_>>(row, "settings")?.0;
    integration.is_default = get(row, "is_default")?;
    integration.next_check_at = time(row, "next_check_at")?;
    integration.external_account_id = get(row, "external_account_id")?;
    integration.source_ids = unite_sources(parts::<SourceRow>(row, "source_ids")?);
    integration.endpoints = unite_endpoints(parts::<EndpointRow>(row, "endpoints")?)?;
    integration.last_test_data =
        get::<Option<Json<Value>>>(row, "last_test_data")?.map(|json| json.0);
    integration.updated_at = get::<Time>(row, "updated_at")?.0;
    integration.created_by = get::<Option<String>>(row, "created_by")?.map(Actor::from);
    Ok(integration)
}

fn read_state(row: &Row) -> Result<StateColumns, StoreError> {
    let last_test = match time(row, "last_test_at")? {
        Some(at) => Some(TestColumns {
            at,
            ok: there(row, "last_test_ok")?,
            message: there(row, "last_test_message")?,
        }),
        None => None,
    };
    Ok(StateColumns {
        status: get(row, "status")?,
        is_active: get(row, "is_active")?,
        needs_reauth: get(row, "needs_reauth")?,
        reason: get(row, "reason_code")?,
        error_message: get(row, "error_message")?,
        consecutive_failures: get(row, "consecutive_failures")?,
        last_sync_at: time(row, "last_sync_at")?,
        last_test,
        paused_until: time(row, "paused_until")?,
        credentials: get::<i64>(row, "credentials_version")?.cast_unsigned(),
        version: get::<i64>(row, "version")?.cast_unsigned(),
        rest: get::<Json<_>>(row, "state")?.0,
    })
}

fn read_config(
    version: i64,
    readable: Json<Map<String, Value>>,
    hints: Json<std::collections::BTreeMap<String, String>>,
) -> StoredConfig {
    let mut config = StoredConfig::new(CredentialsVersion(version.cast_unsigned()));
    config.readable = readable.0;
    config.hints = hints.0;
    config
}

fn time(row: &Row, column: &str) -> Result<Option<chrono::DateTime<chrono::Utc>>, StoreError> {
    Ok(get::<Option<Time>>(row, column)?.map(|time| time.0))
}

/// Reads a column that is null in other rows, but not in this one. SQLite would give zero or an empty text.
fn there<T>(row: &Row, column: &str) -> Result<T, StoreError>
where
    Option<T>: for<'r> sqlx::Decode<'r, Database> + sqlx::Type<Database>,
{
    get::<Option<T>>(row, column)?.ok_or_else(|| corrupt(column))
}

/// Reads the rows of another table. Where there are none, PostgreSQL gives null.
fn parts<T: serde::de::DeserializeOwned + 'static>(
    row: &Row,
    column: &str,
) -> Result<Vec<T>, StoreError> {
    let rows: Option<Json<Vec<T>>> = get(row, column)?;
    Ok(rows.map_or_else(Vec::new, |rows| rows.0))
}
