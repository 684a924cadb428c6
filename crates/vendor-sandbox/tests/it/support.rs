//! A client of a few lines that hides nothing: it sees resets, short bodies and raw headers.

use std::fmt::Write as _;
use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vendor_sandbox::openphone::OpenPhone;
use vendor_sandbox::{Control, Sandbox};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The paths of `errors`, in order.
    pub(crate) fn error_paths(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| error["path"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }
}

pub(crate) struct Api {
    address: String,
    key: Option<String>,
    /// What stands in `Quo-Api-Version`.
    version: Option<String>,
    pub(crate) control: Control<OpenPhone>,
    /// Keeps the port open.
    pub(crate) sandbox: Sandbox,
}

impl Api {
    /// Starts a sandbox without a rate limit.
    pub(crate) async fn start() -> Self {
        Self::on(Sandbox::openphone().rate_limit(None).start().await.unwrap())
    }

    pub(crate) fn on(sandbox: Sandbox) -> Self {
        Self {
            address: sandbox
                .base_url()
                .strip_prefix("http://")
                .unwrap()
                .to_owned(),
            key: Some(sandbox.api_key().to_owned()),
            version: None,
            control: sandbox.control(),
            sandbox,
        }
    }

    pub(crate) fn with_key(mut self, key: Option<&str>) -> Self {
        self.key = key.map(str::to_owned);
        self
    }

    pub(crate) fn with_version(mut self, version: Option<&str>) -> Self {
        self.version = version.map(str::to_owned);
        self
    }

    /// Starts a sandbox without a rate limit, and asks for the dated API.
    pub(crate) async fn start_dated() -> Self {
        Self::start().await.with_version(Some("2026-03-30"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body)).await.unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body)).await.unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        let body = body.map(Value::to_string);
        let content_type = body.is_some().then_some("application/json");
        self.raw(
            method,
            path,
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
        if let Some(key) = &self.key {
            write!(head, "authorization: {key}\r\n").unwrap();
        }
        if let Some(version) = &self.version {
            write!(head, "Quo-Api-Version: {version}\r\n").unwrap();
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
}

/// Sends these bytes and reads the answer until the connection closes.
pub(crate) async fn exchange(address: &str, request: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let eof = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = find(&bytes, b"\r\n\r\n").ok_or_else(eof)?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let body = bytes[end + 4..].to_vec();
    let answer = Answer {
        status,
        headers,
        body,
    };
    let length: usize = answer
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    if answer.body.len() < length {
        Err(eof())
    } else {
        Ok(answer)
    }
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// The keys of an object, sorted.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// Encodes one query value.
pub(crate) fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
