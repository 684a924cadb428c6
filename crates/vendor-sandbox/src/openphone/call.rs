//! A call, and how API v1 writes it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::openphone::message_store::Direction;

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallEnd {
    /// Somebody answers; status `completed`.
    Answered,
    /// Nobody answers: status `no-answer`. Older webhooks have no event of its own for this, and
    /// say that the call was completed.
    Missed,
    /// Nobody answers, and the caller leaves a voicemail.
    Voicemail,
    /// The call is passed on to another number.
    Forwarded,
    /// An agent that is a machine answers.
    AiHandled,
    /// The caller hangs up before anyone could answer.
    Abandoned,
    /// The other side is busy; outgoing calls only.
    Busy,
    /// The call does not come about.
    Failed,
}

impl CallEnd {
    pub(super) const fn is_answered(self) -> bool {
        matches!(self, Self::Answered | Self::AiHandled)
    }

    /// Whether people talk, here or where the call was passed on to.
    const fn is_talked(self) -> bool {
        matches!(self, Self::Answered | Self::AiHandled | Self::Forwarded)
    }

    const fn status(self) -> CallStatus {
        match self {
            Self::Answered | Self::AiHandled => CallStatus::Completed,
            Self::Missed | Self::Voicemail => CallStatus::NoAnswer,
            Self::Forwarded => CallStatus::Forwarded,
            Self::Abandoned => CallStatus::Abandoned,
            Self::Busy => CallStatus::Busy,
            Self::Failed => CallStatus::Failed,
        }
    }

    /// The status that a dated `call.completed` has, which is a set of its own.
    pub(super) const fn dated_status(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Missed | Self::Voicemail | Self::Busy => "unanswered",
            Self::Forwarded => "forwarded",
            Self::AiHandled => "ai-handled",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
        }
    }
}

/// The statuses of a call that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CallStatus {
    Ringing,
    InProgress,
    Completed,
    NoAnswer,
    Forwarded,
    Abandoned,
    Busy,
    Failed,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum Stage {
    Ringing,
    Talking,
    Over,
}

/// How far a recording, voicemail, summary or transcript has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Processing {
    Absent,
    InProgress,
    Completed,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct PhoneCall {
    pub(super) id: String,
    pub(super) direction: Direction,
    /// The other side.
    pub(super) them: String,
    pub(super) own_number: &'static str,
    pub(super) phone_number_id: Arc<str>,
    pub(super) conversation_id: Arc<str>,
    /// The owner of the number, who answers or dials.
    pub(super) user_id: Arc<str>,
    /// The machine that answers in the user's place.
    pub(super) agent_id: Arc<str>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) ringing: TimeDelta,
    pub(super) talking: TimeDelta,
    pub(super) end: CallEnd,
    pub(super) forwarded_to: Option<String>,
    /// Key and name of what the caller chose in the phone menu.
    pub(super) menu: Option<(String, String)>,
    pub(super) stage: Stage,
    pub(super) recording: Processing,
    pub(super) voicemail: Processing,
    pub(super) summary: Processing,
    pub(super) transcript: Processing,
}

impl PhoneCall {
    pub(super) fn answered_at(&self) -> Option<DateTime<Utc>> {
        (self.stage > Stage::Ringing && self.end.is_answered())
            .then(|| self.created_at + self.ringing)
    }

    pub(super) fn answered_by(&self) -> Option<&str> {
        let by = if self.end == CallEnd::AiHandled {
            &self.agent_id
        } else {
            &self.user_id
        };
        self.answered_at().map(|_| &**by)
    }

    pub(super) fn initiated_by(&self) -> Option<&str> {
        (self.direction == Direction::Outgoing).then_some(&*self.user_id)
    }

    pub(super) fn completed_at(&self) -> Option<DateTime<Utc>> {
        (self.stage == Stage::Over).then(|| self.ends_at())
    }

    /// When it is or will be over.
    pub(super) fn ends_at(&self) -> DateTime<Utc> {
        self.created_at + self.ringing + self.talking
    }

    pub(super) fn updated_at(&self) -> DateTime<Utc> {
        match self.stage {
            Stage::Ringing => self.created_at,
            Stage::Talking => self.created_at + self.ringing,
            Stage::Over => self.ends_at(),
        }
    }

    pub(super) fn status(&self) -> CallStatus {
        match self.stage {
            Stage::Ringing => CallStatus::Ringing,
            Stage::Talking => CallStatus::InProgress,
            Stage::Over => self.end.status(),
        }
    }

    /// Whole seconds from the first ring on, as in live payloads of answered and of missed calls;
    /// none before the end.
    pub(super) fn duration(&self) -> i64 {
        match self.stage {
            Stage::Over => (self.ringing + self.talking).num_seconds(),
            Stage::Ringing | Stage::Talking => 0,
        }
    }

    /// Everyone, the caller first.
    pub(super) fn participants(&self) -> [&str; 2] {
        match self.direction {
            Direction::Incoming => [&self.them, self.own_number],
            Direction::Outgoing => [self.own_number, &self.them],
        }
    }

    pub(super) fn call_route(&self) -> Option<&'static str> {
        let route = if self.menu.is_some() {
            "phone-menu"
        } else {
            "phone-number"
        };
        (self.direction == Direction::Incoming).then_some(route)
    }

    pub(super) fn forwarded_from(&self) -> Option<&'static str> {
        self.forwarded_to().map(|_| self.own_number)
    }

    pub(super) fn forwarded_to(&self) -> Option<&str> {
        self.forwarded_to
            .as_deref()
            .filter(|_| self.stage > Stage::Ringing)
    }

    pub(super) fn ai_handled(&self) -> Option<&'static str> {
        self.answered_at()
            .filter(|_| self.end == CallEnd::AiHandled)
            .map(|_| "ai-agent")
    }

    pub(super) const fn may_be_recorded(&self) -> bool {
        self.end.is_talked()
    }

    /// The id of its recording, which is as long as its own.
    pub(super) fn recording_id(&self) -> String {
        self.id.replacen("AC", "CR", 1)
    }

    pub(super) fn voicemail_id(&self) -> String {
        self.id.replacen("AC", "VM", 1)
    }

    pub(super) fn view(&self) -> CallView<'_> {
        CallView {
            answered_at: self.answered_at().map(clock::iso),
            answered_by: self.answered_by(),
            initiated_by: self.initiated_by(),
            direction: self.direction,
            status: self.status(),
            completed_at: self.completed_at().map(clock::iso),
            created_at: clock::iso(self.created_at),
            call_route: self.call_route(),
            duration: self.duration(),
            forwarded_from: self.forwarded_from(),
            forwarded_to: self.forwarded_to(),
            ai_handled: self.ai_handled(),
            id: &self.id,
            phone_number_id: &self.phone_number_id,
            participants: self.participants(),
            updated_at: clock::iso(self.updated_at()),
            user_id: &self.user_id,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallView<'a> {
    answered_at: Option<String>,
    answered_by: Option<&'a str>,
    initiated_by: Option<&'a str>,
    direction: Direction,
    status: CallStatus,
    completed_at: Option<String>,
    created_at: String,
    call_route: Option<&'a str>,
    duration: i64,
    forwarded_from: Option<&'a str>,
    forwarded_to: Option<&'a str>,
    ai_handled: Option<&'a str>,
    id: &'a str,
    phone_number_id: &'a str,
    participants: [&'a str; 2],
    updated_at: String,
    user_id: &'a str,
}
