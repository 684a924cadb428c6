use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::clock;
use crate::log::Recent;
use crate::shared::lock;
use crate::webhook::record::{Attempt, DeliveryRecord, DeliveryState, Entry, Message, messages};
use crate::webhook::{Recipient, Signer};

/// How many deliveries may wait to be sent; what comes on top is dropped and logged so.
const QUEUE: usize = 10_000;
/// How many attempts are under way at once; a delivery that waits for its retry is not counted.
const AT_ONCE: usize = 32;
/// How much of a receiver's answer is read.
const ANSWER_BYTES: usize = 64 * 1024;
/// How many deliveries the log remembers.
const REMEMBERED: usize = 2_000;
/// How much of it the log remembers.
const REMEMBERED_BYTES: usize = 1024;
/// How long a receiver may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// One event on its way to one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) webhook_id: String,
    pub(crate) event_id: String,
    /// The id of what it tells of.
    pub(crate) resource_id: String,
    pub(crate) event: &'static str,
    pub(crate) recipient: Recipient,
    pub(crate) signer: Signer,
    /// Seconds before each attempt, counted from the attempt before it.
    pub(crate) schedule: &'static [u64],
    pub(crate) body: Bytes,
}

type Log = Arc<Mutex<Recent<Entry>>>;
type Numbered = (u64, Delivery);

/// Takes deliveries and hands them to the task that sends them.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    queue: mpsc::Sender<Numbered>,
    log: Log,
    load: Arc<watch::Sender<Load>>,
}

/// What is still to be done. Both stand behind one lock, so that nothing is taken on once the
/// sandbox has ended.
#[derive(Debug, Default)]
struct Load {
    pending: usize,
    stopped: bool,
}

/// The sending half; [`Queue::run`] is the task.
pub(crate) struct Queue {
    incoming: mpsc::Receiver<Numbered>,
    log: Log,
    load: Arc<watch::Sender<Load>>,
    compression: u32,
}

impl Dispatcher {
    /// Makes both halves; `compression` divides every pause of the retry schedule.
    pub(crate) fn new(compression: u32) -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let log = Arc::new(Mutex::new(Recent::new(REMEMBERED)));
        let load = Arc::new(watch::Sender::new(Load::default()));
        let queue = Queue {
            incoming: receiver,
            log: Arc::clone(&log),
            load: Arc::clone(&load),
            compression: compression.max(1),
        };
        (
            Self {
                queue: sender,
                log,
                load,
            },
            queue,
        )
    }

    pub(crate) fn send(&self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            self.send_one(delivery, false);
        }
    }

    fn send_one(&self, delivery: Delivery, manual: bool) -> u64 {
        let (state, permit) = if delivery.recipient.is_loopback() {
            let permit = self.queue.try_reserve().ok().filter(|_| self.take_on());
            let taken = permit.is_some();
            let pending = if taken {
                DeliveryState::Pending
            } else {
                DeliveryState::Dropped
            };
            (pending, permit)
        } else {
            (DeliveryState::Withheld, None)
        };
        let number = lock(&self.log).push(|number| Entry {
            record: DeliveryRecord {
                number,
                webhook_id: delivery.webhook_id.clone(),
                event_id: delivery.event_id.clone(),
                event: delivery.event,
                url: delivery.recipient.url().to_owned(),
                at: clock::utc_now(),
                attempts: 0,
                last_status: None,
                state,
            },
            delivery: delivery.clone(),
            attempts: Vec::new(),
            next_attempt_at: None,
            manual,
        });
        if let Some(permit) = permit {
            permit.send((number, delivery));
        }
        number
    }

    /// Counts one more delivery as pending, unless the sandbox has ended.
    fn take_on(&self) -> bool {
        self.load.send_if_modified(|load| {
            load.pending += usize::from(!load.stopped);
            !load.stopped
        })
    }

    /// Sends a logged delivery once more, as a vendor does that missed the answer; `None` when
    /// the log does not hold it.
    pub(crate) fn repeat(&self, number: u64) -> Option<u64> {
        let delivery = {
            let log = lock(&self.log);
            log.iter()
                .find(|entry| entry.record.number == number)?
                .delivery
                .clone()
        };
        Some(self.send_one(delivery, true))
    }

    pub(crate) fn records(&self) -> Vec<DeliveryRecord> {
        lock(&self.log)
            .iter()
            .map(|entry| entry.record.clone())
            .collect()
    }

    /// What was sent to a webhook that signs with message ids, oldest first.
    pub(crate) fn messages_to(&self, webhook_id: &str) -> Vec<Message> {
        messages(lock(&self.log).iter(), webhook_id)
    }

    /// Waits until nothing is under way, or nothing ever will be.
    pub(crate) async fn settled(&self) {
        let mut load = self.load.subscribe();
        // The sender lives in `self`, so the wait cannot end for lack of one.
        let _ = load
            .wait_for(|load| load.stopped || load.pending == 0)
            .await;
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.load.borrow().stopped
    }

    /// Says that nothing will be sent any more, so that nobody waits for it.
    pub(crate) fn stop(&self) {
        self.load.send_modify(|load| load.stopped = true);
    }
}

impl Queue {
    pub(crate) async fn run(mut self) {
        let mut under_way = JoinSet::new();
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        while let Some((number, delivery)) = self.incoming.recv().await {
            while under_way.len() >= QUEUE {
                under_way.join_next().await;
            }
            let (log, load) = (Arc::clone(&self.log), Arc::clone(&self.load));
            let (slots, compression) = (Arc::clone(&slots), self.compression);
            under_way.spawn(async move {
                deliver(number, &delivery, &log, &slots, compression).await;
                load.send_modify(|load| load.pending -= 1);
            });
            while under_way.try_join_next().is_some() {}
        }
    }
}

async fn deliver(number: u64, delivery: &Delivery, log: &Log, slots: &Semaphore, compression: u32) {
    for pause in delivery.schedule {
        let pause = Duration::from_secs(*pause) / compression;
        update(log, number, |entry| {
            let pause = TimeDelta::from_std(pause).unwrap_or_default();
            entry.next_attempt_at = Some(clock::utc_now() + pause);
        });
        clock::sleep(pause).await;
        // The semaphore is never closed, so a slot always comes.
        let slot = slots.acquire().await;
        let (at, started) = (clock::utc_now(), clock::monotonic());
        let answer = attempt(delivery).await;
        drop(slot);
        let status = answer.as_ref().map(|(status, _)| *status);
        let delivered = status.is_some_and(|status| (200..300).contains(&status));
        update(log, number, |entry| {
            entry.attempts.push(Attempt {
                at,
                took: clock::monotonic() - started,
                answer,
                manual: entry.manual,
            });
            entry.next_attempt_at = None;
            entry.record.attempts += 1;
            entry.record.last_status = status;
            if delivered {
                entry.record.state = DeliveryState::Delivered;
            }
        });
        if delivered {
            return;
        }
    }
    update(log, number, |entry| {
        entry.record.state = DeliveryState::Failed;
    });
}

fn update(log: &Log, number: u64, change: impl FnOnce(&mut Entry)) {
    let mut log = lock(log);
    if let Some(entry) = log.iter_mut().rfind(|entry| entry.record.number == number) {
        change(entry);
    }
}

/// Sends once; `None` when the receiver could not be reached or did not answer in time.
async fn attempt(delivery: &Delivery) -> Option<(u16, String)> {
    tokio::time::timeout(ANSWER_WITHIN, exchange(delivery))
        .await
        .ok()?
}

async fn exchange(delivery: &Delivery) -> Option<(u16, String)> {
    let Recipient::Loopback(target) = &delivery.recipient else {
        return None;
    };
    let stream = TcpStream::connect(target.address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .header(HOST, &target.authority)
        .header(CONTENT_TYPE, "application/json");
    for (name, value) in delivery.signer.headers(clock::utc_now(), &delivery.body) {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(delivery.body.clone())).ok()?;
    let answer = async move {
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        // The status counts even where the body cannot be read.
        let body = Limited::new(response.into_body(), ANSWER_BYTES)
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        let kept = body.get(..REMEMBERED_BYTES).unwrap_or(&body);
        Some((status, String::from_utf8_lossy(kept).into_owned()))
    };
    tokio::join!(answer, connection).0
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Whoever waits for deliveries must not wait for one that was taken on while the sandbox ended.
    #[test]
    fn nobody_waits_for_a_sandbox_that_has_ended() {
        let delivery = Delivery {
            webhook_id: "WH1".to_owned(),
            event_id: "EV1".to_owned(),
            resource_id: "AC1".to_owned(),
            event: "message.received",
            recipient: Recipient::new("http://127.0.0.1:9/"),
            signer: Signer::OpenPhoneLegacy {
                key: Arc::from([1]),
            },
            schedule: &[0],
            body: Bytes::new(),
        };
        for _ in 0..50 {
            let (dispatcher, _queue) = Dispatcher::new(1);
            std::thread::scope(|threads| {
                threads.spawn(|| dispatcher.send(vec![delivery.clone(); 50]));
                while dispatcher.records().len() < 20 {
                    std::hint::spin_loop();
                }
                dispatcher.stop();
            });
            let settled = pin!(dispatcher.settled());
            let mut context = Context::from_waker(Waker::noop());
            assert!(settled.poll(&mut context).is_ready());
        }
    }
}
