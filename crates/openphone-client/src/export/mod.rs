//! Everything of one kind that the workspace has, by the only way API v1 offers: number by number,
//! conversation by conversation, page by page.

mod checkpoint;
mod range;
mod stream;
mod walk;

use std::fmt;

use connector_http::{Error, FieldError, Lane};

pub use self::checkpoint::ExportCheckpoint;
#[cfg(feature = "dated")]
pub(crate) use self::checkpoint::Kind;
pub(crate) use self::checkpoint::Place;
pub use self::range::ExportRange;
pub use self::stream::{ExportItems, ExportPage, ExportPages, ExportProgress};
pub(crate) use self::walk::{Source, Thread};
use self::walk::{Start, Walk};
use crate::calls::PhoneCall;
use crate::client::{Client, VENDOR};
use crate::ids::{PhoneNumberId, UserId};

/// An export, not started yet. Made by [`Calls::export`](crate::Calls::export) and
/// [`Messages::export`](crate::Messages::export).
///
/// It reads the conversations of every number of the workspace, and of each conversation the calls or
/// messages, page by page: one request per number and 100 conversations, and one per conversation and
/// 100 items. At the 8 requests per second this client keeps to, 10,000 conversations take at least
/// 20 minutes. The memory it takes does not depend on how much there is.
///
/// # At least once
///
/// Whatever was there when the export began and lies in the range comes **at least once**, however
/// often it is stopped and [resumed](Self::resume). It may come twice: on the page that was under way
/// when it was stopped, in conversations that moved while they were read, and where two conversations
/// have the same participants. Keep what comes by its id. What happens while the export runs may come
/// or not.
///
/// The list of conversations moves while it is read: one in which something happens comes to the top,
/// where nobody looks any more. So the top of each number's list is read again, until nothing new is
/// there. Where something happens all the time, faster than a conversation's part of the range can be
/// read, that has no end: export such a number at a quiet hour, in ranges small enough to be read in
/// between, or from the dated API, whose lists of the whole workspace need no such walk.
///
/// # What API v1 cannot list
///
/// Calls of conversations with several others, messages of those with more than ten, and
/// conversations with nobody or with somebody the vendor does not take as a participant (some short
/// codes and hidden numbers). They are left out, and counted in
/// [`ExportProgress::conversations_left_out`]; [`ExportPage::left_out`] tells which.
#[must_use = "nothing is read until its items or pages are asked for"]
pub struct Export<T> {
    http: connector_http::Client,
    source: Source<T>,
    range: ExportRange,
    numbers: Vec<PhoneNumberId>,
    user_id: Option<UserId>,
    lane: Lane,
    from: Option<ExportCheckpoint>,
}

impl<T: Send + 'static> Export<T> {
    pub(crate) fn new(client: &Client, source: Source<T>, range: ExportRange) -> Self {
        Self {
            http: client.http().clone(),
            source,
            range,
            numbers: Vec::new(),
            user_id: None,
            lane: Lane::Bulk,
            from: None,
        }
    }

    /// Goes on where an earlier export of the same kind, range and numbers stopped.
    pub fn resume(mut self, checkpoint: ExportCheckpoint) -> Self {
        self.from = Some(checkpoint);
        self
    }

    /// Exports this number, and others named like this, in place of all of the workspace.
    pub fn phone_number(mut self, id: impl Into<PhoneNumberId>) -> Self {
        self.numbers.push(id.into());
        self
    }

    /// Chooses the lane; [`Lane::Bulk`] unless told otherwise, so that an export lets calls somebody
    /// waits for pass.
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Streams the items.
    pub fn items(self) -> ExportItems<T> {
        ExportItems::new(self.pages())
    }

    /// Streams the pages: the items together with the progress and the place to go on from, also
    /// while nothing is found.
    pub fn pages(self) -> ExportPages<T> {
        let begin = ExportCheckpoint::start(self.source.kind, self.range);
        let checkpoint = self.from.clone().unwrap_or_else(|| begin.clone());
        let refused = self.refused(&begin);
        let Place::End = &checkpoint.place else {
            let walk = Walk::new(Start {
                http: self.http,
                source: self.source,
                range: self.range,
                numbers: self.numbers,
                user_id: self.user_id,
                lane: self.lane,
                from: checkpoint.clone(),
                refused,
            });
            return ExportPages::new(walk, checkpoint);
        };
        ExportPages::over(checkpoint, refused)
    }

    /// What is wrong with it before anything is sent.
    fn refused(&self, begin: &ExportCheckpoint) -> Option<Error> {
        let mut faults = Vec::new();
        if self.range.is_empty() {
            faults.push(FieldError::new("/range", "must end after it begins"));
        }
        let theirs = self.from.as_ref();
        if theirs.is_some_and(|from| !from.is_of(begin)) {
            let message = "must be of an export of the same kind and range";
            faults.push(FieldError::new("/checkpoint", message));
        }
        for (index, number) in self.numbers.iter().enumerate() {
            if number.as_str().trim().is_empty() {
                let path = format!("/phoneNumbers/{index}");
                faults.push(FieldError::new(path, "must not be empty"));
            }
        }
        let operation = self.source.operation;
        (!faults.is_empty()).then(|| Error::validation(VENDOR, operation, faults))
    }
}

impl Export<PhoneCall> {
    /// Reads the calls in the name of this user. The vendor's default is the owner of the workspace,
    /// who may not be a member of every number.
    pub fn user_id(mut self, user: impl Into<UserId>) -> Self {
        self.user_id = Some(user.into());
        self
    }
}

impl<T> fmt::Debug for Export<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("operation", &self.source.operation)
            .field("range", &self.range)
            .field("numbers", &self.numbers)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}
