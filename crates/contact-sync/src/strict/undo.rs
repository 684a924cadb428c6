//! Taking back what a strict create did at a vendor, and nothing else.

use chrono::TimeDelta;

use crate::failure::{ClientUnavailable, TargetError};
use crate::ids::TargetName;
use crate::store::{LinkStore, Undo};
use crate::target::{Context, Person, Target, look};

/// How far a vendor's clock may be behind ours for a record still to count as new.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// What an undo came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// What was created is gone, nothing was created, or it has found its owner since.
    Clean,
    /// A record was created and cannot be deleted.
    LeftBehind,
}

/// Deletes the record that a strict create made, or looks for it first where the create never answered.
///
/// The strict road has looked before it created, so a record that is there now under the same key is the one that it
/// made. Two kinds are spared: one that is older than the operation by the vendor's own clock, which it did not make;
/// and one that a contact is linked to, which a signup has taken over since.
pub(crate) async fn undo(
    target: &dyn Target,
    context: &Context<'_>,
    undo: &Undo,
    links: &(impl LinkStore + ?Sized),
) -> Result<Undone, TargetError> {
    let remote = if let Some(remote) = &undo.remote {
        Some(remote.clone())
    } else {
        let hit = look(target, context, &Person::new(&undo.contact, &undo.key)).await?;
        let oldest = undo.started_at - CLOCK_SKEW;
        hit.filter(|hit| hit.created_at.is_none_or(|at| at >= oldest))
            .map(|hit| hit.remote)
    };
    let Some(remote) = remote else {
        return Ok(Undone::Clean);
    };
    let linked = links
        .is_linked(context.tenant, &TargetName::from(target.name()), &remote)
        .await;
    // Without an answer nothing is deleted, and the job is tried again.
    if linked.map_err(|error| TargetError::unavailable(ClientUnavailable::Failed).source(error))? {
        return Ok(Undone::Clean);
    }
    if !target.can_delete() {
        return Ok(Undone::LeftBehind);
    }
    target.delete(context, &remote).await?;
    Ok(Undone::Clean)
}
