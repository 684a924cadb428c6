//! Several calls in a row as one thing to await, with the options for each of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use connector_http::{Call, Error, Lane};

use crate::client::VENDOR;

type Running<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
type Start<T> = Box<dyn FnOnce(CallOptions) -> Running<T> + Send>;

/// A method that takes several calls, such as a read and a write: they happen when it is awaited.
///
/// Like a [`Call`] it is `Unpin` and `Send`, so that it can be spawned, joined or buffered as it is,
/// and takes its options before it is awaited. They hold for each of its calls.
#[must_use = "nothing is read or written until it is awaited"]
pub struct CallSequence<T> {
    operation: &'static str,
    state: State<T>,
}

enum State<T> {
    Planned(Start<T>, CallOptions),
    Running(Running<T>),
    Over,
}

impl<T: 'static> CallSequence<T> {
    pub(crate) fn new<F>(
        operation: &'static str,
        start: impl FnOnce(CallOptions) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let start: Start<T> = Box::new(move |options| Box::pin(start(options)));
        Self {
            operation,
            state: State::Planned(start, CallOptions::default()),
        }
    }

    /// What is over before it has begun, to stand in for what is taken out.
    pub(crate) fn over(operation: &'static str) -> Self {
        Self {
            operation,
            state: State::Over,
        }
    }

    /// Limits each attempt of each call to this time.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeout = Some(timeout))
    }

    /// Limits each call to this time, waits and retries included.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.with(|options| options.deadline = Some(deadline))
    }

    /// Makes each call with one request, whatever comes of it.
    pub fn no_retry(self) -> Self {
        self.with(|options| options.no_retry = true)
    }

    /// Chooses who goes first while calls wait for the rate limit.
    pub fn lane(self, lane: Lane) -> Self {
        self.with(|options| options.lane = lane)
    }

    fn with(mut self, set: impl FnOnce(&mut CallOptions)) -> Self {
        if let State::Planned(_, options) = &mut self.state {
            set(options);
        }
        self
    }
}

impl<T: 'static> Future for CallSequence<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut running = match std::mem::replace(&mut this.state, State::Over) {
            State::Planned(start, options) => start(options),
            State::Running(running) => running,
            State::Over => {
                let reason = "it was polled after it was over";
                return Poll::Ready(Err(Error::config(VENDOR, this.operation, reason)));
            }
        };
        let polled = running.as_mut().poll(cx);
        if polled.is_pending() {
            this.state = State::Running(running);
        }
        polled
    }
}

impl<T> fmt::Debug for CallSequence<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSequence")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// What the caller chose for each call.
#[derive(Copy, Clone, Default)]
pub(crate) struct CallOptions {
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    no_retry: bool,
    pub(crate) lane: Lane,
}

impl CallOptions {
    /// Gives a call these options.
    pub(crate) fn apply<T: Send + 'static>(self, mut call: Call<T>) -> Call<T> {
        if let Some(timeout) = self.timeout {
            call = call.timeout(timeout);
        }
        if let Some(deadline) = self.deadline {
            call = call.deadline(deadline);
        }
        if self.no_retry {
            call = call.no_retry();
        }
        call.lane(self.lane)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use connector_http::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn a_second_await_is_an_error_and_no_hang() {
        let mut calls = CallSequence::new("test", |_| async { Ok(7) });
        let mut again = async || poll_fn(|cx| Pin::new(&mut calls).poll(cx)).await;
        assert_eq!(again().await.unwrap(), 7);
        assert_eq!(again().await.unwrap_err().kind(), ErrorKind::Config);
    }
}
