//! Exports of a small workspace that answers page by page: nothing is lost, wherever it is stopped.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use openphone_client::{
    Client, Delivery, ErrorKind, Export, ExportCheckpoint, ExportRange, Message,
    OpenPhoneErrorCode, PhoneCall,
};
use rstest::rstest;
use serde_json::{Value, json};

/// How many things a page holds, whatever was asked for.
const PAGE: usize = 2;

fn time(minutes: i64) -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

#[derive(Clone)]
struct Thread {
    id: String,
    others: Vec<String>,
    /// When its calls or messages were made, the newest first.
    items: Vec<i64>,
}

/// A workspace as the vendor shows it: conversations by their last activity.
#[derive(Clone, Default)]
struct Workspace {
    numbers: BTreeMap<String, Vec<Thread>>,
}

impl Workspace {
    /// Two numbers with threads of zero to five items, and one number nobody uses.
    fn small() -> Self {
        let mut workspace = Self::default();
        for (number, threads) in [("PN1", 5_i64), ("PN2", 3), ("PN3", 0)] {
            let threads = (0..threads).map(|index| Thread {
                id: format!("CN{number}{index}"),
                others: vec![format!("+1202555010{index}")],
                items: (0..=index).rev().map(|item| index * 10 + item).collect(),
            });
            let named = workspace.numbers.entry(number.to_owned()).or_default();
            named.extend(threads);
        }
        workspace
    }

    /// The ids of everything in it.
    fn ids(&self) -> BTreeSet<String> {
        let threads = self.numbers.values().flatten();
        threads
            .flat_map(|thread| thread.items.iter().map(|at| item_id(&thread.id, *at)))
            .collect()
    }

    fn answer(&self, request: &RecordedRequest) -> Reply {
        let query = request.query();
        let get = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let token = get("pageToken");
        match request.path() {
            "/v1/phone-numbers" => {
                let mut ids: Vec<_> = self.numbers.keys().collect();
                ids.reverse();
                let ids: Vec<_> = ids.into_iter().map(|id| json!({"id": id})).collect();
                Reply::status(200).json(&json!({"data": ids}))
            }
            "/v1/conversations" => {
                let mut threads = self.numbers[get("phoneNumbers").unwrap()].clone();
                threads.sort_by_key(|thread| std::cmp::Reverse(thread.items.first().copied()));
                let shown = |thread: &Thread| {
                    json!({
                        "id": thread.id, "phoneNumberId": "PN0", "participants": thread.others,
                        "lastActivityAt": thread.items.first().map(|at| time(*at)),
                    })
                };
                page(
                    threads
                        .iter()
                        .map(|thread| (thread.id.clone(), shown(thread))),
                    token,
                )
            }
            path @ ("/v1/calls" | "/v1/messages") => {
                let others: Vec<_> = query
                    .iter()
                    .filter(|(key, _)| key == "participants")
                    .map(|(_, value)| value.clone())
                    .collect();
                if others.iter().any(|other| !other.starts_with('+')) {
                    let body = json!({"message": "no", "code": "0200400", "status": 400, "title": "Bad Request"});
                    return Reply::status(400).json(&body);
                }
                let threads = &self.numbers[get("phoneNumberId").unwrap()];
                let after: Option<DateTime<Utc>> =
                    get("createdAfter").map(|time| time.parse().unwrap());
                let before: Option<DateTime<Utc>> =
                    get("createdBefore").map(|time| time.parse().unwrap());
                let threads = threads.iter().filter(|thread| thread.others == others);
                let items = threads.flat_map(|thread| {
                    thread
                        .items
                        .iter()
                        .map(|at| (item_id(&thread.id, *at), time(*at)))
                });
                let items = items.filter(|(_, at)| {
                    after.is_none_or(|after| after < *at)
                        && before.is_none_or(|before| *at < before)
                });
                page(
                    items.map(|(id, at)| {
                        let shown = shown(path, &id, at);
                        (id, shown)
                    }),
                    token,
                )
            }
            other => panic!("{other} is not part of an export"),
        }
    }
}

fn item_id(thread: &str, at: i64) -> String {
    format!("AC{thread}x{at}")
}

fn shown(path: &str, id: &str, at: DateTime<Utc>) -> Value {
    match path {
        "/v1/calls" => {
            json!({"id": id, "direction": "incoming", "status": "completed", "createdAt": at})
        }
        _ => json!({
            "id": id, "from": "+12025550100", "direction": "incoming", "status": "received", "createdAt": at, "updatedAt": at,
        }),
    }
}

/// The token names the last thing of the page before, as the vendor's do.
fn page(things: impl Iterator<Item = (String, Value)>, token: Option<&str>) -> Reply {
    let things: Vec<_> = things.collect();
    let from = token.map_or(0, |token| {
        let last = token.strip_prefix("after/").unwrap();
        things.iter().position(|(id, _)| id == last).unwrap() + 1
    });
    let rest = things.get(from..).unwrap_or_default();
    let (now, later) = rest.split_at(rest.len().min(PAGE));
    let next = now.last().filter(|_| !later.is_empty());
    let next = next.map(|(id, _)| format!("after/{id}"));
    let data: Vec<_> = now.iter().map(|(_, shown)| shown).collect();
    Reply::status(200).json(&json!({"data": data, "totalItems": 0, "nextPageToken": next}))
}

fn client(workspace: &Workspace) -> (Client, FakeTransport) {
    let workspace = workspace.clone();
    serve(move |request| workspace.answer(request))
}

fn serve(
    answer: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static,
) -> (Client, FakeTransport) {
    let transport = FakeTransport::handler(answer);
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    (client, transport)
}

fn calls(client: &Client) -> Export<PhoneCall> {
    client.calls().export(..)
}

/// As a job keeps it.
fn kept(checkpoint: &ExportCheckpoint) -> ExportCheckpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

async fn rest(export: Export<PhoneCall>) -> Vec<String> {
    let mut items = export.items();
    let mut ids = Vec::new();
    while let Some(call) = items.next().await {
        ids.push(call.unwrap().id.into_string());
    }
    assert!(items.checkpoint().is_end());
    assert_eq!(items.progress().items, ids.len() as u64);
    ids
}

#[tokio::test(start_paused = true)]
async fn everything_comes_once() {
    let workspace = Workspace::small();
    let (client, transport) = client(&workspace);
    let ids = rest(calls(&client)).await;
    assert_eq!(ids.len(), 21);
    assert_eq!(
        ids.iter().cloned().collect::<BTreeSet<_>>(),
        workspace.ids()
    );
    let conversations = transport.requests();
    let conversations = conversations
        .iter()
        .filter(|it| it.path() == "/v1/conversations");
    // 3 + 2 + 1 pages, and one look for what moved at each number that has any.
    assert_eq!(conversations.count(), 8);

    let mut messages = client.messages().export(ExportRange::all()).items();
    let mut found = BTreeSet::new();
    while let Some(message) = messages.next().await {
        let message: Message = message.unwrap();
        assert!(found.insert(message.id.into_string()));
    }
    assert_eq!(found, workspace.ids());
    assert!(messages.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn stopped_behind_any_page_nothing_is_lost_and_nothing_comes_twice() {
    let workspace = Workspace::small();
    let (client, _) = client(&workspace);
    let mut pages = calls(&client).pages();
    let mut before: Vec<String> = Vec::new();
    let mut stops = 0;
    loop {
        let checkpoint = kept(&pages.checkpoint());
        let mut ids = before.clone();
        ids.extend(rest(calls(&client).resume(checkpoint)).await);
        assert_eq!(ids.len(), 21, "stopped behind page {stops}");
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), workspace.ids());
        let Some(page) = pages.next().await else {
            break;
        };
        let page = page.unwrap();
        assert_eq!(page.checkpoint, pages.checkpoint());
        assert_eq!(page.progress, pages.progress());
        before.extend(page.items.into_iter().map(|call| call.id.into_string()));
        stops += 1;
    }
    assert!(stops > 15 && pages.checkpoint().is_end());
    assert!(
        rest(calls(&client).resume(kept(&pages.checkpoint())))
            .await
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn stopped_behind_every_page_it_comes_to_an_end_and_nothing_comes_twice() {
    let workspace = Workspace::small();
    let (client, _) = client(&workspace);
    let mut ids: Vec<String> = Vec::new();
    let mut checkpoint = kept(&calls(&client).pages().checkpoint());
    let mut runs = 0;
    while !checkpoint.is_end() {
        let mut pages = calls(&client).resume(checkpoint).pages();
        if let Some(page) = pages.next().await {
            ids.extend(
                page.unwrap()
                    .items
                    .into_iter()
                    .map(|it| it.id.into_string()),
            );
        }
        checkpoint = kept(&pages.checkpoint());
        runs += 1;
        assert!(runs < 200, "it stands still");
    }
    assert_eq!(ids.len(), 21);
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), workspace.ids());
}

#[tokio::test(start_paused = true)]
async fn stopped_behind_any_item_nothing_is_lost() {
    let workspace = Workspace::small();
    let (client, _) = client(&workspace);
    for stop in 0..=21 {
        let mut items = calls(&client).items();
        let mut ids = BTreeSet::new();
        for _ in 0..stop {
            ids.insert(items.next().await.unwrap().unwrap().id.into_string());
        }
        let again = rest(calls(&client).resume(kept(&items.checkpoint()))).await;
        // Of the page under way at most.
        assert!(
            ids.len() + again.len() < 21 + PAGE,
            "stopped behind item {stop}"
        );
        ids.extend(again);
        assert_eq!(ids, workspace.ids(), "stopped behind item {stop}");
    }
}

/// Each request fails once; a job that resumes every time still gets everything.
#[tokio::test(start_paused = true)]
async fn after_any_error_it_goes_on() {
    let workspace = Workspace::small();
    let (expected, seen) = (workspace.ids(), Mutex::new(BTreeSet::new()));
    let (client, _) = serve(move |request| {
        if seen.lock().unwrap().insert(request.url.to_string()) {
            Reply::status(404)
        } else {
            workspace.answer(request)
        }
    });
    let mut found = BTreeSet::new();
    let mut checkpoint = None;
    let mut failures = 0;
    loop {
        let export = calls(&client);
        let export = match &checkpoint {
            Some(checkpoint) => export.resume(kept(checkpoint)),
            None => export,
        };
        let mut items = export.items();
        let mut failed = false;
        while let Some(item) = items.next().await {
            match item {
                Ok(call) => drop(found.insert(call.id.into_string())),
                Err(error) => {
                    assert_eq!(error.status(), Some(404));
                    failed = true;
                    assert!(items.next().await.is_none());
                    break;
                }
            }
        }
        checkpoint = Some(items.checkpoint());
        if !failed {
            break;
        }
        failures += 1;
    }
    assert!(failures > 15, "{failures}");
    assert_eq!(found, expected);
}

/// A conversation that comes to the top while the walk is below it was never seen.
#[tokio::test(start_paused = true)]
async fn a_conversation_that_moves_away_is_not_lost() {
    for moved in 0..5 {
        let workspace = Workspace::small();
        let expected = workspace.ids();
        let workspace = Arc::new(Mutex::new(workspace));
        let shared = Arc::clone(&workspace);
        let (client, _) = serve(move |request| shared.lock().unwrap().answer(request));
        let mut pages = calls(&client).phone_number("PN1").pages();
        let mut found = BTreeSet::new();
        let mut first = true;
        while let Some(page) = pages.next().await {
            found.extend(
                page.unwrap()
                    .items
                    .into_iter()
                    .map(|call| call.id.into_string()),
            );
            if std::mem::take(&mut first) {
                // The first page of conversations was read; now something happens in another one.
                let threads = &mut workspace.lock().unwrap().numbers;
                threads.get_mut("PN1").unwrap()[moved].items.insert(0, 1000);
            }
        }
        let of_one = expected.iter().filter(|id| id.contains("PN1"));
        let missing: Vec<_> = of_one.filter(|id| !found.contains(*id)).collect();
        assert_eq!(missing, Vec::<&String>::new(), "conversation {moved} moved");
    }
}

/// What happened in the very moment up to which was seen may have come after the look.
#[tokio::test(start_paused = true)]
async fn a_conversation_that_moves_in_the_same_moment_is_not_lost() {
    let workspace = Workspace::small();
    let expected = workspace.ids();
    let workspace = Arc::new(Mutex::new(workspace));
    let shared = Arc::clone(&workspace);
    let (client, _) = serve(move |request| shared.lock().unwrap().answer(request));
    let mut pages = calls(&client).phone_number("PN1").pages();
    let mut found = BTreeSet::new();
    let mut first = true;
    while let Some(page) = pages.next().await {
        let items = page.unwrap().items.into_iter();
        found.extend(items.map(|call| call.id.into_string()));
        if std::mem::take(&mut first) {
            let numbers = &mut workspace.lock().unwrap().numbers;
            let threads = numbers.get_mut("PN1").unwrap();
            threads[0].items.insert(0, 44);
            threads[1].items.insert(0, 1000);
        }
    }
    let of_one = expected.iter().filter(|id| id.contains("PN1"));
    assert!(of_one.into_iter().all(|id| found.contains(id)));
}

/// Also when that happens between two runs.
#[tokio::test(start_paused = true)]
async fn a_conversation_that_moves_while_nothing_runs_is_not_lost() {
    let before = Workspace::small();
    let (client_before, _) = client(&before);
    let mut stop = 0;
    loop {
        let mut pages = calls(&client_before).phone_number("PN1").pages();
        let mut found = BTreeSet::new();
        let mut ended = false;
        for _ in 0..=stop {
            match pages.next().await {
                Some(page) => found.extend(
                    page.unwrap()
                        .items
                        .into_iter()
                        .map(|call| call.id.into_string()),
                ),
                None => ended = true,
            }
        }
        if ended {
            break;
        }
        let mut after = before.clone();
        for index in [0, 1] {
            let threads = after.numbers.get_mut("PN1").unwrap();
            threads[index].items.insert(0, 1000);
        }
        let (client_after, _) = client(&after);
        let export = calls(&client_after).phone_number("PN1");
        found.extend(rest(export.resume(kept(&pages.checkpoint()))).await);
        let missing: Vec<_> = before
            .ids()
            .into_iter()
            .filter(|id| id.contains("PN1") && !found.contains(id))
            .collect();
        assert_eq!(missing, Vec::<String>::new(), "stopped behind page {stop}");
        stop += 1;
    }
    assert!(stop > 10);
}

#[tokio::test(start_paused = true)]
async fn numbers_that_come_and_go_do_not_confuse_it() {
    let workspace = Workspace::small();
    let (all, _) = client(&workspace);
    let mut pages = calls(&all).pages();
    // The first page is of PN1.
    pages.next().await.unwrap().unwrap();
    let checkpoint = pages.checkpoint();
    let mut without = workspace.clone();
    without.numbers.remove("PN1");
    let (client, _) = client(&without);
    let ids = rest(calls(&client).resume(checkpoint)).await;
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), without.ids());
}

#[rstest]
#[case(20, Some(31), 4)]
#[case(43, None, 2)]
#[case(44, None, 1)]
#[case(40, Some(44), 4)]
#[tokio::test(start_paused = true)]
async fn a_range_has_its_beginning_and_not_its_end(
    #[case] from: i64,
    #[case] until: Option<i64>,
    #[case] count: usize,
) {
    let (client, transport) = client(&Workspace::small());
    let range = match until {
        Some(until) => ExportRange::from(time(from)..time(until)),
        None => ExportRange::from(time(from)..),
    };
    let mut items = client.calls().export(range).phone_number("PN1").items();
    let mut found = 0;
    while let Some(call) = items.next().await {
        assert!(range.contains(call.unwrap().created_at));
        found += 1;
    }
    assert_eq!(found, count);
    // Whether the vendor's filters include their limits is not known.
    let requests = transport.requests();
    let listed = requests.iter().find(|it| it.path() == "/v1/calls").unwrap();
    let query: BTreeMap<_, _> = listed.query().into_iter().collect();
    let before = time(from) - TimeDelta::milliseconds(1);
    let sent: DateTime<Utc> = query["createdAfter"].parse().unwrap();
    assert_eq!(sent, before);
    // Where nothing happened since, nothing is asked.
    assert!(items.progress().conversations_quiet > 0);
    assert_eq!(query.contains_key("createdBefore"), until.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_listed_is_left_out_and_counted() {
    let mut workspace = Workspace::default();
    let thread = |id: &str, others: &[&str]| Thread {
        id: id.to_owned(),
        others: others.iter().map(|other| (*other).to_owned()).collect(),
        items: vec![5, 4, 3],
    };
    let many: Vec<String> = (0..11)
        .map(|index| format!("+12025550{:03}", 100 + index))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    workspace.numbers.insert(
        "PN1".to_owned(),
        vec![
            thread("CN1", &["+12025550143"]),
            thread("CN2", &["+12025550143", "+12025550144"]),
            thread("CN3", &["72645"]),
            thread("CN4", &[]),
            thread("CN5", &[" "]),
            thread("CN6", &many),
        ],
    );
    let (client, _) = client(&workspace);
    let mut pages = calls(&client).pages();
    let mut left_out = Vec::new();
    let mut read = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        if page.left_out {
            left_out.push(page.conversation_id.unwrap().into_string());
            assert!(page.items.is_empty());
        } else if let Some(id) = page.conversation_id {
            read.insert(id.into_string());
        }
    }
    left_out.sort();
    assert_eq!(left_out, ["CN2", "CN3", "CN4", "CN5", "CN6"]);
    assert_eq!(read.into_iter().collect::<Vec<_>>(), ["CN1"]);
    assert_eq!(pages.progress().conversations_left_out, 5);
    assert_eq!(pages.progress().items, 3);

    let mut messages = client.messages().export(..).items();
    let mut count = 0;
    while let Some(message) = messages.next().await {
        message.unwrap();
        count += 1;
    }
    assert_eq!(count, 6);
    let progress = messages.progress();
    assert_eq!(
        (progress.conversations_read, progress.conversations_left_out),
        (3, 4)
    );
    assert_eq!((progress.numbers, progress.numbers_done), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_an_ordinary_conversation_is_an_error() {
    let workspace = Workspace::small();
    let (client, _) = serve(move |request| match request.path() {
        "/v1/calls" => Reply::status(403).json(&json!({
            "message": "no", "code": "0101403", "status": 403, "title": "Not Phone Number User"
        })),
        _ => workspace.answer(request),
    });
    let mut items = calls(&client).items();
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(
        OpenPhoneErrorCode::of(&error),
        Some(OpenPhoneErrorCode::NotPhoneNumberUser)
    );
    assert!(items.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_number_can_be_exported_in_the_name_of_its_user() {
    let (client, transport) = client(&Workspace::small());
    let export = calls(&client).phone_number("PN2").user_id("US2");
    assert_eq!(rest(export).await.len(), 6);
    for request in transport.requests() {
        assert_ne!(request.path(), "/v1/phone-numbers");
        if request.path() == "/v1/calls" {
            assert!(
                request
                    .query()
                    .contains(&("userId".to_owned(), "US2".to_owned()))
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_something_else_is_refused() {
    let (client, transport) = client(&Workspace::small());
    let checkpoint = calls(&client).pages().checkpoint();
    let time = time(0);
    let errors = [
        client
            .messages()
            .export(..)
            .resume(checkpoint.clone())
            .items()
            .next()
            .await
            .unwrap()
            .unwrap_err(),
        client
            .calls()
            .export(time..)
            .resume(checkpoint.clone())
            .items()
            .next()
            .await
            .unwrap()
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Validation, Delivery::NotSent)
        );
        assert_eq!(error.field_errors()[0].path, "/checkpoint");
    }
    let mut empty = client.calls().export(time..time).items();
    let error = empty.next().await.unwrap().unwrap_err();
    assert_eq!(error.field_errors()[0].path, "/range");
    assert!(empty.next().await.is_none() && transport.requests().is_empty());

    let text = serde_json::to_string(&checkpoint).unwrap();
    assert_eq!(
        text,
        r#"{"version":1,"kind":"calls","range":{"from":null,"until":null},"place":"start"}"#
    );
    let newer = text.replace("\"version\":1", "\"version\":2");
    assert!(serde_json::from_str::<ExportCheckpoint>(&newer).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_page_under_way_survives_a_dropped_wait() {
    let workspace = Workspace::small();
    let expected = workspace.ids();
    let (client, transport) =
        serve(move |request| workspace.answer(request).delay(Duration::from_secs(2)));
    let mut items = calls(&client).items();
    let mut found = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_millis(700), items.next()).await {
            Ok(Some(call)) => found.push(call.unwrap().id.into_string()),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    assert_eq!(found.len(), 21);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    let urls: Vec<_> = transport
        .requests()
        .iter()
        .map(|it| it.url.to_string())
        .collect();
    let looks = urls
        .iter()
        .filter(|url| url.contains("/calls"))
        .collect::<BTreeSet<_>>();
    assert_eq!(
        looks.len(),
        urls.iter().filter(|url| url.contains("/calls")).count()
    );
}
