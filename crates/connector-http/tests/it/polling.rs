//! Asking until an answer is final, and no longer than allowed.

use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{Client, Error, ErrorKind};
use rstest::rstest;
use tokio::time::Instant;

use crate::support::{READ, SECOND, client, facts, script};

fn state(state: &str) -> Reply {
    Reply::status(200).json(state)
}

async fn wait(client: &Client, deadline: Duration) -> Result<String, Error> {
    let ask = |within| {
        let request = client.request(&READ).path("id", "1");
        request.fetch::<String>().deadline(within)
    };
    let pending = |state: &String| (state == "baking").then_some("baking");
    client
        .poll_until("things.wait", deadline, ask, pending)
        .await
}

/// When it was asked, in seconds from the first time.
fn times(fake: &FakeTransport) -> Vec<f64> {
    let requests = fake.requests();
    let seconds = |at: Instant| (at - requests[0].at).as_secs_f64();
    requests.iter().map(|it| seconds(it.at)).collect()
}

#[tokio::test(start_paused = true)]
async fn it_asks_less_and_less_often_until_the_answer_is_final() {
    let baking = (0..7).map(|_| state("baking"));
    let fake = script(baking.chain([state("done")]));
    let done = wait(&client(&fake), 1000 * SECOND).await.unwrap();
    assert_eq!(done, "done");
    let times = times(&fake);
    let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
    for (pause, expected) in pauses.zip([2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]) {
        assert!(
            (expected..=expected * 1.1 + 0.01).contains(&pause),
            "{times:?}"
        );
    }
    assert_eq!(times.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn any_other_state_is_an_answer() {
    for end in ["failed", "absent", "of tomorrow"] {
        let fake = script([state(end)]);
        assert_eq!(wait(&client(&fake), SECOND).await.unwrap(), end);
        assert_eq!(fake.requests().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_error_says_what_was_seen_last() {
    let fake = FakeTransport::handler(|_| state("baking"));
    let start = Instant::now();
    let error = wait(&client(&fake), 10 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
    assert_eq!(
        error.to_string(),
        "acme things.wait: timed out: after 4 looks it was still baking"
    );
    // The last look is a second before the end, and then there is nothing to wait for.
    assert_eq!(start.elapsed().as_millis().div_ceil(100), 90);
    assert_eq!(times(&fake).len(), 4);
}

#[rstest]
#[case(Duration::ZERO)]
#[case(SECOND)]
#[tokio::test(start_paused = true)]
async fn the_shortest_deadline_is_kept(#[case] deadline: Duration) {
    let fake = FakeTransport::handler(|_| state("baking"));
    let start = Instant::now();
    let error = wait(&client(&fake), deadline).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(start.elapsed() <= deadline);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_does_not_pass_the_deadline() {
    let fake = FakeTransport::handler(|_| Reply::hang());
    let start = Instant::now();
    let error = wait(&client(&fake), 10 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(start.elapsed() <= 10 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_and_a_refusal_is_not() {
    let mut replies: Vec<_> = (0..4).map(|_| Reply::status(500)).collect();
    replies.push(state("done"));
    let fake = script(replies);
    assert_eq!(wait(&client(&fake), 100 * SECOND).await.unwrap(), "done");

    let fake = script([state("baking"), Reply::status(404)]);
    let error = wait(&client(&fake), 100 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_lasts_is_the_error() {
    let fake = FakeTransport::handler(|_| Reply::status(500));
    let error = wait(&client(&fake), 100 * SECOND).await.unwrap_err();
    let (kind, _, retryable, _) = facts(&error);
    assert_eq!((kind, retryable), (ErrorKind::Server, true));
}

#[tokio::test(start_paused = true)]
async fn a_wait_the_vendor_asks_for_is_kept_or_ends_it() {
    let busy = |seconds| Reply::status(429).header("retry-after", seconds);
    let fake = script([busy("70"), state("done")]);
    let start = Instant::now();
    assert_eq!(wait(&client(&fake), 100 * SECOND).await.unwrap(), "done");
    assert!(start.elapsed() >= 70 * SECOND);

    let fake = script([busy("120")]);
    let start = Instant::now();
    let error = wait(&client(&fake), 100 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().is_some() && start.elapsed() < SECOND);
}
