//! When two contacts are one person, and what follows from it: pure, for stores to use.

use std::collections::BTreeSet;

use super::{Contact, Phone};
use crate::ids::RemoteId;

/// Names that differ by more than a slip of the pen score below this (Jaro-Winkler).
const SIMILAR: f64 = 0.90;

/// Tells whether two contacts of a tenant are one person.
///
/// The same normalised e-mail address is the same person; a role address (`info@`) only with a similar name. Two
/// different valid addresses are two people. Otherwise the same phone number and extension with similar names is the
/// same person: a phone alone is not, since families and offices share one.
pub fn same_person(one: &Contact, other: &Contact) -> bool {
    let valid = |c: &Contact| c.email().filter(|e| e.is_valid()).cloned();
    if let (Some(a), Some(b)) = (valid(one), valid(other)) {
        return a.normalized() == b.normalized() && (!a.is_role() || similar_names(one, other));
    }
    same_phone(one, other) && similar_names(one, other)
}

/// A contact that shares an identifier and is already known to the vendor.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// The contact.
    pub contact: &'a Contact,
    /// Its record at the vendor.
    pub remote: &'a RemoteId,
}

impl<'a> Candidate<'a> {
    /// Makes a candidate.
    pub fn new(contact: &'a Contact, remote: &'a RemoteId) -> Self {
        Self { contact, remote }
    }
}

/// What the candidates say about a contact that has no link of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Nobody we know.
    New,
    /// Known to the vendor under this id.
    Known(RemoteId),
    /// Several records of the vendor belong to this e-mail address: a person has to decide.
    Several(Vec<RemoteId>),
}

/// Decides which vendor record a contact belongs to.
///
/// An e-mail address decides before a phone number. A phone number that more than one known person uses is shared
/// and decides nothing.
pub fn decide(contact: &Contact, candidates: &[Candidate<'_>]) -> Verdict {
    let email = |c: &Contact| {
        c.email()
            .filter(|e| e.is_valid())
            .map(|e| e.normalized().to_owned())
    };
    let same = || {
        candidates
            .iter()
            .filter(|c| same_person(contact, c.contact))
    };
    let own = email(contact);
    let by_email: BTreeSet<&RemoteId> = same()
        .filter(|c| own.is_some() && email(c.contact) == own)
        .map(|c| c.remote)
        .collect();
    match by_email.len() {
        0 => {}
        1 => {
            return by_email
                .first()
                .map_or(Verdict::New, |remote| Verdict::Known((*remote).clone()));
        }
        _ => return Verdict::Several(by_email.into_iter().cloned().collect()),
    }
    let on_the_phone: BTreeSet<&RemoteId> = candidates
        .iter()
        .filter(|c| same_phone(contact, c.contact))
        .map(|c| c.remote)
        .collect();
    let by_phone: BTreeSet<&RemoteId> = same().map(|c| c.remote).collect();
    match by_phone.first() {
        Some(remote) if on_the_phone.len() == 1 => Verdict::Known((*remote).clone()),
        _ => Verdict::New,
    }
}

fn same_phone(one: &Contact, other: &Contact) -> bool {
    let line = |c: &Contact| {
        let phone = c.phone()?;
        Some((
            phone.e164()?.clone(),
            Phone::extension(phone).map(str::to_owned),
        ))
    };
    line(one).is_some_and(|a| line(other) == Some(a))
}

fn similar_names(one: &Contact, other: &Contact) -> bool {
    let (a, b) = (one.name().folded(), other.name().folded());
    !a.is_empty() && !b.is_empty() && strsim::jaro_winkler(&a, &b) >= SIMILAR
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::{Region, Signup};
    use super::*;
    use crate::ids::TenantId;

    fn contact(name: &str, email: &str, phone: &str) -> Contact {
        let signup = Signup::new().name(name).email(email).phone(phone);
        Contact::new(&TenantId::default(), &signup, Some(Region::US))
    }

    const A: &str = "202 555 0143";
    const B: &str = "202 555 0199";

    #[rstest]
    #[case::email(("Ann Lee", "ann@example.com", ""), ("A. L.", "ANN@example.com", ""), true)]
    #[case::email_over_phone(("Ann Lee", "ann@example.com", A), ("Ann Lee", "ann@example.com", B), true)]
    #[case::email_contradicts(("Ann Lee", "ann@example.com", A), ("Ann Lee", "lee@example.com", A), false)]
    #[case::role(("Ann Lee", "info@example.com", ""), ("Bob Ray", "info@example.com", ""), false)]
    #[case::role_and_name(("Ann Lee", "info@example.com", ""), ("Anne Lee", "info@example.com", ""), true)]
    #[case::phone_and_name(("Ann Lee", "", A), ("Anne Lee", "ann@example.com", A), true)]
    #[case::phone_and_swapped_name(("Ann Lee", "", A), ("Lee, Ann", "", A), true)]
    #[case::phone_and_umlaut(("Jürgen Müller", "", A), ("Jurgen Muller", "", A), true)]
    #[case::bad_email_contradicts_nothing(("Ann Lee", "ann@", A), ("Ann Lee", "ann@example.com", A), true)]
    #[case::family(("Ann Lee", "", A), ("Robert Lee", "", A), false)]
    #[case::phone_alone(("", "", A), ("Ann Lee", "", A), false)]
    #[case::extension(("Ann Lee", "", "202 555 0143 x1"), ("Ann Lee", "", "202 555 0143 x2"), false)]
    #[case::name_alone(("Ann Lee", "", ""), ("Ann Lee", "", ""), false)]
    #[case::nothing(("", "", ""), ("", "", ""), false)]
    fn one_person(
        #[case] one: (&str, &str, &str),
        #[case] other: (&str, &str, &str),
        #[case] same: bool,
    ) {
        let (one, other) = (
            contact(one.0, one.1, one.2),
            contact(other.0, other.1, other.2),
        );
        assert_eq!(same_person(&one, &other), same);
        assert_eq!(same_person(&other, &one), same);
    }

    fn verdict(contact: &Contact, known: &[(Contact, &str)]) -> Verdict {
        let remotes: Vec<RemoteId> = known.iter().map(|(_, id)| RemoteId::from(*id)).collect();
        let candidates: Vec<Candidate<'_>> = known
            .iter()
            .zip(&remotes)
            .map(|((contact, _), remote)| Candidate { contact, remote })
            .collect();
        decide(contact, &candidates)
    }

    #[test]
    fn an_email_decides_before_a_phone() {
        let ann = contact("Ann Lee", "ann@example.com", A);
        let known = [
            (contact("Ann Lee", "ann@example.com", B), "1"),
            (contact("Ann Lee", "", A), "2"),
        ];
        assert_eq!(verdict(&ann, &known), Verdict::Known("1".into()));
    }

    #[test]
    fn two_records_of_one_email_go_to_a_person() {
        let ann = contact("Ann Lee", "ann@example.com", "");
        let known = [(ann.clone(), "1"), (ann.clone(), "2"), (ann.clone(), "1")];
        assert_eq!(
            verdict(&ann, &known),
            Verdict::Several(vec!["1".into(), "2".into()])
        );
    }

    #[test]
    fn a_shared_phone_decides_nothing() {
        let ann = contact("Ann Lee", "", A);
        let anne = (contact("Anne Lee", "", A), "1");
        assert_eq!(
            verdict(&ann, std::slice::from_ref(&anne)),
            Verdict::Known("1".into())
        );
        assert_eq!(
            verdict(&ann, &[anne, (contact("Bob Lee", "", A), "2")]),
            Verdict::New
        );
    }

    #[test]
    fn nobody_known_is_new() {
        let ann = contact("Ann Lee", "ann@example.com", A);
        assert_eq!(verdict(&ann, &[]), Verdict::New);
        assert_eq!(
            verdict(&ann, &[(contact("Bob", "bob@example.com", A), "1")]),
            Verdict::New
        );
    }
}
