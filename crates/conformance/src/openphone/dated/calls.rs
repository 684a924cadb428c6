//! Calls in every way they end, with what is answered along with them.

use chrono::TimeDelta;
use openphone_client::dated::{CallDirection, CallId, CallPart, CallStatus, ListCalls};
use vendor_sandbox::openphone::{CallEnd, NewCall, Plan};

use super::{OTHER, Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let calls = stage.client.calls();
    let number = stage.sandbox.phone_number();
    let incoming = || NewCall::incoming(THEM, number);
    let outgoing = || NewCall::outgoing(number, OTHER);
    let all = [
        incoming(),
        incoming().menu("1", "Sales"),
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

    let query = ListCalls::new()
        .include(vec![CallPart::Summary, CallPart::Voicemail])
        .limit(5u32);
    let listed = calls.list(&query).all(100).await?;
    check(listed.len() == all.len(), "calls are missing from the list")?;
    let latest = listed.first().ok_or("there is no call")?;
    let query = ListCalls::new()
        .phone_number_id(stage.number())
        .participants(vec![THEM.to_owned(), OTHER.to_owned()])
        .statuses(vec![CallStatus::Completed, CallStatus::NoAnswer])
        .direction(CallDirection::Incoming)
        .created_from(latest.created_at - TimeDelta::hours(1))
        .created_until(latest.created_at + TimeDelta::hours(1));
    check(
        !calls.list(&query).all(100).await?.is_empty(),
        "the filters leave nothing",
    )?;
    let query = ListCalls::new()
        .participants(vec![OTHER.to_owned()])
        .statuses(vec![CallStatus::Busy]);
    check(
        calls.list(&query).all(100).await?.len() == 1,
        "one filter of each kind leaves another number",
    )?;
    if let Some(actor) = listed.iter().find_map(|call| call.actor_id.clone()) {
        calls
            .list(&ListCalls::new().actor_id(actor))
            .all(100)
            .await?;
    }

    // Someone who hides the number.
    let hidden = NewCall::incoming("anonymous", number);
    let hidden = stage.control.place_call(&hidden)?.into();
    calls.get(&hidden, &[]).await?;

    let answered = ids.first().ok_or("there is no call")?;
    stage.control.set_plan(Plan::Starter);
    let transcripts = calls.transcripts(answered).all(10).await;
    stage.control.set_plan(Plan::Scale);
    refused(transcripts, 403)?;
    refused(calls.get(&"AC0".into(), &[]).await, 404)
}

/// Reads all there is of a call.
async fn left_of(stage: &Stage, id: &CallId) -> Step {
    let calls = stage.client.calls();
    calls.get(id, &[]).await?;
    calls
        .get(id, &[CallPart::Summary, CallPart::Voicemail])
        .await?;
    calls.recordings(id).all(10).await?;
    calls.transcripts(id).all(10).await?;
    Ok(())
}
