//! Creating or updating, forms and tags: which calls are made, with what, and what is said about it.

use connector_http::testing::{FakeTransport, Reply};
use rstest::rstest;
use serde_json::{Value, json};
use suitedash_client::{
    ContactAction, ContactInput, ContactOutcome, ContactPatch, ContactPlan, ContactRules, Delivery,
    ErrorKind, ExistingValues, FieldRef, Lane, LeadSubmission, Method, Notice, QuotaLedger,
    QuotaPlan, Role, SourceRule, StepWhen, UnmappedReason,
};

use crate::support::{EMAIL, UID, builder, client, contact, fixture, lines, refused, script, told};

const GET: &str = "GET /contact/jane.roe%40example.com";
const POST: &str = "POST /contact";
const PUT: &str = "PUT /contact/11111111-1111-4111-8111-111111111111";
const FIELD: &str = "44444444-4444-4444-8444-444444444444";
const STATUS: &str = "66666666-6666-4666-8666-666666666666";

fn jane() -> ContactInput {
    ContactInput::new()
        .first_name("Jane")
        .last_name("Roe")
        .email(EMAIL)
}

fn stored() -> Reply {
    told(200, &contact(&json!({})))
}

/// What a PUT sent, without the switch that every one carries.
fn written(fake: &FakeTransport) -> Value {
    let mut body = fake.last_request().unwrap().json();
    let invite = body.as_object_mut().unwrap().remove("send_welcome_email");
    assert_eq!(invite, Some(false.into()));
    body
}

fn fields(outcome: &ContactOutcome) -> Vec<(&str, UnmappedReason)> {
    let unmapped = outcome.unmapped.iter();
    unmapped.map(|it| (&*it.field, it.reason)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_contact_takes_one_call() {
    let made = contact(&json!({"background_info": "Hi", "tags": ["source:website", "fair"]}));
    let fake = script([told(201, &made)]);
    let input = jane()
        .phone("+15550100")
        .company("Example GmbH")
        .notes(" Hi ")
        .tags(["fair", "Fair"])
        .source("website")
        .field(FieldRef::uid(FIELD), "Consulting");
    let outcome = client(&fake)
        .create_or_update_contact(&input)
        .await
        .unwrap();
    assert_eq!(outcome.action, ContactAction::Created);
    assert_eq!(outcome.contact.uid.as_str(), UID);
    assert_eq!((outcome.calls_spent, outcome.unmapped.len()), (1, 0));
    assert_eq!(outcome.notices, []);
    assert_eq!(lines(&fake), [POST]);
    assert_eq!(
        fake.last_request().unwrap().json(),
        json!({
            "role": "Lead", "first_name": "Jane", "last_name": "Roe", "email": EMAIL, "phone": "+15550100",
            "background_info": "Hi", "tags": ["fair", "source:website"],
            "company": {"name": "Example GmbH", "create_company_if_not_exists": true},
            "custom_fields": {FIELD: "Consulting"}, "send_welcome_email": false,
        })
    );
}

/// A tag that is not created, a field that is not taken, somebody else's record.
#[tokio::test(start_paused = true)]
async fn what_was_made_otherwise_than_asked_is_told() {
    let made = contact(&json!({"email": "john@example.com", "tags": [], "title": null}));
    let fake = script([told(201, &made)]);
    let input = jane().tags(["fair"]).title("CEO").phone("+15550100");
    let outcome = client(&fake)
        .create_or_update_contact(&input)
        .await
        .unwrap();
    assert_eq!(outcome.action, ContactAction::Created);
    let told = ["email", "tags", "title"].map(|it| Notice::StoredDifferently(it.to_owned()));
    assert_eq!(outcome.notices, told);
    assert_eq!(lines(&fake), [POST]);

    // An answer that says little says nothing against it.
    let fake = script([told_uid_alone()]);
    let outcome = client(&fake)
        .create_or_update_contact(&input)
        .await
        .unwrap();
    assert_eq!(outcome.notices, []);
}

fn told_uid_alone() -> Reply {
    told(201, &json!({ "uid": UID }))
}

#[tokio::test(start_paused = true)]
async fn an_update_mails_nobody_unasked() {
    let fake = FakeTransport::handler(|_| stored());
    let client = client(&fake);
    for (patch, invited) in [
        (ContactPatch::new(), false),
        (ContactPatch::new().send_welcome_email(true), true),
    ] {
        let patch = patch.title("CEO");
        client.contacts().update(&UID.into(), &patch).await.unwrap();
        assert_eq!(
            fake.last_request().unwrap().json(),
            json!({"title": "CEO", "send_welcome_email": invited})
        );
    }
}

/// Whatever the vendor's word for a duplicate is, the look-up decides.
#[rstest]
#[case(422)]
#[case(409)]
#[case(200)]
#[tokio::test(start_paused = true)]
async fn a_refusal_that_may_mean_duplicate_is_looked_into(#[case] status: u16) {
    let after = contact(&json!({"phone": "+15550101"}));
    let fake = script([refused(status), stored(), told(200, &after)]);
    let input = jane().phone("+15550101");
    let outcome = client(&fake)
        .contacts()
        .create_or_update(&input)
        .await
        .unwrap();
    assert_eq!(outcome.action, ContactAction::Updated);
    assert_eq!(outcome.calls_spent, 3);
    assert_eq!(lines(&fake), [POST, GET, PUT]);
    assert_eq!(written(&fake), json!({"phone": "+15550101"}));
    assert_eq!(outcome.notices, []);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_nobody_was_about_the_input() {
    let fake = script([refused(422), refused(404)]);
    let error = client(&fake)
        .create_or_update_contact(&jane())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Validation, Some(422))
    );
    assert_eq!(error.delivery(), Delivery::Rejected);
    assert_eq!(error.operation(), "contacts.create");
    assert_eq!(lines(&fake), [POST, GET]);
}

#[tokio::test(start_paused = true)]
async fn other_refusals_are_not_looked_into() {
    for status in [400, 401, 405] {
        let fake = script([refused(status)]);
        let error = client(&fake)
            .create_or_update_contact(&jane())
            .await
            .unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(lines(&fake), [POST]);
    }
}

#[tokio::test(start_paused = true)]
async fn get_first_reads_and_writes_only_what_differs() {
    let rules = ContactRules::new().plan(ContactPlan::GetFirst);
    let fake = script([stored()]);
    let client = builder(&fake).contact_rules(rules).build().unwrap();
    let outcome = client.create_or_update_contact(&jane()).await.unwrap();
    assert_eq!(
        (outcome.action, outcome.calls_spent),
        (ContactAction::Unchanged, 1)
    );
    assert_eq!(lines(&fake), [GET]);

    fake.push(refused(404))
        .push(told(201, &contact(&json!({}))));
    let outcome = client.create_or_update_contact(&jane()).await.unwrap();
    assert_eq!(
        (outcome.action, outcome.calls_spent),
        (ContactAction::Created, 2)
    );

    // Nobody was there a moment ago: a refusal is about the input, and one look-up is enough.
    fake.push(refused(404)).push(refused(422));
    let error = client.create_or_update_contact(&jane()).await.unwrap_err();
    assert_eq!(error.status(), Some(422));
    assert_eq!(fake.unused(), 0);
}

/// A server that ignores the address must not make the caller write to a stranger.
#[rstest]
#[case(ContactPlan::PostFirst, json!("john@example.com"))]
#[case(ContactPlan::PostFirst, json!(null))]
#[case(ContactPlan::GetFirst, json!("jane.roe@example.com.evil.example"))]
#[tokio::test(start_paused = true)]
async fn a_stranger_is_never_written_to(#[case] plan: ContactPlan, #[case] email: Value) {
    let stranger = told(200, &contact(&json!({ "email": email })));
    let fake = if plan == ContactPlan::PostFirst {
        script([refused(422), stranger])
    } else {
        script([stranger])
    };
    let call = client(&fake)
        .create_or_update_contact(&jane().title("CEO"))
        .plan(plan);
    let error = call.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Conflict, Delivery::Rejected)
    );
    assert!(error.to_string().contains("nothing was written"), "{error}");
    assert!(!lines(&fake).contains(&PUT.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_email_is_the_same_whatever_the_case_of_its_letters() {
    let fake = script([told(
        200,
        &contact(&json!({"email": "Jane.Roe@Example.com"})),
    )]);
    let call = client(&fake)
        .create_or_update_contact(&jane())
        .plan(ContactPlan::GetFirst);
    assert_eq!(call.await.unwrap().action, ContactAction::Unchanged);
}

#[rstest]
#[case(Reply::hang())]
#[case(Reply::reset_after_sending())]
#[case(Reply::status(502).body("<html>"))]
#[case(Reply::status(201).body("<html>"))]
#[case(Reply::truncated(201))]
#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_it_looks_before_anything_else(#[case] lost: Reply) {
    // It was made: nothing more to do.
    let fake = script([lost.clone(), stored()]);
    let outcome = client(&fake)
        .create_or_update_contact(&jane())
        .await
        .unwrap();
    assert_eq!(
        (outcome.action, outcome.calls_spent),
        (ContactAction::Created, 2)
    );
    assert_eq!(outcome.notices, [Notice::AnswerLost]);
    assert_eq!(lines(&fake), [POST, GET]);

    // It was there before, and differs.
    let fake = script([lost.clone(), stored(), stored()]);
    let input = jane().tags(["new"]);
    let outcome = client(&fake)
        .create_or_update_contact(&input)
        .await
        .unwrap();
    assert_eq!(outcome.action, ContactAction::Updated);
    assert!(outcome.notices.contains(&Notice::AnswerLost));
    assert_eq!(lines(&fake), [POST, GET, PUT]);

    // Nobody is there (yet): the doubt stays, and nothing is sent again.
    let fake = script([lost.clone(), refused(404)]);
    let error = client(&fake)
        .create_or_update_contact(&jane())
        .await
        .unwrap_err();
    assert!(error.delivery() >= Delivery::Unknown);
    assert!(error.so_far().unwrap().contains("was not found"), "{error}");
    assert_eq!(
        (lines(&fake), error.attempts()),
        (vec![POST.to_owned(), GET.to_owned()], 2)
    );

    // The look-up fails as well: the doubt is what counts.
    let fake = script([lost, refused(401)]);
    let error = client(&fake)
        .create_or_update_contact(&jane())
        .await
        .unwrap_err();
    assert!(error.delivery() >= Delivery::Unknown);
    assert_eq!(error.operation(), "contacts.create");
    assert!(
        error.so_far().unwrap().contains("could not be looked up"),
        "{error}"
    );
}

/// The doubt about the creation weighs more than who answered the look-up.
#[rstest]
#[case(ContactPlan::PostFirst)]
#[case(ContactPlan::GetFirst)]
#[tokio::test(start_paused = true)]
async fn a_stranger_behind_a_lost_answer_leaves_the_doubt(#[case] plan: ContactPlan) {
    let stranger = told(200, &contact(&json!({"email": "john@example.com"})));
    let fake = FakeTransport::new();
    if plan == ContactPlan::GetFirst {
        fake.push(refused(404));
    }
    fake.push(Reply::hang()).push(stranger);
    let call = client(&fake).create_or_update_contact(&jane()).plan(plan);
    let error = call.await.unwrap_err();
    assert_eq!(
        (error.delivery(), error.operation()),
        (Delivery::Unknown, "contacts.create")
    );
    assert_eq!(
        (fake.unused(), lines(&fake).last().unwrap().as_str()),
        (0, GET)
    );
}

#[tokio::test(start_paused = true)]
async fn a_bulk_write_leaves_the_reserve_alone() {
    let fake = script([told(201, &contact(&json!({})))]);
    let ledger = QuotaLedger::new(QuotaPlan::Custom(2)).reserve(2);
    let client = builder(&fake).quota(ledger).build().unwrap();
    let error = client
        .create_or_update_contact(&jane())
        .lane(Lane::Bulk)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::QuotaSpent, Delivery::NotSent)
    );
    client.create_or_update_contact(&jane()).await.unwrap();
    assert_eq!(lines(&fake), [POST]);
}

/// The quota ends between the refusal and the look-up: the creation was sent, and what became of it is said.
#[tokio::test(start_paused = true)]
async fn a_quota_that_ends_in_the_middle_is_told() {
    let fake = script([refused(422)]);
    let ledger = QuotaLedger::new(QuotaPlan::Custom(1)).reserve(0);
    let client = builder(&fake).quota(ledger).build().unwrap();
    let error = client.create_or_update_contact(&jane()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::QuotaSpent, Delivery::Rejected)
    );
    assert_eq!((error.operation(), error.attempts()), ("contacts.get", 1));
    let shown = error.to_string();
    assert!(!shown.contains("not sent"), "{shown}");
    assert!(shown.contains("no contact was created"), "{shown}");
    assert_eq!(lines(&fake), [POST]);
}

/// It ends before the last of three calls: the error says whether the contact exists.
#[rstest]
#[case(
    refused(422),
    Delivery::Rejected,
    "the contact exists, and was there before"
)]
#[case(Reply::hang(), Delivery::Unknown, "the contact exists: it was found")]
#[tokio::test(start_paused = true)]
async fn a_failed_update_says_what_was_done_before_it(
    #[case] first: Reply,
    #[case] delivery: Delivery,
    #[case] so_far: &str,
) {
    let fake = script([first, stored()]);
    let ledger = QuotaLedger::new(QuotaPlan::Custom(2)).reserve(0);
    let client = builder(&fake).quota(ledger).build().unwrap();
    let input = jane().tags(["new"]);
    let error = client.create_or_update_contact(&input).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery(), error.attempts()),
        (ErrorKind::QuotaSpent, delivery, 2)
    );
    assert!(error.so_far().unwrap().starts_with(so_far), "{error}");
    assert_eq!(
        (error.operation(), lines(&fake).len()),
        ("contacts.update", 2)
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_that_was_not_sent_says_that_the_contact_was_left_as_it_was() {
    let fake = script([stored()]);
    let ledger = QuotaLedger::new(QuotaPlan::Custom(1)).reserve(0);
    let client = builder(&fake).quota(ledger).build().unwrap();
    let call = client.attach_tags(&UID.into(), ["new"]);
    let error = call.await.unwrap_err();
    let facts = (error.delivery(), error.attempts(), error.so_far());
    let said = "the contact exists, and was there before";
    assert_eq!(facts, (Delivery::NotSent, 1, Some(said)));
}

#[tokio::test(start_paused = true)]
async fn a_note_that_was_stored_before_the_answer_was_lost_is_not_stored_twice() {
    let made = contact(&json!({"background_info": "Hi", "tags": ["source:web"]}));
    let fake = script([Reply::hang(), told(200, &made)]);
    let input = jane().notes("Hi").source("web");
    let outcome = client(&fake)
        .create_or_update_contact(&input)
        .await
        .unwrap();
    assert_eq!(outcome.action, ContactAction::Created);
    assert_eq!(lines(&fake), [POST, GET]);
}

#[tokio::test(start_paused = true)]
async fn a_lead_without_an_email_is_never_sent_twice() {
    let lead = ContactInput::new().full_name("No Email").phone("+15550100");
    let fake = script([Reply::hang()]);
    let error = client(&fake)
        .create_or_update_contact(&lead)
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(lines(&fake), [POST]);

    let fake = script([refused(422)]);
    client(&fake)
        .create_or_update_contact(&lead)
        .await
        .unwrap_err();
    assert_eq!(lines(&fake), [POST]);

    // Nothing left this machine: that may be tried again.
    let fake = script([Reply::connect_error(), told(201, &contact(&json!({})))]);
    let outcome = client(&fake).create_or_update_contact(&lead).await.unwrap();
    assert_eq!(
        (outcome.action, outcome.calls_spent),
        (ContactAction::Created, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_update_is_not_repeated() {
    let fake = script([stored(), Reply::hang()]);
    let call = client(&fake).create_or_update_contact(&jane().title("CEO"));
    let error = call.plan(ContactPlan::GetFirst).await.unwrap_err();
    assert_eq!(
        (error.delivery(), error.operation()),
        (Delivery::Unknown, "contacts.update")
    );
    assert_eq!(lines(&fake), [GET, PUT]);
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_fills_in_a_form_stays_one() {
    let client_of_ours = contact(&json!({"role": "Client"}));
    let fake = script([refused(422), told(200, &client_of_ours)]);
    let outcome = client(&fake)
        .create_or_update_contact(&jane())
        .await
        .unwrap();
    assert_eq!(outcome.action, ContactAction::Unchanged);
    assert_eq!(outcome.contact.role, Some(Role::Client));
    assert_eq!(outcome.notices, [Notice::RoleKept]);
}

#[rstest]
#[case("Jane Roe", "Jane", "Roe", &[Notice::NameSplit])]
#[case(" Jane  van der Roe ", "Jane", "van der Roe", &[Notice::NameSplit])]
#[case("Jane", "Jane", ".", &[Notice::PlaceholderUsed])]
#[tokio::test(start_paused = true)]
async fn one_name_becomes_two(
    #[case] full: &str,
    #[case] first: &str,
    #[case] last: &str,
    #[case] notices: &[Notice],
) {
    let made = contact(&json!({"first_name": first, "last_name": last}));
    let fake = script([told(201, &made)]);
    let input = ContactInput::new().full_name(full).email(EMAIL);
    let outcome = client(&fake)
        .create_or_update_contact(&input)
        .await
        .unwrap();
    let sent = fake.last_request().unwrap().json();
    assert_eq!(
        (&sent["first_name"], &sent["last_name"]),
        (&json!(first), &json!(last))
    );
    assert_eq!(outcome.notices, notices);
}

#[tokio::test(start_paused = true)]
async fn a_placeholder_never_replaces_a_name() {
    let fake = script([stored()]);
    let input = ContactInput::new().full_name("Jane").email(EMAIL);
    let call = client(&fake)
        .create_or_update_contact(&input)
        .plan(ContactPlan::GetFirst);
    let outcome = call.await.unwrap();
    assert_eq!(outcome.action, ContactAction::Unchanged);
    assert_eq!(outcome.notices, []);

    let fake = FakeTransport::new();
    let strict = ContactRules::new().require_last_name();
    let call = client(&fake).create_or_update_contact(&input).rules(strict);
    let error = call.await.unwrap_err();
    assert_eq!(error.field_errors()[0].path, "last_name");
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_submission_adds_to_what_is_there() {
    let after = contact(&json!({
        "background_info": "Met at the fair.\n\n[2026-11-21] Hello", "tags": ["fair", "source:website"],
    }));
    let fake = script([refused(422), stored(), told(200, &after)]);
    let person = ContactInput::new()
        .full_name("Janet Roe")
        .email(EMAIL)
        .phone("+15550199");
    let submission = LeadSubmission::new(person)
        .source("website")
        .status("new")
        .message("Hello")
        .submitted_at(
            "2026-11-21T23:59:00Z"
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap(),
        );
    let lead = client(&fake)
        .create_lead_from_submission(&submission)
        .await
        .unwrap();
    assert_eq!(lead.contact_uid().as_str(), UID);
    assert_eq!(
        written(&fake),
        json!({
            "background_info": "Met at the fair.\n\n[2026-11-21] Hello", "tags": ["fair", "source:website"],
        })
    );
    assert_eq!(
        fields(&lead.outcome),
        [("status", UnmappedReason::NoSuchAttribute)]
    );
    let kept = ["first_name", "phone"].map(Notice::ValueKept);
    assert!(kept.iter().all(|it| lead.outcome.notices.contains(it)));
}

#[tokio::test(start_paused = true)]
async fn a_submission_of_a_known_contact_takes_two_calls() {
    let after = contact(&json!({"tags": ["fair", "source:phone"]}));
    let fake = script([stored(), told(200, &after)]);
    let submission = LeadSubmission::of(UID).source("phone");
    let lead = client(&fake)
        .contacts()
        .create_lead_from_submission(&submission)
        .await
        .unwrap();
    assert_eq!(
        (lead.outcome.action, lead.outcome.calls_spent),
        (ContactAction::Updated, 2)
    );
    assert_eq!(lines(&fake)[1], PUT);

    let fake = script([told(200, &contact(&json!({"uid": "other"})))]);
    let error = client(&fake)
        .create_lead_from_submission(&submission)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(fake.requests().len(), 1);

    let fake = script([refused(404)]);
    let error = client(&fake)
        .create_lead_from_submission(&submission)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn tags_are_joined_and_written_only_if_new() {
    let fake = script([stored()]);
    let client = client(&fake);
    let outcome = client
        .attach_tags(&UID.into(), ["FAIR", " "])
        .await
        .unwrap();
    assert_eq!(
        (outcome.action, outcome.calls_spent),
        (ContactAction::Unchanged, 1)
    );

    let after = contact(&json!({"tags": ["fair", "vip"], "role": "Client"}));
    fake.push(stored()).push(told(200, &after));
    let outcome = client.attach_tags(&UID.into(), ["vip"]).await.unwrap();
    assert_eq!(
        (outcome.action, outcome.calls_spent),
        (ContactAction::Updated, 2)
    );
    assert_eq!(written(&fake), json!({"tags": ["fair", "vip"]}));
    // Somebody changed the role in between, or the vendor's update is not partial.
    assert_eq!(outcome.notices, [Notice::ChangedUnsent("role".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn fields_are_found_by_their_label_with_one_call_for_all_time() {
    let meta = Reply::status(200).json(&fixture("contact_meta.json"));
    let made = || told(201, &contact(&json!({})));
    let fake = script([meta, made(), made()]);
    let rules = ContactRules::new()
        .status_field(FieldRef::label("lead status"))
        .source(SourceRule::Field(FieldRef::label("No Such Field")));
    let client = builder(&fake).contact_rules(rules).build().unwrap();
    let input = jane()
        .status("new")
        .source("website")
        .category("VIP")
        .field(FieldRef::label("Service Interest"), "Consulting");
    let outcome = client.create_or_update_contact(&input).await.unwrap();
    assert_eq!(outcome.calls_spent, 2);
    assert_eq!(lines(&fake), ["GET /contact/meta", POST]);
    let sent = fake.last_request().unwrap().json();
    assert_eq!(
        sent["custom_fields"],
        json!({FIELD: "Consulting", STATUS: "new"})
    );
    assert_eq!(
        fields(&outcome),
        [
            ("category", UnmappedReason::NoSuchAttribute),
            ("No Such Field", UnmappedReason::UnknownField),
        ]
    );
    let again = client
        .clone()
        .create_or_update_contact(&input)
        .await
        .unwrap();
    assert_eq!(again.calls_spent, 1);
}

#[tokio::test(start_paused = true)]
async fn somebody_who_is_remembered_is_read_first() {
    let fake = script([told(201, &contact(&json!({}))), stored()]);
    let client = builder(&fake).remember_contacts(10).build().unwrap();
    client.create_or_update_contact(&jane()).await.unwrap();
    let again = client.create_or_update_contact(&jane()).await.unwrap();
    assert_eq!(
        (again.action, again.calls_spent),
        (ContactAction::Unchanged, 1)
    );
    assert_eq!(lines(&fake), [POST, GET]);

    // Deleted in the user interface meanwhile.
    fake.push(refused(404))
        .push(told(201, &contact(&json!({}))));
    let again = client.create_or_update_contact(&jane()).await.unwrap();
    assert_eq!(
        (again.action, again.calls_spent),
        (ContactAction::Created, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn long_notes_are_cut_and_what_does_not_fit_is_left_out() {
    let rules = ContactRules::new()
        .note_cap(5_usize)
        .background_cap(20_usize);
    let made = contact(&json!({"background_info": "Hällo"}));
    let fake = script([told(201, &made), stored()]);
    let client = builder(&fake).contact_rules(rules).build().unwrap();
    let input = jane().notes("Hällo there");
    let outcome = client.create_or_update_contact(&input).await.unwrap();
    assert_eq!(
        fake.last_request().unwrap().json()["background_info"],
        "Hällo"
    );
    assert_eq!(outcome.notices, [Notice::NoteCut]);
    let outcome = client
        .create_or_update_contact(&input)
        .plan(ContactPlan::GetFirst)
        .await
        .unwrap();
    assert_eq!(outcome.action, ContactAction::Unchanged);
    assert_eq!(fields(&outcome), [("notes", UnmappedReason::TooLong)]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_the_calls_and_makes_none() {
    let fake = FakeTransport::new();
    let client = client(&fake);
    let input = jane()
        .notes("Hi")
        .tags(["new"])
        .field(FieldRef::label("X"), 1);
    let dry = client.create_or_update_contact(&input).dry_run().unwrap();
    let steps: Vec<_> = dry
        .steps
        .iter()
        .map(|it| (it.method, it.path, it.when))
        .collect();
    assert_eq!(
        steps,
        [
            (Method::Get, "/contact/meta", StepWhen::Always),
            (Method::Post, "/contact", StepWhen::Always),
            (Method::Get, "/contact/{identifier}", StepWhen::IfNotCreated),
            (Method::Put, "/contact/{identifier}", StepWhen::IfDifferent),
        ]
    );
    let body = dry.steps[1].body().unwrap();
    assert_eq!(
        (&body["email"], &body["send_welcome_email"]),
        (&json!(EMAIL), &json!(false))
    );
    assert_eq!(dry.steps[3].body().unwrap()["tags"], json!(["new"]));
    assert!(!format!("{dry:?}").contains("Jane"));

    let dry = client.attach_tags(&UID.into(), ["new"]).dry_run().unwrap();
    assert_eq!(dry.steps.len(), 2);
    let get_first = client
        .create_or_update_contact(&jane())
        .plan(ContactPlan::GetFirst);
    let whens: Vec<_> = get_first
        .dry_run()
        .unwrap()
        .steps
        .iter()
        .map(|it| it.when)
        .collect();
    assert_eq!(
        whens,
        [
            StepWhen::Always,
            StepWhen::IfNotFound,
            StepWhen::IfDifferent
        ]
    );
    assert!(
        client
            .create_or_update_contact(&ContactInput::new())
            .dry_run()
            .is_err()
    );
    assert_eq!(fake.requests().len(), 0);
    assert_eq!(client.quota().await.unwrap().used, 0);
}

/// What a dry run shows is what is sent.
#[tokio::test(start_paused = true)]
async fn a_dry_run_is_true() {
    let fake = script([told(201, &contact(&json!({})))]);
    let client = client(&fake);
    let input = jane().notes("Hi").existing(ExistingValues::Keep);
    let dry = client.create_or_update_contact(&input).dry_run().unwrap();
    client.create_or_update_contact(&input).await.unwrap();
    assert_eq!(
        dry.steps[0].body(),
        Some(&fake.last_request().unwrap().json())
    );
}

#[tokio::test(start_paused = true)]
async fn it_can_be_spawned_and_dropped() {
    let fake = script([Reply::hang()]);
    let client = client(&fake);
    let running = tokio::spawn(client.create_or_update_contact(&jane()));
    tokio::task::yield_now().await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    // The call was counted before it was sent.
    assert_eq!(client.quota().await.unwrap().used, 1);
}
