//! What webhooks tell of calls.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::call::{CallEnd, PhoneCall, Processing};
use crate::openphone::call_content::VOICEMAIL;
use crate::openphone::events::{CallEvent, thread_link};
use crate::openphone::object::insert;
use crate::openphone::state::State;

impl State {
    /// Writes the `data` of a `v4` event; `None` for those that only the dated webhooks have.
    /// Those of ringing and of transcripts are known from the documentation alone and have the link
    /// that every live one has.
    pub(super) fn call_v4(
        &self,
        event: CallEvent,
        call: &PhoneCall,
        now: DateTime<Utc>,
    ) -> Option<Value> {
        let object = match event {
            CallEvent::Ringing | CallEvent::Completed | CallEvent::Recorded => {
                self.call_object(event, call, now)
            }
            CallEvent::Summarised => {
                let mut object = json!({
                    "callId": call.id,
                    "object": "callSummary",
                    "status": call.summary,
                    "summary": call.summary_lines(),
                    "nextSteps": call.next_steps(),
                });
                if let Some(jobs) = call.jobs() {
                    insert(&mut object, "jobs", jobs);
                }
                object
            }
            CallEvent::Transcribed => json!({
                "callId": call.id,
                "object": "callTranscript",
                "status": call.transcript,
                "createdAt": clock::iso(call.ends_at()),
                "duration": call.transcript_seconds(),
                "dialogue": call.dialogue(),
            }),
            CallEvent::Answered
            | CallEvent::Missed
            | CallEvent::Forwarded
            | CallEvent::MenuSelected
            | CallEvent::VoicemailLeft => return None,
        };
        let link = call_link(call);
        Some(json!({ "deepLink": format!("{link}?at={}", call.id), "object": object }))
    }

    fn call_object(&self, event: CallEvent, call: &PhoneCall, now: DateTime<Utc>) -> Value {
        let recordings = (event == CallEvent::Recorded).then(|| self.recordings_of(call, now));
        json!({
            "id": call.id,
            "object": "call",
            "direction": call.direction,
            "status": call.status(),
            "participants": call.participants(),
            "phoneNumberId": &*call.phone_number_id,
            "userId": &*call.user_id,
            "contactIds": self.contacts.ids_with_number(&call.them),
            "createdAt": clock::iso(call.created_at),
            "updatedAt": clock::iso(call.updated_at()),
            "answeredAt": call.answered_at().map(clock::iso),
            "answeredBy": call.answered_by(),
            "initiatedBy": call.initiated_by(),
            "completedAt": call.completed_at().map(clock::iso),
            "duration": call.duration(),
            "forwardedFrom": call.forwarded_from(),
            "forwardedTo": call.forwarded_to(),
            "recordings": recordings,
        })
    }

    fn recordings_of(&self, call: &PhoneCall, now: DateTime<Utc>) -> Value {
        json!([{
            "id": call.recording_id(),
            "startTime": clock::iso(call.created_at + call.ringing),
            "duration": call.talking.num_seconds(),
            "type": "audio/mpeg",
            "url": self.recording_url(call, now),
        }])
    }

    /// Writes the `data` of a dated event.
    pub(super) fn call_dated(
        &self,
        event: CallEvent,
        call: &PhoneCall,
        now: DateTime<Utc>,
    ) -> Value {
        json!({
            "resource": self.dated_resource(event, call, now),
            "context": self.call_context(event, call),
            "links": { "quo": call_link(call) },
        })
    }

    fn dated_resource(&self, event: CallEvent, call: &PhoneCall, now: DateTime<Utc>) -> Value {
        let created_at = clock::iso(call.created_at);
        let updated_at = clock::iso(call.updated_at());
        match event {
            // No sample of a missed call is known.
            CallEvent::Ringing | CallEvent::Missed => json!({
                "id": call.id,
                "direction": call.direction,
                "createdAt": created_at,
                "updatedAt": updated_at,
            }),
            CallEvent::Answered => json!({
                "id": call.id,
                "direction": call.direction,
                "createdAt": created_at,
                "answeredAt": call.answered_at().map(clock::iso),
                "answeredByUserId": call.answered_by(),
                "updatedAt": updated_at,
            }),
            CallEvent::Forwarded => json!({
                "id": call.id,
                "createdAt": created_at,
                "updatedAt": null,
                "forwardedFrom": call.forwarded_from(),
                "forwardedTo": call.forwarded_to(),
            }),
            CallEvent::MenuSelected => {
                let (key, name) = call.menu.clone().unzip();
                json!({
                    "id": call.id,
                    "createdAt": created_at,
                    "updatedAt": null,
                    "phoneMenuSelection": key,
                    "phoneMenuSelectionName": name,
                    "statusReason": "phone-menu-dial",
                })
            }
            CallEvent::Completed => json!({
                "id": call.id,
                "direction": call.direction,
                "status": call.end.dated_status(),
                "createdAt": created_at,
                "answeredAt": call.answered_at().map(clock::iso),
                "completedAt": call.completed_at().map(clock::iso),
                "updatedAt": updated_at,
                "duration": dated_duration(call),
                "hasVoicemail": call.end == CallEnd::Voicemail,
            }),
            CallEvent::Recorded => json!({
                "id": call.id,
                "direction": call.direction,
                "createdAt": created_at,
                "answeredAt": call.answered_at().map(clock::iso),
                "completedAt": call.completed_at().map(clock::iso),
                "updatedAt": updated_at,
                "duration": dated_duration(call),
                "recordings": self.recordings_of(call, now),
            }),
            CallEvent::VoicemailLeft => {
                let [from, to] = call.participants();
                json!({
                    "id": voicemail_activity(call),
                    "voicemailId": call.voicemail_id(),
                    "callId": call.id,
                    "direction": call.direction,
                    "duration": call.talking.num_seconds(),
                    "from": from,
                    "to": to,
                    "transcript": VOICEMAIL,
                    "recordingUrl": self.voicemail_url(call, now),
                    "createdAt": clock::iso(call.ends_at()),
                    "updatedAt": clock::iso(call.ends_at()),
                })
            }
            CallEvent::Summarised => json!({
                "callId": call.id,
                "processingStatus": call.summary,
                "summary": call.summary_lines(),
                "nextSteps": call.next_steps(),
                "fromPhoneNumber": null,
                "handledByAiAgent": call.end == CallEnd::AiHandled,
                "answeredByUserId": call.answered_by().filter(|by| by.starts_with("US")),
                "jobs": call.jobs().unwrap_or_else(|| json!([])),
            }),
            CallEvent::Transcribed => json!({
                "callId": call.id,
                "createdAt": clock::iso(call.ends_at()),
                "duration": call.talking.num_seconds(),
                "processingStatus": Processing::Completed,
                "dialogue": dated_dialogue(call),
            }),
        }
    }

    fn call_context(&self, event: CallEvent, call: &PhoneCall) -> Value {
        let shared = self
            .workspace
            .phone_number(&call.phone_number_id)
            .is_some_and(|phone| phone.users.len() > 1);
        let mut context = json!({
            "orgId": self.workspace.org_id,
            "phoneNumberId": &*call.phone_number_id,
            "conversationId": &*call.conversation_id,
            "userId": &*call.user_id,
            "participants": {
                "workspace": [call.own_number],
                "external": [call.them],
                "resolution": "available",
            },
        });
        // The sample of ringing has neither.
        if event != CallEvent::Ringing {
            insert(
                &mut context,
                "phoneNumberType",
                json!(if shared { "shared" } else { "private" }),
            );
            insert(
                &mut context,
                "contacts",
                json!({
                    "ids": self.contacts.ids_with_number(&call.them),
                    "lookupStatus": "matched",
                }),
            );
        }
        context
    }
}

fn call_link(call: &PhoneCall) -> String {
    thread_link(
        "https://my.quo.com",
        &call.phone_number_id,
        &call.conversation_id,
    )
}

/// In the samples of the dated webhooks it is the time of the talk, and not that of the ringing.
fn dated_duration(call: &PhoneCall) -> i64 {
    call.answered_at()
        .map_or(call.duration(), |_| call.talking.num_seconds())
}

/// A voicemail is an activity too, with an id that is not that of the call.
fn voicemail_activity(call: &PhoneCall) -> String {
    let digits: String = call.id.chars().skip(2).collect();
    format!("AC{}", digits.chars().rev().collect::<String>())
}

fn dated_dialogue(call: &PhoneCall) -> Option<Vec<Value>> {
    let lines = call.lines()?;
    let written = lines.iter().map(|line| {
        json!({
            "userId": line.user_id,
            // The samples name either of the two.
            "identifier": line.user_id.is_none().then_some(line.identifier),
            "content": line.content,
            "start": line.start,
            "end": line.end,
        })
    });
    Some(written.collect())
}
