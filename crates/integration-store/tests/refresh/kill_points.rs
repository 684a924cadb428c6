//! One refresh at a time, and one death, stop or failure in it, at an exact point.
//!
//! A lease "runs out" on command here: the test gives it back in its holder's name. That leases run out by themselves
//! is shown where a stopped worker wakes too late, and by the conformance suite.

use std::time::Duration;

use connector_http::{LeaseOwner, StoredToken, TokenStore};
use integration_core::http::VaultTokenStore;
use secrecy::ExposeSecret;

use crate::idp::{Idp, Reuse, Rules, Verdict, Whim};
use crate::place::{Place, on_each_database};
use crate::process::Process;
use crate::talk::{Command, Event, Outcome, Settings, Step, Timings};

on_each_database! {
    killed_before_the_lease,
    killed_with_the_lease,
    killed_before_its_call_was_read,
    killed_with_the_answer,
    killed_with_an_answer_that_can_be_had_again,
    killed_after_the_save,
    stopped_with_the_answer_and_back_in_time,
    stopped_with_the_answer_and_back_late,
    stopped_with_the_lease_and_back_when_it_is_over,
    shut_down_with_the_answer,
    an_identity_provider_slower_than_the_lease,
    failures_are_not_the_end_of_a_grant,
    losers_use_the_old_token_while_it_is_valid,
    an_answer_without_a_refresh_token,
    many_callers_of_one_process,
    a_lease_taken_after_somebody_refreshed,
}

/// The access token of the first grant, and those that come of its refreshes.
const ACCESS: [&str; 3] = ["access-0-0", "access-0-1", "access-0-2"];

async fn killed_before_the_lease(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut victim = scene.worker(&[Step::BeforeLease]).await;
    victim.ask(ACCESS[0]).await;
    victim.at(Step::BeforeLease).await;
    victim.kill().await;

    let mut other = scene.impatient().await;
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
}

async fn killed_with_the_lease(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut victim = scene.worker(&[Step::Leased]).await;
    victim.ask(ACCESS[0]).await;
    victim.at(Step::Leased).await;
    let dead = victim.owner().clone();
    victim.kill().await;

    let mut other = scene.impatient().await;
    assert_eq!(other.token(ACCESS[0]).await, Outcome::NotNow);
    scene.lease_runs_out(&dead).await;
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
}

async fn killed_before_its_call_was_read(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    scene.idp.next(Whim::LeaveUnread);
    let mut victim = scene.worker(&[]).await;
    victim.ask(ACCESS[0]).await;
    scene.idp.calls(1).await;
    let dead = victim.owner().clone();
    victim.kill().await;
    scene.idp.answered(1).await;

    let mut other = scene.impatient().await;
    assert_eq!(other.token(ACCESS[0]).await, Outcome::NotNow);
    scene.lease_runs_out(&dead).await;
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));
    let verdicts = [Verdict::HungUp, Verdict::Granted];
    scene.ends_well(&verdicts, ACCESS[1]).await;
}

/// The one death that costs the grant. It is found out, asked about once, and a person is called.
async fn killed_with_the_answer(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut victim = scene.worker(&[Step::Answered]).await;
    victim.ask(ACCESS[0]).await;
    victim.at(Step::Answered).await;
    let dead = victim.owner().clone();
    victim.kill().await;

    let mut other = scene.worker(&[]).await;
    scene.lease_runs_out(&dead).await;
    assert_eq!(other.token(ACCESS[0]).await, Outcome::NeedsReauth);
    assert!(scene.stored().await.refused);
    assert_eq!(other.token(ACCESS[0]).await, Outcome::NeedsReauth);
    let mut third = scene.impatient().await;
    assert_eq!(third.token(ACCESS[0]).await, Outcome::NeedsReauth);
    let once = [Verdict::Granted, Verdict::Spent];
    assert_eq!(scene.idp.verdicts(), once, "nobody asks again");

    scene.store.connect(&scene.idp.grant()).await.unwrap();
    assert_eq!(other.token(ACCESS[0]).await, token("access-1-0"));
    assert_eq!(third.token("access-1-0").await, token("access-1-1"));
    let verdicts = [Verdict::Granted, Verdict::Spent, Verdict::Granted];
    scene.ends_well(&verdicts, "access-1-1").await;
}

async fn killed_with_an_answer_that_can_be_had_again(place: Place) {
    let rules = Rules {
        reuse: Reuse::IsAnsweredAgain,
        ..Rules::default()
    };
    let scene = Scene::set(place, rules).await;
    let mut victim = scene.worker(&[Step::Answered]).await;
    victim.ask(ACCESS[0]).await;
    victim.at(Step::Answered).await;
    let dead = victim.owner().clone();
    victim.kill().await;

    let mut other = scene.worker(&[]).await;
    scene.lease_runs_out(&dead).await;
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));
    let verdicts = [Verdict::Granted, Verdict::AnsweredAgain];
    scene.ends_well(&verdicts, ACCESS[1]).await;
}

async fn killed_after_the_save(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut victim = scene.worker(&[Step::Saved]).await;
    victim.ask(ACCESS[0]).await;
    victim.at(Step::Saved).await;
    victim.kill().await;

    let mut other = scene.impatient().await;
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));
    // The save has ended the lease: nobody waits for a dead holder.
    assert_eq!(other.token(ACCESS[1]).await, token(ACCESS[2]));
    let verdicts = [Verdict::Granted, Verdict::Granted];
    scene.ends_well(&verdicts, ACCESS[2]).await;
}

/// Its lease is over, and it saves all the same: the other, which was refused, looks again and finds it.
async fn stopped_with_the_answer_and_back_in_time(place: Place) {
    let scene = Scene::set(place, lenient()).await;
    let mut stopped = scene.worker(&[Step::Answered]).await;
    stopped.ask(ACCESS[0]).await;
    stopped.at(Step::Answered).await;
    scene.lease_runs_out(stopped.owner()).await;

    let mut other = scene.worker(&[Step::Doubting]).await;
    other.ask(ACCESS[0]).await;
    other.at(Step::Doubting).await;
    stopped.go().await;
    assert_eq!(stopped.outcome().await, token(ACCESS[1]));
    other.go().await;
    assert_eq!(other.outcome().await, token(ACCESS[1]));
    let verdicts = [Verdict::Granted, Verdict::Spent];
    scene.ends_well(&verdicts, ACCESS[1]).await;
}

async fn stopped_with_the_answer_and_back_late(place: Place) {
    let scene = Scene::set(place, lenient()).await;
    let mut stopped = scene.worker(&[Step::Answered]).await;
    stopped.ask(ACCESS[0]).await;
    stopped.at(Step::Answered).await;
    scene.lease_runs_out(stopped.owner()).await;

    let mut other = scene.worker(&[]).await;
    assert_eq!(other.token(ACCESS[0]).await, Outcome::NeedsReauth);
    assert!(scene.stored().await.refused);
    stopped.go().await;
    assert_eq!(stopped.outcome().await, token(ACCESS[1]));
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));
    let verdicts = [Verdict::Granted, Verdict::Spent];
    scene.ends_well(&verdicts, ACCESS[1]).await;
}

/// What it has read is spent by the time it wakes. It looks at its clock, and does not send it.
async fn stopped_with_the_lease_and_back_when_it_is_over(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut short = scene.settings(&[Step::Leased]);
    short.timings.lease = Duration::from_millis(400);
    short.timings.call = Duration::from_millis(300);
    let mut stopped = Process::start(&short).await;
    stopped.ask(ACCESS[0]).await;
    stopped.at(Step::Leased).await;

    let mut other = scene.worker(&[]).await;
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));
    stopped.go().await;
    assert_eq!(stopped.outcome().await, token(ACCESS[1]));
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
}

/// The store is away while the process is told to end. It ends when the token is safe, and not before.
async fn shut_down_with_the_answer(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut worker = scene.worker(&[Step::Answered]).await;
    worker.ask(ACCESS[0]).await;
    worker.at(Step::Answered).await;
    worker.tell(Command::FailSaves(true)).await;
    worker.tell(Command::Drain).await;
    assert_eq!(worker.event().await, Some(Event::Draining));
    worker.go().await;
    for _ in 0..3 {
        assert_eq!(worker.event().await, Some(Event::SaveFailed));
    }
    worker.tell(Command::FailSaves(false)).await;
    assert!(worker.ended().await);
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
}

async fn an_identity_provider_slower_than_the_lease(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut settings = scene.settings(&[]);
    settings.timings.lease = Duration::from_millis(1_500);
    settings.timings.renews = true;
    let (mut first, mut second) =
        tokio::join!(Process::start(&settings), Process::start(&settings));
    scene.idp.next(Whim::Answer(settings.timings.lease * 2));
    first.ask(ACCESS[0]).await;
    scene.idp.calls(1).await;

    assert_eq!(second.token(ACCESS[0]).await, token(ACCESS[1]));
    assert_eq!(first.outcome().await, token(ACCESS[1]));
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
}

async fn failures_are_not_the_end_of_a_grant(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut hasty = scene.settings(&[]);
    hasty.timings.call = Duration::from_millis(50);
    let mut hasty = Process::start(&hasty).await;
    let mut worker = scene.impatient().await;

    scene.idp.next(Whim::Fail);
    assert_eq!(worker.token(ACCESS[0]).await, Outcome::NotNow);
    scene.idp.next(Whim::LeaveUnread);
    assert_eq!(hasty.token(ACCESS[0]).await, Outcome::NotNow);
    scene.idp.answered(2).await;
    assert!(!scene.stored().await.refused);
    // The leases were given back: nobody has to wait for one.
    assert_eq!(worker.token(ACCESS[0]).await, token(ACCESS[1]));
    let verdicts = [Verdict::Failed, Verdict::HungUp, Verdict::Granted];
    scene.ends_well(&verdicts, ACCESS[1]).await;
}

async fn losers_use_the_old_token_while_it_is_valid(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    scene.idp.next(Whim::HoldAnswer);
    let mut winner = scene.worker(&[]).await;
    winner.ask(ACCESS[0]).await;
    scene.idp.calls(1).await;

    let mut loser = scene.settings(&[]);
    loser.timings.patience = Duration::ZERO;
    // Of the hour that the token lives, three minutes are left: time to refresh, and it still works.
    loser.clock_ahead = 57 * 60;
    let mut close = Process::start(&loser).await;
    close.tell(Command::Token { stale: None }).await;
    assert_eq!(close.outcome().await, token(ACCESS[0]));
    assert_eq!(
        close.token(ACCESS[0]).await,
        Outcome::NotNow,
        "a vendor has refused it"
    );
    loser.clock_ahead = 61 * 60;
    let mut past = Process::start(&loser).await;
    past.tell(Command::Token { stale: None }).await;
    assert_eq!(past.outcome().await, Outcome::NotNow);

    scene.idp.let_go();
    assert_eq!(winner.outcome().await, token(ACCESS[1]));
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
}

async fn an_answer_without_a_refresh_token(place: Place) {
    let rules = Rules {
        rotates: false,
        ..Rules::default()
    };
    let scene = Scene::set(place, rules).await;
    let mut first = scene.worker(&[]).await;
    let mut second = scene.worker(&[]).await;
    assert_eq!(first.token(ACCESS[0]).await, token(ACCESS[1]));
    assert_eq!(second.token(ACCESS[1]).await, token(ACCESS[2]));
    let stored = scene.stored().await;
    let kept = stored.tokens.refresh_token.unwrap();
    assert_eq!(kept.expose_secret(), "refresh-0-0");
    assert_eq!(scene.idp.verdicts(), [Verdict::Granted, Verdict::Granted]);
}

async fn many_callers_of_one_process(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    scene.idp.next(Whim::HoldAnswer);
    let mut worker = scene.worker(&[]).await;
    for _ in 0..5 {
        worker.ask(ACCESS[0]).await;
    }
    scene.idp.calls(1).await;
    scene.idp.let_go();
    for _ in 0..5 {
        assert_eq!(worker.outcome().await, token(ACCESS[1]));
    }
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
}

async fn a_lease_taken_after_somebody_refreshed(place: Place) {
    let scene = Scene::set(place, Rules::default()).await;
    let mut late = scene.worker(&[Step::BeforeLease]).await;
    late.ask(ACCESS[0]).await;
    late.at(Step::BeforeLease).await;
    let mut other = scene.impatient().await;
    assert_eq!(other.token(ACCESS[0]).await, token(ACCESS[1]));

    late.go().await;
    assert_eq!(late.outcome().await, token(ACCESS[1]));
    scene.ends_well(&[Verdict::Granted], ACCESS[1]).await;
    // And it has given the lease back.
    assert_eq!(other.token(ACCESS[1]).await, token(ACCESS[2]));
}

fn token(access: &str) -> Outcome {
    Outcome::Token(access.to_owned())
}

fn lenient() -> Rules {
    Rules {
        reuse: Reuse::IsRefused,
        ..Rules::default()
    }
}

/// A database with one grant in it, and the provider that gave it.
struct Scene {
    place: Place,
    idp: Idp,
    store: VaultTokenStore,
}

impl Scene {
    async fn set(place: Place, rules: Rules) -> Self {
        let idp = Idp::start(rules).await;
        let store = place.store();
        store.connect(&idp.grant()).await.unwrap();
        Self { place, idp, store }
    }

    fn settings(&self, pauses: &[Step]) -> Settings {
        self.place
            .settings(&self.idp, Timings::on_command(), pauses)
    }

    async fn worker(&self, pauses: &[Step]) -> Process {
        Process::start(&self.settings(pauses)).await
    }

    /// Starts a worker that does not wait for the lease of another.
    async fn impatient(&self) -> Process {
        let mut settings = self.settings(&[]);
        settings.timings.patience = Duration::ZERO;
        Process::start(&settings).await
    }

    async fn lease_runs_out(&self, holder: &LeaseOwner) {
        self.store.release(holder).await.unwrap();
    }

    async fn stored(&self) -> StoredToken {
        self.store.load().await.unwrap().unwrap()
    }

    /// Checks what was asked of the provider, and that what it gave last lies in the store and works.
    async fn ends_well(&self, verdicts: &[Verdict], access: &str) {
        assert_eq!(self.idp.verdicts(), verdicts);
        let stored = self.stored().await;
        assert!(!stored.refused);
        assert_eq!(stored.tokens.access_token.expose_secret(), access);
        let refresh = stored.tokens.refresh_token.unwrap();
        assert!(self.idp.takes(refresh.expose_secret()));
    }
}
