//! Connecting and testing, on a scripted transport and a directory.

use std::sync::Arc;

use connector_http::testing::{FakeTransport, Reply};
use integration_core::instance::{ConnectOptions, Health, Vendor};
use rstest::rstest;
use serde_json::json;
use suitedash_client::integration::{Config, Connection, Plan, SuiteDash};
use suitedash_client::{Client, ErrorKind, MemoryQuota, QuotaLedger, QuotaPlan};

const ID: &str = "00000000-0000-4000-8000-000000000001";
const KEY: &str = "c4nary-0123456789abcdef";

fn options(transport: &FakeTransport) -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.transport = Some(Arc::new(transport.clone()));
    options
}

fn meta() -> Reply {
    let fields = json!({"f1": {"field_name": "Interest"}, "f2": {"field_name": "Status"}});
    Reply::status(200).json(&json!({
        "first_name": {"field_name": "First Name", "required": true},
        "custom_fields": {"properties": fields},
    }))
}

fn client(connection: &Connection) -> Client {
    connection.client().unwrap().clone()
}

#[tokio::test]
async fn a_test_of_api_mode_takes_one_call_and_says_so() {
    let transport = FakeTransport::new();
    transport.push(meta());
    let vendor = SuiteDash::new().base_url("https://portal.example.com");
    let config = Config::api(ID, KEY).plan(Plan::Start);
    let connection = vendor.connect(&config, &options(&transport)).unwrap();
    let report = vendor.test_connection(&connection).await.unwrap();
    assert_eq!(
        report.message,
        "Connected, with one call of the month. The account has 2 fields of its own."
    );
    assert_eq!(
        report.data,
        Some(json!({"mode": "api", "attributes": 1, "custom_fields": 2}))
    );
    let request = transport.last_request().unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://portal.example.com/secure-api/contact/meta"
    );
    assert_eq!(request.header("x-secret-key"), Some(KEY));
    let quota = client(&connection).quota().await.unwrap();
    assert_eq!((quota.used, quota.limit), (1, Some(400)));
    assert_eq!(vendor.health(), Health::Passive);
}

#[tokio::test]
async fn the_published_pair_proves_nothing_and_the_test_says_so() {
    let transport = FakeTransport::new();
    transport.push(meta());
    let vendor = SuiteDash::new();
    let config = Config::api("00000000-0000-0000-0000-000000000000", "DummySecretKey");
    let connection = vendor.connect(&config, &options(&transport)).unwrap();
    let report = vendor.test_connection(&connection).await.unwrap();
    assert!(
        report.message.contains("nobody's account"),
        "{}",
        report.message
    );
}

#[tokio::test]
async fn a_wrong_pair_fails_the_test() {
    let transport = FakeTransport::new();
    transport.push(Reply::status(401).json(&json!({"success": false, "message": "c4nary"})));
    let vendor = SuiteDash::new();
    let connection = vendor.connect(&Config::api(ID, KEY), &options(&transport));
    let error = vendor
        .test_connection(&connection.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!error.to_string().contains("c4nary"));
}

/// Two instances of one account have one month between them, whatever either says of its plan.
#[tokio::test]
async fn one_account_has_one_month() {
    let transport = FakeTransport::new();
    transport.push(meta()).push(meta()).push(meta());
    let vendor = SuiteDash::new().quota_store(MemoryQuota::new());
    let of = |id: &str, plan| {
        let config = Config::api(id, KEY).plan(plan);
        vendor.connect(&config, &options(&transport)).unwrap()
    };
    let (one, same) = (of(ID, Plan::FreeTrial), of(ID, Plan::Pinnacle));
    let other = of("00000000-0000-4000-8000-000000000002", Plan::Start);
    for connection in [&one, &same, &other] {
        vendor.test_connection(connection).await.unwrap();
    }
    let used = async |connection: &Connection| client(connection).quota().await.unwrap().used;
    assert_eq!(
        (used(&one).await, used(&same).await, used(&other).await),
        (2, 2, 1)
    );
    assert_eq!(client(&same).quota().await.unwrap().limit, Some(20_000));
}

#[tokio::test]
async fn the_hosts_ledger_counts_where_a_tenant_names_no_plan() {
    let transport = FakeTransport::new();
    let ledger = QuotaLedger::new(QuotaPlan::Custom(0));
    let vendor = SuiteDash::new().quota(ledger);
    let connection = vendor
        .connect(&Config::api(ID, KEY), &options(&transport))
        .unwrap();
    let error = vendor.test_connection(&connection).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaSpent);
    assert_eq!(transport.requests().len(), 0);
}

#[rstest]
#[case(None, Some(KEY))]
#[case(Some(ID), None)]
#[case(Some(" "), Some(KEY))]
#[case(Some(ID), Some(""))]
#[case(Some(ID), Some("$2y$10$c4nary"))]
fn what_cannot_connect_is_said_at_once(#[case] id: Option<&str>, #[case] key: Option<&str>) {
    let mut config = Config::api("", "");
    config.public_id = id.map(str::to_owned);
    config.secret_key = key.map(Into::into);
    let refused = SuiteDash::new().connect(&config, &ConnectOptions::default());
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error} {error:?}").contains("c4nary"));
}

#[tokio::test]
async fn import_mode_writes_where_the_host_says_and_in_a_place_of_its_own() {
    let root = tempfile::tempdir().unwrap();
    let vendor = SuiteDash::new().export_directory(root.path());
    let mut options = ConnectOptions::default();
    // Not saved yet: nothing is left behind.
    let unsaved = vendor.connect(&Config::import(), &options).unwrap();
    let report = vendor.test_connection(&unsaved).await.unwrap();
    assert!(report.message.starts_with("Ready."), "{}", report.message);
    assert_eq!(report.data, Some(json!({"mode": "import"})));
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);

    options.account = Some("01a1feb5-7f25-704e-93d2-d8a68d9b0767".to_owned());
    let saved = vendor.connect(&Config::import(), &options).unwrap();
    vendor.test_connection(&saved).await.unwrap();
    let place = saved.import_place().unwrap();
    assert_eq!(place.directory().parent(), Some(root.path()));
    for name in ["..", "", "a/b", "a\0b"] {
        options.account = Some(name.to_owned());
        let refused = vendor.connect(&Config::import(), &options).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{name:?}");
    }
}

#[tokio::test]
async fn without_a_directory_there_is_no_import_mode() {
    let options = ConnectOptions::default();
    let refused = SuiteDash::new().connect(&Config::import(), &options);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
    let vendor = SuiteDash::new().export_directory("/nowhere/at/all");
    let connection = vendor.connect(&Config::import(), &options).unwrap();
    let error = vendor.test_connection(&connection).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!error.to_string().contains("nowhere"), "{error}");
}
