//! A change of a row, computed before it is written.

use chrono::{DateTime, Utc};

use super::integrations::Integrations;
use super::{IntegrationError, StoredIntegration};
use crate::status::{
    Effect, Event, HistoryEntry, Ignored, ReasonCode, Status, next_check, pause_after_failure,
};

/// A row that is being changed.
pub(super) struct Draft<'a> {
    facade: &'a Integrations,
    pub(super) before: StoredIntegration,
    pub(super) row: StoredIntegration,
    pub(super) now: DateTime<Utc>,
    history: Vec<HistoryEntry>,
    effects: Vec<Effect>,
    planned: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(facade: &'a Integrations, row: StoredIntegration) -> Self {
        Self {
            facade,
            before: row.clone(),
            row,
            now: facade.now(),
            history: Vec::new(),
            effects: Vec::new(),
            planned: false,
        }
    }

    /// Says when to look at it next, instead of what follows from its state.
    pub(super) fn plan(&mut self, next: Option<DateTime<Utc>>) {
        self.row.next_check_at = next;
        self.planned = true;
    }

    /// Lets an event happen to the row. Returns why it changed nothing, if it did not.
    pub(super) fn apply(&mut self, event: Event) -> Result<Option<Ignored>, IntegrationError> {
        let is_failure = matches!(event, Event::CallFailed { .. });
        let policy = &self.facade.inner.policy;
        let change = policy.transition(&self.row.state, event, self.now)?;
        self.row.state = change.state;
        if is_failure && change.ignored.is_none() {
            self.pause_if_passive();
        }
        self.history.extend(change.history);
        for effect in &change.effects {
            match effect {
                Effect::ServeOld => {
                    let old = self.before.config.clone();
                    self.row.serving.get_or_insert(old);
                }
                Effect::PromoteCredentials => self.row.serving = None,
                Effect::DeleteCredentials => self.forget_credentials(),
                _ => {}
            }
        }
        self.effects.extend(change.effects);
        Ok(change.ignored)
    }

    fn pause_if_passive(&mut self) {
        let Ok(vendor) = self.facade.vendor(&self.row.vendor) else {
            return;
        };
        let state = &mut self.row.state;
        let pause = pause_after_failure(state, vendor.health(), self.now, fastrand::f64());
        state.paused_until = state.paused_until.max(pause);
    }

    fn forget_credentials(&mut self) {
        self.row.serving = None;
        self.row.config.sealed.clear();
        self.row.config.hints.clear();
        // What has become a secret since it was saved is one all the same.
        let vendors = &self.facade.inner.vendors;
        if let Some(known) = vendors.get(self.row.vendor.as_str()) {
            let readable = &mut self.row.config.readable;
            readable.retain(|field, _| !known.config.is_sealed(field));
        }
        let endpoints = &mut self.row.endpoints;
        for webhook in endpoints.iter_mut().flat_map(|it| &mut it.webhooks) {
            webhook.secret = None;
        }
    }

    /// Returns the row as it is to be written, and whether there is anything to write.
    pub(super) fn finish(mut self) -> (StoredIntegration, Vec<Effect>, Vec<HistoryEntry>, bool) {
        // Once the newest credentials have failed, or it was switched off, the older ones are of no more use. Those that
        // merely could not be opened have not failed.
        let over = match self.row.state.status {
            Status::Error => self.row.state.reason != Some(ReasonCode::CredentialsUnreadable),
            status => status == Status::Disconnected,
        };
        if over {
            self.row.serving = None;
        }
        if self.row == self.before {
            return (self.row, self.effects, self.history, false);
        }
        if self.row.state.version == self.before.state.version {
            self.row.state.version += 1;
        }
        if !self.planned {
            self.row.next_check_at = self.next_check();
            self.row.updated_at = self.now;
        }
        (self.row, self.effects, self.history, true)
    }

    /// Returns when it is to be looked after next. One without a vendor cannot be.
    fn next_check(&self) -> Option<DateTime<Utc>> {
        let health = self.facade.vendor(&self.row.vendor).ok()?.health();
        if self.effects.contains(&Effect::TestDue) && self.row.state.has_credentials {
            return Some(self.now);
        }
        next_check(&self.row.state, health, None, self.now, fastrand::f64())
    }
}
