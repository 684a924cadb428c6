//! What the host's insert receives: what the vendors said, and the means to confirm.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use connector_http::Timer;

use crate::ids::{ContactId, RemoteId};
use crate::lease::insist;
use crate::store::{Held, Link, StoreError, SyncStore};

/// Handed to the host's insert: the vendors have the contact, and it is the host's turn.
///
/// [`confirm`](Self::confirm) says that the host's own record is written: the undo jobs go, the links stay. An insert
/// that returns `Ok` without it is confirmed right after; to confirm inside makes the gap between the two as small as
/// it can be. With a store that has transactions, the confirmation goes into the host's own one, and there is no gap:
/// [`confirmation`](Self::confirmation) is what such a store writes. Whether it counts is then decided by the commit
/// alone, so the insert has to come to it before it returns.
pub struct Ticket {
    store: Arc<dyn SyncStore>,
    timer: Arc<dyn Timer>,
    confirmation: Arc<Confirmation>,
}

impl Ticket {
    pub(super) fn new(
        store: Arc<dyn SyncStore>,
        timer: Arc<dyn Timer>,
        confirmation: Arc<Confirmation>,
    ) -> Self {
        Self {
            store,
            timer,
            confirmation,
        }
    }

    /// Returns our own id of the contact.
    pub fn contact(&self) -> ContactId {
        self.confirmation.contact
    }

    /// Returns what a target calls the contact, for the host's own record; `None` if the target was skipped.
    pub fn remote_id(&self, target: &str) -> Option<&RemoteId> {
        let links = self
            .confirmation
            .created
            .iter()
            .chain(&self.confirmation.found);
        links
            .into_iter()
            .find(|link| link.target == target)
            .map(|link| &link.remote)
    }

    /// Confirms: call it when the host's record is written, as the last step that can fail.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the insert took so long without a sign of life that the vendors' records may
    /// have been deleted again: the insert must fail too.
    pub async fn confirm(&self) -> Result<(), StoreError> {
        self.confirmation
            .write(self.store.as_ref(), self.timer.as_ref())
            .await
    }

    /// Returns what has to be written to confirm, for stores that do it inside the host's transaction.
    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("confirmation", &self.confirmation)
            .finish_non_exhaustive()
    }
}

/// What a confirmation writes: the links stay, the undo jobs go.
#[derive(Debug)]
#[non_exhaustive]
pub struct Confirmation {
    /// The operation and the proof of holding it.
    pub held: Held,
    /// The contact.
    pub contact: ContactId,
    /// Records that the operation created.
    pub created: Vec<Link>,
    /// Records that were there before.
    pub found: Vec<Link>,
    /// The schema that the store's tables are in: see [`SignupStore::schema`](crate::SignupStore::schema).
    pub schema: String,
    stage: AtomicU8,
}

/// Nobody has confirmed yet.
const UNUSED: u8 = 0;
/// Written inside a transaction of the host, whose end nobody here has seen.
const JOINED: u8 = 1;
/// Written by the store itself, and there to stay.
const WRITTEN: u8 = 2;

impl Confirmation {
    pub(super) fn new(
        held: Held,
        contact: ContactId,
        created: Vec<Link>,
        found: Vec<Link>,
        schema: &str,
    ) -> Self {
        Self {
            held,
            contact,
            created,
            found,
            schema: schema.to_owned(),
            stage: AtomicU8::new(UNUSED),
        }
    }

    /// Says that a store has written it inside the host's transaction. Nothing is taken for confirmed on this word: that
    /// transaction may still be rolled back, so the store is asked after the insert what it has left.
    pub fn mark_joined(&self) {
        self.stage.fetch_max(JOINED, Ordering::AcqRel);
    }

    /// Tells whether it has been written inside a transaction of the host, and not outside of one.
    pub(super) fn is_joined(&self) -> bool {
        self.stage.load(Ordering::Acquire) == JOINED
    }

    pub(super) async fn write(
        &self,
        store: &dyn SyncStore,
        timer: &dyn Timer,
    ) -> Result<(), StoreError> {
        if self.stage.load(Ordering::Acquire) < WRITTEN {
            let confirm = || store.confirm(self.held, &self.created, &self.found);
            insist(timer, confirm).await?;
            self.stage.store(WRITTEN, Ordering::Release);
        }
        Ok(())
    }
}
