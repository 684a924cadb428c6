//! A clock that tests move.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connector_http::{Timer, TokioTimer};

/// The clocks of the machine, so much ahead as was said to have passed.
#[derive(Debug, Default)]
pub(crate) struct MovedClock {
    ahead: Mutex<Duration>,
}

impl MovedClock {
    pub(crate) fn pass(&self, time: Duration) {
        *self.ahead.lock().unwrap() += time;
    }
}

#[async_trait::async_trait]
impl Timer for MovedClock {
    fn now(&self) -> tokio::time::Instant {
        TokioTimer.now() + *self.ahead.lock().unwrap()
    }

    fn utc_now(&self) -> DateTime<Utc> {
        TokioTimer.utc_now() + *self.ahead.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        TokioTimer.sleep(duration).await;
    }
}
