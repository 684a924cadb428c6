//! Values of an older system's form: sealed anew when they are first read.

use super::integrations::Integrations;
use super::sealing::check;
use super::{ConfigValues, IntegrationError, StoredConfig, StoredIntegration};
use crate::ids::Scope;
use crate::vault::StoredForm;

impl Integrations {
    /// Checks a config that holds values of the older form, which nothing authenticates: what comes out of them must be
    /// what the schema says, or it is not used.
    pub(super) fn check_legacy(
        &self,
        row: &StoredIntegration,
        config: &StoredConfig,
        open: &ConfigValues,
    ) -> Result<(), IntegrationError> {
        match self.inner.vendors.get(row.vendor.as_str()) {
            Some(known) if is_legacy(config) => check(open, &known.config, Some(&*known.vendor)),
            _ => Ok(()),
        }
    }

    /// Seals values of the older form anew, in the place of exactly those. Until it works, each read tries again.
    pub(super) async fn renew_legacy(&self, row: &StoredIntegration) {
        if !is_legacy(&row.config) && !row.serving.as_ref().is_some_and(is_legacy) {
            return;
        }
        let scope = Scope::from(&row.tenant);
        let renewed = self
            .change(&scope, row.id, |draft| {
                let row = &mut draft.row;
                let sealing = self.sealing(&row.tenant, row.id);
                let configs = [Some(&mut row.config), row.serving.as_mut()];
                for config in configs.into_iter().flatten() {
                    for (field, value) in &mut config.sealed {
                        if StoredForm::of(value) == StoredForm::Legacy {
                            *value = sealing.seal(field, &sealing.open(field, value)?)?;
                        }
                    }
                }
                Ok(())
            })
            .await;
        if let Err(error) = renewed {
            tracing::warn!(
                integration = %row.id,
                error = &error as &dyn std::error::Error,
                "a value of the older form was not sealed anew"
            );
        }
    }
}

fn is_legacy(config: &StoredConfig) -> bool {
    let mut values = config.sealed.values();
    values.any(|value| StoredForm::of(value) == StoredForm::Legacy)
}
