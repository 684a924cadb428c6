//! Answers that no operation asks for: a wrong key, too many requests, a failing vendor.

use openphone_client::ListPhoneNumbers;
use vendor_sandbox::openphone::LIST_PHONE_NUMBERS;
use vendor_sandbox::{Fault, FaultPlan};

use super::{Stage, Step, judged, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let all = ListPhoneNumbers::new();
    let stranger = judged(&stage.judge, "another-key")?;
    refused(stranger.phone_numbers().list(&all).await, 401)?;

    let control = &stage.control;
    for (status, fault) in [
        (
            500,
            Fault::ServerError {
                status: 500,
                retry_after: None,
            },
        ),
        (429, Fault::RateLimited { retry_after: None }),
    ] {
        control.faults(FaultPlan::none().next(LIST_PHONE_NUMBERS, 1, fault));
        // One of its own each time: too many requests would make the next one wait.
        let client = judged(&stage.judge, stage.sandbox.api_key())?;
        refused(client.phone_numbers().list(&all).await, status)?;
    }
    Ok(())
}
