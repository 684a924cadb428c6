use async_trait::async_trait;
use integration_core::TenantId;
use integration_core::store::{SealedCursor, SealedStore, SealedValue, StoreError};

use super::{Store, failed, get};
use crate::failure::{Class, Failure};
use crate::rows::Id;

/// One table with sealed values. Its rows are numbered, and no number is given twice: a sweep goes by the numbers, so it
/// sees every value that nobody writes meanwhile, and none twice. What is written while it runs it may miss, where two
/// transactions end in another order than they took their numbers; the next sweep sees it.
struct Place {
    /// The name of the place in cursors. The order of [`PLACES`] is that of the sweep.
    name: &'static str,
    /// Rows after number `$1`, up to `$2` of them: `number, tenant_id, integration_id, field, value`.
    select: &'static str,
    /// Marks the integration of row `$1` as changed, where somebody who has read the old value could write it back.
    touch: Option<&'static str>,
    /// Replaces `$2` by `$3` in row `$1`.
    replace: &'static str,
}

const PLACES: [Place; 4] = [
    Place {
        name: "integration_secrets",
        select: "
            select s.id as number, i.tenant_id, i.id as integration_id, s.field, s.value
            from main.integration_secrets s join main.integrations i on i.id = s.integration_id
            where s.id > $1 order by s.id limit $2",
        touch: Some(
            "update main.integrations set version = version + 1
            where id = (select s.integration_id from main.integration_secrets s where s.id = $1)",
        ),
        replace: "update main.integration_secrets set value = $3 where id = $1 and value = $2",
    },
    Place {
        name: "integration_webhooks",
        select: "
            select w.id as number, i.tenant_id, i.id as integration_id,
                'webhook.' || cast(e.id as text) || '.' || w.vendor_webhook_id as field, w.secret as value
            from main.integration_webhooks w
            join main.integration_endpoints e on e.id = w.endpoint_id
            join main.integrations i on i.id = e.integration_id
            where w.id > $1 and w.secret is not null order by w.id limit $2",
        touch: Some(
            "update main.integrations set version = version + 1
            where id = (select e.integration_id from main.integration_webhooks w
                join main.integration_endpoints e on e.id = w.endpoint_id where w.id = $1)",
        ),
        replace: "update main.integration_webhooks set secret = $3 where id = $1 and secret = $2",
    },
    Place {
        name: "integration_tokens.access_token",
        select: "
            select t.id as number, i.tenant_id, i.id as integration_id,
                'oauth.access_token' || case when t.owner = '' then '' else '.' || t.owner end as field,
                t.access_token as value
            from main.integration_tokens t join main.integrations i on i.id = t.integration_id
            where t.id > $1 order by t.id limit $2",
        touch: None,
        replace: "update main.integration_tokens set access_token = $3 where id = $1 and access_token = $2",
    },
    Place {
        name: "integration_tokens.refresh_token",
        select: "
            select t.id as number, i.tenant_id, i.id as integration_id,
                'oauth.refresh_token' || case when t.owner = '' then '' else '.' || t.owner end as field,
                t.refresh_token as value
            from main.integration_tokens t join main.integrations i on i.id = t.integration_id
            where t.id > $1 and t.refresh_token is not null order by t.id limit $2",
        touch: None,
        replace: "update main.integration_tokens set refresh_token = $3 where id = $1 and refresh_token = $2",
    },
];

fn number(text: &str) -> Option<(&str, i64)> {
    let (name, number) = text.split_once(':')?;
    Some((name, number.parse().ok()?))
}

fn unknown_place() -> StoreError {
    Failure::new(Class::Refused, "the place was not named by this store").into()
}

#[async_trait]
impl SealedStore for Store {
    async fn sealed_values(
        &self,
        after: Option<&SealedCursor>,
        limit: u32,
    ) -> Result<Vec<SealedValue>, StoreError> {
        let (first, mut last) = match after {
            None => (0, 0),
            Some(SealedCursor(cursor)) => {
                let (name, number) = number(cursor).ok_or_else(unknown_place)?;
                let place = PLACES.iter().position(|place| place.name == name);
                (place.ok_or_else(unknown_place)?, number)
            }
        };
        let mut values = Vec::new();
        let mut left = i64::from(limit);
        for place in PLACES.iter().skip(first) {
            let query = self.query(place.select).bind(last).bind(left);
            let rows = query.fetch_all(self.reader()).await.map_err(failed)?;
            for row in &rows {
                let at = format!("{}:{}", place.name, get::<i64>(row, "number")?);
                values.push(SealedValue::new(
                    &at,
                    TenantId::from(get::<String>(row, "tenant_id")?),
                    get::<Id>(row, "integration_id")?.0.to_string(),
                    get::<String>(row, "field")?,
                    get::<String>(row, "value")?,
                    SealedCursor(at.clone()),
                ));
                left -= 1;
            }
            if left == 0 {
                break;
            }
            last = 0;
        }
        Ok(values)
    }

    async fn replace_sealed(&self, old: &SealedValue, new: &str) -> Result<bool, StoreError> {
        let (name, number) = number(&old.place).ok_or_else(unknown_place)?;
        let place = PLACES.iter().find(|place| place.name == name);
        let place = place.ok_or_else(unknown_place)?;
        let mut tx = self.begin().await?;
        if let Some(touch) = place.touch {
            let touched = self.query(touch).bind(number);
            touched.execute(&mut *tx).await.map_err(failed)?;
        }
        let query = self.query(place.replace).bind(number);
        let query = query.bind(&old.value).bind(new).execute(&mut *tx);
        if query.await.map_err(failed)?.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed)?;
        Ok(true)
    }
}
