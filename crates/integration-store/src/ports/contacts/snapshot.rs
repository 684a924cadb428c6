//! How many jobs there are, by state, and what else the store is asked about.

use chrono::{DateTime, Utc};
use contact_sync::limits::{check_names, check_remote};
use contact_sync::{ContactId, Link, RemoteId, Snapshot, TargetName, TenantId};

use super::{Result, Store, failed, get, queue};
use crate::columns::{Id, Time};

const IS_LINKED: &str = "
    select 1 from main.sync_lines
    where tenant_id = $1 and target = $2 and remote_id = $3 and remote_id is not null
        and ($4 is null or contact_id <> $4)
    limit 1";

const LINKS: &str = "
    select target, remote_id from main.sync_lines where contact_id = $1 and remote_id is not null order by target";

/// Counts what there is.
pub(super) async fn snapshot(store: &Store) -> Result<Snapshot> {
    let mut reader = store.reader().acquire().await.map_err(failed)?;
    let now = store.now(&mut reader).await?;
    let mut snapshot = Snapshot::default();
    let mut oldest: Option<DateTime<Utc>> = None;
    let rows = store.query(queue::COUNT).fetch_all(&mut *reader).await;
    for row in rows.map_err(failed)? {
        let number = usize::try_from(get::<i64>(&row, "number")?).unwrap_or_default();
        let counted = match get::<String>(&row, "state")?.as_str() {
            "ready" => &mut snapshot.ready,
            "retrying" => &mut snapshot.retrying,
            "running" | "held" => &mut snapshot.running,
            "review" => {
                snapshot.review += number;
                continue;
            }
            _ => {
                snapshot.dead += number;
                continue;
            }
        };
        *counted += number;
        let born = get::<Option<Time>>(&row, "oldest")?.map(|at| at.0);
        oldest = oldest.into_iter().chain(born).min();
    }
    snapshot.failed_intake = store.failed_intake(&mut reader).await?;
    let age = oldest.and_then(|born| (now - born).to_std().ok());
    let age = age.unwrap_or_default().as_millis();
    snapshot.oldest_ms = u64::try_from(age).unwrap_or(u64::MAX);
    let counts = *store.local.counts();
    snapshot.done = counts.done;
    snapshot.outcomes = counts.outcomes;
    Ok(snapshot)
}

/// Tells whether any contact of the tenant, but for `except`, has a link to this record.
pub(super) async fn is_linked(
    store: &Store,
    tenant: &TenantId,
    target: &TargetName,
    remote: &RemoteId,
    except: Option<ContactId>,
) -> Result<bool> {
    if check_names(tenant, [target]).is_err() || check_remote(remote).is_err() {
        return Ok(false);
    }
    let query = store
        .query(IS_LINKED)
        .bind(tenant.as_str().to_owned())
        .bind(target.as_str().to_owned())
        .bind(remote.as_str().to_owned())
        .bind(except.map(|contact| Id::from(contact.as_uuid())));
    let row = query.fetch_optional(store.reader()).await.map_err(failed)?;
    Ok(row.is_some())
}

/// Returns the contact's ids at the vendors.
pub(super) async fn links(store: &Store, contact: ContactId) -> Result<Vec<Link>> {
    let query = store.query(LINKS).bind(Id::from(contact.as_uuid()));
    let rows = query.fetch_all(store.reader()).await.map_err(failed)?;
    let link = |row| {
        let target: String = get(row, "target")?;
        let remote: String = get(row, "remote_id")?;
        Ok(Link::new(target.into(), remote.into()))
    };
    rows.iter().map(link).collect()
}
