//! What a failed call of OpenPhone means for a job.

use openphone_client::{Delivery as Sent, Error, ErrorKind};

use crate::failure::{ErrorClass, TargetError};

/// What was being done when it failed: only a create leaves something behind that must not be done again.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Read,
    Create,
    Update,
    Delete,
}

pub(super) fn classify(step: Step, error: Error) -> TargetError {
    let mut failure = TargetError::new(class(step, &error));
    if let Some(status) = error.status() {
        failure = failure.status(status);
    }
    if let Some(code) = error.code() {
        failure = failure.code(code);
    }
    if let Some(id) = error.request_id() {
        failure = failure.request_id(id);
    }
    if let Some(wait) = error.retry_after() {
        failure = failure.retry_after(wait);
    }
    // No answer, or the gateway's own time-out: behind it, the work may go on.
    if failure.may_have_created()
        && error.delivery() == Sent::Unknown
        && matches!(error.status(), None | Some(504))
    {
        failure = failure.still_running();
    }
    let is_ours = matches!(
        error.kind(),
        ErrorKind::Validation | ErrorKind::Encode | ErrorKind::Config
    );
    if is_ours && error.delivery() == Sent::NotSent {
        failure = failure.unasked();
    }
    failure.source(error)
}

fn class(step: Step, error: &Error) -> ErrorClass {
    if step == Step::Create && matches!(error.delivery(), Sent::Unknown | Sent::Succeeded) {
        return ErrorClass::Ambiguous;
    }
    // Unpaid: nothing is wrong with the contact, and nobody but the account's owner can help.
    if error.status() == Some(402) {
        return ErrorClass::QuotaSpent;
    }
    // A key has no scopes. An update is refused where the record belongs to a native integration of the vendor: no
    // retry and no other key will change that.
    if step == Step::Update && error.kind() == ErrorKind::Permission {
        return ErrorClass::InvalidData;
    }
    match error.kind() {
        ErrorKind::RateLimited => ErrorClass::RateLimited,
        ErrorKind::QuotaSpent => ErrorClass::QuotaSpent,
        ErrorKind::Auth | ErrorKind::ReauthorizationRequired | ErrorKind::Permission => {
            ErrorClass::Auth
        }
        ErrorKind::Conflict => ErrorClass::Conflict,
        ErrorKind::Validation | ErrorKind::Encode => ErrorClass::InvalidData,
        ErrorKind::Config | ErrorKind::Store => ErrorClass::Unavailable,
        _ => ErrorClass::Transient,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Step::Create, ErrorClass::InvalidData)]
    #[case(Step::Update, ErrorClass::InvalidData)]
    fn what_the_client_refuses_unsent_is_bad_data(#[case] step: Step, #[case] class: ErrorClass) {
        let error = Error::validation("openphone", "contacts.create", Vec::new());
        let failure = classify(step, error);
        assert_eq!((failure.class(), failure.is_unasked()), (class, true));
    }

    #[rstest]
    #[case::a_wrong_setting(ErrorKind::Config)]
    #[case::a_record_of_our_own(ErrorKind::Store)]
    fn what_is_to_be_mended_here_parks(#[case] kind: ErrorKind) {
        let error = Error::of_client(kind, "openphone", "contacts.create", Sent::NotSent, "test");
        assert_eq!(
            classify(Step::Create, error).class(),
            ErrorClass::Unavailable
        );
    }
}
