//! What known contacts were last brought up to date with, so that the same again costs no call.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use suitedash_client::ContactInput;
use tokio::time::Instant;

use crate::ids::{RemoteId, TenantId};

/// How many contacts are remembered, and for how long: somebody may change or delete one at the vendor.
const CAPACITY: usize = 10_000;
const KEPT: Duration = Duration::from_hours(1);

/// Remembers by hashes that are others in every process: nothing of a contact stands in memory.
#[derive(Default)]
pub(super) struct Seen {
    hasher: RandomState,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    contents: HashMap<u64, (u64, Instant)>,
    order: VecDeque<u64>,
}

impl Seen {
    /// Tells whether the record was brought up to date with just this, not long ago.
    pub(super) fn is_current(
        &self,
        tenant: &TenantId,
        remote: &RemoteId,
        content: &ContactInput,
        now: Instant,
    ) -> bool {
        let (record, content) = (self.record(tenant, remote), self.content(content));
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.contents
            .get(&record)
            .is_some_and(|(then, at)| *then == content && now.saturating_duration_since(*at) < KEPT)
    }

    /// Notes that the record says this now.
    pub(super) fn put(
        &self,
        tenant: &TenantId,
        remote: &RemoteId,
        content: &ContactInput,
        now: Instant,
    ) {
        let (record, content) = (self.record(tenant, remote), self.content(content));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.contents.insert(record, (content, now)).is_none() {
            kept.order.push_back(record);
        }
        while kept.order.len() > CAPACITY {
            if let Some(oldest) = kept.order.pop_front() {
                kept.contents.remove(&oldest);
            }
        }
    }

    fn record(&self, tenant: &TenantId, remote: &RemoteId) -> u64 {
        self.hasher.hash_one((tenant.as_str(), remote.as_str()))
    }

    fn content(&self, input: &ContactInput) -> u64 {
        let ContactInput {
            first_name,
            last_name,
            email,
            phone,
            name_prefix,
            home_email,
            work_email,
            home_phone,
            work_phone,
            shop_phone,
            address,
            company,
            title,
            website,
            notes,
            tags,
            fields,
            source,
            existing,
            ..
        } = input;
        let texts = [
            first_name,
            last_name,
            email,
            phone,
            name_prefix,
            home_email,
            work_email,
            home_phone,
            work_phone,
            shop_phone,
            company,
            title,
            website,
            notes,
            source,
        ];
        let address = address.as_ref().map(|it| {
            let lines = [&it.address_line_1, &it.address_line_2];
            (lines, [&it.city, &it.state, &it.country, &it.zip])
        });
        let content = (texts, address, tags, fields, existing);
        self.hasher.hash_one(content)
    }
}

#[cfg(test)]
mod tests {
    use suitedash_client::{Address, FieldRef};

    use super::*;

    #[tokio::test]
    async fn only_the_same_and_only_for_a_while() {
        let (seen, now) = (Seen::default(), Instant::now());
        let (acme, jane) = (TenantId::from("acme"), RemoteId::from("u1"));
        let input = ContactInput::new().first_name("Jane").tags(["new"]);
        let is_current = |input: &ContactInput, at| seen.is_current(&acme, &jane, input, at);
        assert!(!is_current(&input, now));
        seen.put(&acme, &jane, &input, now);
        assert!(is_current(&input, now));
        assert!(!is_current(&input, now + KEPT));
        assert!(!is_current(&input.clone().last_name("Roe"), now));
        assert!(!is_current(&input.clone().tags(["old"]), now));
        assert!(!is_current(&input.clone().title("CEO"), now));
        let address = Address::new().city("Ulm");
        assert!(!is_current(&input.clone().address(address), now));
        let plan = FieldRef::uid("u1");
        assert!(!is_current(&input.clone().field(plan, "basic"), now));
        assert!(!seen.is_current(&TenantId::from("other"), &jane, &input, now));
        assert!(!seen.is_current(&acme, &RemoteId::from("u2"), &input, now));
    }

    #[tokio::test]
    async fn the_latest_are_kept() {
        let (seen, now) = (Seen::default(), Instant::now());
        let (acme, input) = (TenantId::from("acme"), ContactInput::new());
        for n in 0..=CAPACITY {
            seen.put(&acme, &RemoteId::from(n.to_string()), &input, now);
        }
        assert!(!seen.is_current(&acme, &RemoteId::from("0"), &input, now));
        assert!(seen.is_current(&acme, &RemoteId::from("1"), &input, now));
    }
}
