//! Handing out jobs: order, lanes, limits, waits.

use std::collections::BTreeSet;
use std::time::Duration;

use contact_sync::{
    Ack, ClaimRequest, ErrorClass, JobId, JobKind, Lane, LinkChange, LogOutcome, NewJob,
    StoppedJob, StoreError, TargetName, TenantId, Work,
};

use crate::desk::{LEASE, assert_age, assert_wait, delivery, desk, seconds};
use crate::people::{CRM, PHONE, acme, ann, bob, crm, phone, somebody, user};
use crate::subject::Subject;

fn keys(claims: &[contact_sync::Claim]) -> Vec<String> {
    claims
        .iter()
        .map(|claim| delivery(claim).key.as_str().to_owned())
        .collect()
}

pub(crate) async fn come_in_the_order_in_which_they_were_accepted(subject: &dyn Subject) {
    let desk = desk(subject);
    for number in 0..12 {
        desk.sign_up(&somebody(number)).await;
    }
    let claims = desk.claims().await;
    let expected: Vec<String> = (0..12).map(|n| format!("user-{n:05}")).collect();
    assert_eq!(keys(&claims), expected);
}

pub(crate) async fn that_somebody_waits_for_come_first(subject: &dyn Subject) {
    let desk = desk(subject);
    for number in 0..4 {
        let lane = if number % 2 == 0 {
            Lane::Bulk
        } else {
            Lane::Interactive
        };
        desk.sign_up_at(&somebody(number), &[(PHONE, lane)]).await;
    }
    let claims = desk.claims().await;
    assert_eq!(
        keys(&claims),
        ["user-00001", "user-00003", "user-00000", "user-00002"]
    );
}

pub(crate) async fn are_no_more_than_was_asked_for(subject: &dyn Subject) {
    let desk = desk(subject);
    for number in 0..6 {
        desk.sign_up(&somebody(number)).await;
    }
    for number in 6..9 {
        let lane = Lane::Interactive;
        desk.sign_up_at(&somebody(number), &[(PHONE, lane)]).await;
    }
    let none = ClaimRequest::new(0, LEASE);
    assert!(desk.store.claim(none).await.unwrap().jobs.is_empty());
    let request = ClaimRequest::new(2, LEASE);
    let claims = desk.store.claim(request).await.unwrap().jobs;
    assert_eq!(keys(&claims), ["user-00006", "user-00007"]);
    let request = ClaimRequest::new(4, LEASE).bulk_limit(2);
    let claims = desk.store.claim(request).await.unwrap().jobs;
    assert_eq!(keys(&claims), ["user-00008", "user-00000", "user-00001"]);
    let request = ClaimRequest::new(4, LEASE).bulk_limit(0);
    assert!(desk.store.claim(request).await.unwrap().jobs.is_empty());
    assert_eq!(desk.claims().await.len(), 4);
}

/// Jobs that may not run now take nobody's place.
pub(crate) async fn that_have_to_wait_take_no_place(subject: &dyn Subject) {
    let desk = desk(subject);
    let shared = |id: &str| user(id, "Ann Lee", "ann@example.com", "");
    desk.sign_up(&shared("user-a")).await;
    let first = desk.claim().await;
    for number in 0..20 {
        desk.sign_up(&shared(&format!("user-b{number}"))).await;
    }
    desk.sign_up(&bob()).await;
    let request = ClaimRequest::new(1, LEASE);
    let mut got = Vec::new();
    // A store may need more than one look to get past a crowd, but not as many as the crowd has heads.
    for _ in 0..3 {
        got.extend(desk.store.claim(request).await.unwrap().jobs);
    }
    assert_eq!(keys(&got), ["user-2"]);
    drop(first);
}

pub(crate) async fn count_their_attempts(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    for attempt in 1..=4 {
        let claim = desk.claim().await;
        assert_eq!(claim.attempt, attempt);
        desk.retried(&claim, Duration::ZERO).await;
    }
    // Those that did not count are not counted.
    for ack in [
        Ack::Snooze {
            after: Duration::ZERO,
        },
        Ack::Park {
            after: Duration::ZERO,
        },
    ] {
        let claim = desk.claim().await;
        assert_eq!(claim.attempt, 5);
        desk.failed(&claim, LinkChange::Withdraw, ack).await;
    }
    assert_eq!(desk.claim().await.attempt, 5);
}

/// Back-off is no matter of one process.
pub(crate) async fn wait_as_long_as_they_were_told(subject: &dyn Subject) {
    let mut desk = desk(subject);
    for ack in [
        Ack::Retry { after: LEASE },
        Ack::Snooze { after: LEASE },
        Ack::Park { after: LEASE },
    ] {
        desk.sign_up(&ann()).await;
        let claim = desk.claim().await;
        desk.failed(&claim, LinkChange::Withdraw, ack).await;
        desk.rests().await;
        desk.reopen().await;
        desk.rests().await;
        desk.pass(500).await;
        desk.rests().await;
        desk.reopen().await;
        desk.pass(100).await;
        let claim = desk.claim().await;
        desk.created(&claim, "r1").await;
    }
}

/// One that waits for its next attempt holds back its own contact at its own target, and no other.
pub(crate) async fn hold_back_their_own_line_alone(subject: &dyn Subject) {
    let desk = desk(subject);
    let at = [(PHONE, Lane::Bulk), (CRM, Lane::Bulk)];
    desk.sign_up_at(&ann(), &at).await;
    desk.sign_up_at(&bob(), &at).await;
    for claim in desk.claims().await {
        if delivery(&claim).key.as_str() == "user-1" && claim.target == PHONE {
            desk.retried(&claim, seconds(600)).await;
        } else {
            desk.created(&claim, &format!("{}-{}", claim.target, claim.contact))
                .await;
        }
    }
    desk.sign_up_at(&ann(), &at).await;
    desk.sign_up_at(&bob(), &at).await;
    let claims = desk.claims().await;
    let got: BTreeSet<(&str, &str)> = claims
        .iter()
        .map(|c| (delivery(c).key.as_str(), c.target.as_str()))
        .collect();
    let expected = [("user-1", CRM), ("user-2", CRM), ("user-2", PHONE)];
    assert_eq!(got, expected.into_iter().collect());
}

pub(crate) async fn of_one_line_never_run_side_by_side(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let running = desk.claim().await;
    desk.sign_up(&ann()).await;
    desk.sign_up_at(&ann(), &[(PHONE, Lane::Interactive)]).await;
    desk.rests().await;
    desk.created(&running, "r1").await;
    let next = desk.claim().await;
    assert_eq!(delivery(&next).revision, 3);
    assert_eq!(next.lane, Lane::Interactive);
}

/// Their age is that of the signup, less what was spent waiting for a person to mend something.
pub(crate) async fn age_but_while_parked(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    desk.pass(100).await;
    let claim = desk.claim().await;
    assert_age(claim.age, seconds(100));
    desk.retried(&claim, seconds(600)).await;
    desk.pass(600).await;
    let claim = desk.claim().await;
    assert_age(claim.age, seconds(700));
    let park = Ack::Park {
        after: seconds(6_000),
    };
    desk.failed(&claim, LinkChange::Withdraw, park).await;
    desk.pass(6_000).await;
    let claim = desk.claim().await;
    assert_age(claim.age, seconds(700));
    let snooze = Ack::Snooze {
        after: seconds(600),
    };
    desk.failed(&claim, LinkChange::Withdraw, snooze).await;
    desk.pass(600).await;
    assert_age(desk.claim().await.age, seconds(1_300));
}

/// A worker may sleep until then.
pub(crate) async fn say_when_to_ask_again(subject: &dyn Subject) {
    let desk = desk(subject);
    let ask = async || {
        desk.store
            .claim(ClaimRequest::new(10, LEASE))
            .await
            .unwrap()
    };
    assert_eq!(ask().await.next_in, None);
    desk.sign_up(&ann()).await;
    let claims = ask().await;
    // Should this worker vanish, its lease is the next thing to look at.
    assert_wait(claims.next_in, LEASE);
    desk.retried(&claims.jobs[0], seconds(300)).await;
    assert_wait(ask().await.next_in, seconds(300));
    desk.sign_up(&bob()).await;
    let claims = ask().await;
    assert_wait(claims.next_in, seconds(300));
    desk.created(&claims.jobs[0], "r2").await;
    desk.pass(300).await;
    let claims = ask().await;
    desk.created(&claims.jobs[0], "r1").await;
    assert_eq!(ask().await.next_in, None);
}

/// Each job to one of those who ask at once.
pub(crate) async fn go_to_one_worker_each(subject: &dyn Subject) {
    let desk = desk(subject);
    let people = 60;
    for number in 0..people {
        desk.sign_up(&somebody(number)).await;
    }
    let other = subject.reopened().await;
    let mut working = tokio::task::JoinSet::new();
    for worker in 0..6 {
        let store = if worker % 2 == 0 {
            desk.store.clone()
        } else {
            other.clone()
        };
        working.spawn(async move {
            let mut got = Vec::new();
            loop {
                let claims = store.claim(ClaimRequest::new(5, LEASE)).await.unwrap();
                if claims.jobs.is_empty() {
                    return got;
                }
                got.extend(claims.jobs.into_iter().map(|claim| claim.job));
            }
        });
    }
    let all: Vec<JobId> = working.join_all().await.into_iter().flatten().collect();
    let mut rest = desk.claims().await.len();
    // Two who meet at one job may both leave it to the next.
    let different: BTreeSet<JobId> = all.iter().copied().collect();
    assert_eq!(different.len(), all.len(), "a job went to two workers");
    rest += all.len();
    assert_eq!(rest, people);
}

pub(crate) async fn wake_whoever_waits_for_them(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.rests().await;
    let waiting = {
        let store = desk.store.clone();
        tokio::spawn(async move {
            loop {
                let claims = store.claim(ClaimRequest::new(1, LEASE)).await.unwrap();
                if !claims.jobs.is_empty() {
                    return;
                }
                store.work_added().await;
            }
        })
    };
    tokio::task::yield_now().await;
    desk.sign_up(&ann()).await;
    let woken = tokio::time::timeout(seconds(10), waiting).await;
    woken.expect("a signup wakes a worker").unwrap();
}

/// Whoever looks from another process sees a job as soon as it is accepted.
pub(crate) async fn are_there_for_every_process(subject: &dyn Subject) {
    let desk = desk(subject);
    let other = subject.reopened().await;
    desk.sign_up(&ann()).await;
    let claims = other.claim(ClaimRequest::new(10, LEASE)).await.unwrap();
    assert_eq!(claims.jobs.len(), 1);
    desk.rests().await;
}

pub(crate) async fn that_were_stopped_wait_for_a_person(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let other = desk.sign_up(&bob()).await.contact;
    let claims = desk.claims().await;
    desk.failed(&claims[0], LinkChange::Withdraw, Ack::Dead)
        .await;
    desk.failed(&claims[1], LinkChange::Withdraw, Ack::Review)
        .await;
    desk.pass(1_000_000).await;
    desk.reopen().await;
    desk.rests().await;
    let note = |class| Some(contact_sync::FailureNote::new(class));
    let on = |contact| (acme(), phone(), contact);
    let mut expected = [
        StoppedJob::new(
            claims[0].job,
            JobKind::Deliver,
            on(id),
            false,
            note(ErrorClass::InvalidData),
        ),
        StoppedJob::new(
            claims[1].job,
            JobKind::Deliver,
            on(other),
            true,
            note(ErrorClass::Conflict),
        ),
    ];
    expected.sort_unstable_by_key(|job| job.job);
    assert_eq!(desk.stopped().await, expected);
}

pub(crate) async fn that_would_stop_go_on_with_what_came_in_meanwhile(subject: &dyn Subject) {
    let desk = desk(subject);
    for (stopped, ack, who) in [(0, Ack::Dead, ann()), (1, Ack::Review, bob())] {
        desk.sign_up(&who).await;
        let claim = desk.claim().await;
        desk.sign_up(&who).await;
        desk.failed(&claim, LinkChange::Withdraw, ack.clone()).await;
        assert_eq!(desk.stopped().await.len(), stopped, "{ack:?}");
        let newer = desk.claim().await;
        assert_eq!((newer.job, newer.attempt), (claim.job, 1));
        assert_eq!(delivery(&newer).revision, delivery(&claim).revision + 1);
        desk.failed(&newer, LinkChange::Withdraw, ack).await;
        assert_eq!(desk.stopped().await.len(), stopped + 1);
    }
}

pub(crate) async fn are_replayed_as_if_they_were_new(subject: &dyn Subject) {
    let desk = desk(subject);
    for ack in [Ack::Dead, Ack::Review] {
        desk.sign_up(&ann()).await;
        let claim = desk.claim().await;
        desk.retried(&claim, Duration::ZERO).await;
        let claim = desk.claim().await;
        assert_eq!(claim.attempt, 2);
        desk.failed(&claim, LinkChange::Withdraw, ack).await;
        desk.pass(1_000).await;
        let stopped = desk.stopped().await;
        desk.store.replay(stopped[0].job).await.unwrap();
        assert!(desk.stopped().await.is_empty());
        let claim = desk.claim().await;
        assert_eq!(claim.attempt, 1);
        assert_age(claim.age, Duration::ZERO);
        desk.created(&claim, "r1").await;
    }
}

pub(crate) async fn are_replayed_only_when_stopped(subject: &dyn Subject) {
    let desk = desk(subject);
    let nobody = desk.store.replay(JobId::generate()).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchJob)));
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    let running = desk.store.replay(claim.job).await;
    assert!(matches!(running, Err(StoreError::NoSuchJob)));
    desk.failed(&claim, LinkChange::Withdraw, Ack::Dead).await;
    desk.store.replay(claim.job).await.unwrap();
    let again = desk.store.replay(claim.job).await;
    assert!(matches!(again, Err(StoreError::NoSuchJob)));
    assert_eq!(desk.claims().await.len(), 1);
}

/// Where the person has signed up since, that delivery is the replay.
pub(crate) async fn are_replayed_by_a_delivery_that_is_live(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.failed(&claim, LinkChange::Withdraw, Ack::Dead).await;
    desk.sign_up(&ann()).await;
    desk.store.replay(claim.job).await.unwrap();
    assert!(desk.stopped().await.is_empty());
    let next = desk.claim().await;
    assert_eq!(delivery(&next).revision, 2);
    desk.created(&next, "r1").await;
    desk.rests().await;
}

/// A line has one delivery that waits for a person: the latest.
pub(crate) async fn are_stopped_once_per_line(subject: &dyn Subject) {
    let desk = desk(subject);
    for _ in 0..3 {
        desk.sign_up(&ann()).await;
        let claim = desk.claim().await;
        desk.failed(&claim, LinkChange::Withdraw, Ack::Dead).await;
        let stopped = desk.stopped().await;
        assert_eq!(stopped.len(), 1);
        assert_eq!(stopped[0].job, claim.job);
    }
}

pub(crate) async fn that_are_parked_go_on_when_it_is_mended(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let park = || Ack::Park { after: LEASE };
    for number in 0..3 {
        desk.sign_up(&somebody(number)).await;
    }
    desk.sign_up_at(&somebody(3), &[(CRM, Lane::Bulk)]).await;
    let jobs = [NewJob::new(phone(), Lane::Bulk)];
    let globex = TenantId::from("globex");
    desk.store.accept(&globex, &ann(), &jobs).await.unwrap();
    let claims = desk.claims().await;
    assert_eq!(claims.len(), 5);
    let mut claims = claims.into_iter();
    for ack in [park(), park(), Ack::Retry { after: LEASE }, park(), park()] {
        let claim = claims.next().unwrap();
        desk.failed(&claim, LinkChange::Withdraw, ack).await;
    }
    desk.reopen().await;
    desk.rests().await;
    let nobody = TenantId::from("nobody");
    assert_eq!(desk.store.resume(&nobody, &phone()).await.unwrap(), 0);
    assert_eq!(desk.store.resume(&acme(), &phone()).await.unwrap(), 2);
    let claims = desk.claims().await;
    assert_eq!(keys(&claims), ["user-00000", "user-00001"]);
    assert_eq!(claims[0].attempt, 1);
    // They run; there is nothing to resume any more.
    assert_eq!(desk.store.resume(&acme(), &phone()).await.unwrap(), 0);
    assert_eq!(desk.store.resume(&acme(), &crm()).await.unwrap(), 1);
    assert_eq!(desk.claim().await.target, TargetName::from(CRM));
}

/// A person has imported them, and says so.
pub(crate) async fn that_await_an_import_are_resumed(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    let note = contact_sync::FailureNote::new(ErrorClass::AwaitsImport);
    let park = Ack::Park { after: LEASE };
    desk.commit(&claim, LinkChange::Withdraw, LogOutcome::Failed(note), park)
        .await
        .unwrap();
    desk.rests().await;
    assert_eq!(desk.store.resume(&acme(), &phone()).await.unwrap(), 1);
    desk.claim().await;
}

/// A newer signup gives a delivery that fails all the time that a new one has.
pub(crate) async fn age_anew_with_a_newer_signup(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    desk.pass(10_000).await;
    let claim = desk.claim().await;
    assert_age(claim.age, seconds(10_000));
    desk.retried(&claim, Duration::ZERO).await;
    desk.sign_up(&ann()).await;
    desk.pass(100).await;
    assert_age(desk.claim().await.age, seconds(100));
}

/// A job that failed otherwise since is not parked any more.
pub(crate) async fn are_parked_until_they_fail_otherwise(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    let park = Ack::Park {
        after: seconds(600),
    };
    desk.failed(&claim, LinkChange::Withdraw, park).await;
    desk.pass(600).await;
    let claim = desk.claim().await;
    desk.retried(&claim, seconds(600)).await;
    assert_eq!(desk.store.resume(&acme(), &phone()).await.unwrap(), 0);
    desk.rests().await;
}

/// What was resumed has not aged by a wait that was cut short: nor is it younger than it is.
pub(crate) async fn that_are_resumed_have_aged_no_more_than_they_ran(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    desk.pass(1_000).await;
    let claim = desk.claim().await;
    let park = Ack::Park {
        after: seconds(50_000),
    };
    desk.failed(&claim, LinkChange::Withdraw, park).await;
    desk.pass(10_000).await;
    desk.store.resume(&acme(), &phone()).await.unwrap();
    assert_age(desk.claim().await.age, seconds(1_000));
}

/// A newer signup joins a delivery that is parked: neither the rest of the wait nor what was parked before is its age.
pub(crate) async fn have_not_aged_since_the_newer_signup_by_what_is_left_of_a_wait(
    subject: &dyn Subject,
) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    desk.pass(1_000).await;
    let claim = desk.claim().await;
    let park = Ack::Park {
        after: seconds(50_000),
    };
    desk.failed(&claim, LinkChange::Withdraw, park.clone())
        .await;
    desk.pass(10_000).await;
    desk.sign_up(&ann()).await;
    desk.pass(10_000).await;
    desk.store.resume(&acme(), &phone()).await.unwrap();
    desk.pass(100).await;
    let claim = desk.claim().await;
    assert_age(claim.age, seconds(100));
    // And where the wait is not cut short.
    desk.failed(&claim, LinkChange::Withdraw, park).await;
    desk.pass(10_000).await;
    desk.sign_up(&ann()).await;
    desk.pass(40_200).await;
    assert_age(desk.claim().await.age, seconds(200));
}

/// Whoever was parked, and then has to wait for somebody else, does not wait for the integration.
pub(crate) async fn are_parked_no_longer_than_their_wait(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    let park = Ack::Park {
        after: seconds(600),
    };
    desk.failed(&claim, LinkChange::Withdraw, park).await;
    let same = user("user-7", "Ann Lee", "ann@example.com", "");
    desk.sign_up(&same).await;
    let other = desk.claim().await;
    let settle = seconds(6_000);
    let snooze = Ack::Snooze { after: settle };
    desk.failed(&other, LinkChange::Unclear { settle }, snooze)
        .await;
    desk.pass(700).await;
    desk.rests().await;
    assert_eq!(desk.store.resume(&acme(), &phone()).await.unwrap(), 0);
}

pub(crate) async fn leave_no_trace_when_their_log_is_swept(subject: &dyn Subject) {
    let desk = desk(subject);
    assert_eq!(desk.store.sweep(seconds(3_600)).await.unwrap(), 0);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.retried(&claim, Duration::ZERO).await;
    let claim = desk.claim().await;
    desk.created(&claim, "r1").await;
    desk.sign_up(&bob()).await;
    desk.pass(7_200).await;
    let id = desk.sign_up(&ann()).await.contact;
    let claims = desk.claims().await;
    assert_eq!(claims.len(), 2);
    for claim in &claims {
        desk.retried(claim, seconds(600)).await;
    }
    // What is fresh stays, and so does every job and contact.
    assert_eq!(desk.store.sweep(seconds(3_600)).await.unwrap(), 2);
    assert_eq!(desk.store.sweep(seconds(3_600)).await.unwrap(), 0);
    let snapshot = desk.store.snapshot().await.unwrap();
    assert_eq!(snapshot.retrying, 2);
    assert_eq!(desk.state(id).await.remote, Some("r1".into()));
    desk.pass(600).await;
    assert_eq!(desk.claims().await.len(), 2);
    assert_eq!(desk.store.sweep(seconds(300)).await.unwrap(), 2);
}

/// The clean-up takes neither jobs that wait nor those that wait for a person, however old they are.
pub(crate) async fn are_not_swept(subject: &dyn Subject) {
    let desk = desk(subject);
    for number in 0..3 {
        desk.sign_up(&somebody(number)).await;
    }
    let claims = desk.claims().await;
    desk.failed(&claims[0], LinkChange::Withdraw, Ack::Dead)
        .await;
    let long = seconds(10_000_000);
    desk.retried(&claims[1], long).await;
    desk.commit(
        &claims[2],
        LinkChange::Keep,
        LogOutcome::Released,
        Ack::Snooze { after: long },
    )
    .await
    .unwrap();
    desk.sign_up(&somebody(3)).await;
    desk.pass(10_000_000).await;
    assert_eq!(desk.store.sweep(Duration::ZERO).await.unwrap(), 3);
    assert_eq!(desk.stopped().await.len(), 1);
    let claims = desk.claims().await;
    assert_eq!(claims.len(), 3);
    assert!(claims.iter().all(|c| matches!(c.work, Work::Deliver(_))));
}
