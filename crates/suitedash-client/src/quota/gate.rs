//! The ledger as the engine's gate.

use std::sync::Arc;

use connector_http::{AttemptGate, AttemptInfo, Delivery, Error, Refusal, Timer};

use super::ledger::QuotaLedger;

/// Asks the ledger before every attempt of one credential, and tells it of refusals.
pub(crate) struct QuotaGate {
    pub(crate) ledger: QuotaLedger,
    pub(crate) credential: Arc<str>,
    pub(crate) timer: Arc<dyn Timer>,
}

#[async_trait::async_trait]
impl AttemptGate for QuotaGate {
    async fn admit(&self, attempt: &AttemptInfo<'_>) -> Result<(), Refusal> {
        let (now, at) = (self.timer.utc_now(), self.timer.now());
        self.ledger
            .admit(&self.credential, attempt.lane, now, at)
            .await
    }

    async fn settle(&self, _attempt: &AttemptInfo<'_>, failed: Option<&Error>) {
        let Some(error) = failed else {
            return;
        };
        if error.delivery() == Delivery::NotSent {
            return self.unsent().await;
        }
        if error.status() != Some(429) {
            return;
        }
        // A page of something in front of the API is not JSON, and knows nothing of the month.
        let own_word = error.body_snippet().is_some();
        let (now, at) = (self.timer.utc_now(), self.timer.now());
        self.ledger
            .refused(&self.credential, error.retry_after(), own_word, now, at)
            .await;
    }

    async fn withdraw(&self, _attempt: &AttemptInfo<'_>) {
        self.unsent().await;
    }
}

impl QuotaGate {
    async fn unsent(&self) {
        let now = self.timer.utc_now();
        self.ledger.unsent(&self.credential, now).await;
    }
}
