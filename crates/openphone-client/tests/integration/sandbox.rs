//! The vendor's part of an instance's life, against the simulated vendor.

use integration_core::instance::{ConnectOptions, RegisteredWebhook, Vendor, WebhookRequest};
use openphone_client::integration::{Config, OpenPhone, Settings};
use openphone_client::{Client, ErrorKind, ListWebhooks};
use serde_json::json;
use vendor_sandbox::Sandbox;

const URL: &str = "https://hooks.example.com/quo/7d1f";

async fn sandbox() -> (Sandbox, OpenPhone, Client) {
    let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
    let vendor = OpenPhone::new().base_url(sandbox.base_url());
    let config = Config::new(sandbox.api_key());
    let client = vendor.connect(&config, &ConnectOptions::default()).unwrap();
    (sandbox, vendor, client)
}

fn ids(webhooks: &[RegisteredWebhook]) -> Vec<String> {
    let id = |webhook: &RegisteredWebhook| webhook.vendor_webhook_id.clone();
    webhooks.iter().map(id).collect()
}

async fn there(client: &Client) -> Vec<String> {
    let webhooks = client.webhooks().list(&ListWebhooks::new()).await.unwrap();
    let id = |webhook: &openphone_client::Webhook| webhook.id.as_str().to_owned();
    webhooks.iter().map(id).collect()
}

#[tokio::test]
async fn a_key_that_is_taken_away_fails_the_test() {
    let (sandbox, vendor, client) = sandbox().await;
    let report = vendor.test_connection(&client).await.unwrap();
    assert_eq!(
        report.message,
        "Connected. The workspace has 2 phone numbers."
    );
    assert_eq!(report.data, Some(json!({ "phone_numbers": 2 })));

    let wrong = Config::new(format!("{}x", sandbox.api_key()));
    let wrong = vendor.connect(&wrong, &ConnectOptions::default()).unwrap();
    let error = vendor.test_connection(&wrong).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn webhooks_follow_the_settings_and_go() {
    let (sandbox, vendor, client) = sandbox().await;
    let request = WebhookRequest::new(URL.parse().unwrap());
    let all = Settings::new().auto_log_call_summaries(true);
    let first = vendor
        .ensure_webhooks(&client, &all, &request)
        .await
        .unwrap();
    assert_eq!(first.len(), 4);
    assert!(first.iter().all(|webhook| webhook.secret.is_some()));
    let again = vendor
        .ensure_webhooks(&client, &all, &request)
        .await
        .unwrap();
    assert_eq!(ids(&again), ids(&first));

    let texts = Settings::new()
        .auto_log_calls(false)
        .phone_number_id(sandbox.phone_number_id());
    let texts = vendor
        .ensure_webhooks(&client, &texts, &request)
        .await
        .unwrap();
    assert_eq!(texts.len(), 1);
    assert!(!ids(&first).contains(&ids(&texts)[0]));
    assert_eq!(there(&client).await, ids(&texts));

    // Those that went before count as taken back.
    let every: Vec<String> = ids(&first).into_iter().chain(ids(&texts)).collect();
    vendor.remove_webhooks(&client, &every).await.unwrap();
    assert!(there(&client).await.is_empty());
}

#[tokio::test]
async fn webhooks_move_with_the_address() {
    let (_sandbox, vendor, client) = sandbox().await;
    let texts = Settings::new().auto_log_calls(false);
    let request = WebhookRequest::new(URL.parse().unwrap());
    let old = vendor
        .ensure_webhooks(&client, &texts, &request)
        .await
        .unwrap();

    let mut moved = WebhookRequest::new("https://new.example.com/quo/7d1f".parse().unwrap());
    moved.registered = old.clone();
    let new = vendor
        .ensure_webhooks(&client, &texts, &moved)
        .await
        .unwrap();
    assert_ne!(ids(&new), ids(&old));
    assert_eq!(there(&client).await, ids(&new));
}
