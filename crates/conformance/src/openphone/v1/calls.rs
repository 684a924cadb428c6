//! Calls in every way they end, and what is left of them.

use std::time::Duration;

use chrono::TimeDelta;
use openphone_client::{CallId, ListCalls, ProcessingStatus};
use vendor_sandbox::openphone::{CallEnd, NewCall, Plan};

use super::{Stage, Step, THEM, check, refused};

/// Everything is processed before it is waited for.
const WAIT: Duration = Duration::from_secs(5);

pub(super) async fn walk(stage: &Stage) -> Step {
    let calls = stage.client.calls();
    let number = stage.sandbox.phone_number();
    let incoming = || NewCall::incoming(THEM, number);
    let outgoing = || NewCall::outgoing(number, THEM);
    let all = [
        incoming(),
        incoming().end(CallEnd::Missed),
        incoming().end(CallEnd::Voicemail),
        incoming().end(CallEnd::Forwarded),
        incoming().end(CallEnd::AiHandled),
        incoming().end(CallEnd::Abandoned),
        incoming()
            .recorded(false)
            .transcribed(false)
            .summarised(false),
        outgoing().processing_fails(true),
        outgoing().end(CallEnd::Busy),
        outgoing().end(CallEnd::Failed),
        incoming().live(true),
    ];
    let mut ids = Vec::new();
    for call in &all {
        ids.push(CallId::from(stage.control.place_call(call)?));
    }
    // First while it goes on or is processed, then when all of it is there.
    for id in &ids {
        left_of(stage, id).await?;
    }
    stage.control.finish_calls();
    for id in &ids {
        left_of(stage, id).await?;
    }

    let query = ListCalls::new(stage.number(), THEM).max_results(4u32);
    let listed = calls.list(&query).all(100).await?;
    check(listed.len() == all.len(), "calls are missing from the list")?;
    let latest = listed.first().ok_or("there is no call")?.created_at;
    let user = stage.user().await?;
    let query = ListCalls::new(stage.number(), THEM)
        .user_id(user.clone())
        .created_after(latest - TimeDelta::hours(1))
        .created_before(latest + TimeDelta::hours(1));
    calls.list(&query).all(100).await?;
    // Someone who hides the number.
    let hidden = NewCall::incoming("anonymous", number);
    let hidden = stage.control.place_call(&hidden)?.into();
    calls.get(&hidden).await?;

    let answered = ids.first().ok_or("there is no call")?;
    waits(stage, answered).await?;
    downloads(stage, answered).await?;
    stage.control.set_plan(Plan::Starter);
    refused(stage.client.summaries().get(answered).await, 403)?;
    refused(stage.client.transcripts().get(answered).await, 403)?;
    stage.control.set_plan(Plan::Scale);
    refused(calls.get(&"AC0".into()).await, 404)?;
    refused(stage.client.recordings().list(&"AC0".into()).await, 404)
}

/// Reads all there is of a call. Only a call that went to voicemail has one.
async fn left_of(stage: &Stage, id: &CallId) -> Step {
    let client = &stage.client;
    client.calls().get(id).await?;
    client.recordings().list(id).await?;
    client.summaries().get(id).await?;
    client.transcripts().get(id).await?;
    match client.voicemails().get(id).await {
        Err(error) if error.status() != Some(404) => Err(error.into()),
        _ => Ok(()),
    }
}

async fn waits(stage: &Stage, id: &CallId) -> Step {
    let calls = stage.client.calls();
    let transcript = calls.wait_for_transcript(id, WAIT).await?;
    let summary = calls.wait_for_summary(id, WAIT).await?;
    check(
        transcript.status == ProcessingStatus::Completed
            && summary.status == ProcessingStatus::Completed,
        "transcript or summary is missing",
    )
}

async fn downloads(stage: &Stage, id: &CallId) -> Step {
    let recordings = stage.client.recordings();
    let listed = recordings.list(id).await?;
    let recording = listed.first().ok_or("there is no recording")?;
    let mut sound = Vec::new();
    recordings.download(recording, &mut sound).await?;
    let original = stage.control.recording(id.as_str());
    check(
        original.is_some_and(|original| original == sound),
        "the recording is not the one that was made",
    )
}
