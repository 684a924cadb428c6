//! The calls of a month: counted, kept, refused.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use connector_http::testing::{FakeTransport, Reply};
use connector_http::{Timer, TokioTimer};
use rstest::rstest;
use serde_json::json;
use suitedash_client::{
    Client, Delivery, Error, ErrorKind, FileQuota, Lane, ListQuery, MemoryQuota, QuotaCorrection,
    QuotaLedger, QuotaPeriod, QuotaPlan, QuotaStore, QuotaStoreError, QuotaStoreErrorKind,
    QuotaUse, Taken,
};
use tokio::time::Instant;

use crate::support::{UID, builder, contact, refused, script, told};

/// The runtime's clock, with a wall clock that is set by hand.
#[derive(Clone)]
struct Wall(Arc<Mutex<DateTime<Utc>>>);

impl Wall {
    fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(time.parse().unwrap())))
    }

    fn go(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wall")
    }
}

#[async_trait::async_trait]
impl Timer for Wall {
    fn now(&self) -> Instant {
        TokioTimer.now()
    }

    fn utc_now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        TokioTimer.sleep(duration).await;
    }
}

const NOW: &str = "2026-11-21T12:00:00Z";

fn answering() -> FakeTransport {
    FakeTransport::handler(|_| told(200, &contact(&json!({}))))
}

fn counted(fake: &FakeTransport, ledger: &QuotaLedger, wall: &Wall) -> Client {
    let timer = Arc::new(wall.clone());
    builder(fake)
        .quota(ledger.clone())
        .timer(timer)
        .build()
        .unwrap()
}

async fn read(client: &Client, lane: Lane) -> Result<(), Error> {
    client
        .contacts()
        .get(&UID.into())
        .lane(lane)
        .await
        .map(drop)
}

#[tokio::test(start_paused = true)]
async fn bulk_work_stops_before_the_reserve_and_interactive_use_at_the_end() {
    let (fake, wall) = (answering(), Wall::at(NOW));
    let ledger = QuotaLedger::new(QuotaPlan::Custom(10)).reserve(3);
    let client = counted(&fake, &ledger, &wall);
    for _ in 0..7 {
        read(&client, Lane::Bulk).await.unwrap();
    }
    let error = read(&client, Lane::Bulk).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::QuotaSpent, Delivery::NotSent)
    );
    assert!(
        error
            .to_string()
            .contains("7 of 10 calls are used and the rest is kept"),
        "{error}"
    );
    assert!(!error.is_retryable());
    // Every list is bulk work.
    let query = ListQuery::new();
    let mut contacts = client.contacts().list(&query).items();
    let refused = [
        contacts.next().await.unwrap().unwrap_err(),
        client.contacts().list_page(&query, 1).await.unwrap_err(),
        client.companies().list_page(&query, 1).await.unwrap_err(),
        client.projects().list_page(&query, 1).await.unwrap_err(),
        client.worlds().list_page(None, 1).await.unwrap_err(),
    ];
    assert!(refused.iter().all(|it| it.kind() == ErrorKind::QuotaSpent));
    for _ in 0..3 {
        read(&client, Lane::Interactive).await.unwrap();
    }
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("10 of 10 calls are used; the month turns on 2026-12-01"),
        "{error}"
    );
    assert_eq!(error.retry_after(), Some(Duration::from_hours(9 * 24 + 12)));
    assert_eq!(fake.requests().len(), 10);

    let status = client.quota().await.unwrap();
    assert_eq!(
        (status.used, status.limit, status.remaining),
        (10, Some(10), Some(0))
    );
    assert!(status.over_soft_limit && !status.spent_by_vendor);
    assert_eq!(
        status.resets_at,
        "2026-12-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()
    );

    // A new month.
    wall.go(TimeDelta::days(10));
    read(&client, Lane::Bulk).await.unwrap();
    assert_eq!(client.quota().await.unwrap().used, 1);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_counts_but_for_those_that_never_left() {
    let wall = Wall::at(NOW);
    let fake = script([
        Reply::status(503),
        told(200, &contact(&json!({}))),
        Reply::connect_error(),
        Reply::connect_error(),
    ]);
    let client = counted(&fake, &QuotaLedger::new(QuotaPlan::Start), &wall);
    read(&client, Lane::Interactive).await.unwrap();
    assert_eq!(client.quota().await.unwrap().used, 2);
    read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(client.quota().await.unwrap().used, 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_not_pass_the_end_of_the_quota() {
    let fake = FakeTransport::handler(|_| Reply::status(503));
    let ledger = QuotaLedger::new(QuotaPlan::Custom(1)).reserve(0);
    let client = counted(&fake, &ledger, &Wall::at(NOW));
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaSpent);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_vendors_own_word_ends_the_month_and_is_never_retried() {
    let (fake, wall) = (script([refused(429)]), Wall::at(NOW));
    let store: Arc<dyn QuotaStore> = Arc::new(MemoryQuota::new());
    let ledger = QuotaLedger::new(QuotaPlan::Thrive).shared_store(Arc::clone(&store));
    let client = counted(&fake, &ledger, &wall);
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::QuotaSpent, Some(429))
    );
    assert!(!error.is_retryable());

    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::QuotaSpent, Delivery::NotSent)
    );
    assert!(
        error
            .to_string()
            .contains("the vendor says the month is spent"),
        "{error}"
    );
    assert_eq!(fake.requests().len(), 1);
    let status = client.quota().await.unwrap();
    assert!(status.spent_by_vendor);
    assert_eq!(status.remaining, Some(0));

    // Another process on the same store knows.
    let other = QuotaLedger::new(QuotaPlan::Thrive).shared_store(store);
    let other = counted(&fake, &other, &wall);
    assert_eq!(
        read(&other, Lane::Interactive)
            .await
            .unwrap_err()
            .delivery(),
        Delivery::NotSent
    );

    // Somebody bought more.
    client.lift_spent_quota().await.unwrap();
    fake.push(told(200, &contact(&json!({}))))
        .push(refused(429));
    read(&client, Lane::Interactive).await.unwrap();
    read(&client, Lane::Interactive).await.unwrap_err();
    // Or the month turns.
    wall.go(TimeDelta::days(10));
    fake.push(told(200, &contact(&json!({}))));
    read(&client, Lane::Interactive).await.unwrap();
}

/// Something in front of the API knows nothing of the month; and who names a time means that time.
#[rstest]
#[case(Reply::status(429).body("<html>"), 3_600)]
#[case(refused(429).header("retry-after", "120"), 120)]
#[case(refused(429).header("retry-after", "9999999"), 24 * 3_600)]
#[tokio::test(start_paused = true)]
async fn another_429_is_a_pause(#[case] reply: Reply, #[case] seconds: u64) {
    let fake = script([reply]);
    let client = counted(
        &fake,
        &QuotaLedger::new(QuotaPlan::Uncounted),
        &Wall::at(NOW),
    );
    read(&client, Lane::Interactive).await.unwrap_err();
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(!client.quota().await.unwrap().spent_by_vendor);
    tokio::time::advance(Duration::from_secs(seconds)).await;
    fake.push(told(200, &contact(&json!({}))));
    read(&client, Lane::Interactive).await.unwrap();
}

/// No time is no word about a pause: taken as one, every further call would ask the vendor again.
#[tokio::test(start_paused = true)]
async fn a_429_that_names_no_time_at_all_ends_the_month() {
    let fake = script([refused(429).header("retry-after", "0")]);
    let client = builder(&fake).build().unwrap();
    read(&client, Lane::Interactive).await.unwrap_err();
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(client.quota().await.unwrap().spent_by_vendor);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_later_429_does_not_shorten_a_pause() {
    let pause = |seconds, after| {
        let reply = refused(429).header("retry-after", seconds);
        reply.delay(Duration::from_secs(after))
    };
    let fake = script([pause("7200", 1), pause("5", 2)]);
    let client = builder(&fake).build().unwrap();
    let (one, two) = tokio::join!(
        read(&client, Lane::Interactive),
        read(&client, Lane::Interactive)
    );
    assert!(one.is_err() && two.is_err());
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7_199)));
    assert_eq!(fake.requests().len(), 2);
}

/// The mark is the store's: whichever process lifts it, all go on.
#[tokio::test(start_paused = true)]
async fn a_mark_lifted_by_another_process_is_lifted() {
    let (fake, wall) = (script([refused(429)]), Wall::at(NOW));
    let store: Arc<dyn QuotaStore> = Arc::new(MemoryQuota::new());
    let ledger = || QuotaLedger::new(QuotaPlan::Start).shared_store(Arc::clone(&store));
    let client = counted(&fake, &ledger(), &wall);
    read(&client, Lane::Interactive).await.unwrap_err();
    assert!(client.quota().await.unwrap().spent_by_vendor);

    let other = counted(&fake, &ledger(), &wall);
    other.lift_spent_quota().await.unwrap();
    fake.push(told(200, &contact(&json!({}))));
    read(&client, Lane::Interactive).await.unwrap();
    assert!(!client.quota().await.unwrap().spent_by_vendor);
}

#[tokio::test(start_paused = true)]
async fn without_a_plan_calls_are_counted_and_only_the_vendor_refuses() {
    let fake = answering();
    let client = builder(&fake).build().unwrap();
    for _ in 0..500 {
        read(&client, Lane::Bulk).await.unwrap();
    }
    let status = client.quota().await.unwrap();
    assert_eq!(
        (status.used, status.limit, status.remaining),
        (500, None, None)
    );
    client.set_quota_used(7).await.unwrap();
    assert_eq!(client.quota().await.unwrap().used, 7);
}

#[tokio::test(start_paused = true)]
async fn clients_of_one_account_share_a_count_and_others_do_not() {
    let fake = answering();
    let ledger = QuotaLedger::new(QuotaPlan::Start);
    let wall = Wall::at(NOW);
    let (one, two) = (
        counted(&fake, &ledger, &wall),
        counted(&fake, &ledger, &wall),
    );
    let other = builder(&fake)
        .public_id("another")
        .quota(ledger)
        .timer(Arc::new(wall))
        .build()
        .unwrap();
    read(&one, Lane::Interactive).await.unwrap();
    read(&two, Lane::Interactive).await.unwrap();
    read(&other, Lane::Interactive).await.unwrap();
    assert_eq!(one.quota().await.unwrap().used, 2);
    assert_eq!(other.quota().await.unwrap().used, 1);
}

/// Calls at once never pass the limit together.
#[tokio::test(start_paused = true)]
async fn many_at_once_keep_the_limit() {
    let fake = answering();
    let ledger = QuotaLedger::new(QuotaPlan::Custom(5)).reserve(0);
    let client = counted(&fake, &ledger, &Wall::at(NOW));
    let calls: Vec<_> = (0..20)
        .map(|_| tokio::spawn(client.contacts().get(&UID.into())))
        .collect();
    let mut made = 0;
    for call in calls {
        made += usize::from(call.await.unwrap().is_ok());
    }
    assert_eq!((made, fake.requests().len()), (5, 5));
}

#[tokio::test]
async fn a_file_counts_across_restarts_and_processes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("quota.json");
    let month = QuotaPeriod::new("a", "2026-11-01".parse().unwrap());
    let (one, two) = (FileQuota::new(&path), FileQuota::new(&path));
    let taken = one.take(&month, 3).await.unwrap();
    assert_eq!(taken, Taken::Counted(QuotaUse::new(1, false)));
    // What a count says is on the disk when it says so.
    assert_eq!(FileQuota::new(&path).read(&month).await.unwrap().used, 1);

    let calls: Vec<_> = (0..8)
        .map(|n| {
            let (store, month) = (
                if n % 2 == 0 { one.clone() } else { two.clone() },
                month.clone(),
            );
            tokio::spawn(async move { store.take(&month, 5).await.unwrap() })
        })
        .collect();
    let mut made = 0;
    for call in calls {
        made += u32::from(matches!(call.await.unwrap(), Taken::Counted(_)));
    }
    assert_eq!(made, 4);
    assert_eq!(two.read(&month).await.unwrap(), QuotaUse::new(5, false));
    two.correct(&month, QuotaCorrection::Spent(true))
        .await
        .unwrap();
    assert_eq!(
        one.take(&month, 99).await.unwrap(),
        Taken::Refused(QuotaUse::new(5, true))
    );
    // Nothing half written is left behind.
    assert!(!directory.path().join("quota.json.new").exists());
}

#[rstest]
#[case("")]
#[case("{}")]
#[case(r#"{"version":2,"months":[]}"#)]
#[case(r#"{"version":1,"months":[{"credential":"a"}]}"#)]
#[tokio::test]
async fn a_file_that_is_no_count_is_no_zero(#[case] content: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("quota.json");
    std::fs::write(&path, content).unwrap();
    let fake = answering();
    let ledger = QuotaLedger::new(QuotaPlan::Start).store(FileQuota::new(&path));
    let client = counted(&fake, &ledger, &Wall::at(NOW));
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Store, Delivery::NotSent)
    );
    // Somebody has to look first.
    assert!(!error.is_retryable());
    let shown = error.to_string();
    let path = path.display().to_string();
    assert!(
        shown.contains("cannot be understood") && shown.contains(&path),
        "{shown}"
    );
    assert_eq!(fake.requests().len(), 0);
    assert_eq!(std::fs::read_to_string(path).unwrap(), content);
}

#[tokio::test]
async fn without_a_place_to_count_no_call_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let fake = answering();
    let path = directory.path().join("no-such-directory/quota.json");
    let store = FileQuota::new(&path);
    let client = counted(
        &fake,
        &QuotaLedger::new(QuotaPlan::Start).store(store),
        &Wall::at(NOW),
    );
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Store, Delivery::NotSent)
    );
    assert!(error.is_retryable() && error.retry_after().is_some());
    let shown = error.to_string();
    for said in [
        "cannot be reached",
        &path.display().to_string(),
        "not found",
        "not sent",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert_eq!(fake.requests().len(), 0);
}

/// What never left is not counted; what may have left is.
#[rstest]
#[case::no_connection(Reply::connect_error(), 0)]
#[case::reset(Reply::reset_after_sending(), 1)]
#[case::hang(Reply::hang(), 1)]
#[case::refused(refused(401), 1)]
#[tokio::test(start_paused = true)]
async fn attempts_that_never_left_are_given_back(#[case] reply: Reply, #[case] used: u64) {
    let directory = tempfile::tempdir().unwrap();
    let file = FileQuota::new(directory.path().join("quota.json"));
    let stores: [Arc<dyn QuotaStore>; 2] = [Arc::new(MemoryQuota::new()), Arc::new(file)];
    for store in stores {
        let fake = script([reply.clone()]);
        let ledger = QuotaLedger::new(QuotaPlan::Start).shared_store(store);
        let client = counted(&fake, &ledger, &Wall::at(NOW));
        let call = client.contacts().get(&UID.into()).no_retry();
        call.await.unwrap_err();
        assert_eq!(client.quota().await.unwrap().used, used);
    }
}

/// Just after the month turned, nobody knows of which one it was.
#[tokio::test(start_paused = true)]
async fn what_may_be_of_the_month_before_stays_counted() {
    let fake = script([Reply::connect_error()]);
    let ledger = QuotaLedger::new(QuotaPlan::Start);
    let client = counted(&fake, &ledger, &Wall::at("2026-11-01T00:30:00Z"));
    let call = client.contacts().get(&UID.into()).no_retry();
    call.await.unwrap_err();
    assert_eq!(client.quota().await.unwrap().used, 1);
}

/// A store that counts but cannot be corrected, as a disk that fills up.
struct Full(MemoryQuota);

#[async_trait::async_trait]
impl QuotaStore for Full {
    async fn read(&self, period: &QuotaPeriod) -> Result<QuotaUse, QuotaStoreError> {
        self.0.read(period).await
    }

    async fn take(&self, period: &QuotaPeriod, ceiling: u64) -> Result<Taken, QuotaStoreError> {
        self.0.take(period, ceiling).await
    }

    async fn correct(&self, _: &QuotaPeriod, _: QuotaCorrection) -> Result<(), QuotaStoreError> {
        Err(QuotaStoreError::new(QuotaStoreErrorKind::Unavailable))
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_month_is_remembered_even_if_it_cannot_be_recorded() {
    let fake = script([refused(429)]);
    let ledger = QuotaLedger::new(QuotaPlan::Start).store(Full(MemoryQuota::new()));
    let client = counted(&fake, &ledger, &Wall::at(NOW));
    read(&client, Lane::Interactive).await.unwrap_err();
    let error = read(&client, Lane::Interactive).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(fake.requests().len(), 1);
}
