//! Where the Secure API is: on the vendor's host or on an account's own portal, always below `/secure-api`.

use url::Url;

/// Below every host, the vendor's and the portals'.
const PATH: &str = "/secure-api";

/// The vendor's own.
pub(crate) const BASE_URL: &str = "https://app.suitedash.com/secure-api";

/// Completes a bare origin, drops slashes at the end, and refuses the address that older documents give.
///
/// What is no address at all is left to the engine, which says so.
///
/// # Errors
///
/// The reason, which names the right address, when this is `/api/v1`. It is not rewritten silently: whoever
/// configured it expects operations that do not exist.
pub(crate) fn complete(text: &str) -> Result<String, String> {
    let Ok(url) = Url::parse(text) else {
        return Ok(text.to_owned());
    };
    let path = url.path().trim_end_matches('/');
    let lower = path.to_ascii_lowercase();
    if lower == "/api/v1" || lower.starts_with("/api/v1/") {
        // Rebuilt from its parts: the text itself may hold a password.
        let host = url.host_str().unwrap_or("app.suitedash.com");
        let port = url.port().map(|port| format!(":{port}"));
        let port = port.unwrap_or_default();
        return Err(format!(
            "the base url ends with /api/v1, which SuiteDash does not serve: use {}://{host}{port}{PATH}",
            url.scheme()
        ));
    }
    if path.is_empty() && url.query().is_none() && url.fragment().is_none() {
        return Ok(format!("{}{PATH}", text.trim_end_matches('/')));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(BASE_URL, BASE_URL)]
    #[case("https://app.suitedash.com", "https://app.suitedash.com/secure-api")]
    #[case("https://portal.example.com/", "https://portal.example.com/secure-api")]
    #[case("http://127.0.0.1:4010", "http://127.0.0.1:4010/secure-api")]
    #[case(
        "https://gateway.example.com/suitedash/secure-api/",
        "https://gateway.example.com/suitedash/secure-api/"
    )]
    #[case("https://api/v1x", "https://api/v1x")]
    #[case("not a url", "not a url")]
    fn completes_origins_and_keeps_paths(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(complete(text).unwrap(), expected);
    }

    #[rstest]
    #[case(
        "https://app.suitedash.com/api/v1",
        "https://app.suitedash.com/secure-api"
    )]
    #[case(
        "https://app.suitedash.com/API/v1/",
        "https://app.suitedash.com/secure-api"
    )]
    #[case(
        "https://portal.example.com:8443/api/v1/contacts",
        "https://portal.example.com:8443/secure-api"
    )]
    #[case(
        "https://c4nary:c4nary@portal.example.com/api/v1",
        "https://portal.example.com/secure-api"
    )]
    fn names_the_right_address_in_place_of_the_naive_one(#[case] text: &str, #[case] right: &str) {
        let reason = complete(text).unwrap_err();
        assert!(reason.contains(right), "{reason}");
        assert!(!reason.contains("c4nary"), "{reason}");
    }
}
