//! Many processes, all their tasks, many rounds: in each, every task wants a token other than the one it had, so that
//! somebody has to refresh. Meanwhile workers die at each step, the provider is now and then slower than the lease,
//! and the clocks of the processes are five minutes ahead and behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connector_http::{Timer as _, TokenStore, TokioTimer};
use integration_core::http::VaultTokenStore;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::idp::{Idp, Reuse, Rules, Verdict, Whim};
use crate::place::{Place, on_each_database};
use crate::process::Process;
use crate::talk::{Command, Event, Outcome, Settings, Step, Timings};

on_each_database! { a_crowd }

/// Where workers die, in turn. The third death costs the grant: the only copy of the new token dies.
const DEATHS: [Step; 4] = [Step::BeforeLease, Step::Leased, Step::Answered, Step::Saved];

/// How many seconds the clocks of the processes are ahead, in turn.
const CLOCKS: [i64; 3] = [0, 300, -300];

/// Tokens live so short that each process takes those of one with another clock for old.
const RULES: Rules = Rules {
    reuse: Reuse::RevokesTheGrant,
    rotates: true,
    life: Duration::from_mins(8),
};

const LEASE: Duration = Duration::from_secs(2);

async fn a_crowd(place: Place) {
    let size = Size::from_env();
    let crowd = Arc::new(Crowd::gather(&place, size.tasks).await);
    let begun = TokioTimer.now();
    let mut members = JoinSet::new();
    for number in 0..size.processes {
        members.spawn(crowd.clone().live(number, size.rounds));
    }
    for death in 0..size.kills {
        if death % size.every_slow() == 0 {
            crowd.idp.next(Whim::Answer(LEASE * 3 / 2));
        }
        crowd.die(in_turn(&DEATHS, death)).await;
    }
    members.join_all().await;

    let lost = (0..size.kills).filter(|death| in_turn(&DEATHS, *death) == Step::Answered);
    let lost = lost.count();
    let seconds = (TokioTimer.now() - begun).as_secs_f64();
    let granted = crowd.idp.count(Verdict::Granted);
    for (name, value) in [
        ("processes", size.processes),
        ("tasks", size.tasks),
        ("rounds", size.rounds as usize),
        ("kills", size.kills),
        ("kills_with_the_answer", lost),
        ("refreshes", granted),
        ("spent_tokens_sent", crowd.idp.count(Verdict::Spent)),
        ("grants_revoked", crowd.idp.revoked()),
        ("reconnected", crowd.reconnected.load(Ordering::SeqCst)),
    ] {
        println!("refresh_{}_{name}={value}", place.name());
    }
    println!("refresh_{}_seconds={seconds:.1}", place.name());

    // A spent token was sent where the one who knew its successor had died, and nowhere else.
    assert_eq!(crowd.idp.count(Verdict::Spent), lost);
    assert_eq!(crowd.idp.revoked(), lost);
    assert_eq!(crowd.idp.count(Verdict::Refused), 0);
    assert_eq!(crowd.reconnected.load(Ordering::SeqCst), lost);
    assert!(granted >= size.rounds as usize);
    let stored = crowd.store.load().await.unwrap().unwrap();
    let refresh = stored.tokens.refresh_token.unwrap();
    assert!(
        crowd.idp.takes(refresh.expose_secret()),
        "the last token lies in the store"
    );
}

fn in_turn<T: Copy>(all: &[T], number: usize) -> T {
    *all.iter().cycle().nth(number).unwrap()
}

struct Size {
    processes: usize,
    tasks: usize,
    rounds: u32,
    kills: usize,
    slow_answers: usize,
}

impl Size {
    fn from_env() -> Self {
        let of = |name: &str, usual: usize| {
            let set = std::env::var_os(name);
            set.map_or(usual, |value| value.into_string().unwrap().parse().unwrap())
        };
        Self {
            processes: of("REFRESH_PROCESSES", 3),
            tasks: of("REFRESH_TASKS", 16),
            rounds: of("REFRESH_ROUNDS", 12).try_into().unwrap(),
            kills: of("REFRESH_KILLS", 4),
            slow_answers: of("REFRESH_SLOW_ANSWERS", 1),
        }
    }

    fn every_slow(&self) -> usize {
        self.kills
            .checked_div(self.slow_answers)
            .unwrap_or(usize::MAX)
            .max(1)
    }
}

struct Crowd {
    settings: Settings,
    store: VaultTokenStore,
    idp: Idp,
    tasks: usize,
    /// Connects the account again, once for each grant that is lost.
    person: Mutex<()>,
    reconnected: AtomicUsize,
}

impl Crowd {
    async fn gather(place: &Place, tasks: usize) -> Self {
        let idp = Idp::start(RULES).await;
        let store = place.store();
        store.connect(&idp.grant()).await.unwrap();
        let timings = Timings {
            lease: LEASE,
            renews: true,
            ..Timings::on_command()
        };
        Self {
            settings: place.settings(&idp, timings, &[]),
            store,
            idp,
            tasks,
            person: Mutex::default(),
            reconnected: AtomicUsize::new(0),
        }
    }

    /// Runs a worker through all its rounds.
    async fn live(self: Arc<Self>, number: usize, rounds: u32) {
        let mut settings = self.settings.clone();
        settings.clock_ahead = in_turn(&CLOCKS, number);
        let mut worker = Process::start(&settings).await;
        let tasks = self.tasks;
        worker.tell(Command::Rounds { tasks, rounds }).await;
        let mut rounds_seen = 0;
        loop {
            match worker.event().await.unwrap() {
                Event::Round(outcomes) => {
                    rounds_seen += u32::from(self.hear(&mut worker, outcomes).await);
                }
                Event::Done => break,
                other => panic!("not expected: {other:?}"),
            }
        }
        assert_eq!(rounds_seen, rounds);
    }

    /// Runs a worker until it gets to this step, and kills it there. Its lease then runs out.
    async fn die(&self, step: Step) {
        let mut settings = self.settings.clone();
        settings.pauses = vec![step];
        let mut worker = Process::start(&settings).await;
        let tasks = self.tasks;
        worker
            .tell(Command::Rounds {
                tasks,
                rounds: u32::MAX,
            })
            .await;
        loop {
            match worker.event().await.unwrap() {
                Event::Round(outcomes) => {
                    self.hear(&mut worker, outcomes).await;
                }
                Event::At(here) if here == step => break,
                other => panic!("not expected: {other:?}"),
            }
        }
        let owner = worker.owner().clone();
        worker.kill().await;
        self.store.release(&owner).await.unwrap();
    }

    /// Checks what the tasks of one round got. Returns whether they got tokens.
    async fn hear(&self, worker: &mut Process, outcomes: Vec<Outcome>) -> bool {
        let mut served = false;
        let mut refused = false;
        for outcome in outcomes {
            match outcome {
                Outcome::Token(access) => {
                    assert!(self.idp.gave(&access), "a token from nowhere");
                    served = true;
                }
                Outcome::NeedsReauth => refused = true,
                Outcome::NotNow => panic!("the provider never fails here"),
            }
        }
        if refused {
            self.reconnect().await;
        }
        if !served {
            worker.go().await;
        }
        served
    }

    /// A person has been called. Whether rightly, the provider knows.
    async fn reconnect(&self) {
        let _alone = self.person.lock().await;
        if self.store.load().await.unwrap().unwrap().refused {
            let lost = self.reconnected.fetch_add(1, Ordering::SeqCst) + 1;
            assert_eq!(self.idp.revoked(), lost, "a person is called for nothing");
            self.store.connect(&self.idp.grant()).await.unwrap();
        }
    }
}
