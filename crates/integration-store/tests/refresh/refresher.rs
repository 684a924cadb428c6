//! The protocol of [`connector_http::TokenStore`], each step as it stands there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{
    Fingerprint, LeaseOwner, Saved, StoredToken, Timer as _, TokenSet, TokenStore, TokenStoreError,
    TokioTimer,
};
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::idp::{IdpClient, Reply};
use crate::talk::{Event, Outcome, Step, Timings};

/// Where a refresher says where it is, and may be held up.
#[async_trait::async_trait]
pub(crate) trait Watcher: Send + Sync + 'static {
    async fn reached(&self, step: Step);
    fn tell(&self, event: Event);
}

#[derive(Clone)]
pub(crate) struct Refresher(Arc<Inner>);

struct Inner {
    store: Arc<dyn TokenStore>,
    idp: IdpClient,
    owner: LeaseOwner,
    timings: Timings,
    clock_ahead: TimeDelta,
    watcher: Arc<dyn Watcher>,
    flight: Mutex<Option<watch::Receiver<Option<Outcome>>>>,
}

/// What came of having the lease.
enum Turn {
    Over(Outcome),
    /// The lease was too old to call under.
    Again,
}

impl Refresher {
    pub(crate) fn new(
        store: Arc<dyn TokenStore>,
        idp: IdpClient,
        owner: LeaseOwner,
        timings: Timings,
        clock_ahead: TimeDelta,
        watcher: Arc<dyn Watcher>,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            idp,
            owner,
            timings,
            clock_ahead,
            watcher,
            flight: Mutex::default(),
        }))
    }

    /// Returns a valid access token, another than `stale`, which a vendor has refused.
    pub(crate) async fn token(&self, stale: Option<&str>) -> Outcome {
        loop {
            let mut flight = self.join(stale);
            let outcome = match flight.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone(),
                Err(_) => None,
            };
            match outcome {
                // That refresh was begun by somebody who had nothing against this token.
                Some(Outcome::Token(access)) if stale == Some(access.as_str()) => {}
                Some(outcome) => return outcome,
                None => return Outcome::NotNow,
            }
        }
    }

    /// Waits until nothing is left to save.
    pub(crate) async fn drain(&self) {
        let flight = self.0.flight.lock();
        let flight = flight.unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(mut flight) = flight {
            let _ended_either_way = flight.wait_for(Option::is_some).await;
        }
    }

    /// Step 1: one refresh for all callers. It is a task of its own, which no caller's cancellation ends.
    fn join(&self, stale: Option<&str>) -> watch::Receiver<Option<Outcome>> {
        let mut flight = self.0.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = &*flight
            && flight.borrow().is_none()
        {
            return flight.clone();
        }
        let (done, receiver) = watch::channel(None);
        *flight = Some(receiver.clone());
        let (inner, stale) = (self.0.clone(), stale.map(str::to_owned));
        tokio::spawn(async move {
            let outcome = inner.refresh(stale.as_deref()).await;
            done.send_replace(Some(outcome));
        });
        receiver
    }
}

impl Inner {
    async fn refresh(&self, stale: Option<&str>) -> Outcome {
        match self.steps(stale).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_retryable() => Outcome::NotNow,
            Err(_) => Outcome::NeedsReauth,
        }
    }

    async fn steps(&self, stale: Option<&str>) -> Result<Outcome, TokenStoreError> {
        let begun = TokioTimer.now();
        let mut wait = self.timings.first_wait;
        loop {
            // Step 2.
            let Some(stored) = self.store.load().await? else {
                return Ok(Outcome::NeedsReauth);
            };
            if let Some(outcome) = self.settled(&stored, stale) {
                return Ok(outcome);
            }
            self.watcher.reached(Step::BeforeLease).await;
            // Step 3.
            let asked = TokioTimer.now();
            if self
                .store
                .try_lease(&self.owner, self.timings.lease)
                .await?
            {
                match self.with_lease(asked, stale).await {
                    Ok(Turn::Over(outcome)) => return Ok(outcome),
                    Ok(Turn::Again) => continue,
                    Err(error) => {
                        self.release().await;
                        return Err(error);
                    }
                }
            }
            if TokioTimer.now() - begun >= self.timings.patience {
                return Ok(self.old(&stored, stale));
            }
            TokioTimer.sleep(wait).await;
            wait = (wait * 2).min(self.timings.longest_wait);
        }
    }

    async fn with_lease(
        &self,
        asked: Instant,
        stale: Option<&str>,
    ) -> Result<Turn, TokenStoreError> {
        // Step 4.
        let Some(stored) = self.store.load().await? else {
            return Ok(Turn::Over(Outcome::NeedsReauth));
        };
        if let Some(outcome) = self.settled(&stored, stale) {
            self.release().await;
            return Ok(Turn::Over(outcome));
        }
        let Some(refresh_token) = &stored.tokens.refresh_token else {
            self.release().await;
            return Ok(Turn::Over(Outcome::NeedsReauth));
        };
        self.watcher.reached(Step::Leased).await;
        // Step 5.
        let room = if self.timings.renews {
            self.timings.lease / 3
        } else {
            self.timings.call
        };
        if TokioTimer.now() - asked + room > self.timings.lease {
            self.release().await;
            return Ok(Turn::Again);
        }
        // Step 6.
        let call = self
            .idp
            .refresh(refresh_token, self.timings.call, self.now());
        let reply = self.renewing(call).await;
        // Step 7.
        match reply {
            Reply::Tokens(new) => {
                self.watcher.reached(Step::Answered).await;
                let saved = self.keep(&stored.fingerprint, &new).await?;
                self.watcher.reached(Step::Saved).await;
                Ok(Turn::Over(match saved {
                    Saved::Saved => access(&new),
                    Saved::Superseded => self.theirs(stale).await?,
                    _ => Outcome::NeedsReauth,
                }))
            }
            Reply::InvalidGrant => {
                let outcome = self.doubt(&stored.fingerprint, stale).await?;
                self.release().await;
                Ok(Turn::Over(outcome))
            }
            Reply::Failed => {
                self.release().await;
                Ok(Turn::Over(Outcome::NotNow))
            }
        }
    }

    async fn renewing(&self, call: impl Future<Output = Reply>) -> Reply {
        let mut call = std::pin::pin!(call);
        loop {
            tokio::select! {
                reply = &mut call => return reply,
                () = TokioTimer.sleep(self.timings.lease / 3), if self.timings.renews => {
                    // Whether or not it is still ours, the request is out, and its answer is what counts.
                    let _held = self.store.try_lease(&self.owner, self.timings.lease).await;
                }
            }
        }
    }

    async fn keep(&self, spent: &Fingerprint, new: &TokenSet) -> Result<Saved, TokenStoreError> {
        let mut wait = self.timings.first_wait;
        loop {
            match self.store.save_if(spent, new).await {
                Err(error) if error.is_retryable() => {
                    self.watcher.tell(Event::SaveFailed);
                    TokioTimer.sleep(wait).await;
                }
                settled => return settled,
            }
            wait = (wait * 2).min(self.timings.longest_wait);
        }
    }

    /// `invalid_grant`: somebody else may have spent the token and be about to save what came of it.
    async fn doubt(
        &self,
        refused: &Fingerprint,
        stale: Option<&str>,
    ) -> Result<Outcome, TokenStoreError> {
        for wait in [Some(self.timings.confirm), None] {
            match self.store.load().await? {
                Some(stored) if stored.fingerprint == *refused => {}
                _ => return self.theirs(stale).await,
            }
            if let Some(wait) = wait {
                self.watcher.reached(Step::Doubting).await;
                TokioTimer.sleep(wait).await;
            }
        }
        if self.store.refuse(refused).await? {
            Ok(Outcome::NeedsReauth)
        } else {
            self.theirs(stale).await
        }
    }

    async fn theirs(&self, stale: Option<&str>) -> Result<Outcome, TokenStoreError> {
        let stored = self.store.load().await?;
        Ok(stored.map_or(Outcome::NeedsReauth, |stored| self.old(&stored, stale)))
    }

    async fn release(&self) {
        // A lease that cannot be given back runs out.
        let _given_back = self.store.release(&self.owner).await;
    }

    /// What can be said without a refresh.
    fn settled(&self, stored: &StoredToken, stale: Option<&str>) -> Option<Outcome> {
        let life = (stored.tokens.expires_at - stored.saved_at).max(TimeDelta::zero());
        let margin = TimeDelta::minutes(5).min(life / 2);
        if stale != Some(stored.tokens.access_token.expose_secret())
            && self.now() + margin < stored.tokens.expires_at
        {
            return Some(access(&stored.tokens));
        }
        stored.refused.then_some(Outcome::NeedsReauth)
    }

    /// The access token there, if it still works.
    fn old(&self, stored: &StoredToken, stale: Option<&str>) -> Outcome {
        let valid = self.now() < stored.tokens.expires_at;
        if valid && stale != Some(stored.tokens.access_token.expose_secret()) {
            access(&stored.tokens)
        } else {
            Outcome::NotNow
        }
    }

    fn now(&self) -> DateTime<Utc> {
        TokioTimer.utc_now() + self.clock_ahead
    }
}

fn access(tokens: &TokenSet) -> Outcome {
    Outcome::Token(tokens.access_token.expose_secret().to_owned())
}

/// Converts a lifetime in seconds, as identity providers give it, into a point in time.
pub(crate) fn ends(now: DateTime<Utc>, life: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(life).unwrap()
}
