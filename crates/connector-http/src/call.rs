//! A call that has not happened yet, and what comes back when it has.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::client::Client;
use crate::decode::DecodeFault;
use crate::error::Error;
use crate::limits::Lane;
use crate::pipeline;
use crate::request::{Options, Plan};
use crate::transport::BoxFuture;

/// Makes a value of an answer's body.
pub(crate) type Decode<T> = Box<dyn FnOnce(&Bytes) -> Result<T, DecodeFault> + Send>;

/// A call that is made when it is awaited, with the options for it.
///
/// Nothing happens before the first poll. It is `Unpin` and `Send`, so it can be spawned, joined or buffered as it
/// is. Dropping it cancels it; use [`deadline`](Self::deadline) rather than an outer timeout, which loses the
/// error and with it the answer to "did it happen?".
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    state: State<T>,
}

enum State<T> {
    Planned(Box<Plan>, Decode<T>),
    Running(BoxFuture<'static, Result<Answer<T>, Error>>),
    Failed(Error),
    Over,
}

/// A value and what came with it.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: u32,
    pub(crate) client: Client,
}

impl<T: Send + 'static> Call<T> {
    pub(crate) fn new(plan: Box<Plan>, decode: Decode<T>) -> Self {
        Self {
            state: State::Planned(plan, decode),
        }
    }

    /// Makes a call that fails with this error: for a client's method that finds fault before there is a request.
    ///
    /// # Errors
    ///
    /// Always this one.
    pub fn failed(error: Error) -> Self {
        Self {
            state: State::Failed(error),
        }
    }

    /// Limits each attempt to this time, its answer's body included.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.attempt_timeout = Some(timeout))
    }

    /// Limits the whole call to this time from its first poll, waits and retries included.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.with(|options| options.deadline = Some(deadline))
    }

    /// Makes at most one request, whatever comes of it; not even a refused token is replaced.
    pub fn no_retry(self) -> Self {
        self.with(|options| options.no_retry = true)
    }

    /// Uses this idempotency key instead of a fresh one, so that a repetition by the caller counts as the same
    /// request. Where the vendor documents no such key the call fails with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.with(|options| options.idempotency_key = Some(key))
    }

    /// Chooses who goes first while calls wait for a rate limit.
    pub fn lane(self, lane: Lane) -> Self {
        self.with(|options| options.lane = lane)
    }

    /// Changes the value on success.
    ///
    /// # Errors
    ///
    /// Those of this call.
    pub fn map<U: Send + 'static>(self, change: impl FnOnce(T) -> U + Send + 'static) -> Call<U> {
        let state = match self.state {
            State::Planned(plan, decode) => {
                State::Planned(plan, Box::new(move |body| decode(body).map(change)))
            }
            State::Running(running) => State::Running(Box::pin(async move {
                let answer = running.await?;
                Ok(Answer {
                    value: change(answer.value),
                    status: answer.status,
                    headers: answer.headers,
                    attempts: answer.attempts,
                    client: answer.client,
                })
            })),
            State::Failed(error) => State::Failed(error),
            State::Over => State::Over,
        };
        Call { state }
    }

    /// Asks for the status, the headers and the request id besides the value.
    pub fn with_response(self) -> CallWithResponse<T> {
        CallWithResponse { call: self }
    }

    /// Vendor and operation, while they are known.
    pub(crate) fn names(&self) -> Option<(&'static str, &'static str)> {
        match &self.state {
            State::Planned(plan, _) => Some((plan.client.vendor(), plan.operation.name)),
            State::Running(_) | State::Failed(_) | State::Over => None,
        }
    }

    fn with(mut self, set: impl FnOnce(&mut Options)) -> Self {
        if let State::Planned(plan, _) = &mut self.state {
            set(&mut plan.options);
        }
        self
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer<T>, Error>> {
        loop {
            if let State::Running(running) = &mut self.state {
                let result = running.as_mut().poll(cx);
                if result.is_ready() {
                    self.state = State::Over;
                }
                return result;
            }
            match std::mem::replace(&mut self.state, State::Over) {
                State::Planned(plan, decode) => {
                    self.state = State::Running(Box::pin(pipeline::drive(plan, decode)));
                }
                State::Failed(error) => return Poll::Ready(Err(error)),
                State::Running(_) | State::Over => {
                    let reason = "the call was polled after it was over";
                    return Poll::Ready(Err(Error::config("connector-http", "call", reason)));
                }
            }
        }
    }
}

impl<T: Send + 'static> Future for Call<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_answer(cx).map_ok(|answer| answer.value)
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Call");
        match &self.state {
            State::Planned(plan, _) => out.field("operation", &plan.operation.name),
            State::Running(_) => out.field("state", &"running"),
            State::Failed(error) => out.field("failed", error),
            State::Over => out.field("state", &"over"),
        };
        out.finish_non_exhaustive()
    }
}

/// A [`Call`] that also gives what came with the value.
#[must_use = "a call does nothing until it is awaited"]
pub struct CallWithResponse<T> {
    call: Call<T>,
}

impl<T: Send + 'static> Future for CallWithResponse<T> {
    type Output = Result<Response<T>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().call.poll_answer(cx).map_ok(|answer| {
            let request_id = answer.client.request_id(&answer.headers);
            Response {
                value: answer.value,
                status: answer.status,
                request_id: request_id.map(str::to_owned),
                headers: answer.headers,
                attempts: answer.attempts,
            }
        })
    }
}

impl<T> fmt::Debug for CallWithResponse<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallWithResponse").field(&self.call).finish()
    }
}

/// A value and what came with it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response<T> {
    /// The value.
    pub value: T,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The vendor's name for the request, if it gave one.
    pub request_id: Option<String>,
    /// How many requests it took.
    pub attempts: u32,
}

/// Leaves out the header values.
impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("value", &self.value)
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
