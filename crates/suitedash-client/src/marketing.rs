//! Subscribing people to marketing audiences.

use connector_http::Call;
use serde_json::Value;

use crate::check::Check;
use crate::client::Client;
use crate::reply::Reply;

connector_http::endpoints! {
    /// Subscribes people to audiences.
    SUBSCRIBE = "marketing.subscribe": POST "/marketing/subscribe", NotIdempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
}

/// The marketing audiences. From [`Client::marketing`].
///
/// **The body is not typed**: the two public clients contradict each other (`{"subscribers": […]}` with addresses and
/// numeric audience ids here, `{"contacts": […], "audience": …}` there), and the original description was out of
/// reach. Take the form from `https://app.suitedash.com/secure-api/swagger` of a live account. The ids of audiences
/// come from SuiteDash's user interface; no operation lists them. It needs the person's consent.
///
/// ```
/// # async fn example(client: suitedash_client::Client, body: serde_json::Value) -> Result<(), suitedash_client::Error> {
/// let reply = client.marketing().subscribe(&body).await?;
/// println!("{}", reply.data); // the outcome of each item: a success can hide failures
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Marketing<'a> {
    client: &'a Client,
}

impl<'a> Marketing<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Subscribes people. **The vendor answers 200 if at least one item worked**: read the outcomes in the reply.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a body that is no object; else the usual ones of a
    /// write.
    pub fn subscribe(&self, body: &Value) -> Call<SubscribeReply> {
        let mut check = Check::new();
        check.require(body.is_object(), "", "must be a json object");
        check.value(body, "");
        let request = self.client.http().request(&SUBSCRIBE).json(body);
        check
            .guard(request, SUBSCRIBE.name)
            .fetch_map(|reply: Reply<Value>| SubscribeReply {
                message: reply.message,
                data: reply.data,
            })
    }
}

/// What the vendor says about a subscription. `Debug` tells only whether there is something.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SubscribeReply {
    /// The vendor's message, if it is not empty.
    pub message: Option<String>,
    /// The outcomes, in a form nobody has shown.
    pub data: Value,
}

connector_http::masked_debug!(SubscribeReply {
    shown: [],
    masked: [message, data]
});
