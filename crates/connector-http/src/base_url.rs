//! Where requests go: the base URL's rules, and how a path is put behind it.
//!
//! No value may ever change the host or climb out of its place in the path, and no credential may leave over
//! plain HTTP except to this very machine.

use std::fmt::{self, Display, Write as _};
use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

/// RFC 3986 "unreserved" stays; everything else is encoded, the plus sign above all, which some servers read as a
/// space.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A base URL that has been checked, parsed once.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    url: Url,
    /// Its path without the slash at the end.
    prefix: String,
}

impl BaseUrl {
    /// Checks and takes a base URL. The refusal says why and never repeats the URL, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.trim() != text || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("the base url contains white space or control characters");
        }
        let url = Url::parse(text).map_err(|_| "the base url is not a url")?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err("the base url is plain http to a host that is not loopback"),
            _ => return Err("the base url is neither https nor http"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the base url contains credentials");
        }
        if url.query().is_some() {
            return Err("the base url contains a query");
        }
        if url.fragment().is_some() {
            return Err("the base url contains a fragment");
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        if prefix.contains("//") {
            return Err("the base url's path contains an empty segment");
        }
        Ok(Self { url, prefix })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Puts a checked path and an encoded query behind the base. The host part is not parsed again.
    pub(crate) fn join(&self, path: &str, query: &str) -> Url {
        let mut url = self.url.clone();
        if self.prefix.is_empty() {
            url.set_path(path);
        } else {
            let mut whole = String::with_capacity(self.prefix.len().saturating_add(path.len()));
            whole.push_str(&self.prefix);
            whole.push_str(path);
            url.set_path(&whole);
        }
        if !query.is_empty() {
            url.set_query(Some(query));
        }
        url
    }
}

/// Checks an address that an answer gave, to be downloaded without credentials. `local` is whether the API itself is
/// on this machine: elsewhere, an answer that leads here would be a way in.
pub(crate) fn check_download(text: &str, local: bool) -> Result<Url, &'static str> {
    let mut url = Url::parse(text).map_err(|_| "the address to download from is not a url")?;
    let here = is_loopback(&url);
    match url.scheme() {
        "https" | "http" if !local && leads_here(&url) => {
            return Err("the address to download from is on this machine, and the api is not");
        }
        "https" => {}
        "http" if here => {}
        _ => return Err("the address to download from is not https"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address to download from contains credentials");
    }
    url.set_fragment(None);
    Ok(url)
}

/// Whether the host is this machine, by its literal address or the name `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// Whether a connection may end at this machine. Wider than [`is_loopback`], which allows where this refuses.
fn leads_here(url: &Url) -> bool {
    let own = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => own(ip.into()),
        // An IPv4 address may be written as one of IPv6.
        Some(Host::Ipv6(ip)) => own(ip.to_canonical()),
        None => false,
    }
}

/// Checks a path template: `/v1/things/{id}`, nothing but a path.
pub(crate) fn check_path(path: &str) -> Result<(), &'static str> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("the path does not begin with a slash");
    };
    if path
        .bytes()
        .any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#' | b'\\'))
    {
        return Err("the path contains a query, a fragment or a character that needs encoding");
    }
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && (segments.peek().is_some() || rest.is_empty() && path != "/") {
            return Err("the path contains an empty segment");
        }
        if is_dots(segment) {
            return Err("the path contains a dot segment");
        }
    }
    Ok(())
}

/// Puts `value` in place of `{name}`, encoded as one segment.
pub(crate) fn fill(path: &str, name: &str, value: &str) -> Result<String, &'static str> {
    if value.is_empty() {
        return Err("a path parameter is empty");
    }
    if matches!(value, "." | "..") {
        return Err("a path parameter is a dot segment");
    }
    let place = path.match_indices('{').find_map(|(start, _)| {
        let rest = path.get(start.saturating_add(1)..)?;
        let after = rest.strip_prefix(name)?.strip_prefix('}')?;
        Some((path.get(..start)?, after))
    });
    let Some((before, after)) = place else {
        return Err("a path parameter has no place in the path");
    };
    let mut filled = String::with_capacity(path.len().saturating_add(value.len()));
    filled.push_str(before);
    filled.extend(utf8_percent_encode(value, ENCODED));
    filled.push_str(after);
    Ok(filled)
}

/// Appends `key=value` to an encoded query. Fails if the value cannot be displayed; the query is then unchanged.
pub(crate) fn push_pair(
    query: &mut String,
    key: &str,
    value: &dyn Display,
) -> Result<(), fmt::Error> {
    let before = query.len();
    if before > 0 {
        query.push('&');
    }
    query.extend(utf8_percent_encode(key, ENCODED));
    query.push('=');
    let written = write!(Encoded(query), "{value}");
    if written.is_err() {
        query.truncate(before);
    }
    written
}

struct Encoded<'a>(&'a mut String);

impl fmt::Write for Encoded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, ENCODED));
        Ok(())
    }
}

/// Whether a URL parser would read the segment as `.` or `..`.
fn is_dots(segment: &str) -> bool {
    if !segment.contains('%') {
        return matches!(segment, "." | "..");
    }
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    matches!(plain.as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://api.example.com")]
    #[case("https://api.example.com/")]
    #[case("https://api.example.com:8443/v1/")]
    #[case("http://127.0.0.1:4010")]
    #[case("http://127.9.9.9")]
    #[case("http://[::1]:80")]
    #[case("http://localhost:4010/prefix")]
    #[case("http://LOCALHOST")]
    fn a_base_url_is_taken(#[case] text: &str) {
        assert!(BaseUrl::parse(text).is_ok(), "{text}");
    }

    #[rstest]
    #[case("", "the base url is not a url")]
    #[case("api.example.com", "the base url is not a url")]
    #[case("//api.example.com", "the base url is not a url")]
    #[case("https://", "the base url is not a url")]
    #[case("ftp://example.com", "the base url is neither https nor http")]
    #[case("file:///etc/passwd", "the base url is neither https nor http")]
    #[case(
        "http://api.example.com",
        "the base url is plain http to a host that is not loopback"
    )]
    #[case(
        "http://127.0.0.1.example.com",
        "the base url is plain http to a host that is not loopback"
    )]
    #[case(
        "http://localhost.example.com",
        "the base url is plain http to a host that is not loopback"
    )]
    #[case(
        "http://10.0.0.1",
        "the base url is plain http to a host that is not loopback"
    )]
    #[case(
        "http://0.0.0.0",
        "the base url is plain http to a host that is not loopback"
    )]
    #[case(
        "http://[::ffff:127.0.0.1]",
        "the base url is plain http to a host that is not loopback"
    )]
    #[case(
        "https://canary:canary@example.com",
        "the base url contains credentials"
    )]
    #[case("https://canary@example.com", "the base url contains credentials")]
    #[case("https://example.com?canary=1", "the base url contains a query")]
    #[case("https://example.com/?", "the base url contains a query")]
    #[case("https://example.com/#canary", "the base url contains a fragment")]
    #[case(
        "https://example.com//v1",
        "the base url's path contains an empty segment"
    )]
    #[case(
        " https://example.com",
        "the base url contains white space or control characters"
    )]
    #[case(
        "https://exa\nmple.com",
        "the base url contains white space or control characters"
    )]
    fn a_base_url_is_refused_without_being_repeated(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(BaseUrl::parse(text).unwrap_err(), expected);
    }

    #[rstest]
    #[case("https://example.com", "/v1/x", "", "https://example.com/v1/x")]
    #[case("https://example.com/", "/v1/x", "a=1", "https://example.com/v1/x?a=1")]
    #[case(
        "https://example.com/base",
        "/v1/x/",
        "",
        "https://example.com/base/v1/x/"
    )]
    #[case("https://example.com/base/", "/", "", "https://example.com/base/")]
    fn a_path_goes_behind_the_prefix(
        #[case] base: &str,
        #[case] path: &str,
        #[case] query: &str,
        #[case] expected: &str,
    ) {
        let base = BaseUrl::parse(base).unwrap();
        assert_eq!(base.join(path, query).as_str(), expected);
    }

    #[rstest]
    #[case("a/b", "/x/a%2Fb/y")]
    #[case("a b", "/x/a%20b/y")]
    #[case("+1", "/x/%2B1/y")]
    #[case("%2e%2e", "/x/%252e%252e/y")]
    #[case("a?b#c", "/x/a%3Fb%23c/y")]
    #[case("...", "/x/.../y")]
    #[case("ü", "/x/%C3%BC/y")]
    #[case("{id}", "/x/%7Bid%7D/y")]
    #[case("..\\..", "/x/..%5C../y")]
    #[case("\n\t\u{0}", "/x/%0A%09%00/y")]
    fn a_value_stays_one_segment(#[case] value: &str, #[case] expected: &str) {
        let path = fill("/x/{id}/y", "id", value).unwrap();
        assert_eq!(path, expected);
        let base = BaseUrl::parse("https://example.com").unwrap();
        assert_eq!(base.join(&path, "").path(), expected);
    }

    #[rstest]
    #[case("", "a path parameter is empty")]
    #[case(".", "a path parameter is a dot segment")]
    #[case("..", "a path parameter is a dot segment")]
    fn a_value_that_is_no_segment_is_refused(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(fill("/x/{id}", "id", value).unwrap_err(), expected);
    }

    #[test]
    fn a_parameter_finds_its_own_place() {
        let path = fill("/a/{idx}/b/{id}", "id", "1").unwrap();
        assert_eq!(path, "/a/{idx}/b/1");
        assert_eq!(fill(&path, "idx", "2").unwrap(), "/a/2/b/1");
        assert!(fill("/a", "id", "1").is_err());
    }

    #[rstest]
    #[case("v1/x")]
    #[case("")]
    #[case("https://evil.example.com/x")]
    #[case("//evil.example.com/x")]
    #[case("/a//b")]
    #[case("/a/../b")]
    #[case("/a/./b")]
    #[case("/a/%2e%2E/b")]
    #[case("/a/.%2e")]
    #[case("/a?b=c")]
    #[case("/a#b")]
    #[case("/a\\b")]
    #[case("/a b")]
    #[case("/ü")]
    fn what_is_more_than_a_path_is_refused(#[case] path: &str) {
        assert!(check_path(path).is_err(), "{path}");
    }

    #[rstest]
    #[case("/")]
    #[case("/v1/contacts")]
    #[case("/v1/contacts/")]
    #[case("/v1/contacts/{id}/notes")]
    #[case("/v1/a%20b/..c")]
    fn a_path_is_taken(#[case] path: &str) {
        assert_eq!(check_path(path), Ok(()));
    }

    #[test]
    fn a_query_is_encoded_as_it_is_displayed() {
        let mut query = String::new();
        push_pair(&mut query, "to[]", &"+1 & 2=3").unwrap();
        push_pair(&mut query, "n", &7).unwrap();
        assert_eq!(query, "to%5B%5D=%2B1%20%26%202%3D3&n=7");
    }

    #[test]
    fn a_value_that_cannot_be_displayed_leaves_no_trace() {
        struct Broken;
        impl Display for Broken {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                Err(fmt::Error)
            }
        }
        let mut query = "a=1".to_owned();
        assert!(push_pair(&mut query, "b", &Broken).is_err());
        assert_eq!(query, "a=1");
    }

    #[rstest]
    #[case(
        "https://media.example.com/1.mp3?signature=a%2Bb#t=1",
        false,
        Ok("https://media.example.com/1.mp3?signature=a%2Bb")
    )]
    #[case("http://127.0.0.1:4010/1.mp3", true, Ok("http://127.0.0.1:4010/1.mp3"))]
    #[case("https://localhost/1.mp3", true, Ok("https://localhost/1.mp3"))]
    #[case(
        "http://127.0.0.1:4010/canary",
        false,
        Err("the address to download from is on this machine, and the api is not")
    )]
    #[case(
        "https://localhost/canary",
        false,
        Err("the address to download from is on this machine, and the api is not")
    )]
    #[case(
        "http://media.example.com/canary",
        true,
        Err("the address to download from is not https")
    )]
    #[case(
        "file:///etc/canary",
        true,
        Err("the address to download from is not https")
    )]
    #[case(
        "https://localhost./canary",
        false,
        Err("the address to download from is on this machine, and the api is not")
    )]
    #[case(
        "https://media.localhost/canary",
        false,
        Err("the address to download from is on this machine, and the api is not")
    )]
    #[case(
        "https://0.0.0.0/canary",
        false,
        Err("the address to download from is on this machine, and the api is not")
    )]
    #[case(
        "https://[::]/canary",
        false,
        Err("the address to download from is on this machine, and the api is not")
    )]
    #[case(
        "https://[::ffff:127.0.0.1]/canary",
        false,
        Err("the address to download from is on this machine, and the api is not")
    )]
    #[case("/canary", true, Err("the address to download from is not a url"))]
    #[case("", true, Err("the address to download from is not a url"))]
    #[case(
        "https://canary@media.example.com/",
        true,
        Err("the address to download from contains credentials")
    )]
    #[case(
        "https://:canary@media.example.com/",
        true,
        Err("the address to download from contains credentials")
    )]
    fn a_download_is_from_elsewhere_and_encrypted(
        #[case] text: &str,
        #[case] local: bool,
        #[case] expected: Result<&str, &str>,
    ) {
        let found = check_download(text, local);
        assert_eq!(
            found.as_ref().map(Url::as_str).map_err(|reason| *reason),
            expected
        );
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_segment(value in any::<String>()) {
            let base = BaseUrl::parse("https://example.com/base").unwrap();
            if let Ok(path) = fill("/a/{id}/b", "id", &value) {
                let url = base.join(&path, "");
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 4);
                prop_assert_eq!(url.host_str(), Some("example.com"));
                let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap();
                prop_assert_eq!(decoded, value);
            } else {
                prop_assert!(value.is_empty() || value == "." || value == "..");
            }
        }

        #[test]
        fn no_query_value_becomes_another_pair(value in any::<String>()) {
            let mut query = String::new();
            push_pair(&mut query, "k", &value).unwrap();
            let base = BaseUrl::parse("https://example.com").unwrap();
            let url = base.join("/x", &query);
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, vec![("k".to_owned(), value)]);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = BaseUrl::parse(&text);
            let _ = check_path(&text);
        }
    }
}
