use std::sync::Arc;

use tokio::sync::Notify;

use crate::sandbox::Surroundings;
use crate::suitedash::Options;
use crate::suitedash::quota::Quota;
use crate::suitedash::rules::Rules;
use crate::suitedash::sample;
use crate::suitedash::world::World;

/// Everything the simulated vendor knows.
pub(super) struct State {
    pub(super) rules: Rules,
    /// What belongs to the account.
    pub(super) account: World,
    /// What the published dummy pair sees; it never changes.
    pub(super) sample: World,
    pub(super) quota: Quota,
    /// How many webhooks were sent.
    pub(super) sent: u64,
    pub(super) wake: Arc<Notify>,
}

impl State {
    pub(super) fn new(
        options: Options,
        rng: &mut fastrand::Rng,
        surroundings: Surroundings,
    ) -> Self {
        let quota = Quota::new(
            options.monthly_quota,
            options.failed_calls_count,
            options.refused_calls_count,
        );
        let account = World::new(&options, rng);
        let sample = sample::world(&options);
        let origin = options.page_origin.clone();
        Self {
            rules: Rules {
                origin: origin.unwrap_or(surroundings.base_url),
                options,
            },
            account,
            sample,
            quota,
            sent: 0,
            wake: Arc::new(Notify::new()),
        }
    }

    /// Forgets the records, the welcome mails and the subscriptions. Custom fields and the calls of
    /// the month stay; UIDs are not given out a second time.
    pub(super) fn reset(&mut self) {
        self.account.clear();
    }
}
