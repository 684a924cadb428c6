use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeZone as _, Utc};
use serde::{Deserialize, Serialize};

use crate::openphone::Options;
use crate::openphone::call::PhoneCall;
use crate::openphone::call_life::{CallStep, Wishes};
use crate::openphone::call_store::CallStore;
use crate::openphone::contact_store::ContactStore;
use crate::openphone::dated::Note;
use crate::openphone::ids::Ids;
use crate::openphone::ledger::ThreadPlace;
use crate::openphone::message_store::{Message, MessageStore};
use crate::openphone::messages::{MessagingBlock, TextFailure};
use crate::openphone::registration::Registration;
use crate::openphone::task_store::TaskStore;
use crate::openphone::thread_store::ThreadStore;
use crate::openphone::workspace::{Definition, Workspace};
use crate::sandbox::Surroundings;
use crate::timeline::Timeline;

/// What the workspace pays for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Plan {
    /// Without summaries and transcripts: asking for them is forbidden.
    Starter,
    /// With both.
    Business,
    /// With both.
    #[default]
    Scale,
}

/// What is planned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Call(u64, CallStep),
    /// A task that was due at this time.
    TaskOverdue(usize, DateTime<Utc>),
}

impl Step {
    pub(super) const fn is_of_a_call(&self) -> bool {
        matches!(self, Self::Call(..))
    }
}

/// Everything the simulated vendor knows.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) surroundings: Surroundings,
    pub(super) ids: Ids,
    pub(super) workspace: Workspace,
    pub(super) contacts: ContactStore,
    pub(super) threads: ThreadStore,
    pub(super) messages: MessageStore,
    pub(super) calls: CallStore,
    pub(super) tasks: TaskStore,
    /// Notes by the places of their contacts.
    pub(super) notes: HashMap<u64, Vec<Note>>,
    pub(super) messaging_block: Option<MessagingBlock>,
    /// What becomes of the next texts.
    pub(super) next_failures: VecDeque<TextFailure>,
    pub(super) plan: Plan,
    pub(super) open_task_limit: Option<usize>,
    pub(super) webhooks: Vec<Registration>,
    pub(super) timeline: Timeline<Step>,
    /// Steps that wait for the handle instead of a time.
    pub(super) held: Vec<Step>,
    /// What is wanted of calls that go on, by their places.
    pub(super) wishes: HashMap<u64, Wishes>,
    /// How many people synthetic threads have been made for.
    pub(super) seeded_people: u64,
    pub(super) legacy_key: Arc<[u8]>,
    pub(super) dated_key: Arc<[u8]>,
    pub(super) media_key: [u8; 32],
}

impl State {
    pub(super) fn new(
        options: Options,
        rng: &mut fastrand::Rng,
        surroundings: Surroundings,
    ) -> Self {
        let mut ids = Ids::new(rng.fork());
        let base = before_everything();
        let mut workspace = Workspace::new(&mut ids, base);
        for (name, key, kind) in &options.custom_fields {
            let r#type = *kind;
            workspace.custom_fields.retain(|known| known.key != *key);
            workspace.custom_fields.push(Definition {
                name: name.clone(),
                key: key.clone(),
                r#type,
            });
        }
        Self {
            options,
            surroundings,
            contacts: ContactStore::new(rng.u64(..), workspace.owner_id(), base),
            threads: ThreadStore::default(),
            messages: MessageStore::new(rng.u64(..)),
            calls: CallStore::new(rng.u64(..)),
            tasks: TaskStore::default(),
            notes: HashMap::new(),
            messaging_block: None,
            next_failures: VecDeque::new(),
            plan: Plan::default(),
            open_task_limit: None,
            webhooks: Vec::new(),
            timeline: Timeline::new(),
            held: Vec::new(),
            wishes: HashMap::new(),
            seeded_people: 0,
            legacy_key: Arc::from(ids.key_bytes()),
            dated_key: Arc::from(ids.key_bytes()),
            media_key: ids.key_bytes(),
            ids,
            workspace,
        }
    }

    /// Forgets contacts, texts, calls, tasks and the webhooks that were created over the API. Ids
    /// of contacts and webhooks are not given out a second time.
    pub(super) fn reset(&mut self) {
        self.contacts.clear();
        self.threads = ThreadStore::default();
        self.messages = MessageStore::new(self.ids.seed());
        self.calls = CallStore::new(self.ids.seed());
        self.tasks = TaskStore::default();
        self.notes.clear();
        self.next_failures.clear();
        self.timeline.take(|_| true);
        self.held.clear();
        self.wishes.clear();
        self.seeded_people = 0;
        self.webhooks
            .retain(|registration| registration.subscription.is_none());
    }

    pub(super) fn message(&self, place: u64) -> Option<Cow<'_, Message>> {
        self.messages.get(place, &self.threads, &self.workspace)
    }

    pub(super) fn call(&self, place: u64) -> Option<Cow<'_, PhoneCall>> {
        self.calls.get(place, &self.threads, &self.workspace)
    }

    /// Finds the thread that a text or call belongs to.
    pub(super) fn thread_of_activity(&self, id: &str) -> Option<ThreadPlace> {
        let text = self.messages.ledger.place(id);
        let call = self.calls.ledger.place(id);
        text.and_then(|place| self.messages.ledger.thread_of(place))
            .or_else(|| self.calls.ledger.thread_of(call?))
    }

    pub(super) fn legacy_key_text(&self) -> String {
        STANDARD.encode(&self.legacy_key)
    }

    pub(super) fn dated_key_text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.dated_key))
    }
}

/// The day on which the simulated workspace was made.
fn before_everything() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0)
        .single()
        .unwrap_or(DateTime::UNIX_EPOCH)
}
