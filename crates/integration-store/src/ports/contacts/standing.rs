//! Where contacts stand, for receipts and for a reconciler.

use std::time::Duration;

use contact_sync::{
    Accepted, ContactId, DeliveryState, ErrorClass, FailureNote, Standing, Standings,
    StoredContact, TargetName, TenantId,
};
use uuid::Uuid;

use super::{Result, Row, Store, corrupt, failed, get};
use crate::columns::Id;

const STORED: &str = "
    select revision, contact from main.sync_contacts
    where id = $1 and tenant_id = $2 and contact is not null and erased_at is null";

const PAGE: &str = "
    select id, tenant_id, revision from main.sync_contacts
    where id > $1 and contact is not null and erased_at is null order by id limit $2";

/// Lines of the contacts from `$1` to `$2`, each with its live delivery and the one that was stopped.
const LINES: &str = "
    select l.contact_id, l.target, l.remote_id, l.delivered, j.id as live, j.last_error as live_error,
        s.state as stopped, s.last_error as stopped_error
    from main.sync_lines l
    left join main.sync_outbox j on j.contact_id = l.contact_id and j.target = l.target and j.kind = 'deliver'
        and j.state in ('ready', 'retrying', 'running', 'held') and not j.is_dropped
    left join main.sync_outbox s on s.id = l.stopped_job
    where l.contact_id >= $1 and l.contact_id <= $2
    order by l.contact_id, l.target";

pub(super) async fn stored(
    store: &Store,
    tenant: &TenantId,
    id: ContactId,
) -> Result<Option<StoredContact>> {
    let query = store.query(STORED).bind(Id::from(id.as_uuid()));
    let query = query.bind(tenant.as_str().to_owned());
    let row = query.fetch_optional(store.reader()).await.map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let contact: String = get(&row, "contact")?;
    let contact = serde_json::from_str(&contact).map_err(|_| corrupt("contact"))?;
    let revision = get::<i64>(&row, "revision")?.cast_unsigned();
    Ok(Some(StoredContact::new(
        id,
        tenant.clone(),
        revision,
        contact,
    )))
}

pub(super) async fn standings(
    store: &Store,
    after: Option<ContactId>,
    limit: usize,
) -> Result<Vec<Standings>> {
    let after = after.map_or(Uuid::nil(), |id| id.as_uuid());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = store.query(PAGE).bind(Id::from(after)).bind(limit);
    let rows = query.fetch_all(store.reader()).await.map_err(failed)?;
    let read = |row: &Row| {
        Ok(Standings::new(
            get::<Id>(row, "id")?.0.into(),
            get::<String>(row, "tenant_id")?.into(),
            get::<i64>(row, "revision")?.cast_unsigned(),
            Vec::new(),
        ))
    };
    let mut page: Vec<Standings> = rows.iter().map(read).collect::<Result<_>>()?;
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(page);
    };
    for (contact, state) in lines(store, first.contact, last.contact).await? {
        // A line of somebody who is not on the page belongs to a contact that is erased.
        if let Ok(at) = page.binary_search_by_key(&contact, |standings| standings.contact)
            && let Some(standings) = page.get_mut(at)
        {
            standings.targets.push(state);
        }
    }
    Ok(page)
}

pub(super) async fn deliveries(store: &Store, contact: ContactId) -> Result<Vec<DeliveryState>> {
    let lines = lines(store, contact, contact).await?;
    Ok(lines.into_iter().map(|(_, state)| state).collect())
}

pub(super) async fn settled(
    store: &Store,
    accepted: Accepted,
    targets: &[TargetName],
) -> Result<()> {
    const LONGEST: Duration = Duration::from_millis(500);
    let mut nap = Duration::from_millis(25);
    loop {
        let changed = store.local.changes();
        tokio::pin!(changed);
        // Registered before the question, so that no change between its answer and the wait is missed.
        changed.as_mut().enable();
        let states = deliveries(store, accepted.contact).await?;
        let waits = |state: &DeliveryState| {
            let is_live = matches!(state.standing, Standing::Queued | Standing::Retrying(_));
            targets.contains(&state.target) && state.delivered < accepted.revision && is_live
        };
        if !states.iter().any(waits) {
            return Ok(());
        }
        tokio::select! {
            () = changed => {}
            // What another process has written.
            () = store.local.timer.sleep(nap) => nap = (nap * 2).min(LONGEST),
        }
    }
}

async fn lines(
    store: &Store,
    first: ContactId,
    last: ContactId,
) -> Result<Vec<(ContactId, DeliveryState)>> {
    let query = store.query(LINES).bind(Id::from(first.as_uuid()));
    let query = query.bind(Id::from(last.as_uuid()));
    let rows = query.fetch_all(store.reader()).await.map_err(failed)?;
    rows.iter().map(line).collect()
}

fn line(row: &Row) -> Result<(ContactId, DeliveryState)> {
    let remote: Option<String> = get(row, "remote_id")?;
    let state = DeliveryState::new(
        get::<String>(row, "target")?.into(),
        remote.map(Into::into),
        get::<i64>(row, "delivered")?.cast_unsigned(),
        standing(row)?,
    );
    Ok((get::<Id>(row, "contact_id")?.0.into(), state))
}

fn standing(row: &Row) -> Result<Standing> {
    if get::<Option<Id>>(row, "live")?.is_some() {
        return Ok(failure(row, "live_error")?.map_or(Standing::Queued, Standing::Retrying));
    }
    let note = failure(row, "stopped_error")?;
    let note = note.unwrap_or_else(|| FailureNote::new(ErrorClass::Transient));
    Ok(match get::<Option<String>>(row, "stopped")?.as_deref() {
        Some("review") => Standing::Review(note),
        Some(_) => Standing::Dead(note),
        None => Standing::Idle,
    })
}

fn failure(row: &Row, column: &str) -> Result<Option<FailureNote>> {
    let text: Option<String> = get(row, column)?;
    let read = text.map(|text| serde_json::from_str(&text));
    read.transpose().map_err(|_| corrupt("last_error"))
}
