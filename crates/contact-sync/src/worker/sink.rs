//! Who hears what attempts say about integrations, and what becomes of one who does not answer.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector_http::Timer;
use tokio::time::Instant;

use super::chores::guarded;
use crate::store::StatusEvent;

/// Hears what an attempt says about its integration, once it is written down.
#[async_trait]
pub trait StatusSink: Send + Sync {
    /// Takes an event. What it cannot keep is its own affair: a job never fails because of it.
    ///
    /// One that has not answered within 5 seconds, or when the worker has to stop, is not waited for: the event is
    /// lost. For the next 30 seconds events are lost without a wait, so that a database that is away costs the jobs
    /// next to no time. The log says how many were lost; what the next attempt says is the same.
    async fn report(&self, event: &StatusEvent);
}

/// How long a report may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// For how long a sink that did not answer is not asked again.
const REST: Duration = Duration::from_secs(30);

/// Brings events to a sink, which can neither hold up whoever reports nor take them down.
#[derive(Clone)]
pub(crate) struct Reports {
    sink: Arc<dyn StatusSink>,
    silence: Arc<Mutex<Silence>>,
}

/// What is known of a sink that does not answer.
#[derive(Default)]
struct Silence {
    until: Option<Instant>,
    /// Events since it answered last.
    lost: u64,
}

/// What became of a report.
enum Heard {
    Yes,
    Panicked,
    Silent,
    Stopped,
}

impl Reports {
    pub(crate) fn new(sink: impl StatusSink + 'static) -> Self {
        Self {
            sink: Arc::new(sink),
            silence: Arc::default(),
        }
    }

    /// Reports an event, unless the sink takes too long or `stop` comes first.
    pub(crate) async fn report(
        &self,
        event: &StatusEvent,
        timer: &dyn Timer,
        stop: impl Future<Output = ()>,
    ) {
        let (tenant, target) = (&event.tenant, &event.target);
        if self
            .silence()
            .until
            .is_some_and(|until| timer.now() < until)
        {
            let lost = self.lose();
            tracing::debug!(%tenant, %target, lost, "the status sink did not answer lately and was not asked");
            return;
        }
        let (sink, said) = (Arc::clone(&self.sink), event.clone());
        let report = guarded(async move { sink.report(&said).await });
        let heard = tokio::select! {
            biased;
            heard = report => heard.map_or(Heard::Panicked, |()| Heard::Yes),
            () = timer.sleep(PATIENCE) => Heard::Silent,
            () = stop => Heard::Stopped,
        };
        match heard {
            Heard::Yes => self.answered(),
            Heard::Panicked => {
                let lost = self.lose();
                tracing::error!(%tenant, %target, lost, "the status sink panicked; what an attempt said is lost");
            }
            Heard::Silent => {
                self.silence().until = Some(timer.now() + REST);
                let lost = self.lose();
                tracing::warn!(%tenant, %target, lost, "the status sink does not answer; what an attempt said is lost");
            }
            Heard::Stopped => {
                let lost = self.lose();
                tracing::warn!(%tenant, %target, lost, "stopped before the status sink had answered");
            }
        }
    }

    /// Counts one more event that nobody has heard.
    fn lose(&self) -> u64 {
        let mut silence = self.silence();
        silence.lost = silence.lost.saturating_add(1);
        silence.lost
    }

    fn answered(&self) {
        let lost = std::mem::take(&mut *self.silence()).lost;
        if lost > 0 {
            tracing::warn!(
                lost,
                "the status sink answers again; so many events were lost"
            );
        }
    }

    fn silence(&self) -> MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use connector_http::TokioTimer;

    use super::*;
    use crate::ids::{TargetName, TenantId};
    use crate::store::Signal;

    struct Deaf;

    #[async_trait]
    impl StatusSink for Deaf {
        async fn report(&self, _event: &StatusEvent) {
            std::future::pending::<()>().await;
        }
    }

    fn event() -> StatusEvent {
        StatusEvent::new(
            TenantId::default(),
            TargetName::from("fake"),
            Signal::CallOk,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_has_heard_is_counted() {
        let reports = Reports::new(Deaf);
        let start = TokioTimer.now();
        for _ in 0..3 {
            let never = std::future::pending();
            reports.report(&event(), &TokioTimer, never).await;
        }
        assert_eq!(start.elapsed(), PATIENCE);
        assert_eq!(reports.silence().lost, 3);
        TokioTimer.sleep(REST).await;
        let never = std::future::pending();
        reports.report(&event(), &TokioTimer, never).await;
        assert_eq!(start.elapsed(), PATIENCE + REST + PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_to_stop_does_not_wait() {
        let reports = Reports::new(Deaf);
        let start = TokioTimer.now();
        let stop = std::future::ready(());
        reports.report(&event(), &TokioTimer, stop).await;
        assert_eq!(
            (start.elapsed(), reports.silence().lost),
            (Duration::ZERO, 1)
        );
        // That says nothing about the sink.
        assert_eq!(reports.silence().until, None);
    }
}
