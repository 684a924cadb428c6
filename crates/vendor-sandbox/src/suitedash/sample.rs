//! What the published dummy pair reads: a world of its own, in which nobody is real.

use chrono::{TimeZone as _, Utc};
use serde_json::{Value, json};

use crate::suitedash::Options;
use crate::suitedash::body::Body;
use crate::suitedash::contacts::Origin;
use crate::suitedash::rules::Rules;
use crate::suitedash::world::World;
use crate::suitedash::{companies, contacts, projects};

/// The same for every sandbox, whatever its seed.
const SEED: u64 = 550;

pub(super) fn world(options: &Options) -> World {
    let mut world = World::new(options, &mut fastrand::Rng::with_seed(SEED));
    let rules = Rules {
        options: Options::default(),
        origin: String::new(),
    };
    let day = Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0).single();
    let origin = Origin::Seed(day.unwrap_or_default());
    let body = |value: Value| Body::of(value).unwrap_or_default();
    let person = json!({
        "role": "Client",
        "first_name": "Sample",
        "last_name": "Client",
        "email": "sample.client@example.com",
        "phone": "+12025550100",
    });
    let company = json!({ "name": "Sample Company", "role": "Client" });
    let project = json!({ "name": "Sample Project" });
    // They keep the rules; a test sees that they are there.
    let _ = contacts::make(&mut world, &rules, body(person), origin);
    let _ = companies::make(&mut world, &rules, body(company), origin);
    let _ = projects::make(&mut world, &rules, body(project), origin);
    world.contacts.add_synthetic(11);
    world
}
