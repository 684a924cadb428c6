//! Texts, in the threads they belong to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Incoming,
    Outgoing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Queued,
    Delivered,
    Received,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) to: Vec<String>,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) phone_number_id: String,
    pub(super) conversation_id: Arc<str>,
    pub(super) direction: Direction,
    /// Nobody for an incoming text.
    pub(super) user_id: Option<Arc<str>>,
    pub(super) status: Status,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageView<'a> {
    id: &'a str,
    to: &'a [String],
    from: &'a str,
    text: &'a str,
    phone_number_id: Option<&'a str>,
    conversation_id: &'a str,
    direction: Direction,
    user_id: Option<&'a str>,
    status: Status,
    created_at: String,
    updated_at: String,
}

impl Message {
    pub(super) fn view(&self) -> MessageView<'_> {
        MessageView {
            id: &self.id,
            to: &self.to,
            from: &self.from,
            text: &self.text,
            phone_number_id: Some(&self.phone_number_id),
            conversation_id: &self.conversation_id,
            direction: self.direction,
            user_id: self.user_id.as_deref(),
            status: self.status,
            created_at: clock::iso(self.created_at),
            updated_at: clock::iso(self.updated_at),
        }
    }
}

/// One thread: an own number and everyone else in it.
#[derive(Debug)]
struct Thread {
    id: Arc<str>,
    /// Positions in [`MessageStore::messages`], in the order of time.
    messages: Vec<usize>,
}

type ThreadKey = (String, BTreeSet<String>);

#[derive(Debug, Default)]
pub(super) struct MessageStore {
    messages: Vec<Message>,
    by_id: HashMap<String, usize>,
    threads: HashMap<ThreadKey, Thread>,
}

/// Which texts of a thread a list asks for.
#[derive(Debug, Default)]
pub(super) struct MessageFilter {
    pub(super) user_id: Option<String>,
    pub(super) after: Option<DateTime<Utc>>,
    pub(super) before: Option<DateTime<Utc>>,
}

impl MessageStore {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Message> {
        self.messages.get(*self.by_id.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.get_mut(*self.by_id.get(id)?)
    }

    /// Returns the id of the thread with these participants, which is made if need be.
    pub(super) fn thread(
        &mut self,
        phone_number_id: &str,
        participants: &[String],
        new_id: impl FnOnce() -> String,
    ) -> Arc<str> {
        let key = thread_key(phone_number_id, participants);
        let make = || Thread {
            id: new_id().into(),
            messages: Vec::new(),
        };
        Arc::clone(&self.threads.entry(key).or_insert_with(make).id)
    }

    /// Adds a text to the thread with these participants.
    pub(super) fn push(&mut self, message: Message, participants: &[String]) {
        let index = self.messages.len();
        let key = thread_key(&message.phone_number_id, participants);
        let thread = self.threads.entry(key).or_insert_with(|| Thread {
            id: Arc::clone(&message.conversation_id),
            messages: Vec::new(),
        });
        thread.messages.push(index);
        self.by_id.insert(message.id.clone(), index);
        self.messages.push(message);
    }

    /// Returns the first `max` matching texts of one thread behind `after`, oldest first.
    pub(super) fn page(
        &self,
        phone_number_id: &str,
        participants: &[String],
        filter: &MessageFilter,
        after: Option<usize>,
        max: usize,
    ) -> Vec<&Message> {
        let Some(thread) = self.threads.get(&thread_key(phone_number_id, participants)) else {
            return Vec::new();
        };
        let start = after.map_or(0, |after| {
            thread.messages.partition_point(|index| *index <= after)
        });
        thread
            .messages
            .iter()
            .skip(start)
            .filter_map(|index| self.messages.get(*index))
            .filter(|message| {
                filter.user_id.is_none() || filter.user_id.as_deref() == message.user_id.as_deref()
            })
            .filter(|message| filter.after.is_none_or(|after| message.created_at > after))
            .filter(|message| {
                filter
                    .before
                    .is_none_or(|before| message.created_at < before)
            })
            .take(max)
            .collect()
    }

    /// Returns where a text stands among all of them.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }
}

fn thread_key(phone_number_id: &str, participants: &[String]) -> ThreadKey {
    (
        phone_number_id.to_owned(),
        participants.iter().cloned().collect(),
    )
}
