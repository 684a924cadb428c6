//! A merge as one thing to await: a read, the merge, a write.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use connector_http::{Call, Error, Lane};

use super::UPDATE;
use super::merge::{ContactChanges, Merge, Merged, not_applied};
use crate::check::Check;
use crate::client::Client;
use crate::ids::ContactId;

/// A merge that happens when it is awaited, with the options for it.
///
/// Made by [`Contacts::update_merged`](super::Contacts::update_merged). Like a [`Call`] it is
/// `Unpin` and `Send`, so that it can be spawned, joined or buffered as it is.
#[must_use = "nothing is read or written until it is awaited"]
pub struct UpdateMerged {
    state: State,
}

enum State {
    Planned(Box<Plan>),
    Running(Pin<Box<dyn Future<Output = Result<Merged, Error>> + Send>>),
    Over,
}

struct Plan {
    client: Client,
    id: ContactId,
    changes: ContactChanges,
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    lane: Lane,
}

impl UpdateMerged {
    pub(super) fn new(client: &Client, id: &ContactId, changes: &ContactChanges) -> Self {
        let (client, id, changes) = (client.clone(), id.clone(), changes.clone());
        let (timeout, deadline, lane) = (None, None, Lane::default());
        let plan = Plan {
            client,
            id,
            changes,
            timeout,
            deadline,
            lane,
        };
        Self {
            state: State::Planned(Box::new(plan)),
        }
    }

    /// Limits each attempt of the read and of the write to this time.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|plan| plan.timeout = Some(timeout))
    }

    /// Limits the read and the write to this time each, waits and retries included.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.with(|plan| plan.deadline = Some(deadline))
    }

    /// Chooses who goes first while calls wait for the rate limit.
    pub fn lane(self, lane: Lane) -> Self {
        self.with(|plan| plan.lane = lane)
    }

    fn with(mut self, set: impl FnOnce(&mut Plan)) -> Self {
        if let State::Planned(plan) = &mut self.state {
            set(plan);
        }
        self
    }
}

impl Future for UpdateMerged {
    type Output = Result<Merged, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut running = match std::mem::replace(&mut this.state, State::Over) {
            State::Planned(plan) => Box::pin(plan.run()),
            State::Running(running) => running,
            State::Over => return Poll::Pending,
        };
        match running.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => {
                this.state = State::Running(running);
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for UpdateMerged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateMerged").finish_non_exhaustive()
    }
}

impl Plan {
    async fn run(self: Box<Self>) -> Result<Merged, Error> {
        if let Some(error) = self.changes.check(UPDATE.name) {
            return Err(error);
        }
        let contacts = self.client.contacts();
        let before = self.options(contacts.get(&self.id)).await?;
        let Merge {
            patch,
            changed,
            source_left_out,
        } = self.changes.merge_into(&before);
        let Some(patch) = patch else {
            let (contact, not_applied) = (before.clone(), Vec::new());
            return Ok(Merged {
                contact,
                before,
                changed,
                not_applied,
                source_left_out,
            });
        };
        // What is only sent back was the vendor's own; the changes have been checked.
        let contact = self
            .options(contacts.write(&self.id, &patch, Check::new()))
            .await?;
        let not_applied = not_applied(&patch, &contact, &changed);
        Ok(Merged {
            contact,
            before,
            changed,
            not_applied,
            source_left_out,
        })
    }

    fn options<T: Send + 'static>(&self, mut call: Call<T>) -> Call<T> {
        if let Some(timeout) = self.timeout {
            call = call.timeout(timeout);
        }
        if let Some(deadline) = self.deadline {
            call = call.deadline(deadline);
        }
        call.lane(self.lane)
    }
}
