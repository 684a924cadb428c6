//! Signups that hosts have put in by the function `enqueue`.

use std::error::Error as _;

use chrono::{DateTime, Utc};
use contact_sync::{Lane, Planner, Signup, StoreError};
use serde::Deserialize;
use serde_json::Value;
use sqlx::Connection as _;
use sqlx::types::Json;

use super::contacts::accept::accept;
use super::contacts::{Connection, Result, corrupt, failed, get};
use super::{BEGIN, PostgresStore};
use crate::columns::Time;
use crate::failure::{Class, Failure};

/// One at a time, so that two signups of one person are taken over in the order in which they came.
const ALONE: &str = "select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as alone";

/// A host that keeps a contact locked holds up nobody else.
const DO_NOT_WAIT: &str = "set local lock_timeout = '1s'";

const WAITING: &str = "
    select seq, signup from main.sync_intake where failed_at is null order by seq limit $1";

const TAKEN: &str = "delete from main.sync_intake where seq = $1";

/// So much of what was set aside before a time.
const SWEEP: &str = "
    delete from main.sync_intake where seq in
        (select i.seq from main.sync_intake i where i.failed_at < $1 order by i.failed_at limit $2)";

const SET_ASIDE: &str =
    "select count(*) as number from main.sync_intake where failed_at is not null";

const FAILED: &str = "update main.sync_intake set failed_at = clock_timestamp() where seq = $1";

/// A signup as `enqueue` has checked it.
#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    host_id: Option<Value>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    company: Option<String>,
    #[serde(default)]
    notes: Option<String>,
    /// The targets it goes to, of those that are on; all of them if there is no list.
    #[serde(default)]
    targets: Option<Vec<String>>,
    #[serde(default)]
    trace_id: Option<String>,
}

impl PostgresStore {
    /// Takes over signups, the oldest first.
    pub(super) async fn take_over(&self, planner: &Planner<'_>, limit: usize) -> Result<usize> {
        let mut tx = self.pool.begin_with(BEGIN).await.map_err(failed)?;
        let alone = sqlx::query(ALONE)
            .bind(format!("integration-store intake {}", self.schema))
            .fetch_one(&mut *tx)
            .await
            .map_err(failed)?;
        if !get::<bool>(&alone, "alone")? {
            return Ok(0);
        }
        let query = self.query(WAITING);
        let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *tx).await.map_err(failed)?;
        if rows.is_empty() {
            return Ok(0);
        }
        let query = sqlx::query(DO_NOT_WAIT);
        query.execute(&mut *tx).await.map_err(failed)?;
        let mut taken = 0;
        for row in &rows {
            let seq: i64 = get(row, "seq")?;
            let Ok(given) = get::<Json<Given>>(row, "signup") else {
                self.set_aside(&mut tx, seq, &corrupt("signup")).await?;
                continue;
            };
            let mut savepoint = tx.begin().await.map_err(failed)?;
            match self.take(&mut savepoint, seq, given.0, planner).await {
                Ok(()) => {
                    savepoint.commit().await.map_err(failed)?;
                    taken += 1;
                }
                Err(error) => {
                    savepoint.rollback().await.map_err(failed)?;
                    match class(&error) {
                        Some(Class::Unfit | Class::Refused | Class::Damaged) => {
                            self.set_aside(&mut tx, seq, &error).await?;
                        }
                        // Somebody is at work on the contact: those who come behind are not to overtake it.
                        Some(Class::Locked) => break,
                        _ => return Err(error),
                    }
                }
            }
        }
        tx.commit().await.map_err(failed)?;
        if taken > 0 {
            self.wake();
        }
        Ok(taken)
    }

    /// Leaves a signup for a person to look at.
    async fn set_aside(
        &self,
        connection: &mut Connection,
        seq: i64,
        error: &StoreError,
    ) -> Result<()> {
        let why = error.source().map(ToString::to_string);
        tracing::warn!(
            seq,
            why,
            "a signup of `enqueue` cannot be taken over: it stays in `sync_intake`, with what is personal in it"
        );
        let query = self.query(FAILED).bind(seq);
        query.execute(connection).await.map_err(failed)?;
        Ok(())
    }

    /// Deletes what was set aside before a time, so many at most.
    pub(super) async fn sweep_intake(
        &self,
        connection: &mut Connection,
        before: DateTime<Utc>,
        many: i64,
    ) -> Result<u64> {
        let query = self.query(SWEEP).bind(Time::from(before)).bind(many);
        let done = query.execute(connection).await.map_err(failed)?;
        Ok(done.rows_affected())
    }

    /// Returns how much is set aside.
    pub(super) async fn failed_intake(&self, connection: &mut Connection) -> Result<usize> {
        let row = self.query(SET_ASIDE).fetch_one(connection).await;
        let number: i64 = get(&row.map_err(failed)?, "number")?;
        Ok(usize::try_from(number).unwrap_or_default())
    }

    async fn take(
        &self,
        connection: &mut Connection,
        seq: i64,
        given: Given,
        planner: &Planner<'_>,
    ) -> Result<()> {
        let (targets, trace_id) = (given.targets.clone(), given.trace_id.clone());
        let plan = planner(&signup(given)?);
        let mut jobs = plan.jobs(Lane::Bulk);
        if let Some(targets) = targets {
            jobs.retain(|job| targets.iter().any(|target| job.target == target.as_str()));
        }
        for job in &mut jobs {
            job.trace_id.clone_from(&trace_id);
        }
        let now = self.now(connection).await?;
        let (tenant, contact) = (&plan.tenant, &plan.contact);
        accept(self, connection, tenant, contact, &jobs, now).await?;
        let query = self.query(TAKEN).bind(seq);
        query.execute(connection).await.map_err(failed)?;
        Ok(())
    }
}

fn signup(given: Given) -> Result<Signup> {
    let mut signup = Signup::new();
    if let Some(tenant) = given.tenant {
        signup = signup.tenant(tenant);
    }
    signup.host_id = match given.host_id {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(Value::Number(id)) => Some(id.to_string()),
        Some(_) => return Err(corrupt("signup")),
    };
    signup.name = given.name;
    signup.first_name = given.first_name;
    signup.last_name = given.last_name;
    signup.email = given.email;
    signup.phone = given.phone;
    signup.company = given.company;
    signup.notes = given.notes;
    Ok(signup)
}

fn class(error: &StoreError) -> Option<Class> {
    let source = match error {
        StoreError::Refused(_) => return Some(Class::Unfit),
        StoreError::Unavailable(source) => source,
        _ => return None,
    };
    let failure = source.downcast_ref::<Failure>();
    failure.map(|failure| failure.class)
}
