//! OpenPhone (Quo): its two APIs, and what their flows share.

pub(crate) mod dated;
pub(crate) mod v1;

use std::sync::Arc;

use openphone_client::{Client, Rate, RateClass, RetryPolicy};
use vendor_sandbox::openphone::CustomFieldKind;

use crate::judge::Judge;

/// A customer.
const THEM: &str = "+12025550143";
/// Another.
const OTHER: &str = "+12025550144";

/// Custom fields: name, key and kind, one of every kind.
const CUSTOM_FIELDS: [(&str, &str, CustomFieldKind); 7] = [
    ("Branch", "branch", CustomFieldKind::Address),
    ("Inbound Lead", "inbound-lead", CustomFieldKind::Boolean),
    ("Customer Since", "customer-since", CustomFieldKind::Date),
    ("Plans", "plans", CustomFieldKind::MultiSelect),
    ("Seats", "seats", CustomFieldKind::Number),
    ("Nickname", "nickname", CustomFieldKind::String),
    ("Website", "website", CustomFieldKind::Url),
];

/// How a part of the flow went.
type Step = Result<(), Error>;

/// What a part of the flow fails with.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// A client whose every request is judged. It tries once: what fails here fails again.
fn judged(judge: &Arc<Judge>, key: &str) -> Result<Client, openphone_client::Error> {
    Client::builder()
        .api_key(key)
        .base_url(judge.base_url().as_str())
        .transport(Arc::<Judge>::clone(judge))
        .retry(RetryPolicy::new().max_attempts(1))
        .rate(RateClass::DEFAULT, Rate::per_second(10_000))
        .build()
}

/// Fails unless something is as it must be.
fn check(is: bool, what: &str) -> Step {
    if is { Ok(()) } else { Err(what.into()) }
}

/// Fails unless a call was refused with this status.
fn refused<T>(outcome: Result<T, openphone_client::Error>, status: u16) -> Step {
    match outcome {
        Ok(_) => Err(format!("was to be refused with {status}").into()),
        Err(error) if error.status() == Some(status) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
