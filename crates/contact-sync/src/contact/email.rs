//! E-mail addresses: kept as typed, with a form to compare by.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text::is_invisible;

/// An e-mail address as it was typed, its normalised form, and whether that form is an address at all.
///
/// The normalised form is trimmed, lower-cased and NFKC-normalised, without a `mailto:` in front and without angle
/// brackets or a final dot around it. Sub-addresses (`ann+news@`) and dots stay: whether they matter is for the mail
/// provider to say.
///
/// `Debug` shows whether the address is valid and nothing else.
///
/// ```
/// use contact_sync::Email;
///
/// let email = Email::new("  Ann.Lee@Example.COM ").expect("not blank");
/// assert_eq!(email.normalized(), "ann.lee@example.com");
/// assert_eq!(email.raw(), "  Ann.Lee@Example.COM ");
/// assert!(email.is_valid());
/// assert!(!Email::new("ann at example").expect("not blank").is_valid());
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    raw: String,
    normalized: String,
    valid: bool,
}

impl Email {
    /// Takes what was typed; `None` if it is blank. Nothing else is refused.
    pub fn new(raw: impl Into<String>) -> Option<Self> {
        let raw = raw.into();
        let normalized = normalize(&raw);
        if normalized.is_empty() {
            return None;
        }
        let valid = is_address(&normalized);
        Some(Self {
            raw,
            normalized,
            valid,
        })
    }

    /// Returns the text as it was typed.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns the form to compare by and to send.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }

    /// Tells whether the normalised form has the shape of an address: one that mail could be sent to, not one that
    /// is known to exist.
    pub fn is_valid(&self) -> bool {
        self.valid
    }

    /// Tells whether the address is that of a role (`info@`, `office@`), which several people share.
    ///
    /// Such an address alone never makes two signups one person.
    pub fn is_role(&self) -> bool {
        let local = self.normalized.split('@').next().unwrap_or_default();
        let local = local.split('+').next().unwrap_or_default();
        ROLES.contains(&local)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("valid", &self.valid)
            .finish_non_exhaustive()
    }
}

/// After RFC 2142, and what contact forms see beside it.
const ROLES: [&str; 34] = [
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "administrator",
    "billing",
    "booking",
    "bookings",
    "contact",
    "enquiries",
    "enquiry",
    "finance",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "inquiries",
    "jobs",
    "kontakt",
    "mail",
    "marketing",
    "no-reply",
    "noreply",
    "office",
    "postmaster",
    "reception",
    "reservations",
    "sales",
    "security",
    "support",
    "team",
    "webmaster",
];

/// RFC 5321, section 4.5.3.1.
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL: usize = 64;
/// RFC 1035, section 2.3.4.
const MAX_LABEL: usize = 63;

fn normalize(raw: &str) -> String {
    let visible: String = raw.nfkc().filter(|c| !is_invisible(*c)).collect();
    let lower: String = visible.to_lowercase().nfkc().collect();
    let mut rest = lower.trim();
    // Each rule can lay bare another one's case ("<mailto:…>", "….>"), so they run until none applies.
    loop {
        let before = rest.len();
        rest = rest.strip_prefix("mailto:").unwrap_or(rest);
        if let Some(inner) = rest.strip_prefix('<').and_then(|r| r.strip_suffix('>')) {
            rest = inner;
        }
        rest = rest.strip_suffix('.').unwrap_or(rest).trim();
        if rest.len() == before {
            return rest.to_owned();
        }
    }
}

fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    address.len() <= MAX_ADDRESS
        && (1..=MAX_LOCAL).contains(&local.len())
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
        && domain.contains('.')
        && domain.split('.').all(is_label)
        // "ann@192.0.2.1" is a slip or a probe; an address literal would stand in brackets.
        && domain.rsplit('.').next().is_some_and(|top| top.chars().any(|c| !c.is_ascii_digit()))
}

fn is_atom_char(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_mark(c)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || is_mark(c))
}

/// Combining marks of internationalised addresses that no composed letter exists for.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("ann@example.com", "ann@example.com", true)]
    #[case::case_and_blanks("  Ann.Lee@EXAMPLE.Com\t", "ann.lee@example.com", true)]
    #[case::no_break_space("\u{a0}ann@example.com\u{feff}", "ann@example.com", true)]
    #[case::full_width("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com", true)]
    #[case::angle("<ann@example.com>", "ann@example.com", true)]
    #[case::mailto("mailto:Ann@example.com", "ann@example.com", true)]
    #[case::mailto_in_angle("<mailto:ann@example.com.>", "ann@example.com", true)]
    #[case::final_dot("ann@example.com.", "ann@example.com", true)]
    #[case::sub_address("ann+news@example.com", "ann+news@example.com", true)]
    #[case::apostrophe("o'neil@example.com", "o'neil@example.com", true)]
    #[case::umlaut("jürgen@müller.example", "jürgen@müller.example", true)]
    #[case::decomposed("ju\u{308}rgen@example.com", "jürgen@example.com", true)]
    #[case::no_at("ann.example.com", "ann.example.com", false)]
    #[case::two_ats("ann@@example.com", "ann@@example.com", false)]
    #[case::no_domain("ann@", "ann@", false)]
    #[case::no_local("@example.com", "@example.com", false)]
    #[case::no_dot("ann@example", "ann@example", false)]
    #[case::blank_inside("ann lee@example.com", "ann lee@example.com", false)]
    #[case::two_dots("ann..lee@example.com", "ann..lee@example.com", false)]
    #[case::comma("ann@example,com", "ann@example,com", false)]
    #[case::hyphen_edge("ann@-example.com", "ann@-example.com", false)]
    #[case::address_number("ann@192.0.2.1", "ann@192.0.2.1", false)]
    #[case::formula("=cmd|'/c calc'!a1", "=cmd|'/c calc'!a1", false)]
    fn normalises(#[case] raw: &str, #[case] normalized: &str, #[case] valid: bool) {
        let email = Email::new(raw).unwrap();
        assert_eq!(
            (email.normalized(), email.is_valid(), email.raw()),
            (normalized, valid, raw)
        );
    }

    #[rstest]
    #[case("")]
    #[case(" \t\u{feff}")]
    #[case("<>")]
    fn blank_is_none(#[case] raw: &str) {
        assert_eq!(Email::new(raw), None);
    }

    #[test]
    fn lengths_are_bounded() {
        let local = format!("{}@example.com", "a".repeat(65));
        assert!(!Email::new(local).unwrap().is_valid());
        let domain = format!("a@{}.com", "b".repeat(64));
        assert!(!Email::new(domain).unwrap().is_valid());
    }

    #[rstest]
    #[case("info@example.com", true)]
    #[case("Sales+eu@example.com", true)]
    #[case("information@example.com", false)]
    #[case("ann@example.com", false)]
    fn roles(#[case] raw: &str, #[case] role: bool) {
        assert_eq!(Email::new(raw).unwrap().is_role(), role);
    }

    #[test]
    fn debug_shows_no_address() {
        let shown = format!("{:?}", Email::new("ann@example.com").unwrap());
        assert_eq!(shown, "Email { valid: true, .. }");
    }

    proptest! {
        #[test]
        fn any_text_normalises_to_a_fixed_point(raw in "\\PC*") {
            if let Some(email) = Email::new(raw) {
                let again = Email::new(email.normalized()).unwrap();
                prop_assert_eq!(again.normalized(), email.normalized());
                prop_assert_eq!(again.is_valid(), email.is_valid());
            }
        }

        #[test]
        fn any_bytes_are_taken(raw in any::<String>()) {
            let _ = Email::new(raw);
        }
    }
}
