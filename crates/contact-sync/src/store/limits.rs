//! What every store keeps of the names that hosts and vendors give.
//!
//! A database takes no NUL character in a text, and an index no entry of several kilobytes. What one store refuses all
//! of them do, so that what works in memory works on a server. Other texts are kept as they are, whatever is in them.

use thiserror::Error;

use super::StoreError;
use crate::ids::{RemoteId, TargetName, TenantId};

/// So many bytes the name of a tenant or of a target may have.
pub const LONGEST_NAME: usize = 200;

/// So many bytes a vendor's id of a record may have.
pub const LONGEST_REMOTE_ID: usize = 1_000;

/// Why a text is not kept. It does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum Unfit {
    #[error("{0} has a NUL character")]
    Nul(&'static str),
    #[error("{what} has more than {longest} bytes")]
    Long { what: &'static str, longest: usize },
}

/// Refuses names that no store keeps: with a NUL character, or longer than [`LONGEST_NAME`].
///
/// A store calls it before it writes anything.
///
/// ```
/// use contact_sync::{StoreError, TargetName, TenantId};
/// use contact_sync::limits::check_names;
///
/// assert!(check_names(&TenantId::default(), &["openphone".into()]).is_ok());
/// let refused = check_names(&TenantId::from("a\0b"), &[]);
/// assert!(matches!(refused, Err(StoreError::Refused(_))));
/// ```
///
/// # Errors
///
/// [`StoreError::Refused`].
pub fn check_names<'a>(
    tenant: &TenantId,
    targets: impl IntoIterator<Item = &'a TargetName>,
) -> Result<(), StoreError> {
    check("the name of a tenant", tenant.as_str(), LONGEST_NAME)?;
    for target in targets {
        check("the name of a target", target.as_str(), LONGEST_NAME)?;
    }
    Ok(())
}

/// Refuses a vendor's id that no store keeps: with a NUL character, or longer than [`LONGEST_REMOTE_ID`].
///
/// A store calls it before it writes anything. No contact has a link to such a record.
///
/// # Errors
///
/// [`StoreError::Refused`].
pub fn check_remote(remote: &RemoteId) -> Result<(), StoreError> {
    check("the id of a record", remote.as_str(), LONGEST_REMOTE_ID)
}

fn check(what: &'static str, text: &str, longest: usize) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(StoreError::refused(Unfit::Nul(what)));
    }
    if text.len() > longest {
        return Err(StoreError::refused(Unfit::Long { what, longest }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("", None)]
    #[case::odd("a b'\n\u{1}\u{7f}%🙂", None)]
    #[case::longest(&"x".repeat(1_000), None)]
    #[case::long(&"x".repeat(1_001), Some("the id of a record has more than 1000 bytes"))]
    #[case::long_in_bytes(&"ü".repeat(501), Some("the id of a record has more than 1000 bytes"))]
    #[case::nul("r\0", Some("the id of a record has a NUL character"))]
    fn ids_are_kept_or_refused(#[case] remote: &str, #[case] why: Option<&str>) {
        let said = check_remote(&remote.into()).err();
        let source = said
            .as_ref()
            .and_then(|error| Some(error.source()?.to_string()));
        assert_eq!(source.as_deref(), why);
    }

    #[rstest]
    #[case::plain("acme", "openphone", true)]
    #[case::longest(&"x".repeat(200), &"y".repeat(200), true)]
    #[case::long_tenant(&"x".repeat(201), "openphone", false)]
    #[case::long_target("acme", &"y".repeat(201), false)]
    #[case::nul_in_the_target("acme", "open\0phone", false)]
    fn names_are_kept_or_refused(#[case] tenant: &str, #[case] target: &str, #[case] fits: bool) {
        let (tenant, target) = (TenantId::from(tenant), TargetName::from(target));
        let checked = check_names(&tenant, [&"crm".into(), &target]);
        assert_eq!(checked.is_ok(), fits);
        assert_eq!(
            check_names(&tenant, []).is_ok(),
            fits || tenant == TenantId::from("acme")
        );
    }
}
