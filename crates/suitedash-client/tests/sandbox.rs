//! Whole flows against the simulated vendor, written by other hands from the same facts.

use std::time::Duration;

use rstest::rstest;
use suitedash_client::{
    Client, ContactAction, ContactInput, ContactPatch, ContactPlan, Delivery, ErrorKind,
    LeadSubmission, ListQuery, NewCompany, NewContact, Notice, QuotaLedger, QuotaPlan, Role,
};
use vendor_sandbox::suitedash::{CREATE_CONTACT, RecordKind};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

macro_rules! start {
    ($builder:expr) => {{
        let sandbox = $builder.start().await.unwrap();
        let client = Client::builder()
            .public_id(sandbox.public_id())
            .secret_key(sandbox.secret_key())
            .base_url(sandbox.base_url())
            .build()
            .unwrap();
        (sandbox, client)
    }};
}

fn jane() -> ContactInput {
    ContactInput::new()
        .full_name("Jane Roe")
        .email("jane.roe@example.com")
        .phone("+15550100")
}

#[tokio::test]
async fn a_form_from_the_first_time_to_the_third() {
    let (sandbox, client) = start!(Sandbox::suitedash());
    let control = sandbox.control();
    let form = |message: &str| {
        LeadSubmission::new(jane())
            .source("website")
            .message(message)
    };
    let first = client
        .create_lead_from_submission(&form("Hello"))
        .await
        .unwrap();
    assert_eq!(
        (first.outcome.action, first.outcome.calls_spent),
        (ContactAction::Created, 1)
    );
    assert_eq!(control.calls_used(), 1);
    // Nobody was invited to a portal they did not ask for.
    assert!(control.welcome_mails().is_empty());

    let again = client
        .create_lead_from_submission(&form("Hello"))
        .await
        .unwrap();
    assert_eq!(
        (again.outcome.action, again.outcome.calls_spent),
        (ContactAction::Unchanged, 2)
    );
    assert_eq!(again.contact_uid(), first.contact_uid());

    let third = client
        .create_lead_from_submission(&form("And one more thing"))
        .await
        .unwrap();
    assert_eq!(
        (third.outcome.action, third.outcome.calls_spent),
        (ContactAction::Updated, 3)
    );
    let contact = client.contacts().get(first.contact_uid()).await.unwrap();
    let notes = contact.background_info.unwrap();
    assert!(
        notes.starts_with("Hello\n\n[20") && notes.ends_with("] And one more thing"),
        "{notes}"
    );
    assert_eq!(contact.tags, ["source:website"]);
    assert_eq!(contact.role, Some(Role::Lead));
    assert_eq!(client.quota().await.unwrap().used, control.calls_used());
    assert!(control.welcome_mails().is_empty());
}

/// The contact is made, and nobody hears of it.
#[rstest]
#[case(Fault::ResetAfterEffect)]
#[case(Fault::HangAfterEffect)]
#[case(Fault::TruncatedBody)]
#[case(Fault::MalformedJson)]
#[tokio::test]
async fn a_lost_answer_makes_no_second_contact(#[case] fault: Fault) {
    let (sandbox, client) = start!(Sandbox::suitedash());
    let control = sandbox.control();
    control.faults(FaultPlan::none().next(CREATE_CONTACT, 1, fault));
    let call = client.create_or_update_contact(&jane());
    let outcome = call.timeout(Duration::from_millis(500)).await.unwrap();
    assert_eq!(outcome.action, ContactAction::Created);
    assert!(outcome.notices.contains(&Notice::AnswerLost));
    let everybody = client
        .contacts()
        .list(&ListQuery::new())
        .all(100)
        .await
        .unwrap();
    assert_eq!(everybody.len(), 1);
}

/// The contact is not made, and nobody hears of that either: the doubt is told, and trying again is safe.
#[tokio::test]
async fn after_a_doubt_trying_again_is_safe() {
    let (sandbox, client) = start!(Sandbox::suitedash());
    let control = sandbox.control();
    control.faults(FaultPlan::none().next(CREATE_CONTACT, 1, Fault::ResetBeforeEffect));
    let error = client.create_or_update_contact(&jane()).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    let outcome = client.create_or_update_contact(&jane()).await.unwrap();
    assert_eq!(outcome.action, ContactAction::Created);
    let everybody = client
        .contacts()
        .list(&ListQuery::new())
        .all(100)
        .await
        .unwrap();
    assert_eq!(everybody.len(), 1);
}

#[tokio::test]
async fn a_success_that_says_it_failed_is_none() {
    let (sandbox, client) = start!(Sandbox::suitedash());
    sandbox
        .control()
        .faults(FaultPlan::none().next(CREATE_CONTACT, 1, Fault::Unsuccessful));
    let new = NewContact::new(Role::Lead, "Jane", "Roe").email("jane.roe@example.com");
    let error = client.contacts().create(&new).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Api, Delivery::Rejected)
    );
    client.contacts().create(&new).await.unwrap();
}

#[tokio::test]
async fn the_vendor_ends_the_month_once() {
    let (sandbox, client) = start!(Sandbox::suitedash().monthly_quota(2));
    let control = sandbox.control();
    client.create_or_update_contact(&jane()).await.unwrap();
    client.meta().await.unwrap();
    let error = client.test_connection().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::QuotaSpent, Some(429))
    );
    let asked = control.request_count();
    for _ in 0..5 {
        let error = client.create_or_update_contact(&jane()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::QuotaSpent, Delivery::NotSent)
        );
    }
    assert_eq!(control.request_count(), asked);
}

#[tokio::test]
async fn a_ledger_stops_before_the_vendor_would() {
    let sandbox = Sandbox::suitedash().monthly_quota(5).start().await.unwrap();
    let client = Client::builder()
        .public_id(sandbox.public_id())
        .secret_key(sandbox.secret_key())
        .base_url(sandbox.base_url())
        .quota(QuotaLedger::new(QuotaPlan::Custom(5)).reserve(2))
        .build()
        .unwrap();
    sandbox.control().seed_contacts(100);
    let error = client
        .contacts()
        .list(&ListQuery::new())
        .all(1_000)
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(sandbox.control().calls_used(), 3);
    client.create_or_update_contact(&jane()).await.unwrap();
    client.meta().await.unwrap();
    client.meta().await.unwrap();
    let error = client.test_connection().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::QuotaSpent, None)
    );
    assert_eq!(sandbox.control().calls_used(), 5);
}

#[tokio::test]
async fn a_list_is_walked_to_its_end() {
    let (sandbox, client) = start!(Sandbox::suitedash().page_links_to("https://evil.example"));
    sandbox.control().seed_contacts(95);
    let everybody = client
        .contacts()
        .list(&ListQuery::new())
        .all(1_000)
        .await
        .unwrap();
    assert_eq!(everybody.len(), 95);
    assert_eq!(sandbox.control().calls_used(), 10);
}

/// A server that answers with somebody else when there is nobody.
#[tokio::test]
async fn a_stranger_is_left_alone() {
    let (sandbox, client) = start!(Sandbox::suitedash().loose_lookup(true));
    let stranger = NewContact::new(Role::Client, "Ada", "Adler").email("ada@example.com");
    let stranger = client.contacts().create(&stranger).await.unwrap();
    let call = client
        .create_or_update_contact(&jane())
        .plan(ContactPlan::GetFirst);
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(
        client.contacts().get(&stranger.uid).await.unwrap(),
        stranger
    );
    assert_eq!(sandbox.control().calls_used(), 3);
}

/// One source says that updates are partial; should they not be, it is told.
#[tokio::test]
async fn an_update_that_is_not_partial_is_noticed() {
    let (_sandbox, client) = start!(Sandbox::suitedash().partial_updates(false));
    let made = client
        .create_or_update_contact(&jane().title("CEO"))
        .await
        .unwrap();
    let outcome = client
        .attach_tags(&made.contact.uid, ["vip"])
        .await
        .unwrap();
    let changed = |field: &str| {
        outcome
            .notices
            .contains(&Notice::ChangedUnsent(field.to_owned()))
    };
    assert!(
        changed("title") && changed("phone"),
        "{:?}",
        outcome.notices
    );
}

#[tokio::test]
async fn custom_fields_are_added_to() {
    let (sandbox, client) = start!(Sandbox::suitedash());
    let control = sandbox.control();
    control.define_custom_field(RecordKind::Contact, "f-1", "Interest");
    control.define_custom_field(RecordKind::Contact, "f-2", "Budget");
    let field = suitedash_client::FieldRef::label;
    let made = client.create_or_update_contact(&jane().field(field("interest"), "Consulting"));
    made.await.unwrap();
    let both = client.create_or_update_contact(&jane().field(field("Budget"), "much"));
    let outcome = both.await.unwrap();
    assert_eq!(outcome.contact.custom_fields.len(), 2);
    assert!(outcome.unmapped.is_empty());
}

#[tokio::test]
async fn companies_and_changes() {
    let (_sandbox, client) = start!(Sandbox::suitedash());
    let company = NewCompany::new("Example GmbH", Role::Lead);
    let company = client.companies().create(&company).await.unwrap();
    let found = client
        .companies()
        .get_by_name("Example GmbH")
        .await
        .unwrap();
    assert_eq!(found.uid, company.uid);
    let outcome = client
        .create_or_update_contact(&jane().company("Example GmbH"))
        .await
        .unwrap();
    let again = client
        .create_or_update_contact(&jane().company("Example GmbH"))
        .await
        .unwrap();
    assert_eq!(again.action, ContactAction::Unchanged);
    let patch = ContactPatch::new().phone("+15550101").clear_title();
    let changed = client
        .contacts()
        .update(&outcome.contact.uid, &patch)
        .await
        .unwrap();
    assert_eq!(changed.phone.as_deref(), Some("+15550101"));
    assert_eq!(
        client
            .companies()
            .list(&ListQuery::new())
            .all(9)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn the_published_pair_reads_and_does_not_write() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let client = Client::builder()
        .dummy_credentials()
        .base_url(sandbox.base_url())
        .build()
        .unwrap();
    assert!(client.test_connection().await.unwrap().dummy);
    let error = client.create_or_update_contact(&jane()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
}
