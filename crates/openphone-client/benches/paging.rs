//! A contact list through the stream, against the same pages fetched with bare reqwest.

use std::time::Duration;

use connector_http::{Rate, RateClass};
use http::header;
use openphone_client::{Client, Contact, ListContacts};
use serde::Deserialize;
use vendor_sandbox::Sandbox;

use crate::harness;
use crate::memory::peak_memory_mb;

const TIMEOUT: Duration = Duration::from_secs(15);
const PAGE_SIZE: u64 = 50;
const PAGES_A_BATCH: u64 = 60;
const ALL_CONTACTS: u64 = 1_000_000;

/// Serves as many synthetic contacts as asked for, with the vendor's limit lifted, until the parent ends it.
pub(crate) async fn serve(contacts: &str) {
    let count = contacts.parse().expect("a number of contacts");
    let sandbox = Sandbox::openphone()
        .rate_limit(None)
        .start()
        .await
        .expect("starts");
    sandbox.control().seed_contacts(count);
    println!("{} {}", sandbox.base_url(), sandbox.api_key());
    std::future::pending::<()>().await;
}

/// Starts a server of what `which` names; its URL and its key.
pub(crate) fn start(which: &str) -> (harness::ServerProcess, String, String) {
    let server = harness::ServerProcess::start(which);
    let (url, key) = server.url.split_once(' ').expect("URL and key");
    let (url, key) = (url.to_owned(), key.to_owned());
    (server, url, key)
}

/// A client that the pace does not hold back.
pub(crate) fn client(url: &str, key: &str) -> Client {
    let limits = Rate::per_second(1_000_000);
    Client::builder()
        .api_key(key)
        .base_url(url)
        .rate(RateClass::DEFAULT, limits)
        .build()
        .expect("a client")
}

/// `paging_cpu_ratio`: the CPU of whole pages, decoded into the same contacts on both sides.
pub(crate) fn print_cpu() {
    let (_server, url, key) = start(&(PAGE_SIZE * PAGES_A_BATCH).to_string());
    let runtime = harness::runtime();
    let ours = client(&url, &key);
    let raw = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");

    let value = harness::ratio(
        || {
            harness::cpu_of(|| {
                assert_eq!(
                    runtime.block_on(count_raw(&raw, &url, &key)),
                    PAGE_SIZE * PAGES_A_BATCH
                );
            })
        },
        || {
            harness::cpu_of(|| {
                assert_eq!(
                    runtime.block_on(count_ours(&ours)),
                    PAGE_SIZE * PAGES_A_BATCH
                );
            })
        },
    );
    harness::print("paging_cpu_ratio", value, "at most 1.05");
}

/// `paging_growth_mb`: how much the peak of memory rises from page 3 to the end of a million contacts.
pub(crate) fn print_growth() {
    let (_server, url, key) = start(&ALL_CONTACTS.to_string());
    let ours = client(&url, &key);
    let growth = harness::runtime().block_on(async {
        let mut contacts = ours
            .contacts()
            .list(&ListContacts::new())
            .max_pages(u64::MAX)
            .items();
        let (mut seen, mut after_page_three) = (0, 0.0);
        while let Some(contact) = contacts.next().await {
            contact.expect("a contact");
            seen += 1;
            if seen == 3 * PAGE_SIZE {
                after_page_three = peak_memory_mb();
            }
        }
        assert_eq!(seen, ALL_CONTACTS);
        peak_memory_mb() - after_page_three
    });
    harness::print("paging_growth_mb", growth, "under 4");
}

async fn count_ours(client: &Client) -> u64 {
    let mut contacts = client.contacts().list(&ListContacts::new()).items();
    let mut seen = 0;
    while let Some(contact) = contacts.next().await {
        contact.expect("a contact");
        seen += 1;
    }
    seen
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPage {
    data: Vec<Contact>,
    next_page_token: Option<String>,
}

async fn count_raw(http: &reqwest::Client, base: &str, key: &str) -> u64 {
    let (mut seen, mut token) = (0, None::<String>);
    loop {
        let mut url = format!("{base}/v1/contacts?maxResults={PAGE_SIZE}");
        if let Some(token) = &token {
            url.push_str("&pageToken=");
            url.push_str(token);
        }
        let request = http
            .get(url)
            .header(header::AUTHORIZATION, key)
            .timeout(TIMEOUT);
        let body = request
            .send()
            .await
            .expect("answers")
            .bytes()
            .await
            .expect("a body");
        let page: RawPage = serde_json::from_slice(&body).expect("decodes");
        for contact in page.data {
            std::hint::black_box(contact);
            seen += 1;
        }
        match page.next_page_token {
            Some(next) => token = Some(next),
            None => return seen,
        }
    }
}
