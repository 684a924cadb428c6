//! The environment a client can be built from.

use std::env::VarError;

use connector_http::Error;

use crate::client::{ClientBuilder, VENDOR};
use crate::quota::{FileQuota, QuotaLedger, QuotaPlan};

const PUBLIC_ID: &str = "SUITEDASH_PUBLIC_ID";
const OLD_PUBLIC_ID: &str = "SUITEDASH_API_KEY";
const SECRET_KEY: &str = "SUITEDASH_SECRET_KEY";
const BASE_URL: &str = "SUITEDASH_API_URL";
const PLAN: &str = "SUITEDASH_PLAN";
const QUOTA_FILE: &str = "SUITEDASH_QUOTA_FILE";

/// Applies the variables that `var` gives. One that is set to nothing is a slip and refused: taken as not set, an
/// empty address would send a test's data to the real account.
pub(crate) fn apply(
    builder: ClientBuilder,
    var: impl Fn(&'static str) -> Result<String, VarError>,
) -> Result<ClientBuilder, Error> {
    let secret =
        read(SECRET_KEY, &var)?.ok_or_else(|| config(format!("{SECRET_KEY} is not set")))?;
    let builder = builder.secret_key(secret);
    let builder = match (read(PUBLIC_ID, &var)?, read(OLD_PUBLIC_ID, &var)?) {
        (Some(id), _) => builder.public_id(id),
        (None, Some(id)) => {
            tracing::warn!(
                target: "suitedash_client",
                "{OLD_PUBLIC_ID} is taken as the public id; name it {PUBLIC_ID}"
            );
            builder.public_id(id).old_name()
        }
        (None, None) => return Err(config(format!("{PUBLIC_ID} is not set"))),
    };
    let builder = match (read(PLAN, &var)?, read(QUOTA_FILE, &var)?) {
        (None, None) => builder,
        (plan, file) => builder.quota(ledger(plan.as_deref(), file.as_deref())?),
    };
    match read(BASE_URL, &var)? {
        Some(url) if url.trim().is_empty() => Err(config(format!(
            "{BASE_URL} is empty; unset it for the vendor's own address"
        ))),
        Some(url) => Ok(builder.base_url(url.trim())),
        None => Ok(builder),
    }
}

fn ledger(plan: Option<&str>, file: Option<&str>) -> Result<QuotaLedger, Error> {
    let plan = match plan {
        None => QuotaPlan::Uncounted,
        Some(name) => QuotaPlan::from_name(name).ok_or_else(|| {
            config(format!(
                "{PLAN} is neither free_trial, start, thrive or pinnacle nor a number of calls"
            ))
        })?,
    };
    let ledger = QuotaLedger::new(plan);
    match file.map(str::trim) {
        None => Ok(ledger),
        Some("") => Err(config(format!("{QUOTA_FILE} is empty"))),
        Some(file) => Ok(ledger.store(FileQuota::new(file))),
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
    #[case(&[(PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y")], "https://app.suitedash.com/secure-api", false)]
    #[case(&[(OLD_PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y")], "https://app.suitedash.com/secure-api", true)]
    #[case(&[(PUBLIC_ID, "a"), (OLD_PUBLIC_ID, "b"), (SECRET_KEY, "k3y")], "https://app.suitedash.com/secure-api", false)]
    #[case(&[(PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y"), (BASE_URL, "https://portal.example.com\n")], "https://portal.example.com/secure-api", false)]
    fn takes_the_pair_and_the_address(#[case] vars: Vars, #[case] base: &str, #[case] old: bool) {
        let client = built(vars).unwrap();
        assert_eq!(client.base_url().as_str(), base);
        assert_eq!(client.uses_old_variable_name(), old);
    }

    #[rstest]
    #[case(&[], "SUITEDASH_SECRET_KEY is not set")]
    #[case(&[(SECRET_KEY, "k3y")], "SUITEDASH_PUBLIC_ID is not set")]
    #[case(&[(PUBLIC_ID, "k3y")], "SUITEDASH_SECRET_KEY is not set")]
    #[case(&[(PUBLIC_ID, "k3y"), (SECRET_KEY, "")], "empty")]
    #[case(&[(PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y"), (BASE_URL, " ")], "SUITEDASH_API_URL is empty")]
    #[case(&[(PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y"), (BASE_URL, "https://app.suitedash.com/api/v1")], "https://app.suitedash.com/secure-api")]
    #[case(&[(PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y"), (PLAN, "gold")], "SUITEDASH_PLAN is neither")]
    #[case(&[(PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y"), (QUOTA_FILE, " ")], "SUITEDASH_QUOTA_FILE is empty")]
    fn says_what_is_wrong(#[case] vars: Vars, #[case] message: &str) {
        let error = built(vars).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().unwrap().contains(message), "{error}");
        assert!(!format!("{error} {error:?}").contains("k3y"));
    }

    #[tokio::test]
    async fn takes_the_plan_and_the_file_to_count_in() {
        const PAIR: [(&str, &str); 2] = [(PUBLIC_ID, "k3y"), (SECRET_KEY, "k3y")];
        let vars: Vars = &[PAIR[0], PAIR[1], (PLAN, "thrive")];
        assert_eq!(
            built(vars).unwrap().quota().await.unwrap().limit,
            Some(2_000)
        );
        // A directory is no count.
        let vars: Vars = &[PAIR[0], PAIR[1], (QUOTA_FILE, "/")];
        assert!(built(vars).unwrap().quota().await.is_err());
    }

    #[test]
    fn drops_a_value_that_is_no_text() {
        let error = apply(Client::builder(), |_| {
            Err(VarError::NotUnicode("k3y".into()))
        })
        .err()
        .unwrap();
        assert!(error.message().unwrap().contains("UTF-8"));
        assert!(!format!("{error} {error:?}").contains("k3y"));
    }
}
