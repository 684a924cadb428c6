//! What is left of a call: recordings, voicemail, summary and transcript, as API v1 writes them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::call::{CallEnd, PhoneCall, Processing};

/// What callers of voicemails say.
pub(super) const VOICEMAIL: &str = "Hello, please call me back about my order.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordingView {
    id: String,
    status: Processing,
    start_time: String,
    duration: Option<i64>,
    url: Option<String>,
    r#type: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VoicemailView {
    id: String,
    status: Processing,
    duration: Option<i64>,
    recording_url: Option<String>,
    transcript: Option<&'static str>,
}

/// One thing that was said.
pub(super) struct Line<'a> {
    pub(super) content: &'static str,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) identifier: &'a str,
    /// The user or agent who said it; nobody for the other side.
    pub(super) user_id: Option<&'a str>,
}

impl PhoneCall {
    /// Shows its recording, if it has or will have one; `url` is where its bytes are.
    pub(super) fn recording_view(&self, url: String) -> Option<RecordingView> {
        let done = match self.recording {
            Processing::Absent => return None,
            status => status == Processing::Completed,
        };
        Some(RecordingView {
            id: self.recording_id(),
            status: self.recording,
            start_time: clock::iso(self.created_at + self.ringing),
            duration: done.then(|| self.talking.num_seconds()),
            url: done.then_some(url),
            r#type: done.then_some("audio/mpeg"),
        })
    }

    /// Shows its voicemail, if there is or will be one. Everything but id and status is null while
    /// it is worked on.
    pub(super) fn voicemail_view(&self, url: String) -> Option<VoicemailView> {
        let done = match self.voicemail {
            Processing::Absent => return None,
            status => status == Processing::Completed,
        };
        Some(VoicemailView {
            id: self.voicemail_id(),
            status: self.voicemail,
            duration: done.then(|| self.talking.num_seconds()),
            recording_url: done.then_some(url),
            transcript: done.then_some(VOICEMAIL),
        })
    }

    pub(super) fn summary_lines(&self) -> Option<[&'static str; 1]> {
        (self.summary == Processing::Completed)
            .then_some(["The caller asked whether the order is ready."])
    }

    pub(super) fn next_steps(&self) -> Option<[&'static str; 1]> {
        (self.summary == Processing::Completed).then_some(["Call back when it is."])
    }

    /// What an agent that is a machine was told to find out; only it has any.
    pub(super) fn jobs(&self) -> Option<Value> {
        (self.summary == Processing::Completed && self.end == CallEnd::AiHandled).then(|| {
            json!([{
                "icon": "✍️",
                "name": "Message taking",
                "result": { "data": [
                    { "name": "Reason", "value": "Asks whether the order is ready." },
                    { "name": "Number of orders", "value": 1 },
                    { "name": "Urgent", "value": false },
                ] },
            }])
        })
    }

    pub(super) fn summary_view(&self) -> Value {
        json!({
            "callId": self.id,
            "status": self.summary,
            "summary": self.summary_lines(),
            "nextSteps": self.next_steps(),
            "jobs": self.jobs(),
        })
    }

    /// What was said, once it is written down.
    pub(super) fn lines(&self) -> Option<[Line<'_>; 2]> {
        (self.transcript == Processing::Completed).then(|| {
            let speaker = if self.end == CallEnd::AiHandled {
                &self.agent_id
            } else {
                &self.user_id
            };
            [
                Line {
                    content: "Hello, how can I help you?",
                    start: 0.4,
                    end: 2.6,
                    identifier: self.own_number,
                    user_id: Some(speaker),
                },
                Line {
                    content: "Is my order ready?",
                    start: 3.1,
                    end: 4.9,
                    identifier: &self.them,
                    user_id: None,
                },
            ]
        })
    }

    /// Seconds of the talk that was written down.
    pub(super) fn transcript_seconds(&self) -> f64 {
        match self.transcript {
            Processing::Completed => self.talking.as_seconds_f64(),
            _ => 0.0,
        }
    }

    pub(super) fn transcript_view(&self) -> Value {
        json!({
            "callId": self.id,
            "status": self.transcript,
            "createdAt": clock::iso(self.ends_at()),
            "duration": self.transcript_seconds(),
            "dialogue": self.dialogue(),
        })
    }

    /// What was said, as API v1 and the older webhooks write it.
    pub(super) fn dialogue(&self) -> Option<Vec<Value>> {
        let lines = self.lines()?;
        let write = |line: &Line<'_>| {
            json!({
                "content": line.content,
                "start": line.start,
                "end": line.end,
                "identifier": line.identifier,
                // The type of API v1 has users only, and no agents.
                "userId": line.user_id.filter(|id| id.starts_with("US")),
            })
        };
        Some(lines.iter().map(write).collect())
    }
}
