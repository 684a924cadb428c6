//! Everything of one kind that the workspace has, from one list.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use chrono::{DateTime, Utc};
use connector_http::{Error, FieldError, Lane, Pages, Paginator};
use futures_core::Stream;

use super::client::Client;
use crate::client::VENDOR;
use crate::export::{ExportCheckpoint, ExportProgress, ExportRange, Kind, Place};

/// What is exported, and how it is listed.
pub(super) struct Source<T> {
    pub(super) kind: Kind,
    pub(super) operation: &'static str,
    /// The list, of at least what lies in the range.
    pub(super) list: fn(&Client, &ExportRange) -> Paginator<T>,
    pub(super) time: fn(&T) -> DateTime<Utc>,
}

/// An export, not started yet. Made by [`Calls::export`](super::Calls::export) and
/// [`Messages::export`](super::Messages::export).
///
/// One request gives 50 items, so that 100,000 take 2,000 requests: a little more than four minutes at
/// the 8 requests per second this client keeps to. The memory it takes does not depend on how much
/// there is. Nothing is left out, whatever a conversation is like, which an export over API v1 cannot
/// promise.
///
/// # At least once
///
/// Whatever was there when the export began and lies in the range comes **at least once**, however
/// often it is stopped and [resumed](Self::resume); the page that was under way comes again. Keep what
/// comes by its id. What happens while the export runs may come or not. This holds as long as the
/// vendor's cursors name a place in the list and not a count, which they are seen to do.
#[must_use = "nothing is read until its items or pages are asked for"]
pub struct Export<T> {
    client: Client,
    source: Source<T>,
    range: ExportRange,
    lane: Lane,
    from: Option<ExportCheckpoint>,
}

impl<T: Send + 'static> Export<T> {
    pub(super) fn new(client: &Client, source: Source<T>, range: ExportRange) -> Self {
        Self {
            client: client.clone(),
            source,
            range,
            lane: Lane::Bulk,
            from: None,
        }
    }

    /// Goes on where an earlier export of the same kind and range stopped. One of API v1 is another kind.
    pub fn resume(mut self, checkpoint: ExportCheckpoint) -> Self {
        self.from = Some(checkpoint);
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
        let pages = self.pages();
        ExportItems {
            checkpoint: pages.checkpoint(),
            page: Vec::new().into_iter(),
            pages,
        }
    }

    /// Streams the pages: the items together with the progress and the place to go on from.
    pub fn pages(self) -> ExportPages<T> {
        let begin = ExportCheckpoint::start(self.source.kind, self.range);
        let refused = self.refused(&begin);
        let checkpoint = self.from.unwrap_or(begin);
        let list = (self.source.list)(&self.client, &self.range).lane(self.lane);
        let pages = match &checkpoint.place {
            Place::Start => Some(list.pages()),
            Place::Listed(cursor) => Some(list.resume(cursor.clone()).pages()),
            // The walk of API v1, which was refused above, or nothing more to read.
            Place::In(_) | Place::End => None,
        };
        ExportPages {
            pages,
            range: self.range,
            time: self.source.time,
            checkpoint,
            progress: ExportProgress::default(),
            refused,
        }
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
        let operation = self.source.operation;
        (!faults.is_empty()).then(|| Error::validation(VENDOR, operation, faults))
    }
}

impl<T> fmt::Debug for Export<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("operation", &self.source.operation)
            .field("range", &self.range)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// The pages of an export. Ends after the last one, or the first error.
#[must_use = "a stream does nothing until it is polled"]
pub struct ExportPages<T> {
    /// `None` once there is nothing more to read.
    pages: Option<Pages<T>>,
    range: ExportRange,
    time: fn(&T) -> DateTime<Utc>,
    checkpoint: ExportCheckpoint,
    progress: ExportProgress,
    refused: Option<Error>,
}

impl<T: Send + 'static> ExportPages<T> {
    /// Waits for the next page. `None` at the end, and after an error.
    ///
    /// Dropping this future before it is ready loses nothing: the page under way is kept.
    ///
    /// # Errors
    ///
    /// Those of [`Calls::export`](super::Calls::export).
    pub async fn next(&mut self) -> Option<Result<ExportPage<T>, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Marks the place behind the last page that was given out. After an error, that is before the page
    /// that failed.
    pub fn checkpoint(&self) -> ExportCheckpoint {
        self.checkpoint.clone()
    }

    /// Says how far the export is.
    pub fn progress(&self) -> ExportProgress {
        self.progress
    }
}

/// Nothing of it is pinned in its place.
impl<T> Unpin for ExportPages<T> {}

impl<T: Send + 'static> Stream for ExportPages<T> {
    type Item = Result<ExportPage<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(error) = this.refused.take() {
            this.pages = None;
            return Poll::Ready(Some(Err(error)));
        }
        let Some(pages) = &mut this.pages else {
            return Poll::Ready(None);
        };
        let mut items = match ready!(Pin::new(&mut *pages).poll_next(cx)) {
            Some(Ok(page)) => page.items,
            Some(Err(error)) => {
                this.pages = None;
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                this.pages = None;
                return Poll::Ready(None);
            }
        };
        let (range, time) = (this.range, this.time);
        // The vendor was asked for a little more, because its limits are written in milliseconds.
        items.retain(|item| range.contains(time(item)));
        let cursor = pages.cursor();
        let place = if cursor.is_end() {
            Place::End
        } else {
            Place::Listed(cursor)
        };
        this.checkpoint = this.checkpoint.at(place);
        let found = u64::try_from(items.len()).unwrap_or(u64::MAX);
        this.progress.items = this.progress.items.saturating_add(found);
        this.progress.pages_read = this.progress.pages_read.saturating_add(1);
        Poll::Ready(Some(Ok(ExportPage {
            items,
            progress: this.progress,
            checkpoint: this.checkpoint.clone(),
        })))
    }
}

impl<T> fmt::Debug for ExportPages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportPages")
            .field("checkpoint", &self.checkpoint)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// The items of an export. Ends after the last one, or the first error.
#[must_use = "a stream does nothing until it is polled"]
pub struct ExportItems<T> {
    pages: ExportPages<T>,
    page: vec::IntoIter<T>,
    /// Behind the last page whose items were all given out.
    checkpoint: ExportCheckpoint,
}

impl<T: Send + 'static> ExportItems<T> {
    /// Waits for the next item. `None` at the end, and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`Calls::export`](super::Calls::export).
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Marks the place behind the last page whose items were all given out. Take it **after** the last
    /// item is dealt with; in the middle of a page, the page comes again.
    pub fn checkpoint(&self) -> ExportCheckpoint {
        self.checkpoint.clone()
    }

    /// Says how far the export is.
    pub fn progress(&self) -> ExportProgress {
        self.pages.progress()
    }
}

/// Nothing of it is pinned in its place.
impl<T> Unpin for ExportItems<T> {}

impl<T: Send + 'static> Stream for ExportItems<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.next() {
                if this.page.len() == 0 {
                    this.checkpoint = this.pages.checkpoint();
                }
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => {
                    if page.items.is_empty() {
                        this.checkpoint = page.checkpoint;
                    }
                    this.page = page.items.into_iter();
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for ExportItems<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportItems")
            .field("checkpoint", &self.checkpoint)
            .field("progress", &self.pages.progress)
            .finish_non_exhaustive()
    }
}

/// One page of an export.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExportPage<T> {
    /// What was found, if anything.
    pub items: Vec<T>,
    /// How far the export is: `items` and `pages_read`. Numbers and conversations are not counted here.
    pub progress: ExportProgress,
    /// The place behind this page, for [`Export::resume`].
    pub checkpoint: ExportCheckpoint,
}
