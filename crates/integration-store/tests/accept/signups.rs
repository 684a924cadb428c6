//! What a signup leaves behind, alone and in a crowd.

use std::time::Duration;

use contact_sync::{ContactKey, Lane, NewJob, Signup, Standing};

use crate::places::{Place, ann, bulk, on_both, person, tenant};

on_both!(
    a_signup_is_a_contact_and_a_job_for_each_target,
    a_second_signup_is_the_same_contact_and_the_same_job,
    a_contact_without_anything_to_go_by_is_accepted_each_time,
    what_a_database_dislikes_is_accepted,
    a_crowd_is_accepted_once_each,
    a_change_is_merged_and_its_key_stays,
    an_erased_contact_leaves_no_data,
    what_is_settled_is_not_waited_for,
    pages_of_standings_hold_everybody_once,
);

async fn a_signup_is_a_contact_and_a_job_for_each_target(place: Place) {
    let store = place.store();
    let job = bulk("b").trace_id("req-1\0");
    let accepted = store
        .accept(&tenant(), &person(&ann()), &[bulk("a"), job])
        .await
        .unwrap();
    assert_eq!(accepted.revision, 1);
    let states = store.deliveries(accepted.contact).await.unwrap();
    let targets: Vec<_> = states.iter().map(|state| state.target.as_str()).collect();
    assert_eq!(targets, ["a", "b"]);
    assert!(
        states
            .iter()
            .all(|state| state.standing == Standing::Queued)
    );
    let heads =
        "select count(*) from main.sync_outbox where is_head and state = 'ready' and lane = 1";
    assert_eq!(place.number(heads).await, 2);
    let traced = "select count(*) from main.sync_outbox where trace_id = 'req-1'";
    assert_eq!(place.number(traced).await, 1);
    let stored = store.stored(&tenant(), accepted.contact).await.unwrap();
    assert_eq!(stored.unwrap().contact, person(&ann()));
    let other = store
        .stored(&"other".into(), accepted.contact)
        .await
        .unwrap();
    assert_eq!(other, None);
    let found = store.find(&tenant(), person(&ann()).key()).await.unwrap();
    assert_eq!(found, Some(accepted.contact));
}

async fn a_second_signup_is_the_same_contact_and_the_same_job(place: Place) {
    let store = place.store();
    let first = store
        .accept(&tenant(), &person(&ann()), &[bulk("a")])
        .await
        .unwrap();
    let again = person(&ann().phone("202 555 0143"));
    let urgent = NewJob::new("a".into(), Lane::Interactive).trace_id("req-2");
    let second = store
        .accept(&tenant(), &again, &[urgent, bulk("b")])
        .await
        .unwrap();
    assert_eq!((second.contact, second.revision), (first.contact, 2));
    let jobs = "select count(*) from main.sync_outbox";
    assert_eq!(place.number(jobs).await, 2);
    let urgent = "select count(*) from main.sync_outbox where target = 'a' and lane = 0 and trace_id = 'req-2'";
    assert_eq!(place.number(urgent).await, 1);
    let third = store.accept(&tenant(), &again, &[bulk("a")]).await.unwrap();
    assert_eq!((third.revision, place.number(urgent).await), (3, 1));
    let stored = store
        .stored(&tenant(), first.contact)
        .await
        .unwrap()
        .unwrap();
    assert!(stored.contact.phone().is_some() && stored.contact.name().first() == Some("Ann"));
}

async fn a_contact_without_anything_to_go_by_is_accepted_each_time(place: Place) {
    let store = place.store();
    let nobody = person(&Signup::new().name("Ann Lee"));
    let one = store
        .accept(&tenant(), &nobody, &[bulk("a")])
        .await
        .unwrap();
    let two = store
        .accept(&tenant(), &nobody, &[bulk("a")])
        .await
        .unwrap();
    assert_ne!(one.contact, two.contact);
    assert_eq!(
        store
            .find(&tenant(), &ContactKey::Unidentified)
            .await
            .unwrap(),
        None
    );
    let empty = store
        .accept(&tenant(), &person(&Signup::new()), &[bulk("a")])
        .await;
    assert_eq!(empty.unwrap().revision, 1);
}

async fn what_a_database_dislikes_is_accepted(place: Place) {
    let store = place.store();
    let odd = Signup::new()
        .host_id("id\0\u{1}".repeat(2_000))
        .name("\0Ann\0 ".to_owned() + &"Lee".repeat(4_000))
        .email("\0@\0")
        .phone("\u{feff}\0call me\0")
        .notes("\0\u{7f}\\u0000'; drop table sync_contacts; --".repeat(200));
    let contact = person(&odd);
    let accepted = store
        .accept(&tenant(), &contact, &[bulk("a")])
        .await
        .unwrap();
    let again = store
        .accept(&tenant(), &contact, &[bulk("a")])
        .await
        .unwrap();
    assert_eq!(again.contact, accepted.contact);
    let stored = store
        .stored(&tenant(), accepted.contact)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.contact, contact);
    let long = format!("{}@example.com", "a".repeat(5_000));
    let long = person(&Signup::new().email(long).name("Lee".repeat(4_000)));
    store.accept(&tenant(), &long, &[bulk("a")]).await.unwrap();
}

async fn a_crowd_is_accepted_once_each(place: Place) {
    let store = place.store();
    let callers: Vec<_> = (0..200)
        .map(|n| {
            let store = store.clone();
            // Each of twenty people signs up ten times at once.
            let signup = ann().email(format!("ann{}@example.com", n % 20));
            tokio::spawn(async move {
                let jobs = [bulk("a"), bulk("b")];
                store
                    .accept(&tenant(), &person(&signup), &jobs)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut revisions = 0;
    for caller in callers {
        revisions += u64::from(caller.await.unwrap().revision == 10);
    }
    assert_eq!(revisions, 20);
    assert_eq!(
        place
            .number("select count(*) from main.sync_contacts")
            .await,
        20
    );
    let heads = "select count(*) from main.sync_outbox where is_head and state = 'ready'";
    assert_eq!(place.number(heads).await, 40);
    assert_eq!(
        place.number("select count(*) from main.sync_outbox").await,
        40
    );
}

async fn a_change_is_merged_and_its_key_stays(place: Place) {
    let store = place.store();
    let accepted = store.accept(&tenant(), &person(&ann()), &[]).await.unwrap();
    let change = person(&Signup::new().host_id("17").email("lee@example.com"));
    let changed = store
        .amend(&tenant(), accepted.contact, &change, &[bulk("a")])
        .await;
    assert_eq!(changed.unwrap().unwrap().revision, 2);
    let stored = store
        .stored(&tenant(), accepted.contact)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        stored.contact.email().unwrap().normalized(),
        "lee@example.com"
    );
    assert_eq!(stored.contact.key(), person(&ann()).key());
    let found = store.find(&tenant(), person(&ann()).key()).await.unwrap();
    assert_eq!(found, Some(accepted.contact));
    let nobody = store
        .amend(&"other".into(), accepted.contact, &change, &[])
        .await;
    assert_eq!(nobody.unwrap(), None);
    store
        .erase(&tenant(), accepted.contact)
        .await
        .unwrap()
        .unwrap();
    let erased = store.amend(&tenant(), accepted.contact, &change, &[]).await;
    assert_eq!(erased.unwrap(), None);
}

async fn an_erased_contact_leaves_no_data(place: Place) {
    let store = place.store();
    let signup = ann().phone("202 555 0143").host_id("ann-17");
    let accepted = store
        .accept(&tenant(), &person(&signup), &[bulk("a")])
        .await
        .unwrap();
    let other = store
        .erase(&"other".into(), accepted.contact)
        .await
        .unwrap();
    assert_eq!(other, None);
    let erased = store
        .erase(&tenant(), accepted.contact)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((erased.queued, erased.kept), (Vec::new(), Vec::new()));
    assert_eq!(
        store.stored(&tenant(), accepted.contact).await.unwrap(),
        None
    );
    assert_eq!(
        store.find(&tenant(), person(&signup).key()).await.unwrap(),
        None
    );
    assert_eq!(
        place.number("select count(*) from main.sync_outbox").await,
        0
    );
    let left = "select count(*) from main.sync_contacts where contact is not null or contact_key is not null";
    assert_eq!(place.number(left).await, 0);
    let twice = store.erase(&tenant(), accepted.contact).await.unwrap();
    assert!(twice.unwrap().queued.is_empty());
    // Who comes back is somebody new.
    let back = store
        .accept(&tenant(), &person(&signup), &[bulk("a")])
        .await
        .unwrap();
    assert_ne!(back.contact, accepted.contact);
}

async fn what_is_settled_is_not_waited_for(place: Place) {
    let store = place.store();
    let accepted = store
        .accept(&tenant(), &person(&ann()), &[bulk("a")])
        .await
        .unwrap();
    store.settled(accepted, &["b".into()]).await.unwrap();
    let target = ["a".into()];
    let waiting = store.settled(accepted, &target);
    let waited = tokio::time::timeout(Duration::from_millis(200), waiting).await;
    assert!(waited.is_err(), "a delivery that waits has not settled");
    let deliver = async {
        // As another process does it: nobody is told.
        place
            .run("update main.sync_lines set delivered = 1; delete from main.sync_outbox")
            .await;
    };
    let waiting = store.settled(accepted, &target);
    let (settled, ()) = tokio::join!(waiting, deliver);
    settled.unwrap();
}

async fn pages_of_standings_hold_everybody_once(place: Place) {
    let store = place.store();
    let mut everybody = Vec::new();
    for n in 0..7 {
        let signup = ann().email(format!("ann{n}@example.com"));
        let jobs = [bulk("a"), bulk("b")];
        let accepted = store
            .accept(&tenant(), &person(&signup), &jobs)
            .await
            .unwrap();
        everybody.push(accepted.contact);
    }
    let gone = everybody.remove(3);
    store.erase(&tenant(), gone).await.unwrap().unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.standings(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.contact);
        assert!(page.len() <= 2 && page.iter().all(|one| one.targets.len() == 2));
        seen.extend(page.iter().map(|one| one.contact));
    }
    assert_eq!(seen, everybody);
}
