//! The transport that sends a client's requests through the proxy and writes down what it finds.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use connector_http::{
    BoxFuture, ReqwestTransport, Transport, TransportError, WireRequest, WireResponse, WireStream,
};
use url::Url;

use crate::prism::Prism;
use crate::surface::Setting;
use crate::tap::Tap;
use crate::violation::{self, Refusal, Violation};

/// One request with the vendor's answer, and what was wrong with the two.
pub(crate) struct Exchange {
    /// The method.
    pub(crate) method: String,
    /// The path, as it was sent.
    pub(crate) path: String,
    /// The status of the vendor's answer.
    pub(crate) status: u16,
    /// What the proxy found.
    pub(crate) violations: Vec<Violation>,
}

/// The way from a client to its sandbox.
///
/// It carries one request at a time; flows do not call in parallel.
pub(crate) struct Judge {
    wire: ReqwestTransport,
    upstream: Url,
    tap: Tap,
    prism: Prism,
    seen: Mutex<Vec<Exchange>>,
}

impl Judge {
    /// Puts the proxy before the sandbox at `upstream`.
    pub(crate) async fn start(setting: Setting<'_>, upstream: &str) -> Result<Self, String> {
        let Setting {
            specification,
            proxy,
        } = setting;
        let upstream = Url::parse(upstream).map_err(|error| error.to_string())?;
        let wire = ReqwestTransport::builder()
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        let tap = Tap::start(upstream.clone(), wire.clone()).await?;
        let prism = Prism::start(proxy, absolute(specification)?.as_path(), tap.base_url()).await?;
        Ok(Self {
            wire,
            upstream,
            tap,
            prism,
            seen: Mutex::default(),
        })
    }

    /// The address that the client is given.
    pub(crate) fn base_url(&self) -> &Url {
        self.prism.base_url()
    }

    /// Takes what was seen so far.
    pub(crate) fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.seen())
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn judge(&self, request: WireRequest) -> Result<WireResponse, TransportError> {
        let (method, path) = (request.method.to_string(), request.url.path().to_owned());
        let direct = self.direct(&request);
        // Of an exchange whose answer was lost nothing may be left.
        drop(self.tap.take());
        let answer = self.wire.execute(request).await?;
        let refusal = answer.body.as_deref().ok().and_then(Refusal::read);
        let heard = self.tap.take();
        let (violations, answer) = match (refusal, heard) {
            (None, _) => (violation::in_header(&answer.headers, answer.status), answer),
            (Some(refusal), Some(original)) => (
                refusal.violations(&answer.headers, Some(original.status)),
                original,
            ),
            (Some(refusal), None) => (
                refusal.violations(&answer.headers, None),
                self.wire.execute(direct).await?,
            ),
        };
        self.seen().push(Exchange {
            method,
            path,
            status: answer.status,
            violations,
        });
        Ok(answer)
    }

    /// The same request past the proxy: one that it refuses must still have its effect, for the flow to go on.
    fn direct(&self, request: &WireRequest) -> WireRequest {
        let mut url = self.upstream.clone();
        url.set_path(request.url.path());
        url.set_query(request.url.query());
        let mut direct = WireRequest::new(request.method.clone(), url);
        direct.headers = request.headers.clone();
        direct.body.clone_from(&request.body);
        direct.timeout = request.timeout;
        direct.max_body = request.max_body;
        direct
    }
}

impl Transport for Judge {
    fn execute(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        Box::pin(self.judge(request))
    }

    /// Downloads go where the vendor said, and no specification describes them.
    fn execute_stream(
        &self,
        request: WireRequest,
    ) -> BoxFuture<'_, Result<WireStream, TransportError>> {
        self.wire.execute_stream(request)
    }
}

/// The proxy takes what it cannot find for an address on the web.
fn absolute(file: &Path) -> Result<std::path::PathBuf, String> {
    file.canonicalize()
        .map_err(|error| format!("{}: {error}", file.display()))
}
