//! What an export gives: pages, or their items.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use connector_http::{BoxFuture, Error};
use futures_core::Stream;

use super::checkpoint::ExportCheckpoint;
use super::walk::Walk;
use crate::ids::{ConversationId, PhoneNumberId};

type Stepped<T> = (Box<Walk<T>>, Result<Option<ExportPage<T>>, Error>);

/// The pages of an export. Ends after the last one, or the first error.
#[must_use = "a stream does nothing until it is polled"]
pub struct ExportPages<T> {
    state: State<T>,
    checkpoint: ExportCheckpoint,
    progress: ExportProgress,
}

enum State<T> {
    Idle(Box<Walk<T>>),
    Running(BoxFuture<'static, Stepped<T>>),
    Refused(Error),
    Over,
}

impl<T: Send + 'static> ExportPages<T> {
    pub(super) fn new(walk: Walk<T>, checkpoint: ExportCheckpoint) -> Self {
        Self {
            state: State::Idle(Box::new(walk)),
            checkpoint,
            progress: ExportProgress::default(),
        }
    }

    pub(super) fn over(checkpoint: ExportCheckpoint, refused: Option<Error>) -> Self {
        Self {
            state: refused.map_or(State::Over, State::Refused),
            checkpoint,
            progress: ExportProgress::default(),
        }
    }

    /// Waits for the next page. `None` at the end, and after an error.
    ///
    /// Dropping this future before it is ready loses nothing: the page under way is kept.
    ///
    /// # Errors
    ///
    /// Those of [`Calls::export`](crate::Calls::export) and [`Messages::export`](crate::Messages::export).
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

impl<T: Send + 'static> Stream for ExportPages<T> {
    type Item = Result<ExportPage<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut running = match std::mem::replace(&mut this.state, State::Over) {
            State::Idle(walk) => Box::pin(step(walk)),
            State::Running(running) => running,
            State::Refused(error) => return Poll::Ready(Some(Err(error))),
            State::Over => return Poll::Ready(None),
        };
        let Poll::Ready((walk, result)) = running.as_mut().poll(cx) else {
            this.state = State::Running(running);
            return Poll::Pending;
        };
        this.progress = walk.progress();
        match result {
            Ok(Some(page)) => {
                this.checkpoint = page.checkpoint.clone();
                this.state = State::Idle(walk);
                Poll::Ready(Some(Ok(page)))
            }
            Ok(None) => {
                this.checkpoint = walk.end();
                Poll::Ready(None)
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }
}

async fn step<T: Send + 'static>(mut walk: Box<Walk<T>>) -> Stepped<T> {
    let result = walk.step().await;
    (walk, result)
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
    pub(super) fn new(pages: ExportPages<T>) -> Self {
        Self {
            checkpoint: pages.checkpoint(),
            page: Vec::new().into_iter(),
            pages,
        }
    }

    /// Waits for the next item. `None` at the end, and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`Calls::export`](crate::Calls::export) and [`Messages::export`](crate::Messages::export).
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
                None => {
                    this.checkpoint = this.pages.checkpoint();
                    return Poll::Ready(None);
                }
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

/// One step of an export: a page of one conversation, or a page of conversations.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExportPage<T> {
    /// The number of yours that is being read.
    pub phone_number_id: PhoneNumberId,
    /// The conversation the items are of. `None` when a page of conversations was read.
    pub conversation_id: Option<ConversationId>,
    /// Whether the conversation was left out, because API v1 cannot list it.
    pub left_out: bool,
    /// What was found, if anything.
    pub items: Vec<T>,
    /// How far the export is.
    pub progress: ExportProgress,
    /// The place behind this page, for [`Export::resume`](super::Export::resume).
    pub checkpoint: ExportCheckpoint,
}

/// How far an export is, since it was started or resumed. How many conversations and items there are
/// is not known: the vendor's totals are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportProgress {
    /// The numbers there are to read; known from the first page on.
    pub numbers: u64,
    /// Those that are done.
    pub numbers_done: u64,
    /// The conversations whose calls or messages were read, or begun to be read.
    pub conversations_read: u64,
    /// The conversations in which nothing happened since the range began, by the vendor's word.
    pub conversations_quiet: u64,
    /// The conversations that API v1 cannot list.
    pub conversations_left_out: u64,
    /// The items given out.
    pub items: u64,
    /// The pages read, of conversations and of items, which is nearly the number of requests.
    pub pages_read: u64,
}
