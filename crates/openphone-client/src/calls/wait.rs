//! Waiting for what the vendor makes of a call once it is over.

use std::time::Duration;

use connector_http::CallSequence;

use crate::client::{Client, VENDOR};
use crate::ids::CallId;
use crate::summaries::{self, CallSummary, ProcessingStatus};
use crate::transcripts::{self, Transcript};

const TRANSCRIPT: &str = "calls.wait_for_transcript";
const SUMMARY: &str = "calls.wait_for_summary";

pub(super) fn for_transcript(
    client: &Client,
    id: &CallId,
    deadline: Duration,
) -> CallSequence<Transcript> {
    let (http, id) = (client.http().clone(), id.clone());
    CallSequence::new(VENDOR, TRANSCRIPT, move |options| async move {
        let ask = |within| options.apply_within(transcripts::get(&http, &id), within);
        let pending = |transcript: &Transcript| pending(&transcript.status);
        http.poll_until(TRANSCRIPT, deadline, ask, pending).await
    })
}

pub(super) fn for_summary(
    client: &Client,
    id: &CallId,
    deadline: Duration,
) -> CallSequence<CallSummary> {
    let (http, id) = (client.http().clone(), id.clone());
    CallSequence::new(VENDOR, SUMMARY, move |options| async move {
        let ask = |within| options.apply_within(summaries::get(&http, &id), within);
        let pending = |summary: &CallSummary| pending(&summary.status);
        http.poll_until(SUMMARY, deadline, ask, pending).await
    })
}

/// Everything but work in progress is final.
fn pending(status: &ProcessingStatus) -> Option<&'static str> {
    (*status == ProcessingStatus::InProgress).then_some("in progress")
}
