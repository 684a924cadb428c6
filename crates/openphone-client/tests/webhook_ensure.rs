//! Registers once and never twice: against a vendor that keeps what it is told, loses answers and is slow.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use openphone_client::{
    Client, Delivery, Error, ErrorKind, NewWebhook, PhoneNumberId, Webhook, WebhookEvent,
};
use proptest::prelude::*;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

const URL: &str = "https://hooks.example.com/quo/7d1f";

/// What becomes of one registration.
#[derive(Copy, Clone, Debug)]
enum Fate {
    /// It is registered, and the answer is lost.
    AnswerLost,
    /// It is registered, and the answer cannot be read.
    AnswerBroken,
    /// It is registered only after the list was read once more, and the answer is lost.
    Late,
    /// It never arrives, and nobody can know.
    Lost,
    /// It is refused.
    Refused,
    /// All is well, but the list does not show it yet.
    Unlisted,
    /// It is registered, and the answer does not say for which events.
    EventsLeftOut,
}

#[derive(Default)]
struct State {
    rows: Vec<Value>,
    /// Shown by the list after the next.
    late: Vec<Value>,
    fates: VecDeque<Fate>,
    made: usize,
    without_keys_in_lists: bool,
    log: Vec<String>,
}

#[derive(Clone, Default)]
struct Vendor(Arc<Mutex<State>>);

impl Vendor {
    fn having(rows: impl IntoIterator<Item = Value>) -> Self {
        let vendor = Self::default();
        vendor.0.lock().unwrap().rows.extend(rows);
        vendor
    }

    fn fates(self, fates: impl IntoIterator<Item = Fate>) -> Self {
        self.0.lock().unwrap().fates.extend(fates);
        self
    }

    fn client(&self) -> Client {
        let vendor = self.clone();
        let transport = FakeTransport::handler(move |request| vendor.answer(request));
        Client::from_transport("k3y", Arc::new(transport)).unwrap()
    }

    /// What was asked, in a word each: lists, creations by family, deletions.
    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().log)
    }

    fn ids(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
        state.rows.iter().map(id).collect()
    }

    fn answer(&self, request: &RecordedRequest) -> Reply {
        let state = &mut *self.0.lock().unwrap();
        let path = request.path().strip_prefix("/v1/webhooks").unwrap();
        let last = path.trim_start_matches('/');
        state.log.push(match (request.method.as_str(), last) {
            ("GET", "") => "list".to_owned(),
            (method, last) => format!("{} {last}", method.to_lowercase()),
        });
        let found = state.rows.iter().position(|row| row["id"] == last);
        match (request.method.as_str(), last, found) {
            ("GET", "", _) => {
                let late = std::mem::take(&mut state.late);
                let mut shown = state.rows.clone();
                if state.without_keys_in_lists {
                    for row in &mut shown {
                        row.as_object_mut().unwrap().remove("key");
                    }
                }
                state.rows.extend(late);
                Reply::status(200).json(&json!({ "data": shown }))
            }
            ("GET", _, Some(index)) => Reply::status(200).json(&json!({"data": state.rows[index]})),
            ("DELETE", _, Some(index)) => {
                state.rows.remove(index);
                Reply::status(204)
            }
            ("POST", ..) => state.create(&request.json()),
            _ => Reply::status(404).json(&json!({"code": "0300404", "message": "Not Found"})),
        }
    }
}

impl State {
    fn create(&mut self, body: &Value) -> Reply {
        self.made += 1;
        let row = json!({
            "id": format!("WHnew{}", self.made), "userId": "US1", "orgId": "OR1", "label": null, "status": body["status"],
            "url": body["url"], "key": format!("a2V5{}", self.made), "events": body["events"],
            "resourceIds": body["resourceIds"], "createdAt": format!("2026-02-0{}T00:00:00Z", self.made),
            "updatedAt": "2026-02-01T00:00:00Z", "deletedAt": null
        });
        let mut answer = Reply::status(201).json(&json!({ "data": row }));
        match self.fates.pop_front() {
            None => self.rows.push(row),
            Some(Fate::Unlisted) => self.late.push(row),
            Some(Fate::EventsLeftOut) => {
                answer = Reply::status(201)
                    .json(&json!({ "data": with(row.clone(), "events", Value::Null) }));
                self.rows.push(row);
            }
            Some(Fate::AnswerLost) => {
                self.rows.push(row);
                return Reply::hang();
            }
            Some(Fate::AnswerBroken) => {
                self.rows.push(row);
                return Reply::status(201).body("<html>");
            }
            Some(Fate::Late) => {
                self.late.push(row);
                return Reply::reset_after_sending();
            }
            Some(Fate::Lost) => return Reply::status(502),
            Some(Fate::Refused) => {
                return Reply::status(403)
                    .json(&json!({"code": "0300403", "message": "Forbidden"}));
            }
        }
        answer
    }
}

/// A webhook that is there already, on 1 January.
fn row(id: &str, url: &str, events: &[&str]) -> Value {
    json!({
        "id": id, "userId": "US1", "orgId": "OR1", "label": null, "status": "enabled", "url": url, "key": "b2xk",
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "deletedAt": null,
        "events": events, "resourceIds": ["*"]
    })
}

fn with(mut row: Value, field: &str, value: impl Into<Value>) -> Value {
    row[field] = value.into();
    row
}

fn wanted() -> NewWebhook {
    NewWebhook::new(
        URL,
        [WebhookEvent::MessageReceived, WebhookEvent::CallCompleted],
    )
}

fn texts() -> NewWebhook {
    NewWebhook::new(URL, [WebhookEvent::MessageReceived])
}

async fn ensure(vendor: &Vendor, wanted: &NewWebhook) -> Result<Vec<Webhook>, Error> {
    vendor.client().webhooks().ensure(wanted).await
}

fn ids(webhooks: &[Webhook]) -> Vec<&str> {
    webhooks.iter().map(|webhook| webhook.id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn registers_what_is_missing_and_then_nothing() {
    let vendor = Vendor::default();
    let first = ensure(&vendor, &wanted()).await.unwrap();
    assert_eq!(ids(&first), ["WHnew1", "WHnew2"]);
    assert_eq!(vendor.log(), ["list", "post messages", "post calls"]);

    let again = ensure(&vendor, &wanted()).await.unwrap();
    assert_eq!(ids(&again), ["WHnew1", "WHnew2"]);
    assert_eq!(vendor.log(), ["list"]);
    let keys = |webhooks: &[Webhook]| {
        let key = |webhook: &Webhook| webhook.key.clone().unwrap().expose_secret().to_owned();
        webhooks.iter().map(key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&first), ["a2V51", "a2V52"]);
    assert_eq!(keys(&again), keys(&first));
}

#[tokio::test(start_paused = true)]
async fn registers_the_family_that_is_missing() {
    let vendor = Vendor::having([row("WH1", URL, &["message.received"])]);
    let kept = ensure(&vendor, &wanted()).await.unwrap();
    assert_eq!(ids(&kept), ["WH1", "WHnew1"]);
    assert_eq!(vendor.log(), ["list", "post calls"]);
}

/// What is no concern of this address and these families stays, whatever it is.
#[rstest]
#[case::another_address(row("WH1", "https://hooks.example.com/quo/7d1e", &["message.received"]))]
#[case::an_address_below(row("WH1", "https://hooks.example.com/quo/7d1f/x", &["message.received"]))]
#[case::no_address(row("WH1", "hooks", &["message.received"]))]
#[case::another_family(row("WH1", URL, &["call.completed"]))]
#[case::made_elsewhere(row("WH1", URL, &["contact.updated"]))]
#[case::several_families(row("WH1", URL, &["message.delivered", "contact.updated"]))]
#[case::no_events(row("WH1", URL, &[]))]
#[case::deleted(with(row("WH1", URL, &["message.received"]), "deletedAt", "2026-01-02T00:00:00Z"))]
#[tokio::test(start_paused = true)]
async fn leaves_others_alone(#[case] other: Value) {
    let vendor = Vendor::having([other]);
    let kept = ensure(&vendor, &texts()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew1"]);
    assert_eq!(vendor.ids(), ["WH1", "WHnew1"]);
}

/// The new one first, so that nothing is missed; then the old one goes.
#[rstest]
#[case::disabled(with(row("WH1", URL, &["message.received"]), "status", "disabled"))]
#[case::other_events(row("WH1", URL, &["message.delivered"]))]
#[case::other_numbers(with(row("WH1", URL, &["message.received"]), "resourceIds", json!(["PN1"])))]
#[case::no_numbers(with(row("WH1", URL, &["message.received"]), "resourceIds", json!([])))]
#[tokio::test(start_paused = true)]
async fn replaces_what_cannot_be_changed(#[case] old: Value) {
    let vendor = Vendor::having([old]);
    let kept = ensure(&vendor, &texts()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew1"]);
    assert_eq!(vendor.log(), ["list", "post messages", "delete WH1"]);
    assert_eq!(vendor.ids(), ["WHnew1"]);
}

#[rstest]
#[case::written_otherwise(row("WH1", "https://HOOKS.example.com:443/quo/7d1f", &["message.received"]))]
#[case::more_events(row("WH1", URL, &["message.delivered", "message.received"]))]
#[tokio::test(start_paused = true)]
async fn keeps_what_does(#[case] row: Value) {
    let vendor = Vendor::having([row]);
    let kept = ensure(&vendor, &texts()).await.unwrap();
    assert_eq!(ids(&kept), ["WH1"]);
    assert_eq!(vendor.log(), ["list"]);
}

#[tokio::test(start_paused = true)]
async fn numbers_are_compared_as_sets() {
    let of = |ids: Value| with(row("WH1", URL, &["message.received"]), "resourceIds", ids);
    let two = vec![PhoneNumberId::from("PN1"), PhoneNumberId::from("PN2")];
    for (there, kept) in [
        (json!(["PN2", "PN1", "PN2"]), true),
        (json!(["PN1"]), false),
        (json!(["PN1", "PN2", "PN3"]), false),
        (json!(["*"]), false),
    ] {
        let vendor = Vendor::having([of(there.clone())]);
        ensure(&vendor, &texts().resources(two.clone()))
            .await
            .unwrap();
        assert_eq!(vendor.log() == ["list"], kept, "{there}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_one_is_left() {
    let vendor = Vendor::having([
        row("WH4", URL, &["message.received", "message.delivered"]),
        with(
            row("WH3", URL, &["message.received"]),
            "createdAt",
            "2026-01-03T00:00:00Z",
        ),
        with(
            row("WH2", URL, &["message.received"]),
            "createdAt",
            "2026-01-02T00:00:00Z",
        ),
        row("WH1", URL, &["call.ringing"]),
    ]);
    let kept = ensure(&vendor, &texts()).await.unwrap();
    assert_eq!(ids(&kept), ["WH2"]);
    assert_eq!(vendor.log(), ["list", "delete WH4", "delete WH3"]);
    assert_eq!(vendor.ids(), ["WH2", "WH1"]);
}

#[rstest]
#[case::answer_lost(Fate::AnswerLost)]
#[case::answer_broken(Fate::AnswerBroken)]
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_in_the_list(#[case] fate: Fate) {
    let vendor = Vendor::default().fates([fate]);
    let kept = ensure(&vendor, &wanted()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew1", "WHnew2"]);
    assert_eq!(
        vendor.log(),
        ["list", "post messages", "post calls", "list"]
    );
    assert_eq!(vendor.ids(), ["WHnew1", "WHnew2"]);
}

#[tokio::test(start_paused = true)]
async fn what_never_arrived_is_sent_again_once() {
    let vendor = Vendor::default().fates([Fate::Lost]);
    let kept = ensure(&vendor, &texts()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew2"]);
    let expected = ["list", "post messages", "list", "post messages", "list"];
    assert_eq!(vendor.log(), expected);

    let vendor = Vendor::default().fates([Fate::Lost, Fate::Lost]);
    let error = ensure(&vendor, &texts()).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(vendor.log(), expected);
    assert_eq!(vendor.ids(), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_that_turns_up_late_is_one_too_many() {
    let vendor = Vendor::default().fates([Fate::Late]);
    let kept = ensure(&vendor, &texts()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew1"]);
    assert_eq!(
        vendor.log(),
        [
            "list",
            "post messages",
            "list",
            "post messages",
            "list",
            "delete WHnew2"
        ]
    );
    assert_eq!(vendor.ids(), ["WHnew1"]);
}

/// A list behind the times must not have a webhook registered again whose answer came.
#[tokio::test(start_paused = true)]
async fn what_was_answered_needs_no_list() {
    let vendor = Vendor::default().fates([Fate::AnswerLost, Fate::Unlisted]);
    let kept = ensure(&vendor, &wanted()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew1", "WHnew2"]);
    assert_eq!(
        vendor.log(),
        ["list", "post messages", "post calls", "list"]
    );
}

/// What was asked for is known, so an answer that does not repeat it is no reason to register again.
#[rstest]
#[case::alone(vec![Fate::EventsLeftOut], &["list", "post messages", "post calls"])]
#[case::beside_a_doubt(
    vec![Fate::AnswerLost, Fate::EventsLeftOut],
    &["list", "post messages", "post calls", "list"]
)]
#[tokio::test(start_paused = true)]
async fn an_answer_without_events_is_an_answer(#[case] fates: Vec<Fate>, #[case] log: &[&str]) {
    let vendor = Vendor::default().fates(fates);
    let kept = ensure(&vendor, &wanted()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew1", "WHnew2"]);
    assert_eq!(vendor.log(), log);
    assert_eq!(vendor.ids(), ["WHnew1", "WHnew2"]);
}

/// After any failure the next call goes on from there.
#[tokio::test(start_paused = true)]
async fn a_refusal_ends_it_and_the_next_call_goes_on() {
    let vendor = Vendor::default().fates([Fate::AnswerLost, Fate::Refused]);
    let error = ensure(&vendor, &wanted()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert_eq!(vendor.log(), ["list", "post messages", "post calls"]);

    let kept = ensure(&vendor, &wanted()).await.unwrap();
    assert_eq!(ids(&kept), ["WHnew1", "WHnew3"]);
    assert_eq!(vendor.log(), ["list", "post calls"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_list_leaves_out_is_read() {
    let vendor = Vendor::having([row("WH1", URL, &["message.received"])]);
    vendor.0.lock().unwrap().without_keys_in_lists = true;
    let kept = ensure(&vendor, &texts()).await.unwrap();
    assert_eq!(kept[0].key.as_ref().unwrap().expose_secret(), "b2xk");
    assert_eq!(vendor.log(), ["list", "get WH1"]);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![
        Fate::AnswerLost,
        Fate::AnswerBroken,
        Fate::Late,
        Fate::Lost,
        Fate::Refused,
        Fate::Unlisted,
    ])
}

/// Something that is there already, here or elsewhere, of use or not.
fn some_row() -> impl Strategy<Value = Value> {
    let urls = prop::sample::select(vec![URL, "https://hooks.example.com/quo/ffff"]);
    let events = prop::sample::select(vec![
        &["message.received"][..],
        &["message.delivered"][..],
        &["message.received", "message.delivered"][..],
        &["call.completed"][..],
        &["call.ringing", "call.completed"][..],
        &["call.summary.completed"][..],
        &["contact.updated"][..],
        &["message.received", "contact.updated"][..],
    ]);
    let numbers = prop::sample::select(vec![json!(["*"]), json!(["PN1"])]);
    (urls, events, any::<bool>(), numbers).prop_map(|(url, events, enabled, numbers)| {
        let row = with(row("", url, events), "resourceIds", numbers);
        with(row, "status", if enabled { "enabled" } else { "disabled" })
    })
}

/// Those at the address that bring an event of the family.
fn bringing<'r>(rows: &'r [Value], event: &str) -> Vec<&'r Value> {
    let brings = |row: &&Value| {
        let events = row["events"].as_array().unwrap();
        row["url"] == URL && row["status"] == "enabled" && events.contains(&json!(event))
    };
    rows.iter().filter(brings).collect()
}

proptest! {
    /// Whatever is there and whatever goes wrong: called until it succeeds, and again for what a list shows late, each
    /// event arrives once, and nothing else was touched.
    #[test]
    fn in_the_end_each_event_arrives_once(
        rows in prop::collection::vec(some_row(), 0..6),
        fates in prop::collection::vec(fate(), 0..8),
    ) {
        let rows: Vec<Value> = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| with(row, "id", format!("WH{index}")))
            .collect();
        let vendor = Vendor::having(rows.clone()).fates(fates);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let kept = runtime.block_on(async {
            while ensure(&vendor, &wanted()).await.is_err() {}
            vendor.0.lock().unwrap().fates.clear();
            ensure(&vendor, &wanted()).await.unwrap();
            ensure(&vendor, &wanted()).await
        });
        let kept = kept.unwrap();
        vendor.log();
        let again = runtime.block_on(ensure(&vendor, &wanted())).unwrap();
        prop_assert_eq!(vendor.log(), ["list"]);
        prop_assert_eq!(ids(&again), ids(&kept));

        let left = vendor.0.lock().unwrap().rows.clone();
        for event in ["message.received", "call.completed"] {
            // One that a person made for contacts too is not ours to delete.
            let ours = bringing(&left, event).into_iter().filter(|row| {
                kept.iter().any(|kept| row["id"] == kept.id.as_str())
                    || !row["events"].as_array().unwrap().contains(&json!("contact.updated"))
            });
            prop_assert_eq!(ours.count(), 1, "{}: {:?}", event, left);
        }
        for row in rows {
            let events = row["events"].as_array().unwrap();
            let not_ours = row["url"] != URL
                || events.iter().any(|event| event == "call.summary.completed" || event == "contact.updated");
            prop_assert!(!not_ours || left.contains(&row), "{row} is gone");
        }
    }
}
