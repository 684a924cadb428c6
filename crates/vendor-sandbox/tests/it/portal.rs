//! A caller of SuiteDash, as bare as the one in `support`.

use std::fmt::Write as _;
use std::io;

use serde_json::{Value, json};
use vendor_sandbox::suitedash::{DUMMY_PUBLIC_ID, DUMMY_SECRET_KEY, Options, SuiteDash};
use vendor_sandbox::{Builder, Control, Sandbox};

use crate::support::{Answer, exchange};

pub(crate) struct Portal {
    address: String,
    pair: (Option<String>, Option<String>),
    pub(crate) control: Control<SuiteDash>,
    /// Keeps the port open.
    pub(crate) sandbox: Sandbox<SuiteDash>,
}

impl Portal {
    pub(crate) async fn start() -> Self {
        Self::with(Sandbox::suitedash()).await
    }

    pub(crate) async fn with(builder: Builder<Options>) -> Self {
        let sandbox = builder.start().await.unwrap();
        let address = sandbox.base_url().strip_prefix("http://").unwrap();
        let pair = (sandbox.public_id(), sandbox.secret_key());
        Self {
            address: address.to_owned(),
            pair: (Some(pair.0.to_owned()), Some(pair.1.to_owned())),
            control: sandbox.control(),
            sandbox,
        }
    }

    pub(crate) fn with_pair(mut self, public_id: Option<&str>, secret: Option<&str>) -> Self {
        self.pair = (public_id.map(str::to_owned), secret.map(str::to_owned));
        self
    }

    pub(crate) fn into_dummy(self) -> Self {
        self.with_pair(Some(DUMMY_PUBLIC_ID), Some(DUMMY_SECRET_KEY))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body)).await.unwrap()
    }

    /// Sends to a path below `/secure-api`, or to `/_sandbox/`.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        let body = body.map(Value::to_string);
        let content_type = body.is_some().then_some("application/json");
        let base = if path.starts_with("/_sandbox") {
            ""
        } else {
            "/secure-api"
        };
        let path = format!("{base}{path}");
        self.raw(
            method,
            &path,
            content_type,
            body.unwrap_or_default().as_bytes(),
        )
        .await
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        if let Some(public_id) = &self.pair.0 {
            write!(head, "X-Public-ID: {public_id}\r\n").unwrap();
        }
        if let Some(secret) = &self.pair.1 {
            write!(head, "X-Secret-Key: {secret}\r\n").unwrap();
        }
        if let Some(content_type) = content_type {
            write!(head, "content-type: {content_type}\r\n").unwrap();
        }
        write!(
            head,
            "content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )
        .unwrap();
        exchange(&self.address, &[head.as_bytes(), body].concat()).await
    }

    /// Creates a lead and returns its UID.
    pub(crate) async fn lead(&self, first_name: &str, email: &str) -> String {
        let body = lead(first_name, email);
        let answer = self.post("/contact", &body).await.expect(201);
        text(&answer.json()["data"]["uid"])
    }
}

/// The body of create for somebody who filled in a form.
pub(crate) fn lead(first_name: &str, email: &str) -> Value {
    json!({
        "role": "Lead",
        "first_name": first_name,
        "last_name": "Roe",
        "email": email,
        "send_welcome_email": false,
    })
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
