//! The walk: numbers, their conversations, and what is in them.
//!
//! It keeps one page of conversations and one of items. Numbers are walked in the order of their ids,
//! so that a number that vanished or came meanwhile does not confuse a resumed walk.

use std::vec;

use chrono::{DateTime, Utc};
use connector_http::{Call, Cursor, Error, ErrorKind, Lane, Page, Pages, Paginator};
use serde::Deserialize;

use super::checkpoint::{ExportCheckpoint, Kind, NumberPlace, Place, ThreadPlace};
use super::range::ExportRange;
use super::stream::{ExportPage, ExportProgress};
use crate::check::is_e164;
use crate::conversations::{self, Conversation, ListConversations};
use crate::ids::{ConversationId, PhoneNumberId, UserId};
use crate::page::Data;
use crate::phone_numbers;

/// What is exported, and how it is read.
pub(crate) struct Source<T> {
    pub(crate) kind: Kind,
    pub(crate) operation: &'static str,
    /// With how many others at most a conversation can be listed.
    pub(crate) most_participants: usize,
    pub(crate) list: fn(&connector_http::Client, &Thread, Option<&str>) -> Call<Page<T>>,
    pub(crate) created_at: fn(&T) -> DateTime<Utc>,
}

/// Of which conversation.
pub(crate) struct Thread {
    pub(crate) number: PhoneNumberId,
    pub(crate) participants: Vec<String>,
    pub(crate) user_id: Option<UserId>,
    pub(crate) created_after: Option<DateTime<Utc>>,
    pub(crate) created_before: Option<DateTime<Utc>>,
}

impl Source<crate::calls::PhoneCall> {
    pub(crate) fn calls() -> Self {
        Self {
            kind: Kind::Calls,
            operation: "calls.export",
            most_participants: 1,
            list: crate::calls::thread,
            created_at: |call| call.created_at,
        }
    }
}

impl Source<crate::messages::Message> {
    pub(crate) fn messages() -> Self {
        Self {
            kind: Kind::Messages,
            operation: "messages.export",
            most_participants: crate::messages::MAX_PARTICIPANTS,
            list: crate::messages::thread,
            created_at: |message| message.created_at,
        }
    }
}

/// What a walk begins with.
pub(super) struct Start<T> {
    pub(super) http: connector_http::Client,
    pub(super) source: Source<T>,
    pub(super) range: ExportRange,
    pub(super) numbers: Vec<PhoneNumberId>,
    pub(super) user_id: Option<UserId>,
    pub(super) lane: Lane,
    pub(super) from: ExportCheckpoint,
    pub(super) refused: Option<Error>,
}

pub(super) struct Walk<T> {
    start: Start<T>,
    /// The numbers that are left; `None` before they are known.
    numbers: Option<vec::IntoIter<PhoneNumberId>>,
    number: Option<Number<T>>,
    progress: ExportProgress,
}

/// The number that is being walked.
struct Number<T> {
    id: PhoneNumberId,
    /// See [`NumberPlace::seen_until`].
    seen_until: Option<DateTime<Utc>>,
    /// See [`NumberPlace::newest`].
    newest: Option<DateTime<Utc>>,
    pages: Pages<Conversation>,
    /// Where the page of conversations under way begins.
    at: Cursor,
    left: vec::IntoIter<Conversation>,
    thread: Option<Reading<T>>,
    /// Where an earlier walk stopped on the page that is read first.
    resume: Option<ThreadPlace>,
    /// Whether an earlier walk gave out the page that is read first.
    is_resumed: bool,
}

/// The conversation that is being read.
struct Reading<T> {
    id: ConversationId,
    pages: Pages<T>,
    /// Whether somebody in it has no number in E.164 form, and nothing of it was read yet.
    doubtful: bool,
}

impl<T: Send + 'static> Walk<T> {
    pub(super) fn new(start: Start<T>) -> Self {
        Self {
            start,
            numbers: None,
            number: None,
            progress: ExportProgress::default(),
        }
    }

    pub(super) fn progress(&self) -> ExportProgress {
        self.progress
    }

    /// The checkpoint behind everything.
    pub(super) fn end(&self) -> ExportCheckpoint {
        self.start.from.at(Place::End)
    }

    /// Goes one page further. `None` at the end.
    pub(super) async fn step(&mut self) -> Result<Option<ExportPage<T>>, Error> {
        if let Some(refused) = self.start.refused.take() {
            return Err(refused);
        }
        if self.numbers.is_none() {
            self.find_numbers().await?;
        }
        loop {
            let Some(number) = &mut self.number else {
                let Some(next) = self.numbers.as_mut().and_then(Iterator::next) else {
                    return Ok(None);
                };
                self.number = Some(Number::begin(&self.start, next, None));
                continue;
            };
            if let Some(thread) = &mut number.thread {
                let read = thread.pages.next().await;
                if let Some(page) = self.page_of_items(read)? {
                    return Ok(Some(page));
                }
            } else if let Some(conversation) = number.left.next() {
                if let Some(page) = self.enter(conversation) {
                    return Ok(Some(page));
                }
            } else {
                let at = number.pages.cursor();
                let read = number.pages.next().await.transpose()?;
                if let Some(page) = self.page_of_conversations(at, read) {
                    return Ok(Some(page));
                }
            }
        }
    }

    /// Lists the numbers, and goes to where an earlier walk stopped.
    async fn find_numbers(&mut self) -> Result<(), Error> {
        /// Nothing else of a number is needed, so nothing else can fail.
        #[derive(Deserialize)]
        struct Known {
            id: PhoneNumberId,
        }
        let mut numbers = self.start.numbers.clone();
        if numbers.is_empty() {
            let request = self.start.http.request(&phone_numbers::LIST);
            let known = request.fetch_map(|known: Data<Vec<Known>>| known.into_inner());
            let known = known.lane(self.start.lane).await?;
            numbers = known.into_iter().map(|known| known.id).collect();
        }
        numbers.sort();
        numbers.dedup();
        self.progress.numbers = numbers.len() as u64;
        if let Place::In(place) = &self.start.from.place {
            let (done, rest): (Vec<_>, Vec<_>) =
                numbers.into_iter().partition(|id| *id < place.number);
            self.progress.numbers_done = done.len() as u64;
            numbers = rest;
            if numbers.first() == Some(&place.number) {
                numbers.remove(0);
                let place = place.clone();
                let id = place.number.clone();
                self.number = Some(Number::begin(&self.start, id, Some(place)));
            }
        }
        self.numbers = Some(numbers.into_iter());
        Ok(())
    }

    /// Takes a page of conversations, or ends the pass.
    fn page_of_conversations(
        &mut self,
        at: Cursor,
        read: Option<Page<Conversation>>,
    ) -> Option<ExportPage<T>> {
        let number = self.number.as_mut()?;
        let conversations = read.map(|page| page.items);
        let moved = conversations
            .as_deref()
            .is_some_and(|page| number.takes(page));
        let (Some(conversations), true) = (conversations, moved) else {
            // Behind the last page, or the last one with news. Another pass, if this one had anything.
            if let Some(newest) = number.newest {
                number.restart(&self.start, newest);
            } else {
                self.number = None;
                self.progress.numbers_done = self.progress.numbers_done.saturating_add(1);
            }
            return None;
        };
        self.progress.pages_read = self.progress.pages_read.saturating_add(1);
        if at == Cursor::default() && number.newest.is_none() {
            number.newest = newest(&conversations);
        }
        number.at = at;
        number.left = number.unseen(conversations).into_iter();
        if let Some(place) = number.resume.take() {
            number.skip_to(&self.start, place);
        }
        // An earlier walk gave this page out. Once more would lead back to before the place it stopped at, and a
        // walk that is stopped behind every page would never get past it.
        if std::mem::take(&mut number.is_resumed) {
            return None;
        }
        let place = number.place();
        Some(self.page(place, None, false, Vec::new()))
    }

    /// Begins a conversation, or says why not.
    fn enter(&mut self, conversation: Conversation) -> Option<ExportPage<T>> {
        let number = self.number.as_mut()?;
        let quiet = match (conversation.last_activity_at, self.start.range.from) {
            (Some(last), Some(from)) => last < from,
            _ => false,
        };
        if quiet {
            self.progress.conversations_quiet = self.progress.conversations_quiet.saturating_add(1);
            return None;
        }
        let others = &conversation.participants;
        let listed = (1..=self.start.source.most_participants).contains(&others.len());
        if listed && others.iter().all(|other| !other.trim().is_empty()) {
            self.progress.conversations_read = self.progress.conversations_read.saturating_add(1);
            number.thread = Some(Reading::begin(
                &self.start,
                &number.id,
                conversation,
                Cursor::default(),
            ));
            return None;
        }
        let behind = ThreadPlace {
            conversation: conversation.id.clone(),
            items: Cursor::end(),
        };
        let place = number.place_in(Some(behind));
        Some(self.left_out(place, conversation.id))
    }

    /// Takes a page of calls or messages.
    fn page_of_items(
        &mut self,
        read: Option<Result<Page<T>, Error>>,
    ) -> Result<Option<ExportPage<T>>, Error> {
        let Some(number) = self.number.as_mut() else {
            return Ok(None);
        };
        let (Some(thread), Some(read)) = (&mut number.thread, read) else {
            number.thread = None;
            return Ok(None);
        };
        let id = thread.id.clone();
        let mut page = match read {
            Ok(page) => page,
            // The vendor's list takes E.164 only, while its conversations name short codes too.
            Err(error) if thread.doubtful && refused_by_vendor(&error) => {
                number.thread = None;
                let behind = ThreadPlace {
                    conversation: id.clone(),
                    items: Cursor::end(),
                };
                let place = number.place_in(Some(behind));
                return Ok(Some(self.left_out(place, id)));
            }
            Err(error) => return Err(error),
        };
        thread.doubtful = false;
        let (range, created_at) = (self.start.range, self.start.source.created_at);
        page.items.retain(|item| range.contains(created_at(item)));
        let place = number.place();
        self.progress.pages_read = self.progress.pages_read.saturating_add(1);
        self.progress.items = self.progress.items.saturating_add(page.items.len() as u64);
        Ok(Some(self.page(place, Some(id), false, page.items)))
    }

    fn left_out(&mut self, place: NumberPlace, id: ConversationId) -> ExportPage<T> {
        self.progress.conversations_left_out =
            self.progress.conversations_left_out.saturating_add(1);
        self.page(place, Some(id), true, Vec::new())
    }

    fn page(
        &self,
        place: NumberPlace,
        conversation_id: Option<ConversationId>,
        left_out: bool,
        items: Vec<T>,
    ) -> ExportPage<T> {
        ExportPage {
            phone_number_id: place.number.clone(),
            conversation_id,
            left_out,
            items,
            progress: self.progress,
            checkpoint: self.start.from.at(Place::In(place)),
        }
    }
}

impl<T: Send + 'static> Number<T> {
    fn begin(start: &Start<T>, id: PhoneNumberId, place: Option<NumberPlace>) -> Self {
        let is_resumed = place.is_some();
        let (seen_until, newest, at, resume) = match place {
            Some(place) => (
                place.seen_until,
                place.newest,
                place.conversations,
                place.thread,
            ),
            None => (None, None, Cursor::default(), None),
        };
        Self {
            pages: conversations_of(start, &id, at.clone()),
            id,
            seen_until,
            newest,
            at,
            left: Vec::new().into_iter(),
            thread: None,
            resume,
            is_resumed,
        }
    }

    /// Reads the list from its top again, down to what was seen.
    fn restart(&mut self, start: &Start<T>, seen_until: DateTime<Utc>) {
        let id = self.id.clone();
        *self = Self::begin(start, id, None);
        self.seen_until = Some(seen_until);
    }

    /// Whether this page is still part of the pass: every page of the first, and of a later one those
    /// with something newer than what was seen.
    fn takes(&self, page: &[Conversation]) -> bool {
        let newer = |it: &Conversation| it.last_activity_at > self.seen_until;
        self.seen_until.is_none() || page.iter().any(newer)
    }

    /// The conversations of the page that are part of the pass. What happened at the very moment up to
    /// which was seen may have been missed, so it is.
    fn unseen(&self, mut page: Vec<Conversation>) -> Vec<Conversation> {
        if self.seen_until.is_some() {
            page.retain(|it| it.last_activity_at >= self.seen_until);
        }
        page
    }

    /// Goes to the conversation where an earlier walk stopped, or reads the whole page if that has
    /// moved away.
    fn skip_to(&mut self, start: &Start<T>, place: ThreadPlace) {
        let found = self
            .left
            .as_slice()
            .iter()
            .position(|it| it.id == place.conversation);
        let Some(conversation) = found.and_then(|index| self.left.nth(index)) else {
            return;
        };
        if !place.items.is_end() {
            let reading = Reading::begin(start, &self.id, conversation, place.items);
            self.thread = Some(reading);
        }
    }

    fn place(&self) -> NumberPlace {
        let thread = self.thread.as_ref().map(|thread| ThreadPlace {
            conversation: thread.id.clone(),
            items: thread.pages.cursor(),
        });
        self.place_in(thread)
    }

    fn place_in(&self, thread: Option<ThreadPlace>) -> NumberPlace {
        NumberPlace {
            number: self.id.clone(),
            seen_until: self.seen_until,
            newest: self.newest,
            conversations: self.at.clone(),
            thread,
        }
    }
}

impl<T: Send + 'static> Reading<T> {
    fn begin(
        start: &Start<T>,
        number: &PhoneNumberId,
        conversation: Conversation,
        from: Cursor,
    ) -> Self {
        let (created_after, created_before) = start.range.filters();
        let ordinary = conversation.participants.iter().all(|it| is_e164(it));
        let doubtful = !ordinary && from == Cursor::default();
        let thread = Thread {
            number: number.clone(),
            participants: conversation.participants,
            user_id: start.user_id.clone(),
            created_after,
            created_before,
        };
        let (http, list) = (start.http.clone(), start.source.list);
        let items = Paginator::new(move |token| list(&http, &thread, token));
        Self {
            id: conversation.id,
            pages: items.lane(start.lane).resume(from).pages(),
            doubtful,
        }
    }
}

fn conversations_of<T>(start: &Start<T>, id: &PhoneNumberId, from: Cursor) -> Pages<Conversation> {
    let (http, mut query) = (start.http.clone(), ListConversations::new());
    query.phone_numbers = vec![id.as_str().to_owned()];
    let list =
        Paginator::new(move |token| conversations::page(&http, &query, token).map(Into::into));
    list.lane(start.lane).resume(from).pages()
}

fn newest(page: &[Conversation]) -> Option<DateTime<Utc>> {
    page.iter().filter_map(|it| it.last_activity_at).max()
}

fn refused_by_vendor(error: &Error) -> bool {
    error.kind() == ErrorKind::Validation && error.status().is_some()
}
