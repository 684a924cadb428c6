//! Texts, kept or computed.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::openphone::ledger::{Found, Ledger, ThreadPlace};
use crate::openphone::synthetic::mix;
use crate::openphone::thread_store::ThreadStore;
use crate::openphone::workspace::Workspace;

/// Tells the ids of texts from those of calls.
const KIND: u8 = 1;
const TEXTS: [&str; 4] = [
    "Is my order ready?",
    "Yes, it is. You can pick it up until six.",
    "Thank you 👋",
    "Grüße, bis morgen!",
];

/// Which way a text or a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Direction {
    /// From outside to one of the workspace's numbers.
    Incoming,
    /// From one of the workspace's numbers.
    Outgoing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Queued,
    Delivered,
    Received,
    Undelivered,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) to: Vec<String>,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) phone_number_id: Arc<str>,
    pub(super) conversation_id: Arc<str>,
    pub(super) direction: Direction,
    /// Nobody for an incoming text.
    pub(super) user_id: Option<Arc<str>>,
    pub(super) status: Status,
    /// Why it did not arrive, where that is known.
    pub(super) error_code: Option<String>,
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
    /// API v1 leaves it out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<[(); 0]>,
}

impl Message {
    /// Writes the text as API v1 does, which has no word for a text that failed.
    pub(super) fn view(&self) -> MessageView<'_> {
        let status = match self.status {
            Status::Failed => Status::Undelivered,
            status => status,
        };
        MessageView {
            status,
            media: None,
            ..self.dated_view()
        }
    }

    pub(super) fn dated_view(&self) -> MessageView<'_> {
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
            media: Some([]),
        }
    }
}

#[derive(Debug)]
pub(super) struct MessageStore {
    seed: u64,
    pub(super) ledger: Ledger<Message>,
}

impl MessageStore {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            ledger: Ledger::new(seed, KIND),
        }
    }

    pub(super) fn get(
        &self,
        place: u64,
        threads: &ThreadStore,
        workspace: &Workspace,
    ) -> Option<Cow<'_, Message>> {
        match self.ledger.find(place)? {
            Found::Made(message) => Some(Cow::Borrowed(message)),
            Found::Synthetic(thread, at) => self
                .synthesize(place, thread, at, threads, workspace)
                .map(Cow::Owned),
        }
    }

    /// Computes a text of the past that arrived.
    fn synthesize(
        &self,
        place: u64,
        thread: ThreadPlace,
        at: DateTime<Utc>,
        threads: &ThreadStore,
        workspace: &Workspace,
    ) -> Option<Message> {
        let thread = threads.get(thread)?;
        let phone = workspace.phone_numbers.get(thread.phone)?;
        let dice = mix(self.seed, place);
        let incoming = dice & 1 == 0;
        let own = vec![phone.number.to_owned()];
        let text = usize::try_from(dice >> 1 & 3).unwrap_or_default();
        let (direction, status) = if incoming {
            (Direction::Incoming, Status::Received)
        } else {
            (Direction::Outgoing, Status::Delivered)
        };
        Some(Message {
            id: self.ledger.id(place),
            from: if incoming {
                thread.participants.first()?.clone()
            } else {
                phone.number.to_owned()
            },
            to: if incoming {
                own
            } else {
                thread.participants.clone()
            },
            text: TEXTS.get(text).copied().unwrap_or_default().to_owned(),
            phone_number_id: Arc::clone(&thread.phone_number_id),
            conversation_id: Arc::clone(&thread.id),
            direction,
            user_id: (!incoming).then(|| workspace.owner_of(phone)),
            status,
            error_code: None,
            created_at: at,
            updated_at: at,
        })
    }
}
