//! One person under several contacts, and several people under one number: never twice at a time, never twice there.

use std::time::Duration;

use contact_sync::{Ack, Claim, Known, Lane, LinkChange, RemoteId, Signup};

use crate::desk::{delivery, desk, seconds};
use crate::people::{A, B, CRM, PHONE, acme, contact, user};
use crate::subject::Subject;

fn key(claim: &Claim) -> &str {
    delivery(claim).key.as_str()
}

fn one(remote: &str) -> Known {
    Known::One(RemoteId::from(remote))
}

pub(crate) async fn by_email_are_worked_on_in_turn(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    desk.sign_up(&user("user-2", "A. L.", " ANN@example.com", B))
        .await;
    let first = desk.claim().await;
    assert_eq!(key(&first), "user-1");
    assert_eq!(delivery(&first).known, Known::Nobody);
    desk.rests().await;
    desk.created(&first, "r1").await;
    let second = desk.claim().await;
    assert_eq!(key(&second), "user-2");
    // And then it is known who that is.
    assert_eq!(delivery(&second).known, one("r1"));
    assert!(!delivery(&second).uncertain);
    desk.found(&second, "r1").await;
    desk.rests().await;
}

pub(crate) async fn by_phone_and_name_are_worked_on_in_turn(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "", A)).await;
    desk.sign_up(&user("user-2", "Anne Lee", "anne@example.com", A))
        .await;
    let first = desk.claim().await;
    desk.rests().await;
    desk.created(&first, "r1").await;
    let second = desk.claim().await;
    assert_eq!(delivery(&second).known, one("r1"));
}

/// A family shares a number: one after the other, and each a person.
pub(crate) async fn that_share_a_number_alone_stay_apart(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "", A)).await;
    desk.sign_up(&user("user-2", "Robert Day", "", A)).await;
    let first = desk.claim().await;
    desk.rests().await;
    desk.created(&first, "r1").await;
    let second = desk.claim().await;
    assert_eq!(delivery(&second).known, Known::Nobody);
    desk.created(&second, "r2").await;
    // From here on the number decides nothing.
    desk.sign_up(&user("user-3", "Ann Lee", "", A)).await;
    let third = desk.claim().await;
    assert_eq!(delivery(&third).known, Known::Nobody);
}

pub(crate) async fn at_different_targets_do_not_wait(subject: &dyn Subject) {
    let desk = desk(subject);
    let (one, other) = (
        user("user-1", "Ann Lee", "ann@example.com", ""),
        user("user-2", "Ann Lee", "ann@example.com", ""),
    );
    desk.sign_up_at(&one, &[(PHONE, Lane::Bulk)]).await;
    desk.sign_up_at(&other, &[(CRM, Lane::Bulk)]).await;
    let claims = desk.claims().await;
    assert_eq!(claims.len(), 2);
    for claim in &claims {
        assert_eq!(delivery(claim).known, Known::Nobody);
    }
}

/// A bridge: one shares the address with the first and the number with the second.
pub(crate) async fn that_hang_together_are_worked_on_in_turn(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    desk.sign_up(&user("user-2", "Robert Day", "", A)).await;
    desk.sign_up(&user("user-3", "Ann Lee", "ann@example.com", A))
        .await;
    let claims = desk.claims().await;
    let keys: Vec<&str> = claims.iter().map(key).collect();
    assert_eq!(keys, ["user-1", "user-2"]);
    desk.created(&claims[0], "r1").await;
    desk.rests().await;
    desk.created(&claims[1], "r2").await;
    let third = desk.claim().await;
    assert_eq!(
        (key(&third), &delivery(&third).known),
        ("user-3", &one("r1"))
    );
}

/// Whoever has nothing in common with the other any more has nothing to wait for.
pub(crate) async fn that_have_changed_do_not_wait(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    desk.claim().await;
    desk.sign_up(&user("user-2", "Ann Lee", "ann@example.com", ""))
        .await;
    desk.rests().await;
    desk.sign_up(&user("user-2", "Ann Lee", "lee@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(key(&claim), "user-2");
}

/// As before, where the change says nothing of the place where they wait.
pub(crate) async fn that_have_changed_elsewhere_do_not_wait(subject: &dyn Subject) {
    let desk = desk(subject);
    let same = |id: &str| user(id, "Ann Lee", "ann@example.com", "");
    desk.sign_up(&same("user-1")).await;
    desk.claim().await;
    desk.sign_up(&same("user-2")).await;
    let third = desk.sign_up(&same("user-3")).await.contact;
    desk.rests().await;
    // What is no reason is no change.
    let noted = Signup::new().host_id("user-2").notes("calls on Mondays");
    desk.sign_up_at(&contact(&noted), &[]).await;
    desk.rests().await;
    let other = user("user-2", "Ann Lee", "lee@example.com", "");
    desk.sign_up_at(&other, &[]).await;
    let claim = desk.claim().await;
    assert_eq!(key(&claim), "user-2");
    desk.created(&claim, "r2").await;
    let other = user("user-3", "Ann Lee", "anne@example.com", "");
    let amended = desk.store.amend(&acme(), third, &other, &[]).await;
    amended.unwrap().unwrap();
    let claim = desk.claim().await;
    assert_eq!(key(&claim), "user-3");
}

/// While a create of the same person is not cleared up, nobody else of that person goes there; others do.
pub(crate) async fn wait_for_an_unconfirmed_create(subject: &dyn Subject) {
    let mut desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "", A)).await;
    let first = desk.claim().await;
    let unclear = LinkChange::Unclear {
        settle: Duration::ZERO,
    };
    let retry = Ack::Retry {
        after: seconds(600),
    };
    desk.failed(&first, unclear, retry).await;
    desk.reopen().await;
    desk.sign_up(&user("user-2", "Anne Lee", "", A)).await;
    desk.sign_up(&user("user-3", "Robert Day", "", A)).await;
    let family = desk.claim().await;
    assert_eq!(key(&family), "user-3");
    assert!(delivery(&family).aliases.is_empty());
    desk.created(&family, "r3").await;
    desk.rests().await;
    desk.pass(600).await;
    let again = desk.claim().await;
    assert_eq!((key(&again), again.attempt), ("user-1", 2));
    assert!(delivery(&again).uncertain);
    desk.created(&again, "r1").await;
    let same = desk.claim().await;
    assert_eq!(key(&same), "user-2");
}

/// A create that certainly did not happen is in nobody's way.
pub(crate) async fn do_not_wait_for_a_withdrawn_create(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    let first = desk.claim().await;
    desk.retried(&first, seconds(600)).await;
    desk.sign_up(&user("user-2", "Ann Lee", "ann@example.com", ""))
        .await;
    let second = desk.claim().await;
    assert!(delivery(&second).aliases.is_empty());
    desk.created(&second, "r2").await;
    desk.pass(600).await;
    let first = desk.claim().await;
    assert_eq!(delivery(&first).known, one("r2"));
    assert!(!delivery(&first).uncertain);
}

/// Where the unclear one was given up, the next looks under its key as well.
pub(crate) async fn look_under_the_key_of_a_create_that_was_given_up(subject: &dyn Subject) {
    let mut desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    let first = desk.claim().await;
    let unclear = LinkChange::Unclear {
        settle: seconds(300),
    };
    desk.failed(&first, unclear, Ack::Dead).await;
    desk.sign_up(&user("user-2", "Ann Lee", "ann@example.com", ""))
        .await;
    // Its request may still take effect.
    desk.rests().await;
    desk.reopen().await;
    desk.rests().await;
    desk.pass(300).await;
    let second = desk.claim().await;
    assert_eq!(delivery(&second).known, Known::Nobody);
    let aliases: Vec<&str> = delivery(&second)
        .aliases
        .iter()
        .map(contact_sync::ExternalKey::as_str)
        .collect();
    assert_eq!(aliases, ["user-1"]);
}

/// Two of one person with an unclear create each do not wait for each other.
pub(crate) async fn with_two_unclear_creates_go_on(subject: &dyn Subject) {
    let desk = desk(subject);
    let unclear = || LinkChange::Unclear {
        settle: seconds(100),
    };
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    let first = desk.claim().await;
    desk.failed(&first, unclear(), Ack::Dead).await;
    desk.sign_up(&user("user-2", "Ann Lee", "ann@example.com", ""))
        .await;
    desk.pass(100).await;
    let second = desk.claim().await;
    let retry = Ack::Retry {
        after: seconds(100),
    };
    desk.failed(&second, unclear(), retry).await;
    let stopped = desk.stopped().await;
    desk.store.replay(stopped[0].job).await.unwrap();
    desk.pass(100).await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).aliases.len(), 1);
    desk.created(&claim, "r1").await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, one("r1"));
}

/// Nobody looks before a request that may be under way has had its time.
pub(crate) async fn wait_until_a_request_has_settled(subject: &dyn Subject) {
    let mut desk = desk(subject);
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    let unclear = LinkChange::Unclear {
        settle: seconds(600),
    };
    let retry = Ack::Retry {
        after: Duration::ZERO,
    };
    desk.failed(&claim, unclear, retry).await;
    desk.rests().await;
    desk.reopen().await;
    desk.pass(500).await;
    desk.rests().await;
    desk.pass(100).await;
    let claim = desk.claim().await;
    assert!(delivery(&claim).uncertain);
    // What is cleared up has nothing to settle any more.
    desk.failed(
        &claim,
        LinkChange::Withdraw,
        Ack::Retry {
            after: Duration::ZERO,
        },
    )
    .await;
    let claim = desk.claim().await;
    assert!(!delivery(&claim).uncertain);
}

pub(crate) async fn with_several_records_wait_for_a_choice(subject: &dyn Subject) {
    let desk = desk(subject);
    let ann = |id: &str| user(id, "Ann Lee", "ann@example.com", "");
    desk.link(&ann("user-1"), "r2").await;
    desk.sign_up(&ann("user-2")).await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, one("r2"));
    // Somebody has merged it over there.
    desk.found(&claim, "r1").await;
    desk.sign_up(&ann("user-3")).await;
    let claim = desk.claim().await;
    let several = vec![RemoteId::from("r1"), RemoteId::from("r2")];
    assert_eq!(delivery(&claim).known, Known::Several(several));
    // Their own links decide for those who have one.
    desk.failed(&claim, LinkChange::Withdraw, Ack::Review).await;
    desk.sign_up(&ann("user-1")).await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, one("r2"));
}

/// Who is known by what they were called then is not known by it for ever: the contact of today counts.
pub(crate) async fn are_known_by_what_they_are_today(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.link(&user("user-1", "Ann Lee", "ann@example.com", ""), "r1")
        .await;
    desk.sign_up(&user("user-1", "Ann Lee", "lee@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, one("r1"));
    desk.found(&claim, "r1").await;
    desk.sign_up(&user("user-2", "Ann Lee", "lee@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, one("r1"));
    desk.found(&claim, "r1").await;
    desk.sign_up(&user("user-3", "Bob Ray", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, Known::Nobody);
}

/// A role's address is many people.
pub(crate) async fn under_the_address_of_a_role_are_told_by_name(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.link(&user("user-1", "Ann Lee", "info@example.com", ""), "r1")
        .await;
    desk.link(&user("user-2", "Bob Ray", "info@example.com", ""), "r2")
        .await;
    desk.sign_up(&user("user-3", "Anne Lee", "info@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, one("r1"));
    desk.found(&claim, "r1").await;
    // Each of them counts, however many there are.
    for number in 4..20 {
        let name = format!(
            "{} Quist",
            "ABCDEFGHIJKLMNOPQRST".chars().nth(number).unwrap()
        );
        let contact = user(&format!("user-{number}"), &name, "info@example.com", "");
        desk.sign_up(&contact).await;
        let claim = desk.claim().await;
        desk.created(&claim, &format!("r{number}")).await;
    }
    desk.sign_up(&user("user-99", "Bob Ray", "info@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, one("r2"));
}

/// A crowd under one number is worked off to the last, one at a time.
pub(crate) async fn in_a_crowd_all_have_their_turn(subject: &dyn Subject) {
    let desk = desk(subject);
    // More than a store lets wait for one and the same line.
    let crowd = 70;
    for number in 0..crowd {
        let name = format!("{number}x{} Q{number}", number * 7);
        desk.sign_up(&user(&format!("user-{number}"), &name, "", A))
            .await;
    }
    let mut done = 0;
    for _ in 0..4 * crowd {
        let claims = desk.claims().await;
        assert!(claims.len() <= 1, "two of one number at a time");
        for claim in &claims {
            desk.created(claim, &format!("r{}", claim.contact)).await;
            done += 1;
        }
        if claims.is_empty() {
            desk.pass(1).await;
        }
        if done == crowd {
            break;
        }
    }
    assert_eq!(done, crowd);
    assert_eq!(desk.store.snapshot().await.unwrap().live(), 0);
}

/// Many workers at one person: one of them has the job, and no store stumbles over the race.
pub(crate) async fn are_claimed_one_at_a_time_by_many(subject: &dyn Subject) {
    let desk = desk(subject);
    for number in 0..12 {
        // Each shares the address with one neighbour and the number with the other.
        let email = format!("p{}@example.com", number / 2);
        let phone = format!("202 555 01{:02}", (number + 1) / 2);
        desk.sign_up(&user(&format!("user-{number}"), "Ann Lee", &email, &phone))
            .await;
    }
    let other = subject.reopened().await;
    for _ in 0..200 {
        let mut claiming = tokio::task::JoinSet::new();
        for worker in 0..6 {
            let store = if worker % 2 == 0 {
                desk.store.clone()
            } else {
                other.clone()
            };
            claiming.spawn(async move {
                let request = contact_sync::ClaimRequest::new(3, seconds(600));
                store.claim(request).await.unwrap().jobs
            });
        }
        let claims: Vec<Claim> = claiming.join_all().await.into_iter().flatten().collect();
        for (at, claim) in claims.iter().enumerate() {
            let theirs = delivery(claim).contact.identifiers();
            for other in &claims[at + 1..] {
                let both = delivery(other).contact.identifiers();
                assert!(
                    !both.iter().any(|id| theirs.contains(id)),
                    "two of one person at a time"
                );
            }
        }
        if claims.is_empty() {
            if desk.store.snapshot().await.unwrap().live() == 0 {
                return;
            }
            desk.pass(1).await;
        }
        for claim in &claims {
            desk.created(claim, &format!("r{}", claim.contact)).await;
        }
    }
    panic!("some have never had their turn");
}
