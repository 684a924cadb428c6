//! An event as text, with the values that `Debug` hides.

use openphone_client::webhooks::{
    CallEvent, CallSummaryEvent, CallTranscriptEvent, ContactEvent, ContactEventField,
    ContactFieldKind, Event, EventKind, Lookup, MessageEvent, Participants, TaskEvent,
};
use std::fmt::Write;

/// Every field that says something, one per line.
pub(crate) fn describe(event: &Event) -> String {
    let mut out = String::new();
    let id = event.id.as_ref().map_or("-", |id| id.as_str());
    let at = event
        .created_at
        .map_or_else(|| "-".into(), |at| at.to_rfc3339());
    writeln!(out, "{} {id} {} {at}", event.kind.name(), event.generation).unwrap();
    line(&mut out, "replay_id", Some(&event.replay_id));
    line(&mut out, "link", event.link.as_ref());
    match &event.kind {
        EventKind::MessageReceived(message)
        | EventKind::MessageDelivered(message)
        | EventKind::MessageFailed(message)
        | EventKind::MessageUndelivered(message) => of_message(&mut out, message),
        EventKind::CallRinging(call)
        | EventKind::CallAnswered(call)
        | EventKind::CallCompleted(call)
        | EventKind::CallMissed(call)
        | EventKind::CallForwarded(call)
        | EventKind::CallMenuSelected(call)
        | EventKind::CallRecordingCompleted(call)
        | EventKind::CallVoicemailCompleted(call) => of_call(&mut out, call),
        EventKind::CallSummaryCompleted(summary) => of_summary(&mut out, summary),
        EventKind::CallTranscriptCompleted(transcript) => of_transcript(&mut out, transcript),
        EventKind::ContactUpdated(contact) | EventKind::ContactDeleted(contact) => {
            of_contact(&mut out, contact);
        }
        EventKind::TaskCreated(task)
        | EventKind::TaskUpdated(task)
        | EventKind::TaskDeleted(task)
        | EventKind::TaskCompleted(task)
        | EventKind::TaskReopened(task)
        | EventKind::TaskAssigned(task)
        | EventKind::TaskUnassigned(task)
        | EventKind::TaskOverdue(task)
        | EventKind::TaskLinked(task)
        | EventKind::TaskUnlinked(task)
        | EventKind::TaskDueDateUpdated(task)
        | EventKind::TaskDueDateRemoved(task) => of_task(&mut out, task),
        EventKind::Unknown { raw, .. } => writeln!(out, "raw: {raw}").unwrap(),
        other => panic!("{other:?}"),
    }
    out
}

fn line(out: &mut String, name: &str, value: Option<impl std::fmt::Debug>) {
    if let Some(value) = value {
        writeln!(out, "{name}: {value:?}").unwrap();
    }
}

macro_rules! lines {
    ($out:ident, $of:ident: $($field:ident)*) => {
        $(line($out, stringify!($field), $of.$field.as_ref());)*
    };
}

fn of_message(out: &mut String, message: &MessageEvent) {
    writeln!(out, "id: {}", message.id).unwrap();
    lines!(out, message: direction status error_code text from);
    line(out, "to", Some(&message.to));
    if let Some(media) = &message.media {
        let media: Vec<_> = media
            .iter()
            .map(|file| (&file.url, &file.media_type))
            .collect();
        line(out, "media", Some(media));
    }
    line(out, "contacts", Some(&message.contacts));
    lines!(out, message: phone_number_id phone_number_type conversation_id user_id org_id created_at updated_at);
}

fn of_call(out: &mut String, call: &CallEvent) {
    writeln!(
        out,
        "id: {}{}",
        call.id,
        if call.was_missed() { " (missed)" } else { "" }
    )
    .unwrap();
    lines!(out, call: direction status status_reason);
    participants(out, &call.participants);
    line(out, "contacts", Some(&call.contacts));
    lines!(out, call: duration);
    if let Some(recordings) = &call.recordings {
        let recordings: Vec<_> = recordings
            .iter()
            .map(|one| {
                (
                    &one.id,
                    &one.url,
                    &one.media_type,
                    one.duration,
                    one.start_time,
                )
            })
            .collect();
        line(out, "recordings", Some(recordings));
    }
    if let Some(voicemail) = &call.voicemail {
        let fields = (
            &voicemail.id,
            &voicemail.activity_id,
            &voicemail.url,
            &voicemail.media_type,
            voicemail.duration,
        );
        line(out, "voicemail", Some((fields, &voicemail.transcript)));
    }
    lines!(out, call: has_voicemail menu_selection menu_selection_name forwarded_from forwarded_to ai_handled
        answered_by initiated_by phone_number_id phone_number_type conversation_id user_id org_id created_at
        answered_at completed_at updated_at);
}

fn participants(out: &mut String, participants: &Lookup<Participants>) {
    match participants {
        Lookup::Known(who) => {
            let sides = (&who.workspace, &who.external, &who.unsorted);
            line(out, "workspace, external, unsorted", Some(sides));
        }
        unknown => line(out, "participants", Some(unknown)),
    }
}

fn of_summary(out: &mut String, event: &CallSummaryEvent) {
    let summary = &event.summary;
    line(out, "call", Some((&summary.call_id, &summary.status)));
    line(
        out,
        "summary",
        Some((&summary.summary, &summary.next_steps)),
    );
    for job in &summary.jobs {
        let found: Vec<_> = job
            .result
            .data
            .iter()
            .map(|field| (&field.name, &field.value))
            .collect();
        line(out, "job", Some((&job.icon, &job.name, found)));
    }
    lines!(out, event: from handled_by_ai_agent answered_by);
    participants(out, &event.participants);
    line(out, "contacts", Some(&event.contacts));
    lines!(out, event: phone_number_id phone_number_type conversation_id user_id org_id);
}

fn of_transcript(out: &mut String, event: &CallTranscriptEvent) {
    let transcript = &event.transcript;
    line(out, "call", Some((&transcript.call_id, &transcript.status)));
    lines!(out, transcript: created_at duration);
    for said in &transcript.dialogue {
        let who = (&said.user_id, &said.identifier);
        line(
            out,
            "said",
            Some((&said.content, said.start, said.end, who)),
        );
    }
    participants(out, &event.participants);
    line(out, "contacts", Some(&event.contacts));
    lines!(out, event: phone_number_id phone_number_type conversation_id user_id org_id);
}

fn of_task(out: &mut String, task: &TaskEvent) {
    writeln!(out, "id: {}", task.id).unwrap();
    lines!(out, task: title description updated_fields due_date assigned_to unassigned_from actor_id phone_number_id
        phone_number_group_id conversation_id activity_id org_id);
}

fn of_contact(out: &mut String, contact: &ContactEvent) {
    writeln!(out, "id: {}", contact.id).unwrap();
    lines!(out, contact: external_id source first_name last_name company role location picture_url);
    line(out, "emails", contact.emails.as_deref().map(fields));
    line(
        out,
        "phone_numbers",
        contact.phone_numbers.as_deref().map(fields),
    );
    line(
        out,
        "custom_fields",
        contact.custom_fields.as_deref().map(fields),
    );
    line(out, "untyped_fields", Some(fields(&contact.untyped_fields)));
    line(
        out,
        "numbers()",
        Some(contact.numbers().collect::<Vec<_>>()),
    );
    line(
        out,
        "addresses()",
        Some(contact.addresses().collect::<Vec<_>>()),
    );
    if let Some(notes) = &contact.notes {
        let notes: Vec<_> = notes
            .iter()
            .map(|note| (&note.text, &note.user_id, note.created_at))
            .collect();
        line(out, "notes", Some(notes));
    }
    lines!(out, contact: shared_with user_id org_id created_at updated_at);
}

fn fields(fields: &[ContactEventField]) -> Vec<String> {
    fields
        .iter()
        .map(|field| {
            let value = serde_json::to_string(&field.value).unwrap();
            let kind = field.kind.as_ref().map(ContactFieldKind::as_str);
            format!(
                "{:?} {:?} {:?} {kind:?} {value}",
                field.id, field.key, field.name
            )
        })
        .collect()
}
