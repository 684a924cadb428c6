//! Field maps: what a tenant wants elsewhere arrives there, in either mode, and what cannot is reported.

use std::sync::Arc;

use contact_sync::targets::suitedash::Settings;
use contact_sync::{
    Action, Context, Field, FieldMap, Lane, Person, Place, Progress, Reason, Signup,
    StaticMappings, Target, TenantId, TokioTimer, Unmapped,
};
use serde_json::{Value, json};
use suitedash_client::connection::ImportPlace;
use suitedash_client::export::{Exported, NewExport};
use vendor_sandbox::Sandbox;
use vendor_sandbox::suitedash::{GET_CONTACT_META, RecordKind, SuiteDash};

use crate::world::{World, ann, client};

const REMARKS: &str = "44444444-4444-4444-8444-000000000001";
const PLAN: &str = "44444444-4444-4444-8444-000000000002";

impl World {
    fn mapped(mut self, map: FieldMap) -> Self {
        let maps = StaticMappings::new().everybody("suitedash", map);
        self.target = Arc::new((*self.target).clone().mappings(maps));
        self
    }

    fn unmapped(&self) -> Vec<Unmapped> {
        let events = self.events.lock().unwrap();
        match &events.last().unwrap().progress {
            Progress::Delivered { unmapped, .. } => unmapped.clone(),
            other => panic!("{other:?}"),
        }
    }
}

fn map() -> FieldMap {
    FieldMap::new()
        .field(Field::Notes, Place::custom("remarks"))
        .field(Field::PhoneExtension, Place::field("title"))
        .attribute("plan", Place::custom(PLAN))
        .attribute("city", Place::field("city"))
        .attribute("office", Place::field("work_phone"))
        .attribute("seats", Place::custom("Seats"))
        .leave_out(Field::Company)
        .constant(Place::field("tags"), "shop,spring")
        .constant(Place::field("source"), "signup-form")
}

fn full() -> Signup {
    ann()
        .phone("202 555 0143 x7")
        .notes("hello")
        .attribute("plan", "basic")
        .attribute("city", "Ulm")
        .attribute("office", "call me")
        .attribute("seats", "12")
}

async fn sandbox() -> Sandbox<SuiteDash> {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    control.define_custom_field(RecordKind::Contact, REMARKS, "Remarks");
    control.define_custom_field(RecordKind::Contact, PLAN, "Plan");
    sandbox
}

fn asked_for_fields(sandbox: &Sandbox<SuiteDash>) -> Option<u64> {
    let asked = sandbox.control().operations();
    let meta = asked.iter().find(|it| it.operation == GET_CONTACT_META);
    meta.map(|it| it.requests)
}

#[tokio::test]
async fn a_field_map_fills_the_accounts_fields_and_says_what_it_cannot() {
    let sandbox = sandbox().await;
    let control = sandbox.control();
    let settings = Settings::new().source("website").tags(["fair"]);
    let world = World::with(client(&sandbox, |it| it), settings).mapped(map());
    world.hook.on_signup(full()).await.unwrap();
    world.work().await;
    let contact = control.contact("ann@example.com").unwrap();
    assert_eq!(contact["custom_fields"][REMARKS], "hello");
    assert_eq!(contact["custom_fields"][PLAN], "basic");
    assert_eq!(
        (&contact["title"], &contact["address"]["city"]),
        (&json!("7"), &json!("Ulm"))
    );
    assert_eq!(
        contact["tags"],
        json!(["shop", "spring", "fair", "source:signup-form"])
    );
    assert_eq!(
        (&contact["companies"], &contact["background_info"]),
        (&json!([]), &Value::Null)
    );
    let report = [
        Unmapped::attribute("office", "not a phone number with a country code"),
        Unmapped::attribute("seats", "there is no such custom field"),
    ];
    assert_eq!(world.unmapped(), report);
    assert_eq!(
        (control.calls_used(), asked_for_fields(&sandbox)),
        (2, Some(1))
    );

    // The same again takes no call; another plan a look and a write, which keeps what others wrote.
    world.hook.on_signup(full()).await.unwrap();
    world.work().await;
    assert_eq!(control.calls_used(), 2);
    let edit = json!({"address": {"city": "Ulm", "zip": "89073"}, "tags": ["VIP"]});
    control.edit_contact("ann@example.com", &edit).unwrap();
    let other = full().attribute("plan", "family").attribute("city", "Bonn");
    world.hook.on_signup(other).await.unwrap();
    world.work().await;
    let contact = control.contact("ann@example.com").unwrap();
    assert_eq!(
        contact["custom_fields"],
        json!({REMARKS: "hello", PLAN: "family"})
    );
    assert_eq!(
        (&contact["address"]["city"], &contact["address"]["zip"]),
        (&json!("Bonn"), &json!("89073"))
    );
    assert_eq!(contact["tags"][0], "VIP");
    assert_eq!(
        (control.calls_used(), asked_for_fields(&sandbox)),
        (4, Some(1))
    );
    assert_eq!(
        world.actions(),
        [Action::Created, Action::Unchanged, Action::Updated]
    );
}

/// Without a field of the account's own nothing is asked for.
#[tokio::test]
async fn a_map_to_common_fields_takes_no_call_more() {
    let sandbox = sandbox().await;
    let map = FieldMap::new().attribute("job", Place::field("title"));
    let world = World::on(&sandbox).mapped(map);
    world.sign_up(ann().attribute("job", "CTO")).await;
    assert_eq!(sandbox.control().calls_used(), 1);
    assert_eq!(
        sandbox.control().contact("ann@example.com").unwrap()["title"],
        "CTO"
    );
}

/// Who is sent under another address is looked for under that one.
#[tokio::test]
async fn the_small_calls_go_by_the_map() {
    let sandbox = sandbox().await;
    let map = FieldMap::new()
        .attribute("office", Place::field("email"))
        .field(Field::Email, Place::custom("Plan"));
    let world = World::on(&sandbox).mapped(map);
    let (tenant, signup) = (
        TenantId::default(),
        ann().attribute("office", "Lee@example.com"),
    );
    let contact = world.hook.plan(&signup).contact;
    let key = contact.key().external(contact_sync::ContactId::generate());
    let person = Person::new(&contact, &key);
    let context = Context::new(&tenant, Lane::Bulk, &TokioTimer);
    let id = world.target.create(&context, &person).await.unwrap();
    let made = sandbox.control().contact("lee@example.com").unwrap();
    assert_eq!(made["custom_fields"][PLAN], "ann@example.com");
    let hits = world.target.find(&context, &person).await.unwrap();
    assert_eq!((hits.len(), &hits[0].remote), (1, &id));
    assert_eq!(world.target.unmapped_for(&context, &contact).await, []);
    assert_eq!(asked_for_fields(&sandbox), Some(1));
}

async fn export(world: &World, minute: u32) -> Exported {
    let at = format!("2026-11-21T10:{minute:02}:00Z").parse().unwrap();
    let export = NewExport::new(at, "user-7");
    world
        .exports()
        .export(&TenantId::default(), export)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_file_has_a_column_for_each_place() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::with(ImportPlace::new(directory.path()), Settings::new()).mapped(map());
    let receipt = world.sign_up(full()).await;
    assert_eq!(receipt.targets[0].reason, Some(Reason::AwaitsImport));
    let exported = export(&world, 0).await;
    let run = exported.run.unwrap();
    let file = std::fs::read_to_string(directory.path().join(&run.file)).unwrap();
    let mut rows = csv::Reader::from_reader(file.as_bytes());
    let header = rows.headers().unwrap().clone();
    let row = rows.records().next().unwrap().unwrap();
    let cell = |name: &str| {
        let at = header.iter().position(|it| it == name);
        at.and_then(|at| row.get(at))
    };
    for (name, text) in [
        ("remarks", "hello"),
        (PLAN, "basic"),
        ("Seats", "12"),
        ("Title", "7"),
        ("City", "Ulm"),
        ("Work Phone", ""),
        ("Message", ""),
        ("Company", ""),
        ("Source", "signup-form"),
        ("Tags", "shop,spring"),
    ] {
        assert_eq!(cell(name), Some(text), "{name} of {header:?}");
    }

    // A file that was imported has what it had: the same again needs no other, another plan does.
    let (exports, tenant) = (world.exports(), TenantId::default());
    let at = "2026-11-21T11:00:00Z".parse().unwrap();
    exports
        .mark_imported(&tenant, &run.id, at, "user-7")
        .await
        .unwrap();
    world.work().await;
    let report = Unmapped::attribute("office", "not a phone number with a country code");
    assert_eq!(world.unmapped(), [report]);
    assert!(world.sign_up(full()).await.targets[0].integrated);
    let other = full().attribute("plan", "family");
    let receipt = world.sign_up(other).await;
    assert_eq!(receipt.targets[0].reason, Some(Reason::AwaitsImport));
    assert_eq!(export(&world, 1).await.counts.rows, 1);
}
