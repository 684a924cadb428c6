use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::ids::TenantId;
use crate::instance::StoredIntegration;
use crate::store::{SealedCursor, SealedStore, SealedValue, StoreError};

#[async_trait]
impl SealedStore for MemoryStore {
    async fn sealed_values(
        &self,
        after: Option<&SealedCursor>,
        limit: u32,
    ) -> Result<Vec<SealedValue>, StoreError> {
        let mut tables = self.tables();
        let mut found = Vec::new();
        tables.each_sealed(&mut |value, _| {
            let comes = after.is_none_or(|SealedCursor(last)| value.place > *last);
            if comes {
                found.push(value);
            }
            false
        });
        found.sort_by(|one, other| one.place.cmp(&other.place));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn replace_sealed(&self, old: &SealedValue, new: &str) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let mut replaced = false;
        tables.each_sealed(&mut |value, text| {
            let hit = value.place == old.place && value.value == old.value;
            if hit {
                new.clone_into(text);
                replaced = true;
            }
            hit
        });
        Ok(replaced)
    }
}

/// Is shown a sealed value and the place it lies in, and says whether it wrote there.
type Visit<'a> = &'a mut dyn FnMut(SealedValue, &mut String) -> bool;

impl Tables {
    fn each_sealed(&mut self, visit: Visit<'_>) {
        for instance in self.integrations.values_mut() {
            // A writer who has read the row before must notice, or it would bring the old text back.
            if visit_row(&mut instance.row, visit) {
                instance.row.state.version += 1;
            }
        }
        for ((integration, owner), grant) in &mut self.tokens {
            let suffix = match owner.as_str() {
                "" => String::new(),
                owner => format!(".{owner}"),
            };
            let tokens = &mut grant.stored.tokens;
            let texts = [
                ("access", Some(&mut tokens.access_token)),
                ("refresh", tokens.refresh_token.as_mut()),
            ];
            for (kind, text) in texts {
                if let Some(text) = text {
                    let field = format!("oauth.{kind}_token{suffix}");
                    let place = format!("tokens/{integration}/{owner}/{kind}");
                    let instance = integration.to_string();
                    visit(sealed(place, &grant.tenant, instance, field, text), text);
                }
            }
        }
    }
}

fn visit_row(row: &mut StoredIntegration, visit: Visit<'_>) -> bool {
    let mut wrote = false;
    let id = row.id.to_string();
    let configs = [
        ("config", Some(&mut row.config)),
        ("serving", row.serving.as_mut()),
    ];
    for (name, config) in configs {
        for (field, text) in config.into_iter().flat_map(|config| &mut config.sealed) {
            let place = format!("integrations/{id}/{name}/{field}");
            let value = sealed(place, &row.tenant, id.clone(), field.clone(), text);
            wrote |= visit(value, text);
        }
    }
    for endpoint in &mut row.endpoints {
        for webhook in &mut endpoint.webhooks {
            if let Some(text) = &mut webhook.secret {
                let field = format!("webhook.{}.{}", endpoint.id, webhook.vendor_webhook_id);
                let place = format!("integrations/{id}/{field}");
                wrote |= visit(sealed(place, &row.tenant, id.clone(), field, text), text);
            }
        }
    }
    wrote
}

fn sealed(
    place: String,
    tenant: &TenantId,
    instance: String,
    field: String,
    text: &str,
) -> SealedValue {
    let cursor = SealedCursor(place.clone());
    SealedValue::new(place, tenant.clone(), instance, field, text, cursor)
}
