//! Calls, kept or computed.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::openphone::call::{CallEnd, PhoneCall, Processing, Stage};
use crate::openphone::ledger::{Found, Ledger, ThreadPlace};
use crate::openphone::message_store::Direction;
use crate::openphone::synthetic::mix;
use crate::openphone::thread_store::ThreadStore;
use crate::openphone::workspace::Workspace;

/// Tells the ids of calls from those of texts.
const KIND: u8 = 2;
const ENDS: [CallEnd; 8] = [
    CallEnd::Answered,
    CallEnd::Answered,
    CallEnd::Answered,
    CallEnd::Answered,
    CallEnd::AiHandled,
    CallEnd::Missed,
    CallEnd::Missed,
    CallEnd::Voicemail,
];

#[derive(Debug)]
pub(super) struct CallStore {
    seed: u64,
    pub(super) ledger: Ledger<PhoneCall>,
}

impl CallStore {
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
    ) -> Option<Cow<'_, PhoneCall>> {
        match self.ledger.find(place)? {
            Found::Made(call) => Some(Cow::Borrowed(call)),
            Found::Synthetic(thread, at) => self
                .synthesize(place, thread, at, threads, workspace)
                .map(Cow::Owned),
        }
    }

    /// Computes a call of the past that is over and processed.
    fn synthesize(
        &self,
        place: u64,
        thread: ThreadPlace,
        at: DateTime<Utc>,
        threads: &ThreadStore,
        workspace: &Workspace,
    ) -> Option<PhoneCall> {
        let thread = threads.get(thread)?;
        let phone = workspace.phone_numbers.get(thread.phone)?;
        let dice = mix(self.seed, place);
        let index = usize::try_from(dice & 7).unwrap_or_default();
        let end = ENDS.get(index).copied().unwrap_or(CallEnd::Answered);
        let incoming = end != CallEnd::Answered || dice & 8 == 0;
        let seconds = |bits: u64, most: u64| i64::try_from(dice >> bits & most).unwrap_or_default();
        let when = |wanted| {
            if wanted {
                Processing::Completed
            } else {
                Processing::Absent
            }
        };
        Some(PhoneCall {
            id: self.ledger.id(place),
            direction: if incoming {
                Direction::Incoming
            } else {
                Direction::Outgoing
            },
            them: thread.participants.first()?.clone(),
            own_number: phone.number,
            phone_number_id: Arc::clone(&thread.phone_number_id),
            conversation_id: Arc::clone(&thread.id),
            user_id: workspace.owner_of(phone),
            agent_id: Arc::clone(&workspace.agent_id),
            created_at: at,
            ringing: TimeDelta::seconds(2 + seconds(8, 7)),
            talking: TimeDelta::seconds(5 + seconds(16, 255)),
            end,
            forwarded_to: None,
            menu: None,
            stage: Stage::Over,
            recording: when(end.is_answered()),
            voicemail: when(end == CallEnd::Voicemail),
            summary: when(end.is_answered()),
            transcript: when(end.is_answered()),
        })
    }
}
