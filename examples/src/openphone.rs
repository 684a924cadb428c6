//! The vendor that a program talks to: the real one with a key, a simulated one without.

use openphone_client::{Client, ClientBuilder};
use secrecy::SecretString;
use vendor_sandbox::{FaultPlan, Sandbox};

const VARIABLE: &str = "OPENPHONE_API_KEY";

/// A client, and the sandbox it talks to if there is one.
#[derive(Debug)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The key that it has.
    pub api_key: SecretString,
    /// The simulated vendor; it lives as long as this value. `None` when the client talks to the real one.
    pub sandbox: Option<Sandbox>,
}

/// Connects to the real API if `OPENPHONE_API_KEY` is set, else to a sandbox inside this process that fails as
/// `faults` says.
///
/// `tune` sets what the program wants of its client besides key and address.
///
/// # Errors
///
/// When key or base URL are unusable or the real API does not take them, when a sandbox cannot start, or when faults are asked of the real API.
pub async fn connect(
    faults: Option<FaultPlan>,
    tune: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Connection, Box<dyn std::error::Error>> {
    if is_real() {
        if faults.is_some() {
            return Err(
                "only the simulated vendor can be told to fail; unset OPENPHONE_API_KEY".into(),
            );
        }
        let client = tune(Client::builder().from_env()?).build()?;
        eprintln!("talking to {}", client.base_url());
        // A wrong key or address is worth a word before anything else, not a silent wait.
        client.test_connection().no_retry().await?;
        return Ok(Connection {
            client,
            api_key: key()?,
            sandbox: None,
        });
    }
    let plan = faults.unwrap_or_else(FaultPlan::none);
    let sandbox = Sandbox::openphone().fault_plan(plan).start().await?;
    eprintln!(
        "OPENPHONE_API_KEY is not set: talking to a simulated OpenPhone at {}",
        sandbox.base_url()
    );
    let builder = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url());
    Ok(Connection {
        client: tune(builder).build()?,
        api_key: sandbox.api_key().into(),
        sandbox: Some(sandbox),
    })
}

/// A program may read its environment; a library takes what it is given.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the programs read it"
)]
fn key() -> Result<SecretString, std::env::VarError> {
    std::env::var(VARIABLE).map(SecretString::from)
}

/// Says whether the program will talk to the real API, where what it does has effects and may cost money.
pub fn is_real() -> bool {
    std::env::var_os(VARIABLE).is_some()
}
