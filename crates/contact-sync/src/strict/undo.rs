//! Taking back what a strict create did at a vendor, and nothing else.

use chrono::{DateTime, TimeDelta, Utc};

use crate::failure::{ClientUnavailable, TargetError};
use crate::ids::TargetName;
use crate::store::{LinkStore, Undo};
use crate::target::{Context, Hit, Person, Target, look};

/// How far a vendor's clock may be behind ours for a record still to count as new.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// What an undo came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// What was created is gone, nothing was created, or it has found its owner since.
    Clean,
    /// A record is there that cannot be deleted, or that is too old to be certainly ours: a person has to look.
    LeftBehind,
}

/// Deletes the record that a strict create made, or looks for it first where the create never answered.
///
/// The strict road has looked before it created, so a record that is there now under the same key is the one that it
/// made. Two kinds are spared: one that a contact is linked to, which a signup has taken over since; and one that is
/// older than the operation by the vendor's own clock. The operation did not make that one, or one of the clocks is
/// wrong: nothing is deleted on a guess, and nothing is left in silence.
pub(crate) async fn undo(
    target: &dyn Target,
    context: &Context<'_>,
    undo: &Undo,
    links: &(impl LinkStore + ?Sized),
) -> Result<Undone, TargetError> {
    let (remote, is_ours) = if let Some(remote) = &undo.remote {
        (remote.clone(), true)
    } else {
        let person = Person::new(&undo.contact, &undo.key);
        match look(target, context, &person).await? {
            Some(hit) => (hit.remote.clone(), made_since(&hit, undo.started_at)),
            None => return Ok(Undone::Clean),
        }
    };
    let linked = links
        .is_linked(
            context.tenant,
            &TargetName::from(target.name()),
            &remote,
            None,
        )
        .await;
    // Without an answer nothing is deleted, and the job is tried again.
    if linked.map_err(|error| TargetError::unavailable(ClientUnavailable::Failed).source(error))? {
        return Ok(Undone::Clean);
    }
    if !is_ours || !target.can_delete() {
        return Ok(Undone::LeftBehind);
    }
    target.delete(context, &remote).await?;
    Ok(Undone::Clean)
}

/// Tells whether a record can have been made by a create that was about to be called at that time.
pub(crate) fn made_since(hit: &Hit, started_at: DateTime<Utc>) -> bool {
    let oldest = started_at - CLOCK_SKEW;
    hit.created_at.is_none_or(|at| at >= oldest)
}
