//! Contacts, and the texts that they are told apart by.

use chrono::{DateTime, Utc};
use contact_sync::{Contact, ContactId, ContactKey, Identifier, TargetName, TenantId};
use uuid::Uuid;

use super::{Connection, Result, Row, Statements, corrupt, failed, get};
use crate::columns::{Id, Time};

/// One contact at one target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in super::super) struct LineId {
    pub(in super::super) contact: ContactId,
    pub(in super::super) target: TargetName,
}

impl LineId {
    pub(in super::super) fn new(contact: ContactId, target: TargetName) -> Self {
        Self { contact, target }
    }

    pub(in super::super) fn contact_row(&self) -> Id {
        Id::from(self.contact.as_uuid())
    }

    pub(in super::super) fn target_text(&self) -> String {
        self.target.as_str().to_owned()
    }
}

/// Returns what the jobs of a line are ordered by: one at a time.
pub(in super::super) fn ordering_key(line: &LineId) -> String {
    fitting(&line.contact.to_string(), line.target.as_str())
}

/// Returns what another contact of the same person would share with this one.
pub(in super::super) fn identifier_text(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Email(email) => fitting("e", email),
        Identifier::Phone(number) => fitting("p", number.as_str()),
        // One of a kind that this version does not know is still the same for the same person.
        other => fitting("o", &format!("{other:?}")),
    }
}

/// Returns the text of a key, where the contact has one.
pub(in super::super) fn key_text(key: &ContactKey) -> Option<String> {
    match key {
        ContactKey::Host(id) => Some(fitting("h", id)),
        ContactKey::Derived(uuid) => Some(fitting("d", &uuid.to_string())),
        _ => None,
    }
}

/// What an index takes: a long text is stood for by one derived from it, and so is one with control characters, of
/// which PostgreSQL does not take all.
fn fitting(kind: &str, text: &str) -> String {
    const LONGEST: usize = 200;
    if text.len() <= LONGEST && !text.chars().any(char::is_control) {
        return format!("{kind}:{text}");
    }
    format!("{kind}#{}", Uuid::new_v5(&NAMESPACE, text.as_bytes()))
}

/// Of texts that are too long; to change it would forget who they belong to.
const NAMESPACE: Uuid = Uuid::from_u128(0x3c9d_51f0_8a27_4b6e_b1d4_6f02_97ce_a835);

/// The contact of a key, with its row locked until the end of the transaction.
const RESERVE: &str = "
    insert into main.sync_contacts (id, tenant_id, contact_key, revision, contact, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $6)
    on conflict (tenant_id, contact_key) do update set updated_at = excluded.updated_at
    returning id, revision, contact, erased_at";

/// Locked, so that nobody erases it meanwhile.
const LOCK_THEIRS: &str = "
    update main.sync_contacts set updated_at = $3
    where id = $1 and tenant_id = $2 and contact is not null and erased_at is null
    returning revision, contact, erased_at";

const READ: &str = "
    select revision, contact, erased_at from main.sync_contacts where id = $1";

const LOCK: &str = "
    update main.sync_contacts set updated_at = $2 where id = $1 returning revision, contact, erased_at";

const INSERT: &str = "
    insert into main.sync_contacts (id, tenant_id, contact_key, revision, contact, created_at, updated_at)
    values ($1, $2, $3, 1, $4, $5, $5)";

/// One that was wiped while a strict create without a target went on has its key again, unless that is another's by now.
const UPDATE: &str = "
    update main.sync_contacts as c set revision = $2, contact = $3, erased_at = null, updated_at = $4,
        contact_key = coalesce(c.contact_key, (
            select $5 where not exists (
                select 1 from main.sync_contacts o where o.tenant_id = c.tenant_id and o.contact_key = $5)))
    where c.id = $1";

const LOOK_AGAIN: &str = "
    update main.sync_outbox set waits_for = null, updated_at = $2 where contact_id = $1 and waits_for is not null";

/// A contact's row.
struct Stored {
    revision: u64,
    contact: Option<Contact>,
    is_erased: bool,
}

fn read_row(row: &Row) -> Result<Stored> {
    let contact: Option<String> = get(row, "contact")?;
    let contact = contact.map(|text| serde_json::from_str(&text));
    Ok(Stored {
        revision: get::<i64>(row, "revision")?.cast_unsigned(),
        contact: contact.transpose().map_err(|_| corrupt("contact"))?,
        is_erased: get::<Option<Time>>(row, "erased_at")?.is_some(),
    })
}

fn json(contact: &Contact) -> Result<String> {
    serde_json::to_string(contact).map_err(|_| corrupt("contact"))
}

/// A contact that was written.
pub(in super::super) struct Written {
    pub(in super::super) id: ContactId,
    pub(in super::super) revision: u64,
    /// Whether nobody has known the contact before, so that it has no line yet.
    pub(in super::super) is_new: bool,
    /// Whether it is blank, with all that was known before.
    pub(in super::super) is_blank: bool,
}

/// Writes a contact under its key, merged into the one that is there.
pub(in super::super) async fn write_by_key(
    store: &impl Statements,
    connection: &mut Connection,
    tenant: &TenantId,
    contact: &Contact,
    now: DateTime<Utc>,
) -> Result<Written> {
    let id = ContactId::generate();
    let row = store
        .query(RESERVE)
        .bind(Id::from(id.as_uuid()))
        .bind(tenant.as_str().to_owned())
        .bind(key_text(contact.key()))
        .bind(1_i64)
        .bind(json(contact)?)
        .bind(Time::from(now))
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    let there = ContactId::from(get::<Id>(&row, "id")?.0);
    if there == id {
        return Ok(Written {
            id,
            revision: 1,
            is_new: true,
            is_blank: contact.is_blank(),
        });
    }
    let stored = read_row(&row)?;
    merge(store, connection, there, stored, contact, now).await
}

/// Returns the contact of a key, or a new one, for which the key is kept; no contact is written yet.
pub(in super::super) async fn contact_id(
    store: &impl Statements,
    connection: &mut Connection,
    tenant: &TenantId,
    key: &ContactKey,
    now: DateTime<Utc>,
) -> Result<ContactId> {
    let id = ContactId::generate();
    let Some(key) = key_text(key) else {
        return Ok(id);
    };
    let row = store
        .query(RESERVE)
        .bind(Id::from(id.as_uuid()))
        .bind(tenant.as_str().to_owned())
        .bind(key)
        .bind(0_i64)
        .bind(None::<String>)
        .bind(Time::from(now))
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok(ContactId::from(get::<Id>(&row, "id")?.0))
}

/// Writes a contact, merged into the one that is there, and returns its revision.
pub(in super::super) async fn write_contact(
    store: &impl Statements,
    connection: &mut Connection,
    id: ContactId,
    tenant: &TenantId,
    contact: &Contact,
    now: DateTime<Utc>,
) -> Result<u64> {
    let row = store
        .query(LOCK)
        .bind(Id::from(id.as_uuid()))
        .bind(Time::from(now))
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    if let Some(row) = row {
        let stored = read_row(&row)?;
        let written = merge(store, connection, id, stored, contact, now).await?;
        return Ok(written.revision);
    }
    store
        .query(INSERT)
        .bind(Id::from(id.as_uuid()))
        .bind(tenant.as_str().to_owned())
        .bind(key_text(contact.key()))
        .bind(json(contact)?)
        .bind(Time::from(now))
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(1)
}

/// Merges a change into a contact of the tenant's that is there. Its revision grows if anything is different.
pub(in super::super) async fn amend_contact(
    store: &impl Statements,
    connection: &mut Connection,
    tenant: &TenantId,
    id: ContactId,
    change: &Contact,
    now: DateTime<Utc>,
) -> Result<Option<Written>> {
    let query = store.query(LOCK_THEIRS).bind(Id::from(id.as_uuid()));
    let query = query.bind(tenant.as_str().to_owned()).bind(Time::from(now));
    let row = query
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let Some(stored) = row.as_ref().map(read_row).transpose()? else {
        return Ok(None);
    };
    let mut merged = stored.contact.clone();
    if let Some(merged) = merged.as_mut() {
        merged.merge(change.clone());
    }
    if merged == stored.contact {
        return Ok(Some(Written {
            id,
            revision: stored.revision,
            is_new: false,
            is_blank: merged.is_some_and(|contact| contact.is_blank()),
        }));
    }
    let written = merge(store, connection, id, stored, change, now).await?;
    Ok(Some(written))
}

async fn merge(
    store: &impl Statements,
    connection: &mut Connection,
    id: ContactId,
    stored: Stored,
    contact: &Contact,
    now: DateTime<Utc>,
) -> Result<Written> {
    let mut merged = contact.clone();
    let key = stored.is_erased.then(|| key_text(contact.key()));
    if let Some(older) = stored.contact.filter(|_| !stored.is_erased) {
        merged = older.clone();
        merged.merge(contact.clone());
        if merged.name() != older.name() || merged.identifiers() != older.identifiers() {
            look_again(store, connection, id, now).await?;
        }
    }
    let revision = stored.revision + 1;
    store
        .query(UPDATE)
        .bind(Id::from(id.as_uuid()))
        .bind(revision.cast_signed())
        .bind(json(&merged)?)
        .bind(Time::from(now))
        .bind(key.flatten())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(Written {
        id,
        revision,
        is_new: false,
        is_blank: merged.is_blank(),
    })
}

/// Lets the jobs of a contact look again that wait for others: by a name or an identifier that has changed there may be
/// nobody to wait for any more.
pub(super) async fn look_again(
    store: &impl Statements,
    connection: &mut Connection,
    id: ContactId,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store.query(LOOK_AGAIN).bind(Id::from(id.as_uuid()));
    let query = query.bind(Time::from(now));
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Returns a contact and its revision, if it is there and not erased.
pub(in super::super) async fn read_contact(
    store: &impl Statements,
    connection: &mut Connection,
    id: ContactId,
) -> Result<Option<(Contact, u64)>> {
    let query = store.query(READ).bind(Id::from(id.as_uuid()));
    let row = query.fetch_optional(connection).await.map_err(failed)?;
    let Some(stored) = row.as_ref().map(read_row).transpose()? else {
        return Ok(None);
    };
    let contact = stored.contact.filter(|_| !stored.is_erased);
    Ok(contact.map(|contact| (contact, stored.revision)))
}

#[cfg(test)]
mod tests {
    use contact_sync::E164;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("user-17", "h:user-17")]
    #[case::nul("user\0", "h#")]
    #[case::long(&"x".repeat(10_000), "h#")]
    #[case::hash("#1", "h:#1")]
    fn every_host_id_is_a_key(#[case] id: &str, #[case] begins: &str) {
        let text = key_text(&ContactKey::Host(id.to_owned())).unwrap();
        assert!(text.starts_with(begins) && text.len() <= 202, "{text}");
        assert_eq!(text, key_text(&ContactKey::Host(id.to_owned())).unwrap());
        assert!(!text.contains('\0'));
    }

    #[test]
    fn texts_that_differ_have_keys_that_differ() {
        let long = |c: &str| key_text(&ContactKey::Host(c.repeat(300)));
        assert_ne!(long("a"), long("b"));
        assert_eq!(key_text(&ContactKey::Unidentified), None);
        let number: E164 = "+12025550143".parse().unwrap();
        assert_eq!(
            identifier_text(&Identifier::Phone(number)),
            "p:+12025550143"
        );
        let email = Identifier::Email("ann@example.com".to_owned());
        assert_eq!(identifier_text(&email), "e:ann@example.com");
    }
}
