//! The sound of recordings: addresses that expire, and the bytes behind them.

use serde_json::json;
use vendor_sandbox::openphone::{CallEnd, DOWNLOAD_MEDIA, NewCall};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

use crate::support::{Answer, Api, exchange, find};

const THEM: &str = "+12025550143";

async fn recorded(api: &Api) -> (String, String) {
    let call = NewCall::incoming(THEM, api.sandbox.phone_number());
    let id = api.control.place_call(&call).unwrap();
    api.control.finish_calls();
    let list = api
        .get(&format!("/v1/call-recordings/{id}"))
        .await
        .expect(200)
        .json();
    (id, list["data"][0]["url"].as_str().unwrap().to_owned())
}

/// Asks without a key, as a download does.
async fn download(api: &Api, url: &str, header: &str) -> Answer {
    let address = api.sandbox.base_url().strip_prefix("http://").unwrap();
    let path = url.strip_prefix(api.sandbox.base_url()).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{header}connection: close\r\n\r\n");
    exchange(address, request.as_bytes()).await.unwrap()
}

#[tokio::test]
async fn a_recording_is_downloaded_without_a_key() {
    let api = Api::start().await;
    let (id, url) = recorded(&api).await;
    let answer = download(&api, &url, "").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("audio/mpeg"));
    assert_eq!(answer.header("ratelimit"), None);
    assert_eq!(answer.body, api.control.recording(&id).unwrap());
    // 20 seconds in frames of 24 milliseconds and 24 bytes, each with the same head.
    assert_eq!(answer.body.len(), 20_000 / 24 * 24);
    assert!(
        answer
            .body
            .chunks(24)
            .all(|frame| frame.starts_with(&[0xff, 0xf3, 0x14, 0xc0]))
    );
}

#[tokio::test]
async fn a_part_of_it_may_be_asked_for() {
    let api = Api::start().await;
    let (id, url) = recorded(&api).await;
    let whole = api.control.recording(&id).unwrap();
    let part = download(&api, &url, "range: bytes=100-199\r\n")
        .await
        .expect(206);
    assert_eq!(part.body, whole[100..200]);
    let range = format!("bytes 100-199/{}", whole.len());
    assert_eq!(part.header("content-range"), Some(&*range));
    let beyond = download(&api, &url, "range: bytes=99999999-\r\n")
        .await
        .expect(416);
    assert_eq!(
        beyond.header("content-range"),
        Some(&*format!("bytes */{}", whole.len()))
    );
}

#[tokio::test]
async fn addresses_expire_and_are_signed() {
    let api = Api::start().await;
    let (_, url) = recorded(&api).await;
    for changed in [
        url.replace("signature=", "signature=0"),
        url.replace("expires=", "expires=9"),
        url.split('?').next().unwrap().to_owned(),
    ] {
        let refused = download(&api, &changed, "").await.expect(403);
        assert!(find(&refused.body, b"SignatureDoesNotMatch").is_some());
    }
    api.control.expire_recording_urls();
    download(&api, &url, "").await.expect(403);
    let (_, fresh) = recorded(&api).await;
    download(&api, &fresh, "").await.expect(200);

    let builder = Sandbox::openphone()
        .rate_limit(None)
        .recording_url_seconds(0);
    let api = Api::on(builder.start().await.unwrap());
    let (_, url) = recorded(&api).await;
    let refused = download(&api, &url, "").await.expect(403);
    assert!(find(&refused.body, b"ExpiredToken").is_some());
}

#[tokio::test]
async fn a_voicemail_has_its_sound_too() {
    let api = Api::start().await;
    let call = NewCall::incoming(THEM, api.sandbox.phone_number()).end(CallEnd::Voicemail);
    let id = api.control.place_call(&call).unwrap();
    api.control.finish_calls();
    let voicemail = api
        .get(&format!("/v1/call-voicemails/{id}"))
        .await
        .expect(200)
        .json();
    let url = voicemail["data"]["recordingUrl"].as_str().unwrap();
    download(&api, url, "").await.expect(200);
    api.control.reset();
    download(&api, url, "").await.expect(404);
}

#[tokio::test]
async fn downloads_break_off_like_everything_else() {
    let api = Api::start().await;
    let (_, url) = recorded(&api).await;
    let plan = FaultPlan::none().next(
        DOWNLOAD_MEDIA,
        1,
        Fault::ServerError {
            status: 503,
            retry_after: None,
        },
    );
    api.control.faults(plan);
    download(&api, &url, "").await.expect(503);
    download(&api, &url, "").await.expect(200);
    let counts = api.get("/_sandbox/operations").await.expect(200).json();
    let media = counts["operations"].as_array().unwrap().iter();
    let media = media
        .clone()
        .find(|count| count["id"] == "downloadMedia")
        .unwrap();
    assert_eq!(
        (&media["requests"], &media["succeeded"]),
        (&json!(2), &json!(1))
    );
}
