//! Lists in pages: lazily, to the end, from a checkpoint, and never in a circle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    Client, Cursor, ErrorKind, Items, Lane, Method, Page, Paginator, Rate, RateClass,
};
use serde::Deserialize;
use serde_json::json;

use crate::support::{SECOND, builder, client, settle};

#[derive(Deserialize)]
struct Things {
    data: Vec<u32>,
    next: Option<String>,
}

fn list(client: &Client) -> Paginator<u32> {
    let client = client.clone();
    Paginator::new(move |token| {
        let request = client.raw(Method::Get, "/things").query_opt("token", token);
        request.fetch_map(|page: Things| Page::new(page.data, page.next))
    })
}

fn page(data: &[u32], next: Option<&str>) -> Reply {
    Reply::status(200).json(&json!({ "data": data, "next": next }))
}

/// 1 2 3, 4 5, nothing, 6.
fn four_pages() -> FakeTransport {
    FakeTransport::handler(|request| {
        let query = request.query();
        match query.first().map(|(_, token)| token.as_str()) {
            None => page(&[1, 2, 3], Some("b")),
            Some("b") => page(&[4, 5], Some("c/?.+")),
            Some("c/?.+") => page(&[], Some("d")),
            Some("d") => page(&[6], None),
            Some(other) => panic!("no such page: {other}"),
        }
    })
}

async fn rest(mut items: Items<u32>) -> Vec<u32> {
    let mut all = Vec::new();
    while let Some(item) = items.next().await {
        all.push(item.unwrap());
    }
    assert!(items.cursor().is_end());
    assert!(items.next().await.is_none());
    all
}

#[tokio::test(start_paused = true)]
async fn every_item_comes_once_and_an_empty_page_is_no_end() {
    let fake = four_pages();
    let client = client(&fake);
    assert_eq!(rest(list(&client).items()).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(fake.requests().len(), 4);

    let mut pages = list(&client).pages();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().items.len());
    }
    assert_eq!(sizes, [3, 2, 0, 1]);
    assert_eq!(list(&client).all(6).await.unwrap().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_fetched_when_it_is_needed() {
    let fake = four_pages();
    let mut items = list(&client(&fake)).items();
    settle().await;
    assert_eq!(fake.requests().len(), 0);
    for _ in 0..3 {
        items.next().await.unwrap().unwrap();
    }
    assert_eq!(fake.requests().len(), 1);
    items.next().await.unwrap().unwrap();
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn stopped_after_any_item_it_goes_on_with_the_next() {
    let fake = four_pages();
    let client = client(&fake);
    for stop in 0..=6 {
        let mut items = list(&client).items();
        for _ in 0..stop {
            items.next().await.unwrap().unwrap();
        }
        // Through text and back, as a job keeps it.
        let kept: Cursor = items.cursor().to_string().parse().unwrap();
        drop(items);
        let expected: Vec<u32> = (stop + 1..=6).collect();
        assert_eq!(
            rest(list(&client).resume(kept.clone()).items()).await,
            expected
        );
        let mut pages = list(&client).resume(kept).pages();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            all.append(&mut page.unwrap().items);
        }
        assert_eq!(all, expected, "stopped after {stop}");
    }
}

#[tokio::test(start_paused = true)]
async fn stopped_twice_in_one_page_it_still_goes_on_with_the_next() {
    let fake = four_pages();
    let client = client(&fake);
    let mut cursor = Cursor::default();
    let mut all = Vec::new();
    for _ in 0..6 {
        let mut items = list(&client).resume(cursor).items();
        all.push(items.next().await.unwrap().unwrap());
        cursor = items.cursor();
    }
    assert_eq!(all, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_it_and_the_cursor_stays_before_the_page_that_failed() {
    let fake = FakeTransport::new();
    fake.push(page(&[1, 2], Some("b"))).push(Reply::status(404));
    let client = client(&fake);
    let mut items = list(&client).items();
    assert_eq!(items.next().await.unwrap().unwrap(), 1);
    assert_eq!(items.next().await.unwrap().unwrap(), 2);
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(items.next().await.is_none());

    fake.push(page(&[3], None));
    let resumed = list(&client).resume(items.cursor()).items();
    assert_eq!(rest(resumed).await, [3]);
    assert_eq!(fake.last_request().unwrap().query()[0].1, "b");
}

#[tokio::test(start_paused = true)]
async fn a_circle_of_any_length_is_found_and_no_item_is_lost() {
    let fake = FakeTransport::new();
    fake.push(page(&[1], Some("a")))
        .push(page(&[2], Some("b")))
        .push(page(&[3], Some("c")))
        .push(page(&[4], Some("a")));
    let mut items = list(&client(&fake)).items();
    for expected in 1..=4 {
        assert_eq!(items.next().await.unwrap().unwrap(), expected);
    }
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!error.is_retryable());
    insta::assert_snapshot!(error, @"acme raw: unreadable answer (carried out)");
    assert!(items.next().await.is_none());
    assert_eq!(fake.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_ends_at_max_pages() {
    let counter = AtomicUsize::new(0);
    let fake = FakeTransport::handler(move |_| {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        page(&[0], Some(&number.to_string()))
    });
    let mut pages = list(&client(&fake)).max_pages(3).pages();
    for _ in 0..3 {
        pages.next().await.unwrap().unwrap();
    }
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(pages.next().await.is_none());
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn all_of_it_is_never_a_part_of_it() {
    let fake = four_pages();
    let error = list(&client(&fake)).all(5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    insta::assert_snapshot!(error, @"acme raw: wrong configuration: the list has more items than were asked for at most");
    assert_eq!(rest(list(&client(&fake)).items()).await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_empty_token_is_none() {
    let fake = FakeTransport::new();
    fake.push(page(&[1], Some("")));
    assert_eq!(rest(list(&client(&fake)).items()).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_shrank_is_not_read_twice() {
    let fake = FakeTransport::new();
    fake.push(page(&[1], Some("b"))).push(page(&[2], None));
    let kept: Cursor = "c1.3".parse().unwrap();
    assert_eq!(rest(list(&client(&fake)).resume(kept).items()).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn dropping_next_loses_no_page() {
    let fake = FakeTransport::new();
    fake.push(page(&[1], None).delay(SECOND * 5));
    let mut items = list(&client(&fake)).items();
    assert!(tokio::time::timeout(SECOND, items.next()).await.is_err());
    assert_eq!(items.next().await.unwrap().unwrap(), 1);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reading_a_list_is_bulk_unless_it_is_said_otherwise() {
    for (lane, first) in [(None, "/now"), (Some(Lane::Interactive), "/things")] {
        let fake = FakeTransport::handler(|_| page(&[1], None));
        let rate = Rate::per_second(1).burst(1);
        let client = builder(&fake)
            .rate(RateClass::DEFAULT, rate)
            .build()
            .unwrap();
        client.raw(Method::Get, "/first").discard().await.unwrap();
        let mut things = list(&client);
        if let Some(lane) = lane {
            things = things.lane(lane);
        }
        let reading = tokio::spawn(things.all(1));
        settle().await;
        client.raw(Method::Get, "/now").discard().await.unwrap();
        reading.await.unwrap().unwrap();
        assert_eq!(fake.requests()[1].path(), first);
    }
}

#[tokio::test(start_paused = true)]
async fn items_can_be_of_any_type() {
    // Neither Clone nor Unpin, and the stream is Unpin all the same.
    struct Odd(std::marker::PhantomPinned, Arc<u32>);
    fn check<T: Unpin + Send>(_: &T) {}
    let fake = four_pages();
    let client = client(&fake);
    let odd = Paginator::new(move |token| {
        let request = client.raw(Method::Get, "/things").query_opt("token", token);
        request.fetch_map(|page: Things| {
            let odd = |n| Odd(std::marker::PhantomPinned, Arc::new(n));
            Page::new(page.data.into_iter().map(odd).collect(), page.next)
        })
    });
    let mut items = odd.items();
    check(&items);
    let Odd(_, first) = items.next().await.unwrap().unwrap();
    assert_eq!(*first, 1);
}
