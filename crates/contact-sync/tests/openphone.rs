//! The OpenPhone target against the simulated vendor: over real sockets, with a vendor that misbehaves.

#![cfg(feature = "openphone")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_http::{Rate, RateClass, RetryPolicy as CallPolicy};
use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{
    Action, ContactId, Context, CrmHook, ErrorClass, Event, ExternalKey, Field, FieldMap, JobStore,
    MemoryStore, Person, Place, Progress, Reason, Region, RemoteId, RetryPolicy, SharedClient,
    Signup, SignupHook, StaticDirectory, StaticMappings, StrictError, Target, TenantId, Ticket,
    Unmapped, Updated, Worker,
};
use openphone_client::Client;
use rstest::rstest;
use serde_json::{Value, json};
use vendor_sandbox::openphone::{
    CREATE_CONTACT, CustomFieldKind, DELETE_CONTACT, LIST_CUSTOM_FIELDS,
};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

struct World {
    sandbox: Sandbox,
    store: Arc<MemoryStore>,
    target: Arc<OpenPhoneTarget>,
    hook: SignupHook,
    events: Arc<Mutex<Vec<Event>>>,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::openphone()
            .rate_limit(None)
            .seed(7)
            .start()
            .await
            .unwrap();
        Self::on(sandbox)
    }

    fn on(sandbox: Sandbox) -> Self {
        let key = sandbox.api_key().to_owned();
        Self::with_key(sandbox, &key)
    }

    fn with_key(sandbox: Sandbox, key: &str) -> Self {
        let calls = CallPolicy::new()
            .attempt_timeout(Duration::from_millis(400))
            .base(Duration::from_millis(5));
        let client = Client::builder()
            .api_key(key)
            .base_url(sandbox.base_url())
            .rate(RateClass::DEFAULT, Rate::per_second(5000))
            .retry(calls)
            .build()
            .unwrap();
        // The simulated vendor's latest effects come 300 ms after a request.
        let target = OpenPhoneTarget::new(SharedClient::new(client))
            .settle_after(Duration::from_millis(600));
        let store = Arc::new(MemoryStore::new());
        let hook = SignupHook::new(store.clone(), StaticDirectory::new().on("openphone"))
            .region(Region::US);
        Self {
            sandbox,
            store,
            target: Arc::new(target),
            hook,
            events: Arc::default(),
        }
    }

    fn worker(&self) -> Worker {
        let heard = Arc::clone(&self.events);
        let policy = RetryPolicy::new()
            .base(Duration::from_millis(5))
            .cap(Duration::from_millis(50))
            .park_pause(Duration::from_millis(20))
            .rate_limit_pause(Duration::from_millis(20));
        Worker::new(self.store.clone())
            .target(self.target.clone())
            .retry(policy)
            .concurrency(16)
            .on_event(move |event| heard.lock().unwrap().push(event.clone()))
    }

    async fn work(&self) {
        let worker = self.worker().start();
        worker.idle().await;
        worker.shutdown(Duration::from_secs(1)).await;
    }

    fn crm(&self) -> CrmHook {
        CrmHook::new(self.store.clone(), StaticDirectory::new().on("openphone"))
            .target(self.target.clone())
            .region(Region::US)
    }

    fn contacts(&self) -> Vec<Value> {
        self.sandbox.control().contacts()
    }

    fn actions(&self) -> Vec<Action> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|event| match event.progress {
                Progress::Delivered { action, .. } => Some(action),
                _ => None,
            })
            .collect()
    }
}

fn ann() -> Signup {
    Signup::new()
        .host_id("user-1")
        .name("Ann Lee")
        .email("Ann@Example.com")
        .phone("202 555 0143")
        .company("Lee Ltd")
}

#[tokio::test]
async fn a_contact_is_created_then_updated_then_left_alone() {
    let world = World::new().await;
    world.hook.on_signup(ann().notes("hello")).await.unwrap();
    world.work().await;
    let contacts = world.contacts();
    assert_eq!(contacts.len(), 1);
    let fields = &contacts[0]["defaultFields"];
    assert_eq!(
        (&fields["firstName"], &fields["lastName"]),
        (&json!("Ann"), &json!("Lee"))
    );
    assert_eq!(fields["emails"][0]["value"], "ann@example.com");
    assert_eq!(fields["phoneNumbers"][0]["value"], "+12025550143");
    assert_eq!(
        (&contacts[0]["externalId"], &contacts[0]["source"]),
        (&json!("user-1"), &json!("contact-sync"))
    );

    world
        .hook
        .on_signup(Signup::new().host_id("user-1").email("ann.lee@example.com"))
        .await
        .unwrap();
    world.work().await;
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    let contacts = world.contacts();
    assert_eq!(contacts.len(), 1);
    let emails = contacts[0]["defaultFields"]["emails"].as_array().unwrap();
    assert_eq!(
        emails.len(),
        2,
        "the vendor's own list is added to, not replaced"
    );
    assert_eq!(contacts[0]["defaultFields"]["company"], "Lee Ltd");
    assert_eq!(
        world.actions(),
        [Action::Created, Action::Updated, Action::Unchanged]
    );
}

#[tokio::test]
async fn a_record_of_an_earlier_run_is_found_by_its_key() {
    let world = World::new().await;
    let body = json!({"defaultFields": {"firstName": "A."}, "externalId": "user-1"});
    world.sandbox.control().seed(&body).unwrap();
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.contacts().len(), 1);
    assert_eq!(world.contacts()[0]["defaultFields"]["firstName"], "Ann");
    assert_eq!(world.actions(), [Action::Updated]);
}

#[tokio::test]
async fn two_records_under_one_key_wait_for_a_person() {
    let world = World::new().await;
    let body = json!({"defaultFields": {"firstName": "A."}, "externalId": "user-1"});
    for _ in 0..2 {
        world.sandbox.control().seed(&body).unwrap();
    }
    let worker = world.worker().start();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_secs(20))
        .await
        .unwrap();
    assert_eq!(receipt.targets[0].reason, Some(Reason::Conflict));
    worker.idle().await;
    assert_eq!(world.contacts().len(), 2);
}

#[rstest]
#[case::server_error(Fault::ServerError { status: 500, retry_after: None })]
#[case::bad_gateway(Fault::HtmlErrorPage)]
#[case::reset_before(Fault::ResetBeforeEffect)]
#[case::reset_after(Fault::ResetAfterEffect)]
#[case::truncated(Fault::TruncatedBody)]
#[tokio::test]
async fn an_unclear_create_makes_one_record(#[case] fault: Fault, #[values(1, 3)] times: u32) {
    let world = World::new().await;
    world
        .sandbox
        .control()
        .faults(FaultPlan::none().next(CREATE_CONTACT, times, fault));
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.contacts().len(), 1);
}

/// Forty people, some of them twice, and a vendor that fails one call in five in every way it knows.
#[rstest]
#[tokio::test]
async fn with_faults_everybody_arrives_once(#[values(0.2, 0.5)] share: f64) {
    let plan = FaultPlan::rate(share).hang_millis(300);
    let sandbox = Sandbox::openphone()
        .rate_limit(None)
        .seed(11)
        .fault_plan(plan)
        .start()
        .await
        .unwrap();
    let world = World::on(sandbox);
    let worker = world.worker().start();
    for id in 0..40 {
        let signup = Signup::new()
            .name(format!("Ann Lee {id}"))
            .email(format!("ann{id}@example.com"));
        world.hook.on_signup(signup.clone()).await.unwrap();
        if id % 4 == 0 {
            world
                .hook
                .on_signup(signup.host_id(format!("user-{id}")))
                .await
                .unwrap();
        }
    }
    worker.idle().await;
    assert!(world.store.stopped_jobs().await.unwrap().is_empty());
    let contacts = world.contacts();
    let emails: BTreeSet<&str> = contacts
        .iter()
        .filter_map(|c| c["defaultFields"]["emails"][0]["value"].as_str())
        .collect();
    assert_eq!((contacts.len(), emails.len()), (40, 40));
}

#[tokio::test]
async fn the_vendors_own_limit_is_kept() {
    let sandbox = Sandbox::openphone()
        .rate_limit(Some(10))
        .start()
        .await
        .unwrap();
    let world = World::on(sandbox);
    for id in 0..8 {
        world
            .hook
            .on_signup(Signup::new().host_id(id.to_string()).name("Ann Lee"))
            .await
            .unwrap();
    }
    world.work().await;
    assert_eq!(world.contacts().len(), 8);
}

#[tokio::test]
async fn a_refused_key_parks_and_loses_nobody() {
    let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
    let world = World::with_key(sandbox, "wrong-0123456789abcdef01234567890");
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.worker().start();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_millis(200))
        .await
        .unwrap();
    assert_eq!(receipt.targets[0].reason, Some(Reason::Retrying));
    worker.shutdown(Duration::from_secs(1)).await;
    let events = world.events.lock().unwrap();
    let Progress::Retrying { failure, .. } = &events[0].progress else {
        panic!("{:?}", events[0])
    };
    assert_eq!(
        (failure.class, failure.status),
        (ErrorClass::Auth, Some(401))
    );
}

#[tokio::test]
async fn the_small_calls_do_what_the_port_says() {
    let world = World::new().await;
    let tenant = TenantId::default();
    let context = Context::new(
        &tenant,
        connector_http::Lane::Bulk,
        &connector_http::TokioTimer,
    );
    let plan = world.hook.plan(&ann());
    let key = plan.contact.key().external(ContactId::generate());
    let mut person = Person::new(&plan.contact, &key);

    assert_eq!(world.target.find(&context, &person).await.unwrap(), []);
    let id = world.target.create(&context, &person).await.unwrap();
    let hits = world.target.find(&context, &person).await.unwrap();
    assert_eq!((hits.len(), &hits[0].remote), (1, &id));
    assert!(hits[0].created_at.is_some());
    // Under another key, with this one as an alias: the same record, once.
    let (other, aliases) = (ExternalKey::from("user-2"), [key.clone(), key.clone()]);
    person.key = &other;
    person.aliases = &aliases;
    assert_eq!(world.target.find(&context, &person).await.unwrap().len(), 1);

    assert_eq!(
        world.target.update(&context, &id, &person).await.unwrap(),
        Updated::Unchanged
    );
    world.target.delete(&context, &id).await.unwrap();
    world.target.delete(&context, &id).await.unwrap();
    assert_eq!(
        world.target.update(&context, &id, &person).await.unwrap(),
        Updated::Gone
    );
    assert_eq!(world.contacts().len(), 0);
    let never = RemoteId::from("CT0000");
    assert_eq!(
        world
            .target
            .update(&context, &never, &person)
            .await
            .unwrap(),
        Updated::Gone
    );
}

#[tokio::test]
async fn the_strict_road_leaves_both_sides_alike() {
    let world = World::new().await;
    let crm = world.crm();
    let (row, receipt) = crm
        .create(&ann(), async |ticket: Ticket| {
            ticket.confirm().await?;
            Ok::<_, contact_sync::StoreError>(ticket.remote_id("openphone").cloned())
        })
        .await
        .unwrap();
    assert_eq!(row.as_ref(), receipt.targets[0].contact_id.as_ref());
    assert_eq!(world.contacts().len(), 1);

    let bob = Signup::new().name("Bob Ray").email("bob@example.com");
    crm.create(&bob, async |_: Ticket| Err::<(), _>("disk full"))
        .await
        .unwrap_err();
    assert_eq!(world.contacts().len(), 1);

    // Unclear and not there: refused, and nothing is left.
    let fault = Fault::ServerError {
        status: 500,
        retry_after: None,
    };
    world
        .sandbox
        .control()
        .faults(FaultPlan::none().next(CREATE_CONTACT, 1, fault));
    let error = crm
        .create(&bob, async |_: Ticket| Ok::<_, io::Error>(()))
        .await
        .unwrap_err();
    let StrictError::Vendor { error, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (error.class(), error.note().status),
        (ErrorClass::Ambiguous, Some(500))
    );
    assert_eq!(world.contacts().len(), 1);

    // Unclear and there: taken.
    world.sandbox.control().faults(FaultPlan::none().next(
        CREATE_CONTACT,
        1,
        Fault::ResetAfterEffect,
    ));
    crm.create(&bob, async |_: Ticket| Ok::<_, io::Error>(()))
        .await
        .unwrap();
    assert_eq!(world.contacts().len(), 2);

    // The undo fails, and a worker does it later.
    let plan = FaultPlan::none().next(DELETE_CONTACT, 6, Fault::ResetBeforeEffect);
    world.sandbox.control().faults(plan);
    let eve = Signup::new().name("Eve Quist").email("eve@example.com");
    crm.create(&eve, async |_: Ticket| Err::<(), _>("disk full"))
        .await
        .unwrap_err();
    assert_eq!(world.contacts().len(), 3);
    world.work().await;
    assert_eq!(world.contacts().len(), 2);
}

#[tokio::test]
async fn a_field_map_fills_custom_fields_and_says_what_it_cannot() {
    let mut world = World::new().await;
    let control = world.sandbox.control();
    control.add_custom_field("Lead", "lead-key", CustomFieldKind::Boolean);
    control.add_custom_field("Seats", "seats", CustomFieldKind::Number);
    control.add_custom_field("Remarks", "remarks", CustomFieldKind::String);
    let map = FieldMap::new()
        .field(Field::Notes, Place::custom("remarks"))
        .attribute("seats", Place::custom("Seats"))
        .attribute("job", Place::field("role"))
        .attribute("plan", Place::custom("Plan"))
        .leave_out(Field::Company)
        .constant(Place::custom("Lead"), "yes")
        .constant(Place::field("source"), "shop");
    let maps = StaticMappings::new().everybody("openphone", map);
    world.target = Arc::new((*world.target).clone().mappings(maps));

    let full = ann()
        .company("Lee Ltd")
        .notes("hello")
        .attribute("seats", "12")
        .attribute("job", "CTO")
        .attribute("plan", "basic");
    world.hook.on_signup(full.clone()).await.unwrap();
    world.work().await;
    let record = world.contacts().remove(0);
    assert_eq!(record["source"], "shop");
    assert_eq!(record["defaultFields"]["role"], "CTO");
    assert_eq!(record["defaultFields"]["company"], Value::Null);
    let value = |record: &Value, key: &str| {
        let fields = record["customFields"].as_array().unwrap();
        let field = fields.iter().find(|field| field["key"] == key);
        field.map(|field| field["value"].clone())
    };
    assert_eq!(value(&record, "lead-key"), Some(json!(true)));
    assert_eq!(value(&record, "seats"), Some(json!(12)));
    assert_eq!(value(&record, "remarks"), Some(json!("hello")));
    let unmapped = |world: &World| {
        let events = world.events.lock().unwrap();
        match &events.last().unwrap().progress {
            Progress::Delivered { unmapped, .. } => unmapped.clone(),
            _ => Vec::new(),
        }
    };
    let none = Unmapped::attribute("plan", "there is no such custom field");
    assert_eq!(unmapped(&world), std::slice::from_ref(&none));

    // The same again writes nothing; another number does, and one that is none is left out.
    world.hook.on_signup(full.clone()).await.unwrap();
    world.work().await;
    let more = full.clone().attribute("seats", "13");
    world.hook.on_signup(more).await.unwrap();
    world.work().await;
    assert_eq!(value(&world.contacts()[0], "seats"), Some(json!(13)));
    let many = full.attribute("seats", "many");
    world.hook.on_signup(many).await.unwrap();
    world.work().await;
    let actions = world.actions();
    let expected = [
        Action::Created,
        Action::Unchanged,
        Action::Updated,
        Action::Unchanged,
    ];
    assert_eq!(actions, expected);
    assert_eq!(
        unmapped(&world),
        [none, Unmapped::attribute("seats", "not a number")]
    );
    let asked = world.sandbox.control().operations();
    let lists = asked.iter().find(|op| op.operation == LIST_CUSTOM_FIELDS);
    assert_eq!(lists.map(|op| op.requests), Some(1), "{asked:?}");
}
