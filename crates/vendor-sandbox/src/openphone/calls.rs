//! Calls that come in, as webhooks of payload `v4` tell of them. The operations that read calls
//! are not simulated.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::events::{Event, thread_link};
use crate::openphone::state::State;
use crate::webhook::Delivery;

/// How long it rings before somebody answers.
const RINGING: TimeDelta = TimeDelta::seconds(4);
/// How long people then talk, or how long it goes on ringing when nobody answers.
const TALKING: TimeDelta = TimeDelta::seconds(20);

/// How a call that comes in ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallEnd {
    /// Somebody answers; afterwards there are a recording, a summary and a transcript.
    Answered,
    /// Nobody answers: the vendor has no event of its own for this, and says that the call was
    /// completed with the status `no-answer`.
    Missed,
}

/// What happens during a call and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallEvent {
    Ringing,
    Completed,
    Recorded,
    Summarised,
    Transcribed,
}

impl CallEvent {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ringing => "call.ringing",
            Self::Completed => "call.completed",
            Self::Recorded => "call.recording.completed",
            Self::Summarised => "call.summary.completed",
            Self::Transcribed => "call.transcript.completed",
        }
    }
}

/// One call. Nothing keeps it but the deliveries that tell of it.
#[derive(Debug)]
pub(super) struct PhoneCall {
    id: String,
    from: String,
    own_number: &'static str,
    pub(super) phone_number_id: String,
    conversation_id: Arc<str>,
    /// The owner of the number, who answers if anyone does.
    user_id: Arc<str>,
    recording_id: String,
    end: CallEnd,
    completed_at: DateTime<Utc>,
}

impl PhoneCall {
    fn created_at(&self) -> DateTime<Utc> {
        self.completed_at - TALKING - RINGING
    }

    fn answered_at(&self) -> Option<DateTime<Utc>> {
        (self.end == CallEnd::Answered).then(|| self.completed_at - TALKING)
    }
}

/// Lets a call come in that ends now, and returns its id. Its events carry the times at which they
/// happened.
pub(super) fn receive(
    state: &mut State,
    from: &str,
    to: &str,
    end: CallEnd,
    now: DateTime<Utc>,
) -> Result<(String, Vec<Delivery>), String> {
    let State {
        ids,
        workspace,
        messages,
        ..
    } = &mut *state;
    let Some(phone) = workspace.phone_number(to) else {
        return Err(format!(
            "{to} is not a number or number id of the workspace"
        ));
    };
    if from.trim().is_empty() {
        return Err("the caller is empty".to_owned());
    }
    let user = workspace.users_of(phone).next();
    let call = PhoneCall {
        id: ids.long("AC"),
        from: from.to_owned(),
        own_number: phone.number,
        phone_number_id: phone.id.clone(),
        // The vendor does not tell threads of calls and of texts apart.
        conversation_id: messages.thread(&phone.id, &[from.to_owned()], || ids.long("CN")),
        user_id: user.map_or_else(|| workspace.owner_id(), |user| Arc::clone(&user.id)),
        recording_id: ids.long("CR"),
        end,
        completed_at: now,
    };
    let mut deliveries = state.notify(Event::Call(CallEvent::Ringing, &call), call.created_at());
    deliveries.extend(state.notify(Event::Call(CallEvent::Completed, &call), now));
    if end == CallEnd::Answered {
        for event in [
            CallEvent::Recorded,
            CallEvent::Summarised,
            CallEvent::Transcribed,
        ] {
            deliveries.extend(state.notify(Event::Call(event, &call), now));
        }
    }
    Ok((call.id, deliveries))
}

impl State {
    /// Writes the `data` of a `v4` event. Those of ringing and of transcripts are known from the
    /// documentation alone and have the link that every live one has.
    pub(super) fn call_data(&self, event: CallEvent, call: &PhoneCall) -> Value {
        let object = match event {
            CallEvent::Ringing | CallEvent::Completed | CallEvent::Recorded => {
                self.call_object(event, call)
            }
            CallEvent::Summarised => json!({
                "callId": call.id,
                "object": "callSummary",
                "status": "completed",
                "summary": ["The caller asked whether the order is ready."],
                "nextSteps": ["Call back when it is."],
            }),
            CallEvent::Transcribed => transcript_object(call),
        };
        let link = thread_link(
            "https://my.quo.com",
            &call.phone_number_id,
            &call.conversation_id,
        );
        json!({ "deepLink": format!("{link}?at={}", call.id), "object": object })
    }

    fn call_object(&self, event: CallEvent, call: &PhoneCall) -> Value {
        let over = event != CallEvent::Ringing;
        let answered_at = call.answered_at().filter(|_| over);
        let status = match (over, call.end) {
            (false, _) => "ringing",
            (true, CallEnd::Answered) => "completed",
            (true, CallEnd::Missed) => "no-answer",
        };
        let updated_at = if over {
            call.completed_at
        } else {
            call.created_at()
        };
        let recordings = (event == CallEvent::Recorded).then(|| {
            json!([{
                "id": call.recording_id,
                "startTime": answered_at.map(clock::iso),
                "duration": TALKING.num_seconds(),
                "type": "audio/mpeg",
                "url": format!("https://storage.example.com/recordings/{}.mp3", call.recording_id),
            }])
        });
        json!({
            "id": call.id,
            "object": "call",
            "direction": "incoming",
            "status": status,
            "participants": [call.from, call.own_number],
            "phoneNumberId": call.phone_number_id,
            "userId": &*call.user_id,
            "contactIds": self.contacts.ids_with_number(&call.from),
            "createdAt": clock::iso(call.created_at()),
            "updatedAt": clock::iso(updated_at),
            "answeredAt": answered_at.map(clock::iso),
            "answeredBy": answered_at.map(|_| &*call.user_id),
            "initiatedBy": null,
            "completedAt": over.then(|| clock::iso(call.completed_at)),
            // From the first ring on, in live payloads of both ends.
            "duration": if over { (RINGING + TALKING).num_seconds() } else { 0 },
            "forwardedFrom": null,
            "forwardedTo": null,
            "recordings": recordings,
        })
    }
}

fn transcript_object(call: &PhoneCall) -> Value {
    json!({
        "callId": call.id,
        "object": "callTranscript",
        "status": "completed",
        "createdAt": clock::iso(call.completed_at),
        "duration": TALKING.num_seconds(),
        "dialogue": [
            {
                "content": "Hello, how can I help you?",
                "start": 0.4,
                "end": 2.6,
                "identifier": call.own_number,
                "userId": &*call.user_id,
            },
            {
                "content": "Is my order ready?",
                "start": 3.1,
                "end": 4.9,
                "identifier": call.from,
                "userId": null,
            },
        ],
    })
}
