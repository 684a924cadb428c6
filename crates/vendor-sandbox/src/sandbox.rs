use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::clock;
use crate::control::Control;
use crate::error::SandboxError;
use crate::fault::{FaultPlan, Faults};
use crate::limit::{Limiter, Quota};
use crate::log::Recent;
use crate::openphone::OpenPhone;
use crate::server;
use crate::shared::Shared;
use crate::timeline;
use crate::vendor::Vendor;
use crate::webhook::Dispatcher;

/// One simulated vendor, listening on a loopback port for as long as this value lives.
///
/// Dropping it closes the port and every connection.
///
/// ```
/// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
/// use vendor_sandbox::Sandbox;
///
/// let sandbox = Sandbox::openphone().start().await?;
/// println!("{} {}", sandbox.base_url(), sandbox.api_key());
/// # Ok(())
/// # }
/// ```
pub struct Sandbox<V = OpenPhone> {
    shared: Arc<Shared>,
    vendor: Arc<V>,
    api_key: String,
    tasks: [AbortHandle; 3],
}

impl<V> Sandbox<V> {
    /// Returns the address to call, like `http://127.0.0.1:4010`, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// Returns the API key that this sandbox started with; where a vendor has a pair of them, its
    /// secret half.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns a handle for setting up and looking in.
    pub fn control(&self) -> Control<V> {
        Control {
            shared: Arc::clone(&self.shared),
            vendor: Arc::clone(&self.vendor),
        }
    }

    pub(crate) fn vendor(&self) -> &V {
        &self.vendor
    }
}

impl<V> fmt::Debug for Sandbox<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sandbox")
            .field("vendor", &self.shared.vendor.name())
            .field("base_url", &self.shared.base_url)
            .finish_non_exhaustive()
    }
}

impl<V> Drop for Sandbox<V> {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.shared.dispatcher.stop();
        self.shared.ticked.notify_waiters();
    }
}

/// Sets up a [`Sandbox`] before it starts.
///
/// `V` is the vendor's own options, [`openphone::Options`](crate::openphone::Options) or
/// [`suitedash::Options`](crate::suitedash::Options); what they add stands further down on this page.
#[must_use]
pub struct Builder<V> {
    seed: u64,
    port: u16,
    rate_limit: Option<u32>,
    window: Duration,
    fault_plan: FaultPlan,
    api_key: Option<String>,
    request_log: usize,
    max_body: usize,
    retry_compression: u32,
    vendor: V,
}

impl<V> Builder<V> {
    /// The seed of every sandbox that is given none.
    pub const DEFAULT_SEED: u64 = 0x5eed;

    pub(crate) fn new(rate_limit: Option<u32>, window: Duration, vendor: V) -> Self {
        Self {
            seed: Self::DEFAULT_SEED,
            port: 0,
            rate_limit,
            window,
            fault_plan: FaultPlan::none(),
            api_key: None,
            request_log: 10_000,
            max_body: 1024 * 1024,
            retry_compression: 10_000,
            vendor,
        }
    }

    /// Seeds ids, keys, synthetic records and fault draws: the same seed and the same requests
    /// in the same order give the same answers, but for times and the port.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Listens on this port; 0, the default, takes any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets how many requests a key may send per window of the vendor; `None` lifts the limit.
    /// The default is the vendor's own.
    pub fn rate_limit(mut self, requests: Option<u32>) -> Self {
        self.rate_limit = requests;
        self
    }

    /// Starts with this fault plan.
    pub fn fault_plan(mut self, plan: FaultPlan) -> Self {
        self.fault_plan = plan;
        self
    }

    /// Takes this API key instead of one made from the seed.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Keeps this many requests in the log, 10,000 by default; 0 only counts them.
    pub fn request_log(mut self, entries: usize) -> Self {
        self.request_log = entries;
        self
    }

    /// Refuses request bodies above this size, 1 MiB by default. No vendor publishes its own.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Divides the pauses between the attempts of a webhook delivery, 10,000 by default: the
    /// vendor's 27 hours pass in ten seconds. 1 is the vendor's own pace.
    pub fn webhook_retry_compression(mut self, factor: u32) -> Self {
        self.retry_compression = factor;
        self
    }

    /// Moves the seed, so that two vendors with one seed have neither keys nor faults in common.
    pub(crate) fn salt(&mut self, salt: u64) {
        self.seed ^= salt;
    }

    pub(crate) fn vendor_mut(&mut self) -> &mut V {
        &mut self.vendor
    }

    /// Opens the port and starts serving on the current Tokio runtime; `make` turns the
    /// vendor's options into the vendor.
    pub(crate) async fn start_as<T: Vendor + 'static>(
        self,
        make: impl FnOnce(V, &mut fastrand::Rng, Surroundings) -> T,
    ) -> Result<Sandbox<T>, SandboxError> {
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let drawn = token(&mut rng, 32);
        let api_key = self.api_key.unwrap_or(drawn);
        if !usable_key(&api_key) {
            return Err(SandboxError::UnusableApiKey);
        }
        let (listener, address) = listen(self.port).await?;
        let base_url = format!("http://{address}");
        let (dispatcher, queue) = Dispatcher::new(self.retry_compression);
        let surroundings = Surroundings {
            base_url: base_url.clone(),
            dispatcher: dispatcher.clone(),
        };
        let vendor = Arc::new(make(self.vendor, &mut rng, surroundings));
        let window = self.window;
        let quota = self.rate_limit.map(|requests| Quota { requests, window });
        let shared = Arc::new(Shared {
            vendor: Arc::clone(&vendor) as Arc<dyn Vendor>,
            base_url,
            seed: self.seed,
            window,
            max_body: self.max_body,
            keys: Mutex::new(vec![api_key.clone()]),
            limiter: Mutex::new(Limiter::new(quota, clock::monotonic())),
            faults: Mutex::new(Faults::new(self.fault_plan, self.seed)),
            requests: Mutex::new(Recent::new(self.request_log)),
            counts: Mutex::new(HashMap::new()),
            dispatcher,
            ticked: Notify::new(),
        });
        let serving = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        let sending = tokio::spawn(queue.run());
        let ticking = tokio::spawn(timeline::run(Arc::clone(&shared)));
        let tasks = [
            serving.abort_handle(),
            sending.abort_handle(),
            ticking.abort_handle(),
        ];
        Ok(Sandbox {
            shared,
            vendor,
            api_key,
            tasks,
        })
    }
}

/// What a vendor may need to know of the sandbox around it.
pub(crate) struct Surroundings {
    pub(crate) base_url: String,
    pub(crate) dispatcher: Dispatcher,
}

impl<V> fmt::Debug for Builder<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("seed", &self.seed)
            .field("port", &self.port)
            .field("rate_limit", &self.rate_limit)
            .field("fault_plan", &self.fault_plan)
            .finish_non_exhaustive()
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => SandboxError::PortInUse { port },
        _ => SandboxError::Listen { port, source },
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Says whether a key can be sent in a header as it is.
pub(crate) fn usable_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Draws letters and digits.
pub(crate) fn token(rng: &mut fastrand::Rng, length: usize) -> String {
    (0..length).map(|_| rng.alphanumeric()).collect()
}
