//! Several calls in a row as one thing to await, with the options for each of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::call::Call;
use crate::error::Error;
use crate::limits::Lane;

type Running<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
type Start<T> = Box<dyn FnOnce(CallOptions) -> Running<T> + Send>;

/// A method that takes several calls, such as a read and a write: they happen when it is awaited.
///
/// Like a [`Call`] it is `Unpin` and `Send`, so that it can be spawned, joined or buffered as it is,
/// and takes its options before it is awaited. They hold for each of its calls.
///
/// ```
/// use connector_http::{CallSequence, Client, Error, Method};
/// use serde_json::Value;
///
/// fn both(client: &Client) -> CallSequence<(Value, Value)> {
///     let client = client.clone();
///     CallSequence::new("acme", "things.both", move |options| async move {
///         let first = options.apply(client.raw(Method::Get, "/v1/things/1").fetch()).await?;
///         let second = options.apply(client.raw(Method::Get, "/v1/things/2").fetch()).await?;
///         Ok((first, second))
///     })
/// }
///
/// # async fn example(client: Client) -> Result<(), Error> {
/// both(&client).no_retry().await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing is read or written until it is awaited"]
pub struct CallSequence<T> {
    vendor: &'static str,
    operation: &'static str,
    state: State<T>,
}

enum State<T> {
    Planned(Start<T>, CallOptions),
    Running(Running<T>),
    Over,
}

impl<T: 'static> CallSequence<T> {
    /// Makes a sequence of the calls that `start` makes, given what the caller chose for each. The vendor and the
    /// operation are for errors of the sequence itself.
    pub fn new<F>(
        vendor: &'static str,
        operation: &'static str,
        start: impl FnOnce(CallOptions) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let start: Start<T> = Box::new(move |options| Box::pin(start(options)));
        Self {
            vendor,
            operation,
            state: State::Planned(start, CallOptions::default()),
        }
    }

    /// Makes one that is over before it has begun, to stand in for one that is taken out. Awaited, it is an error.
    pub fn over(vendor: &'static str, operation: &'static str) -> Self {
        Self {
            vendor,
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
                return Poll::Ready(Err(Error::config(this.vendor, this.operation, reason)));
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

/// What the caller chose for each call of a [`CallSequence`].
#[derive(Copy, Clone, Debug, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    no_retry: bool,
    lane: Lane,
}

impl CallOptions {
    /// Gives a call these options.
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub fn apply<T: Send + 'static>(self, mut call: Call<T>) -> Call<T> {
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

    /// Gives a call these options, and no more than this time.
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub fn apply_within<T: Send + 'static>(self, call: Call<T>, within: Duration) -> Call<T> {
        let within = self.deadline.map_or(within, |chosen| chosen.min(within));
        self.apply(call).deadline(within)
    }

    /// Returns who goes first while calls wait.
    pub fn lane(self) -> Lane {
        self.lane
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::error::ErrorKind;

    #[tokio::test]
    async fn a_second_await_is_an_error_and_no_hang() {
        let mut calls = CallSequence::new("acme", "test", |_| async { Ok(7) });
        let mut again = async || poll_fn(|cx| Pin::new(&mut calls).poll(cx)).await;
        assert_eq!(again().await.unwrap(), 7);
        assert_eq!(again().await.unwrap_err().kind(), ErrorKind::Config);
    }
}
