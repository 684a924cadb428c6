//! The environment a client can be built from.

use std::env::VarError;

use connector_http::Error;

use crate::client::{ClientBuilder, VENDOR};

const API_KEY: &str = "OPENPHONE_API_KEY";
const BASE_URL: &str = "OPENPHONE_BASE_URL";

/// Applies the variables that `var` gives. One that is set to nothing is a slip and refused: taken as
/// not set, an empty address would send a test's data to the real account.
pub(crate) fn apply(
    builder: ClientBuilder,
    var: impl Fn(&'static str) -> Result<String, VarError>,
) -> Result<ClientBuilder, Error> {
    let key = read(API_KEY, &var)?.ok_or_else(|| config(format!("{API_KEY} is not set")))?;
    let builder = builder.api_key(key);
    match read(BASE_URL, &var)? {
        Some(url) if url.trim().is_empty() => Err(config(format!(
            "{BASE_URL} is empty; unset it for the vendor's own address"
        ))),
        Some(url) => Ok(builder.base_url(url.trim())),
        None => Ok(builder),
    }
}

fn read(
    name: &'static str,
    var: impl Fn(&'static str) -> Result<String, VarError>,
) -> Result<Option<String>, Error> {
    match var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        // The value it carries may be the key: it is dropped.
        Err(VarError::NotUnicode(_)) => Err(config(format!("{name} is not valid UTF-8"))),
    }
}

fn config(message: String) -> Error {
    Error::config(VENDOR, "client.from_env", message)
}

#[cfg(test)]
mod tests {
    use connector_http::ErrorKind;
    use rstest::rstest;

    use super::*;
    use crate::Client;

    type Vars = &'static [(&'static str, &'static str)];

    fn built(vars: Vars) -> Result<Client, Error> {
        let var = |name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found
                .map(|(_, value)| (*value).to_owned())
                .ok_or(VarError::NotPresent)
        };
        apply(Client::builder(), var)?.build()
    }

    #[rstest]
    #[case(&[(API_KEY, "k3y")], "https://api.quo.com/")]
    #[case(&[(API_KEY, "k3y"), (BASE_URL, "https://api.openphone.com/v1")], "https://api.openphone.com/")]
    #[case(&[(API_KEY, "k3y"), (BASE_URL, "http://127.0.0.1:4010\n")], "http://127.0.0.1:4010/")]
    fn takes_key_and_address(#[case] vars: Vars, #[case] base: &str) {
        assert_eq!(built(vars).unwrap().base_url().as_str(), base);
    }

    #[rstest]
    #[case(&[], "OPENPHONE_API_KEY is not set")]
    #[case(&[(BASE_URL, "https://api.quo.com")], "OPENPHONE_API_KEY is not set")]
    #[case(&[(API_KEY, "")], "empty")]
    #[case(&[(API_KEY, "k3y"), (BASE_URL, "")], "OPENPHONE_BASE_URL is empty")]
    #[case(&[(API_KEY, "k3y"), (BASE_URL, " ")], "OPENPHONE_BASE_URL is empty")]
    #[case(&[(API_KEY, "Bearer k3y")], "Bearer")]
    #[case(&[(API_KEY, "k3y\n")], "line break")]
    fn says_what_is_missing(#[case] vars: Vars, #[case] message: &str) {
        let error = built(vars).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().unwrap().contains(message), "{error}");
        assert!(!format!("{error} {error:?}").contains("k3y"));
    }

    #[test]
    fn drops_a_value_that_is_no_text() {
        let error = apply(Client::builder(), |_| {
            Err(VarError::NotUnicode("k3y".into()))
        })
        .err()
        .unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().unwrap().contains("UTF-8"));
        assert!(!format!("{error} {error:?}").contains("k3y"));
    }
}
