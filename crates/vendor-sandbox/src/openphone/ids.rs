use std::fmt::Write as _;

/// Draws ids of the vendor's form from the sandbox's seed.
#[derive(Debug)]
pub(super) struct Ids {
    rng: fastrand::Rng,
}

impl Ids {
    pub(super) fn new(rng: fastrand::Rng) -> Self {
        Self { rng }
    }

    /// Draws an id like `US4xY0pQ2kLm`: a user, number, organisation or group.
    pub(super) fn short(&mut self, prefix: &str) -> String {
        let mut id = prefix.to_owned();
        id.extend((0..10).map(|_| self.rng.alphanumeric()));
        id
    }

    /// Draws an id like `AC` and 32 hex digits: an activity, conversation, event or webhook.
    pub(super) fn long(&mut self, prefix: &str) -> String {
        let mut id = prefix.to_owned();
        // Writing to a string does not fail.
        let _ = write!(id, "{:032x}", self.rng.u128(..));
        id
    }

    /// Draws the id of one e-mail, number or custom value of a contact: 24 hex digits.
    pub(super) fn item(&mut self) -> String {
        format!("{:024x}", self.rng.u128(..) >> 32)
    }

    /// Draws the decimal number that stands in `trace`, and in the ids of dated webhooks.
    pub(super) fn decimal(&mut self) -> String {
        self.rng
            .u64(1_000_000_000_000_000_000..=9_223_372_036_854_775_807)
            .to_string()
    }

    /// Draws the seed of a store.
    pub(super) fn seed(&mut self) -> u64 {
        self.rng.u64(..)
    }

    pub(super) fn key_bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.rng.fill(&mut bytes);
        bytes
    }
}
