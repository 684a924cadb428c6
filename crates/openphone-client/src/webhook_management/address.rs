//! The address that a webhook calls.

use url::{Host, Url};

/// Reads the address that deliveries may be sent to: `https`, or `http` on loopback, without credentials and fragment.
/// Deliveries carry what people wrote.
pub(super) fn deliverable(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let private = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (private && plain && url.has_host()).then_some(url)
}

/// Tells whether deliveries may be sent to this address.
#[cfg(feature = "dated")]
pub(crate) fn is_deliverable(address: &str) -> bool {
    deliverable(address).is_some()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Tells whether a vendor's address is this one. The parser has written both in one way: lower-case host, no default
/// port, a slash for an empty path.
pub(super) fn is_same(theirs: &str, ours: &Url) -> bool {
    Url::parse(theirs.trim()).is_ok_and(|theirs| theirs == *ours)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://example.com", true)]
    #[case("https://example.com/hooks/7d1f?a=b", true)]
    #[case("http://127.0.0.1:4010/hook", true)]
    #[case("http://[::1]/hook", true)]
    #[case("http://localhost:4010", true)]
    #[case("http://example.com/hook", false)]
    #[case("http://localhost.example.com", false)]
    #[case("http://127.0.0.1.example.com", false)]
    #[case("https://user@example.com", false)]
    #[case("https://:word@example.com", false)]
    #[case("https://example.com/#top", false)]
    #[case("ftp://example.com", false)]
    #[case("file:///etc/hosts", false)]
    #[case("example.com/hook", false)]
    #[case("", false)]
    fn deliveries_go_where_nobody_reads_along(#[case] address: &str, #[case] allowed: bool) {
        assert_eq!(deliverable(address).is_some(), allowed);
    }

    #[rstest]
    #[case("https://example.com/hook", true)]
    #[case("https://EXAMPLE.com:443/hook", true)]
    #[case("https://example.com/a/../hook", true)]
    #[case("https://example.com/hook/", false)]
    #[case("https://example.com/Hook", false)]
    #[case("https://example.com/hook?a=1", false)]
    #[case("https://example.com:8443/hook", false)]
    #[case("https://hooks.example.com/hook", false)]
    #[case("http://example.com/hook", false)]
    #[case("https://example.com/hook2", false)]
    #[case("not an address", false)]
    fn every_character_counts(#[case] theirs: &str, #[case] same: bool) {
        let ours = Url::parse("https://example.com/hook").unwrap();
        assert_eq!(is_same(theirs, &ours), same);
    }

    #[test]
    fn a_host_alone_has_a_slash() {
        let ours = Url::parse("https://example.com").unwrap();
        assert!(is_same("https://example.com/", &ours));
    }
}
