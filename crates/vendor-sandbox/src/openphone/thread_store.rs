//! Threads, which the API calls conversations: an own number and everyone else in them. Texts and
//! calls with the same people share one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clock;
use crate::openphone::ids::Ids;
use crate::openphone::ledger::ThreadPlace;
use crate::openphone::workspace::PhoneNumber;

#[derive(Debug)]
pub(super) struct Thread {
    pub(super) id: Arc<str>,
    /// Position of the own number in the workspace.
    pub(super) phone: usize,
    pub(super) phone_number_id: Arc<str>,
    /// Everyone but the own number, in the order in which they were first named.
    pub(super) participants: Vec<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    last_activity: Option<(DateTime<Utc>, String)>,
    /// Tells activities of one millisecond apart.
    turn: u64,
    /// Taken out of the inbox. The API sets it and never shows it.
    pub(super) done: bool,
    pub(super) unread: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadView<'a> {
    id: &'a str,
    phone_number_id: &'a str,
    participants: &'a [String],
    name: Option<&'a str>,
    /// Only API v1 has this name; nobody is ever assigned, so it is always null.
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_to: Option<()>,
    last_activity_at: Option<String>,
    last_activity_id: Option<&'a str>,
    muted_until: Option<&'a str>,
    snoozed_until: Option<&'a str>,
    created_at: String,
    updated_at: String,
    deleted_at: Option<&'a str>,
}

impl Thread {
    /// Writes the conversation as API v1 does.
    pub(super) fn view(&self) -> ThreadView<'_> {
        ThreadView {
            assigned_to: Some(()),
            ..self.dated_view()
        }
    }

    pub(super) fn dated_view(&self) -> ThreadView<'_> {
        ThreadView {
            id: &self.id,
            phone_number_id: &self.phone_number_id,
            participants: &self.participants,
            name: None,
            assigned_to: None,
            last_activity_at: self.last_activity.as_ref().map(|(at, _)| clock::iso(*at)),
            last_activity_id: self.last_activity.as_ref().map(|(_, id)| id.as_str()),
            muted_until: None,
            snoozed_until: None,
            created_at: clock::iso(self.created_at),
            updated_at: clock::iso(self.updated_at),
            deleted_at: None,
        }
    }

    pub(super) fn last_activity_at(&self) -> Option<DateTime<Utc>> {
        self.last_activity.as_ref().map(|(at, _)| *at)
    }

    /// What the most recent conversation has most of.
    pub(super) fn recency(&self) -> (Option<DateTime<Utc>>, u64) {
        (self.last_activity_at(), self.turn)
    }

    fn note(&mut self, activity: String, at: DateTime<Utc>, incoming: bool) {
        self.updated_at = self.updated_at.max(at);
        if self.last_activity_at().is_none_or(|last| last <= at) {
            self.last_activity = Some((at, activity));
        }
        if incoming {
            self.unread = true;
            self.done = false;
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct ThreadStore {
    threads: Vec<Thread>,
    turns: u64,
    by_people: HashMap<(usize, BTreeSet<String>), ThreadPlace>,
    by_id: HashMap<Arc<str>, ThreadPlace>,
}

impl ThreadStore {
    /// Returns the thread of an own number with these people, which is made if need be.
    pub(super) fn ensure(
        &mut self,
        (phone, number): (usize, &PhoneNumber),
        people: &[String],
        now: DateTime<Utc>,
        ids: &mut Ids,
    ) -> ThreadPlace {
        let key = (phone, people.iter().cloned().collect());
        if let Some(place) = self.by_people.get(&key) {
            return *place;
        }
        let place = self.threads.len();
        let id: Arc<str> = ids.long("CN").into();
        self.by_people.insert(key, place);
        self.by_id.insert(Arc::clone(&id), place);
        self.threads.push(Thread {
            id,
            phone,
            phone_number_id: number.id.as_str().into(),
            participants: people.to_vec(),
            created_at: now,
            updated_at: now,
            last_activity: None,
            turn: 0,
            done: false,
            unread: false,
        });
        place
    }

    /// Notes a text or a call; what comes in makes the thread unread and brings it back.
    pub(super) fn note(
        &mut self,
        place: ThreadPlace,
        activity: String,
        at: DateTime<Utc>,
        incoming: bool,
    ) {
        self.turns += 1;
        if let Some(thread) = self.threads.get_mut(place) {
            thread.turn = self.turns;
            thread.note(activity, at, incoming);
        }
    }

    /// Finds the thread of an own number with exactly these people.
    pub(super) fn with(&self, phone: usize, people: &[String]) -> Option<ThreadPlace> {
        self.by_people
            .get(&(phone, people.iter().cloned().collect()))
            .copied()
    }

    pub(super) fn place(&self, id: &str) -> Option<ThreadPlace> {
        self.by_id.get(id).copied()
    }

    pub(super) fn get(&self, place: ThreadPlace) -> Option<&Thread> {
        self.threads.get(place)
    }

    pub(super) fn get_mut(&mut self, place: ThreadPlace) -> Option<&mut Thread> {
        self.threads.get_mut(place)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ThreadPlace, &Thread)> {
        self.threads.iter().enumerate()
    }

    pub(super) fn len(&self) -> usize {
        self.threads.len()
    }
}
