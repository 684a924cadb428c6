//! What the host gets back: one line per target, fit to be stored or sent on.

use serde::{Deserialize, Serialize};

use crate::directory::SkipReason;
use crate::failure::ErrorClass;
use crate::ids::{ContactId, RemoteId, TargetName};
use crate::links::Links;
use crate::store::{DeliveryState, Standing};

/// What became of a contact, target by target.
///
/// As JSON, a target is `{"target": …, "integrated": …, "contact_id": …, "reason": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// Our own id of the contact.
    pub contact: ContactId,
    /// One line per target that the tenant could have.
    pub targets: Vec<TargetReceipt>,
}

impl Receipt {
    /// Makes a receipt.
    pub fn new(contact: ContactId, targets: Vec<TargetReceipt>) -> Self {
        Self { contact, targets }
    }

    /// Returns the line of one target.
    pub fn target(&self, name: &str) -> Option<&TargetReceipt> {
        self.targets.iter().find(|receipt| receipt.target == name)
    }

    /// Returns the vendors' ids, as far as they are known.
    pub fn links(&self) -> Links {
        let known = self.targets.iter();
        known
            .filter_map(|line| Some((line.target.clone(), line.contact_id.clone()?)))
            .collect()
    }
}

/// What became of a contact at one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetReceipt {
    /// The target.
    pub target: TargetName,
    /// Whether the target has the contact, as it is now.
    pub integrated: bool,
    /// What the target calls the contact, where that is known.
    pub contact_id: Option<RemoteId>,
    /// Why the target does not have it, or not yet.
    pub reason: Option<Reason>,
}

impl TargetReceipt {
    /// Says that the target has the contact.
    pub fn integrated(target: TargetName, remote: RemoteId) -> Self {
        Self {
            target,
            integrated: true,
            contact_id: Some(remote),
            reason: None,
        }
    }

    /// Says that the target does not have the contact, or not yet.
    pub fn not_integrated(target: TargetName, reason: Reason) -> Self {
        Self {
            target,
            integrated: false,
            contact_id: None,
            reason: Some(reason),
        }
    }

    /// Tells whether it will get there without anybody's help.
    pub fn is_queued(&self) -> bool {
        matches!(self.reason, Some(Reason::Queued | Reason::Retrying))
    }

    /// Returns why the target was skipped, if it was.
    pub fn skipped(&self) -> Option<SkipReason> {
        match self.reason {
            Some(Reason::NotConfigured) => Some(SkipReason::NotConfigured),
            Some(Reason::Disabled) => Some(SkipReason::Disabled),
            _ => None,
        }
    }

    pub(crate) fn of(state: DeliveryState, revision: u64) -> Self {
        let reason = match state.standing {
            _ if state.delivered >= revision => None,
            Standing::Retrying(note) if note.class == ErrorClass::AwaitsImport => {
                Some(Reason::AwaitsImport)
            }
            Standing::Retrying(_) => Some(Reason::Retrying),
            Standing::Review(_) => Some(Reason::Conflict),
            Standing::Dead(_) => Some(Reason::Failed),
            Standing::Queued | Standing::Idle => Some(Reason::Queued),
        };
        Self {
            target: state.target,
            integrated: reason.is_none(),
            contact_id: state.remote,
            reason,
        }
    }
}

/// Why a target does not have a contact, or not yet.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It waits for its turn.
    Queued,
    /// It has failed and will be tried again.
    Retrying,
    /// Skipped: the tenant has no such integration.
    NotConfigured,
    /// Skipped: the integration is switched off.
    Disabled,
    /// Skipped: there is nothing to recognise or reach the person by ([`Contact::is_blank`](crate::Contact::is_blank)).
    Blank,
    /// Several records could be meant: it waits for a person.
    Conflict,
    /// It waits for a person to import it at the vendor.
    AwaitsImport,
    /// It was given up, and is kept for replay.
    Failed,
}

impl From<SkipReason> for Reason {
    fn from(reason: SkipReason) -> Self {
        match reason {
            SkipReason::NotConfigured => Self::NotConfigured,
            SkipReason::Disabled => Self::Disabled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureNote;

    #[test]
    fn the_json_has_four_fields() {
        let done = TargetReceipt::integrated("openphone".into(), "CT1".into());
        let json = r#"{"target":"openphone","integrated":true,"contact_id":"CT1","reason":null}"#;
        assert_eq!(serde_json::to_string(&done).unwrap(), json);
        let skipped =
            TargetReceipt::not_integrated("openphone".into(), SkipReason::NotConfigured.into());
        let json = r#"{"target":"openphone","integrated":false,"contact_id":null,"reason":"not_configured"}"#;
        assert_eq!(serde_json::to_string(&skipped).unwrap(), json);
        assert_eq!(skipped.skipped(), Some(SkipReason::NotConfigured));
        assert_eq!(
            serde_json::from_str::<TargetReceipt>(json).unwrap(),
            skipped
        );
    }

    #[test]
    fn an_older_revision_at_the_vendor_is_not_integrated() {
        let note = FailureNote::new(ErrorClass::Transient);
        let state = DeliveryState::new("a".into(), Some("1".into()), 1, Standing::Retrying(note));
        let receipt = TargetReceipt::of(state.clone(), 2);
        assert_eq!(
            (receipt.integrated, receipt.reason),
            (false, Some(Reason::Retrying))
        );
        assert_eq!(receipt.contact_id, Some("1".into()));
        assert!(receipt.is_queued());
        assert!(TargetReceipt::of(state, 1).integrated);
    }
}
