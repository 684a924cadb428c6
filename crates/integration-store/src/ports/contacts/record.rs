//! Signups in the host's own transaction.

use async_trait::async_trait;
use contact_sync::{Accepted, Lane, NotAccepted, Plan, Receipt};
use sqlx::{Connection as _, Transaction};

use super::accept::accept;
use super::contacts_db::Place;
use super::{Connection, Database, Result, failed};
use crate::RecordIn;

#[async_trait]
impl<'t> RecordIn<Transaction<'t, Database>> for Plan {
    async fn record_in(
        &self,
        transaction: &mut Transaction<'t, Database>,
    ) -> Result<Receipt, NotAccepted> {
        let mut savepoint = transaction.begin().await.map_err(failed)?;
        match write(self, &mut savepoint).await {
            Ok(accepted) => {
                savepoint.commit().await.map_err(failed)?;
                Ok(self.receipt(accepted))
            }
            Err(error) => {
                savepoint.rollback().await.map_err(failed)?;
                Err(error.into())
            }
        }
    }
}

async fn write(plan: &Plan, connection: &mut Connection) -> Result<Accepted> {
    let place = Place::of(plan);
    let now = place.now(connection).await?;
    let jobs = plan.jobs(Lane::Bulk);
    let (tenant, contact) = (&plan.tenant, &plan.contact);
    let accepted = accept(&place, connection, tenant, contact, &jobs, now).await?;
    place.tell(connection, accepted).await?;
    Ok(accepted)
}
