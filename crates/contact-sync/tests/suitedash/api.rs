//! API mode: everybody once, nobody mailed, and as few calls as there can be.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use contact_sync::targets::suitedash::Settings;
use contact_sync::{
    Action, CallBudget, ContactId, Context, ErrorClass, JobStore, Known, Lane, Person, Progress,
    RemoteId, Signup, StrictError, Target, TenantId, Ticket, TokioTimer, Updated,
};
use rstest::rstest;
use serde_json::json;
use suitedash_client::ClientBuilder;
use suitedash_client::connection::{CallOrder, Messages};
use vendor_sandbox::suitedash::{CREATE_CONTACT, GET_CONTACT, UPDATE_CONTACT};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

use crate::world::{World, ann, client};

#[tokio::test]
async fn a_new_contact_takes_one_call_and_the_same_again_none() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let settings = Settings::new().source("website").tags(["fair"]);
    let world = World::with(client(&sandbox, |it| it), settings.clone());
    world.hook.on_signup(ann().notes("hello")).await.unwrap();
    world.work().await;
    assert_eq!(control.calls_used(), 1);
    let contact = control.contact("ann@example.com").unwrap();
    assert_eq!(
        (
            &contact["first_name"],
            &contact["last_name"],
            &contact["role"]
        ),
        (&json!("Ann"), &json!("Lee"), &json!("Lead"))
    );
    assert_eq!(contact["phone"], "+12025550143");
    assert_eq!(contact["background_info"], "hello");
    assert_eq!(contact["tags"], json!(["fair", "source:website"]));

    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(control.calls_used(), 1);
    // In another process, nobody remembers: a look.
    let other = World::with(client(&sandbox, |it| it), settings);
    let later = World {
        target: other.target,
        ..world
    };
    later.hook.on_signup(ann()).await.unwrap();
    later.work().await;
    assert_eq!(control.calls_used(), 2);
    // Something is different: a look and a write.
    later
        .hook
        .on_signup(ann().company("Lee & Ray").notes("hello"))
        .await
        .unwrap();
    later.work().await;
    assert_eq!(control.calls_used(), 4);
    assert_eq!(
        later.actions(),
        [
            Action::Created,
            Action::Unchanged,
            Action::Unchanged,
            Action::Updated
        ]
    );
    assert_eq!(control.contact_count(), 1);
    assert_eq!(
        control.contact("ann@example.com").unwrap()["background_info"],
        "hello"
    );
    assert!(control.welcome_mails().is_empty());
    assert_eq!(later.target.budget(), CallBudget::Scarce);
}

#[tokio::test]
async fn who_is_there_already_is_brought_up_to_date_and_stays_what_they_are() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let record = json!({
        "role": "Client", "first_name": "A.", "last_name": "Lee", "email": "ann@example.com",
        "background_info": "since 2019", "tags": ["VIP"],
    });
    let uid = control.seed_contact(&record).unwrap();
    let world = World::with(client(&sandbox, |it| it), Settings::new().tags(["new"]));
    let receipt = world.sign_up(ann().notes("call me")).await;
    assert_eq!(
        receipt.targets[0].contact_id,
        Some(RemoteId::from(uid.as_str()))
    );
    assert_eq!(control.calls_used(), 3);
    let contact = control.contact(&uid).unwrap();
    assert_eq!(
        (&contact["role"], &contact["first_name"]),
        (&json!("Client"), &json!("Ann"))
    );
    assert_eq!(contact["tags"], json!(["VIP", "new"]));
    let notes = contact["background_info"].as_str().unwrap();
    assert!(
        notes.starts_with("since 2019\n\n[") && notes.ends_with("] call me"),
        "{notes}"
    );
    assert_eq!(world.actions(), [Action::Updated]);
    assert!(control.welcome_mails().is_empty());
}

#[tokio::test]
async fn reading_first_is_cheaper_for_the_same_again() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let settings = Settings::new()
        .call_order(CallOrder::ReadFirst)
        .messages(Messages::LeaveOut);
    for calls in [2, 3] {
        // Another store each time: nothing is known of anybody.
        let world = World::with(client(&sandbox, |it| it), settings.clone());
        world.sign_up(ann().notes("hello")).await;
        assert_eq!(sandbox.control().calls_used(), calls);
    }
    let contact = sandbox.control().contact("ann@example.com").unwrap();
    assert_eq!(contact["background_info"], json!(null));
}

#[tokio::test]
async fn an_address_that_changes_is_changed_there_and_a_record_that_is_gone_made_anew() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let world = World::on(&sandbox);
    world.sign_up(ann()).await;
    world.sign_up(ann().email("ann.lee@example.com")).await;
    assert_eq!(control.contact_count(), 1);
    let moved = control.contact("ann.lee@example.com").unwrap();
    assert!(control.delete_contact(moved["uid"].as_str().unwrap()));
    world
        .sign_up(ann().email("ann.lee@example.com").company("Ray Ltd"))
        .await;
    assert_eq!(control.contact_count(), 1);
    assert_ne!(
        control.contact("ann.lee@example.com").unwrap()["uid"],
        moved["uid"]
    );
    assert_eq!(
        world.actions(),
        [Action::Created, Action::Updated, Action::Created]
    );
}

#[rstest]
#[case::server_error(Fault::ServerError { status: 500, retry_after: None })]
#[case::after_effect(Fault::ServerErrorAfterEffect { status: 500 })]
#[case::bad_gateway(Fault::HtmlErrorPage)]
#[case::reset_before(Fault::ResetBeforeEffect)]
#[case::reset_after(Fault::ResetAfterEffect)]
#[case::truncated(Fault::TruncatedBody)]
#[case::malformed(Fault::MalformedJson)]
#[case::unsuccessful(Fault::Unsuccessful)]
#[case::hang_after(Fault::HangAfterEffect)]
#[tokio::test]
async fn an_unclear_create_makes_one_record(#[case] fault: Fault, #[values(1, 3)] times: u32) {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let world = World::on(&sandbox);
    control.faults(FaultPlan::none().next(CREATE_CONTACT, times, fault));
    world.hook.on_signup(ann().notes("hello")).await.unwrap();
    world.work().await;
    let stopped = world.store.stopped_jobs().await.unwrap();
    // A success that says it failed is a refusal; by somebody who is not there, it is about the contact.
    let is_refusal = fault == Fault::Unsuccessful;
    assert!(stopped.is_empty() || is_refusal, "{stopped:?}");
    if !is_refusal {
        assert_eq!(control.contact_count(), 1);
        let contact = control.contact("ann@example.com").unwrap();
        assert_eq!(contact["background_info"], "hello");
    }
    assert!(control.welcome_mails().is_empty());
}

/// Thirty people, some of them twice, and a vendor that fails one call in five in every way it knows.
#[tokio::test]
async fn with_faults_everybody_arrives_once() {
    let plan = FaultPlan::rate(0.2).hang_millis(300);
    let sandbox = Sandbox::suitedash().seed(11).fault_plan(plan);
    let sandbox = sandbox.start().await.unwrap();
    // A 429 that a fault makes up would end the month of a ledger.
    let world = World::with(
        client(&sandbox, ClientBuilder::without_quota),
        Settings::new(),
    );
    let worker = world.worker().start();
    for id in 0..30 {
        let signup = Signup::new()
            .name(format!("Ann Lee {id}"))
            .email(format!("ann{id}@example.com"));
        world.hook.on_signup(signup.clone()).await.unwrap();
        if id % 4 == 0 {
            let again = signup.host_id(format!("user-{id}"));
            world.hook.on_signup(again).await.unwrap();
        }
    }
    worker.idle().await;
    assert!(world.store.stopped_jobs().await.unwrap().is_empty());
    let contacts = sandbox.control().contacts();
    let emails: BTreeSet<&str> = contacts
        .iter()
        .filter_map(|contact| contact["email"].as_str())
        .collect();
    assert_eq!((contacts.len(), emails.len()), (30, 30));
    assert!(sandbox.control().welcome_mails().is_empty());
}

#[tokio::test]
async fn a_lead_without_an_address_is_sent_once_and_after_a_lost_answer_never_again() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let world = World::on(&sandbox);
    let bob = Signup::new()
        .host_id("user-2")
        .first_name("Bob")
        .phone("202 555 0117");
    world.sign_up(bob.clone()).await;
    let contacts = control.contacts();
    assert_eq!(
        (
            &contacts[0]["last_name"],
            &contacts[0]["role"],
            control.calls_used()
        ),
        (&json!("."), &json!("Lead"), 1)
    );

    control.faults(FaultPlan::none().next(CREATE_CONTACT, 1, Fault::ResetAfterEffect));
    let eve = Signup::new().host_id("user-3").name("Eve Quist");
    world.hook.on_signup(eve).await.unwrap();
    world.work().await;
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert_eq!((stopped.len(), stopped[0].review), (1, true));
    assert_eq!((control.contact_count(), control.calls_used()), (2, 2));
}

#[tokio::test]
async fn without_a_name_a_placeholder_stands_and_replaces_nothing() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let world = World::on(&sandbox);
    let signup = || Signup::new().email("ann@example.com");
    world.sign_up(signup()).await;
    let contact = control.contact("ann@example.com").unwrap();
    assert_eq!(
        (&contact["first_name"], &contact["last_name"]),
        (&json!("."), &json!("."))
    );
    let named = json!({"first_name": "Ann", "last_name": "Lee"});
    control.edit_contact("ann@example.com", &named).unwrap();
    let later = World::on(&sandbox);
    later.sign_up(signup()).await;
    let contact = control.contact("ann@example.com").unwrap();
    assert_eq!(contact["first_name"], "Ann");
    assert_eq!(later.actions(), [Action::Unchanged]);
}

/// A look-up that answers with somebody else: nobody is written to, and a person has to look.
#[tokio::test]
async fn a_stranger_is_never_written_to() {
    let sandbox = Sandbox::suitedash()
        .loose_lookup(true)
        .start()
        .await
        .unwrap();
    let control = sandbox.control();
    let stranger = json!({"role": "Client", "first_name": "Sam", "last_name": "Poe", "email": "sam@example.com"});
    control.seed_contact(&stranger).unwrap();
    let before = control.contact("sam@example.com");
    let world = World::on(&sandbox);
    control.faults(FaultPlan::none().next(CREATE_CONTACT, 1, Fault::ResetBeforeEffect));
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(control.contact("sam@example.com"), before);
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert_eq!((stopped.len(), stopped[0].review), (1, true));
    assert_eq!(control.contact_count(), 1);
}

#[tokio::test]
async fn a_spent_month_parks_and_the_next_one_goes_on() {
    let sandbox = Sandbox::suitedash().monthly_quota(3).start().await.unwrap();
    let control = sandbox.control();
    let world = World::with(
        client(&sandbox, ClientBuilder::without_quota),
        Settings::new(),
    );
    for id in 0..5 {
        let signup = Signup::new()
            .name("Ann Lee")
            .email(format!("ann{id}@example.com"));
        world.hook.on_signup(signup).await.unwrap();
    }
    let worker = world.worker().start();
    let last = Signup::new().name("Ann Lee").email("ann4@example.com");
    let wait = Duration::from_millis(300);
    world.hook.on_signup_wait(last, wait).await.unwrap();
    assert_eq!(control.contact_count(), 3);
    assert!(world.store.stopped_jobs().await.unwrap().is_empty());
    control.next_month();
    worker.idle().await;
    assert_eq!(control.contact_count(), 5);
    let events = world.events.lock().unwrap();
    let quota = events.iter().find_map(|event| match &event.progress {
        Progress::Retrying { failure, .. } => Some((failure.class, failure.status)),
        _ => None,
    });
    assert_eq!(quota, Some((ErrorClass::QuotaSpent, Some(429))));
}

/// Once the vendor has said so, its word is remembered: no further call is spent on asking.
#[tokio::test]
async fn a_ledger_asks_a_spent_month_once() {
    let sandbox = Sandbox::suitedash().monthly_quota(1).start().await.unwrap();
    let control = sandbox.control();
    let world = World::on(&sandbox);
    for id in 0..4 {
        let signup = Signup::new()
            .name("Ann Lee")
            .email(format!("ann{id}@example.com"));
        world.sign_up(signup).await;
    }
    assert_eq!((control.contact_count(), control.calls_used()), (1, 2));
    assert!(world.store.stopped_jobs().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_small_calls_do_what_the_port_says() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let world = World::on(&sandbox);
    let tenant = TenantId::default();
    let context = Context::new(&tenant, Lane::Bulk, &TokioTimer);
    let plan = world.hook.plan(&ann());
    let key = plan.contact.key().external(ContactId::generate());
    let person = Person::new(&plan.contact, &key);
    let target = &world.target;

    assert_eq!(target.find(&context, &person).await.unwrap(), []);
    let id = target.create(&context, &person).await.unwrap();
    let hits = target.find(&context, &person).await.unwrap();
    assert_eq!((hits.len(), &hits[0].remote), (1, &id));
    assert!(hits[0].created_at.is_some());
    let again = target.create(&context, &person).await.unwrap_err();
    assert_eq!(
        (again.class(), again.note().status),
        (ErrorClass::Conflict, Some(422))
    );
    assert_eq!(
        target.update(&context, &id, &person).await.unwrap(),
        Updated::Unchanged
    );
    assert_eq!(
        target.delete(&context, &id).await.unwrap_err().class(),
        ErrorClass::Conflict
    );
    let never = RemoteId::from("11111111-1111-4111-8111-111111111111");
    assert_eq!(
        target.update(&context, &never, &person).await.unwrap(),
        Updated::Gone
    );
}

#[tokio::test]
async fn several_records_are_a_persons_choice() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let world = World::on(&sandbox);
    let tenant = TenantId::default();
    let context = Context::new(&tenant, Lane::Bulk, &TokioTimer);
    let contact = world.hook.plan(&ann()).contact;
    let key = contact.key().external(ContactId::generate());
    let mut delivery = contact_sync::Delivery::new(contact, 1, key);
    delivery.known = Known::Several(vec!["1".into(), "2".into()]);
    let refused = world.target.deliver(&context, &delivery).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Conflict);
    assert_eq!(sandbox.control().calls_used(), 0);
}

/// What cannot be taken back is not promised.
#[tokio::test]
async fn the_strict_road_wants_to_be_told_to_leave_and_flag() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let world = World::on(&sandbox);
    let refused = world
        .crm()
        .create(&ann(), async |_: Ticket| Ok::<_, io::Error>(()))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, StrictError::CannotUndo { .. }),
        "{refused:?}"
    );
    assert_eq!(control.calls_used(), 0);

    let crm = world.crm().leave_and_flag();
    crm.create(&ann(), async |ticket: Ticket| ticket.confirm().await)
        .await
        .unwrap();
    assert_eq!(control.contact_count(), 1);
    // A failed write of a known contact is tried again and is no second contact.
    control.faults(
        FaultPlan::none()
            .next(UPDATE_CONTACT, 1, Fault::ResetAfterEffect)
            .next(GET_CONTACT, 1, Fault::HtmlErrorPage),
    );
    world
        .hook
        .on_signup(ann().company("Ray Ltd"))
        .await
        .unwrap();
    world.work().await;
    assert_eq!(control.contact_count(), 1);
    assert!(control.welcome_mails().is_empty());
}
