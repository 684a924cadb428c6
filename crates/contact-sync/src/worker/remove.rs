//! Taking an erased contact away from a target: only what is ours, and only what nobody else has.

use crate::failure::{ClientUnavailable, TargetError};
use crate::ids::{ContactId, TargetName};
use crate::store::{LinkStore, Removal};
use crate::strict::made_since;
use crate::target::{Context, Person, Target, look};

/// What a removal came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// The record is deleted, or there was none.
    Gone,
    /// The record was there before us, or another contact has it too: only our link goes.
    Kept,
    /// The record is ours and cannot be deleted by a program: a person has to.
    LeftBehind,
}

/// Deletes the record of an erased contact, or looks for it first where a create never answered.
pub(super) async fn remove(
    target: &dyn Target,
    context: &Context<'_>,
    contact: ContactId,
    removal: &Removal,
    links: &(impl LinkStore + ?Sized),
) -> Result<Removed, TargetError> {
    let (remote, is_ours) = if let Some(remote) = &removal.remote {
        (remote.clone(), removal.is_ours)
    } else {
        let Some(since) = removal.since else {
            return Ok(Removed::Gone);
        };
        let person = Person::new(&removal.contact, &removal.key);
        match look(target, context, &person).await? {
            Some(hit) => (hit.remote.clone(), made_since(&hit, since)),
            None => return Ok(Removed::Gone),
        }
    };
    if !is_ours {
        return Ok(Removed::Kept);
    }
    let name = TargetName::from(target.name());
    let linked = links
        .is_linked(context.tenant, &name, &remote, Some(contact))
        .await;
    // Without an answer nothing is deleted, and the job is tried again.
    if linked.map_err(|error| TargetError::unavailable(ClientUnavailable::Failed).source(error))? {
        return Ok(Removed::Kept);
    }
    if !target.can_delete() {
        return Ok(Removed::LeftBehind);
    }
    target.delete(context, &remote).await?;
    Ok(Removed::Gone)
}
