//! What synthetic texts and calls are made of, and how they are seeded.

use chrono::{DateTime, TimeDelta, Utc};

use crate::openphone::ids::Ids;
use crate::openphone::ledger::ThreadPlace;
use crate::openphone::state::State;
use crate::openphone::thread_store::ThreadStore;
use crate::openphone::workspace::Workspace;

/// The numbers 555-0100 to 555-0199 of every area code are kept free for fiction: so many there
/// are in the area codes 200 to 999.
const MOST_PEOPLE: u64 = 80_000;
/// One text or call follows another after this time.
const STEP: TimeDelta = TimeDelta::seconds(37);

impl State {
    /// Adds calls that take no memory, dealt out over all own numbers and over `people` others.
    pub(super) fn add_synthetic_calls(&mut self, count: u64, people: u64) {
        let threads = threads(self, count, people);
        let base = base(&self.workspace);
        for (thread, place, at) in self.calls.ledger.add_block(count, threads, base, STEP) {
            let id = self.calls.ledger.id(place);
            self.threads.note(thread, id, at, false);
        }
    }

    /// Adds texts that take no memory, dealt out likewise.
    pub(super) fn add_synthetic_messages(&mut self, count: u64, people: u64) {
        let threads = threads(self, count, people);
        let base = base(&self.workspace);
        for (thread, place, at) in self.messages.ledger.add_block(count, threads, base, STEP) {
            let id = self.messages.ledger.id(place);
            self.threads.note(thread, id, at, false);
        }
    }
}

/// Makes threads that follow one another. They are new ones: threads that are there already
/// would tear the row apart.
fn threads(state: &mut State, count: u64, people: u64) -> std::ops::Range<ThreadPlace> {
    let State {
        ids,
        workspace,
        threads,
        seeded_people,
        ..
    } = state;
    let start = threads.len();
    let numbers = u64::try_from(workspace.phone_numbers.len()).unwrap_or(1);
    let people = people.clamp(1, MOST_PEOPLE).min(count.div_ceil(numbers));
    for person in *seeded_people..*seeded_people + people {
        make(workspace, threads, ids, person);
    }
    *seeded_people += people;
    start..threads.len()
}

fn make(workspace: &Workspace, threads: &mut ThreadStore, ids: &mut Ids, person: u64) {
    let now = base(workspace);
    for phone in workspace.phone_numbers.iter().enumerate() {
        threads.ensure(phone, &[number(person)], now, ids);
    }
}

fn base(workspace: &Workspace) -> DateTime<Utc> {
    workspace.created_at + TimeDelta::days(1)
}

fn number(person: u64) -> String {
    let person = person % MOST_PEOPLE;
    format!("+1{}5550{}", 200 + person / 100, 100 + person % 100)
}

/// Mixes two numbers well (the finaliser of splitmix64), so that each place has its own dice.
pub(super) fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed ^ place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openphone::check::is_e164;

    #[test]
    fn everyone_has_a_number_of_their_own_that_is_free_for_fiction() {
        let numbers: std::collections::BTreeSet<_> = (0..MOST_PEOPLE).map(number).collect();
        assert_eq!(numbers.len(), 80_000);
        for number in numbers {
            assert!(is_e164(&number) && number.len() == 12, "{number}");
            assert_eq!(&number[5..9], "5550", "{number}");
            assert_eq!(&number[9..10], "1", "{number}");
        }
    }
}
