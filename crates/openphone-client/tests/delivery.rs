//! Did it happen? What is sent again and what never, on a scripted transport and paused time.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::sync::Arc;
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use openphone_client::{
    Client, ContactChanges, ContactPatch, Delivery, Error, ErrorKind, Lane, ListContacts,
    ListPhoneNumbers, NewContact, NewMessage, OpenPhoneErrorCode,
};
use rstest::rstest;

const CONTACT: &str = include_str!("fixtures/contact.json");
const MESSAGE_SENT: &str = include_str!("fixtures/message_sent.json");
const PHONE_NUMBERS: &str = include_str!("fixtures/phone_numbers.json");
const CONTACTS_LAST_PAGE: &str = include_str!("fixtures/contacts_last_page.json");

fn client(replies: impl IntoIterator<Item = Reply>) -> (Client, FakeTransport) {
    let transport = FakeTransport::new();
    for reply in replies {
        transport.push(reply);
    }
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    (client, transport)
}

fn message() -> NewMessage {
    NewMessage::new("PNabc101", "+12025550143", "Your table is ready.")
}

/// Whatever may have reached the vendor, a person's phone shall not buzz twice.
#[rstest]
#[case::server_error(Reply::status(500), ErrorKind::Server)]
#[case::bad_gateway(Reply::status(502).body("<html></html>"), ErrorKind::Server)]
#[case::unavailable(Reply::status(503), ErrorKind::Server)]
// The vendor documents no such thing as "503 with Retry-After means refused".
#[case::unavailable_for_now(Reply::status(503).header("retry-after", "1"), ErrorKind::Server)]
#[case::gateway_timeout(Reply::status(504), ErrorKind::Server)]
#[case::request_timeout(Reply::status(408), ErrorKind::Timeout)]
#[case::no_answer(Reply::hang(), ErrorKind::Timeout)]
#[case::reset(Reply::reset_after_sending(), ErrorKind::Connect)]
#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_left_is_not_sent_again(
    #[case] reply: Reply,
    #[case] kind: ErrorKind,
) {
    let second = Reply::status(202).body(MESSAGE_SENT);
    let (client, transport) = client([reply, second]);
    let error = client.messages().send(&message()).await.unwrap_err();

    assert_eq!(error.kind(), kind);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(!error.is_retryable());
    assert_eq!((error.attempts(), transport.requests().len()), (1, 1));
}

/// The same rule holds for contacts: a second one would be a second person in the address book.
#[rstest]
#[case(Reply::status(500))]
#[case(Reply::hang())]
#[case(Reply::reset_after_sending())]
#[tokio::test(start_paused = true)]
async fn a_contact_that_may_exist_is_not_created_again(#[case] reply: Reply) {
    let (client, transport) = client([reply, Reply::status(201).body(CONTACT)]);
    let error = client
        .contacts()
        .create(&NewContact::new("Ana"))
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(transport.requests().len(), 1);
}

#[rstest]
#[case::truncated(Reply::truncated(202))]
#[case::slow(Reply::slow_body(202))]
#[case::html(Reply::status(202).body("<html></html>"))]
#[case::empty(Reply::status(202))]
#[tokio::test(start_paused = true)]
async fn a_message_whose_answer_is_lost_went_out(#[case] reply: Reply) {
    let (client, transport) = client([reply, Reply::status(202).body(MESSAGE_SENT)]);
    let error = client.messages().send(&message()).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Succeeded);
    assert!(!error.is_retryable());
    assert_eq!(transport.requests().len(), 1);
}

/// What cannot have been taken is tried again.
#[rstest]
#[case::refused(Reply::connect_error())]
#[case::connect_timeout(Reply::hang_connecting())]
#[case::reset_before(Reply::reset_before_sending())]
#[case::too_many(Reply::status(429))]
#[case::too_many_with_time(Reply::status(429).header("retry-after", "2"))]
#[case::too_many_with_window(Reply::status(429).header("ratelimit", "\"per-second\"; r=0; t=1"))]
#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_have_left_is_sent_again(#[case] reply: Reply) {
    let (client, transport) = client([reply, Reply::status(202).body(MESSAGE_SENT)]);
    client.messages().send(&message()).await.unwrap();

    let requests = transport.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_refused_connection_is_a_refusal() {
    let refused = Reply::status(402).body(include_str!("fixtures/error_subscription.json"));
    let (client, transport) = client([Reply::connect_error(), refused]);
    let error = client.messages().send(&message()).await.unwrap_err();

    assert_eq!(error.delivery(), Delivery::Rejected);
    assert_eq!(
        OpenPhoneErrorCode::of(&error),
        Some(OpenPhoneErrorCode::SubscriptionExpired)
    );
    assert_eq!((error.attempts(), transport.requests().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_not_there_leaves_the_message_unsent() {
    let (client, transport) = client(std::iter::repeat_n(Reply::connect_error(), 20));
    let error = client.messages().send(&message()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Connect, Delivery::NotSent)
    );
    assert!(error.is_retryable());
    assert_eq!(error.attempts() as usize, transport.requests().len());
}

#[tokio::test(start_paused = true)]
async fn no_retry_means_one_request() {
    let (client, transport) = client([Reply::status(429), Reply::status(202).body(MESSAGE_SENT)]);
    let error = client
        .messages()
        .send(&message())
        .no_retry()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::RateLimited, Delivery::Rejected)
    );
    assert_eq!(transport.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_the_vendor_does_not_know_is_refused() {
    let (client, transport) = client([Reply::status(202).body(MESSAGE_SENT)]);
    let call = client.messages().send(&message()).idempotency_key("key-1");
    let error = call.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Config, Delivery::NotSent)
    );
    assert!(transport.requests().is_empty());
}

/// Reads, replacements and deletions are tried again after anything.
#[rstest]
#[case(Reply::status(500))]
#[case(Reply::status(502).body("<html></html>"))]
#[case(Reply::status(429))]
#[case(Reply::hang())]
#[case(Reply::reset_after_sending())]
#[case(Reply::connect_error())]
#[tokio::test(start_paused = true)]
async fn what_can_be_repeated_is_repeated(#[case] reply: Reply) {
    let answers = [PHONE_NUMBERS, CONTACT, CONTACT, "", CONTACTS_LAST_PAGE];
    let replies = answers.map(|body| [reply.clone(), Reply::status(200).body(body)]);
    let (client, transport) = client(replies.into_iter().flatten());
    let id = "CT7".into();

    client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await
        .unwrap();
    client.contacts().get(&id).await.unwrap();
    client
        .contacts()
        .update(&id, &ContactPatch::new())
        .await
        .unwrap();
    client.contacts().delete(&id).await.unwrap();
    client
        .contacts()
        .list(&ListContacts::new())
        .all(1)
        .await
        .unwrap();
    assert_eq!(transport.requests().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_worked_but_lost_its_answer_is_not_found() {
    let gone = Reply::status(404).body(include_str!("fixtures/error_not_found.json"));
    let (client, _) = client([Reply::reset_after_sending(), gone]);
    let error = client.contacts().delete(&"CT7".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 2));
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_merge_that_fails_says_in_which_half() {
    let refused = Reply::status(403).body(r#"{"code":"0800403","title":"Forbidden"}"#);
    let changes = ContactChanges::new().role("CEO");

    let (reads, _) = client([refused.clone()]);
    let error: Error = reads
        .contacts()
        .update_merged(&"CT7".into(), &changes)
        .await
        .unwrap_err();
    assert_eq!(error.operation(), "contacts.get");

    let (writes, _) = client([Reply::status(200).body(CONTACT), refused]);
    let error = writes
        .contacts()
        .update_merged(&"CT7".into(), &changes)
        .await
        .unwrap_err();
    assert_eq!(
        (error.operation(), error.kind()),
        ("contacts.update", ErrorKind::Permission)
    );
}

#[tokio::test(start_paused = true)]
async fn a_merge_takes_its_options_into_both_calls() {
    let hangs = std::iter::repeat_n(Reply::hang(), 4);
    let (client, transport) =
        client(std::iter::once(Reply::status(200).body(CONTACT)).chain(hangs));
    let changes = ContactChanges::new().role("CEO");
    let merge = client.contacts().update_merged(&"CT7".into(), &changes);
    let merge = merge
        .timeout(Duration::from_secs(2))
        .deadline(Duration::from_secs(3));
    // Nothing happens before it is polled, and it can be moved to a task as it is.
    assert!(transport.requests().is_empty());
    let error = tokio::spawn(merge.lane(Lane::Bulk))
        .await
        .unwrap()
        .unwrap_err();

    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Timeout, Delivery::Unknown)
    );
    let requests = transport.requests();
    assert_eq!(requests[0].timeout, Duration::from_secs(2));
    assert_eq!(requests[1].timeout, Duration::from_secs(2));
    let spent = requests[requests.len() - 1]
        .at
        .duration_since(requests[1].at);
    assert!(spent <= Duration::from_secs(3), "{spent:?}");
}

/// Evenly spaced, since the vendor refuses bursts.
#[tokio::test(start_paused = true)]
async fn eight_requests_per_second_and_no_bursts() {
    let replies = std::iter::repeat_n(Reply::status(200).body(PHONE_NUMBERS), 25);
    let (client, transport) = client(replies);
    let query = ListPhoneNumbers::new();
    let calls = (0..25).map(|_| tokio::spawn(client.phone_numbers().list(&query)));
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }

    let times: Vec<_> = transport
        .requests()
        .iter()
        .map(|request| request.at)
        .collect();
    for window in times.windows(11) {
        let span = window[10].duration_since(window[0]);
        assert!(
            span >= Duration::from_secs(1),
            "11 requests within {span:?}"
        );
    }
    let all = times[24].duration_since(times[0]);
    assert!(
        all < Duration::from_secs(4),
        "slower than the pace: {all:?}"
    );
}

/// The limit is the key's, so that one refusal is news for every caller.
#[tokio::test(start_paused = true)]
async fn one_refusal_pauses_every_call() {
    let refused = Reply::status(429).header("retry-after", "5");
    let answers = std::iter::repeat_n(Reply::status(200).body(PHONE_NUMBERS), 3);
    let (client, transport) = client(std::iter::once(refused).chain(answers));
    let query = ListPhoneNumbers::new();
    client
        .phone_numbers()
        .list(&query)
        .no_retry()
        .await
        .unwrap_err();
    let refused_at = transport.requests()[0].at;

    let calls = (0..3).map(|_| tokio::spawn(client.phone_numbers().list(&query)));
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    for request in &transport.requests()[1..] {
        assert!(request.at.duration_since(refused_at) >= Duration::from_secs(5));
    }
}
