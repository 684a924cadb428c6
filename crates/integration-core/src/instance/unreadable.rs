//! Stored credentials that the vault does not open: what becomes of their instance, and the look at all of them.

use serde_json::json;

use super::integrations::Integrations;
use super::templates::administrator;
use super::{IntegrationError, StoredIntegration};
use crate::ids::Scope;
use crate::status::Event;
use crate::store::LogStatus;
use crate::vault::{VaultCheck, VaultError};

/// How many values are looked at when a façade is built: enough to notice a wrong key, too few to delay a start.
const AT_THE_START: u64 = 1_000;

impl Integrations {
    /// Looks whether the stored values open with the keyring there is, at most so many of them, and counts them by key.
    /// Nothing is written.
    ///
    /// [`build`](super::IntegrationsBuilder::build) looks at the first thousand and warns. A host that would rather not
    /// start with a wrong key asks here.
    ///
    /// ```
    /// use integration_core::{Integrations, Scope};
    ///
    /// # async fn example(integrations: &Integrations) -> Result<(), Box<dyn std::error::Error>> {
    /// let check = integrations.check_vault(Scope::Administrator, 10_000).await?;
    /// if !check.all_open() {
    ///     return Err(format!("is the master key the right one? {check}").into());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Forbidden`] for anybody but an administrator, [`IntegrationError::Store`].
    pub async fn check_vault(
        &self,
        scope: impl Into<Scope>,
        at_most: u64,
    ) -> Result<VaultCheck, IntegrationError> {
        administrator(&scope.into())?;
        Ok(self.inner.vault.check(&*self.inner.store, at_most).await?)
    }

    pub(super) async fn check_vault_at_the_start(&self) {
        match self.check_vault(Scope::Administrator, AT_THE_START).await {
            Ok(check) if check.all_open() => {}
            Ok(check) => tracing::warn!(
                target: "integration_core",
                %check,
                "stored credentials do not open: the keyring is not the one they were sealed with"
            ),
            Err(error) => tracing::warn!(
                target: "integration_core",
                error = &error as &dyn std::error::Error,
                "it was not looked whether stored credentials open"
            ),
        }
    }

    /// Moves an instance to error whose credentials do not open, and writes that to the log.
    ///
    /// Only tests and checks come here, not every call of a worker: while replicas have different keyrings, their
    /// workers would move it back and forth.
    pub(super) async fn note_unreadable(
        &self,
        scope: &Scope,
        row: &StoredIntegration,
        field: &str,
        why: &VaultError,
    ) -> Result<(), IntegrationError> {
        // The value may be as good as ever.
        if *why == VaultError::Unavailable {
            return Ok(());
        }
        let used = row.state.credentials;
        let message = sentence(why);
        let changed = self
            .change(scope, row.id, |draft| {
                let message = message.clone();
                draft.apply(Event::CredentialsUnreadable { used, message })
            })
            .await?;
        let mut entry = self.entry(&changed.row, "connection.test", LogStatus::Failed);
        entry.payload = Some(json!({ "unreadable": field }));
        if let Some(ignored) = changed.value {
            entry.response = Some(json!({ "ignored": ignored.to_string() }));
        }
        entry.error_message = Some(message);
        self.log(entry).await;
        Ok(())
    }
}

/// For the person who looks after the system, and the one who has to wait for that.
fn sentence(why: &VaultError) -> String {
    let why = match why {
        VaultError::UnknownKey { key } => {
            format!("they were sealed under the key {key}, which this system does not have")
        }
        VaultError::Refused => {
            "they were sealed under another master key, or changed since".to_owned()
        }
        VaultError::Legacy | VaultError::LegacyNotAllowed => {
            "they are in the form of an older system, which cannot be read here".to_owned()
        }
        _ => "they are damaged".to_owned(),
    };
    format!(
        "The stored credentials cannot be opened: {why}. Whoever runs this system can put that right; if nobody can, \
         enter the credentials again."
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::vault::KeyId;

    #[rstest]
    #[case(VaultError::UnknownKey { key: KeyId::new("k9").unwrap() }, "under the key k9,")]
    #[case(VaultError::Refused, "another master key")]
    #[case(VaultError::LegacyNotAllowed, "older system")]
    #[case(VaultError::Malformed, "damaged")]
    fn a_person_reads_why_and_what_helps(#[case] why: VaultError, #[case] expected: &str) {
        let sentence = sentence(&why);
        assert!(sentence.contains(expected), "{sentence}");
        assert!(
            sentence.ends_with("enter the credentials again."),
            "{sentence}"
        );
    }
}
