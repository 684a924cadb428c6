//! Templates of vendors without a client.

// The types are never read: what counts is the schema that is derived from them.
#![expect(dead_code, reason = "config types whose schema alone counts")]

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::{NewTemplate, schema_of};

/// Returns templates for vendors that there is no client for yet: `facebook_ads` and `google_analytics`. They are
/// not active, so that nobody makes an instance of them, and say why.
///
/// A host seeds them beside those of its vendors, so that an administrator sees what is prepared.
pub fn placeholders() -> Vec<NewTemplate> {
    vec![
        NewTemplate::new("facebook_ads", "Facebook Ads", "marketing")
            .description(
                "Leads and campaign figures from Facebook Ads. There is no client for it yet, so it cannot be connected.",
            )
            .active(false)
            .config_schema(schema_of::<FacebookAds>())
            .setup_instructions(
                "There is no client for Facebook Ads yet. Once there is, it takes the access token of a system user \
                 with the permissions `ads_read` and `leads_retrieval`, and the number of the ad account.",
            ),
        NewTemplate::new("google_analytics", "Google Analytics", "marketing")
            .description(
                "Events sent to a Google Analytics 4 property. There is no client for it yet, so it cannot be connected.",
            )
            .active(false)
            .config_schema(schema_of::<GoogleAnalytics>())
            .setup_instructions(
                "There is no client for Google Analytics yet. Once there is, it takes the measurement id of a web \
                 data stream and a Measurement Protocol API secret made for that stream.",
            ),
    ]
}

/// What reading ads and leads takes.
#[derive(Deserialize, JsonSchema)]
struct FacebookAds {
    /// Of a system user, so that it does not end with somebody's session.
    #[schemars(
        title = "Access token",
        length(min = 20, max = 1000),
        schema_with = "crate::template::sealed"
    )]
    access_token: SecretString,
    /// The number behind `act_` in the address of the ads manager.
    #[schemars(
        title = "Ad account ID",
        regex(pattern = "^(act_)?[0-9]{5,20}$"),
        extend("ui" = {"placeholder": "act_1234567890"})
    )]
    ad_account_id: String,
    /// Signs calls with the token, where the app demands proof.
    #[schemars(title = "App secret", schema_with = "crate::template::sealed_optional")]
    app_secret: Option<SecretString>,
    /// The page whose lead forms are read. Without one, only figures are.
    #[schemars(title = "Page ID", regex(pattern = "^[0-9]{5,20}$"))]
    page_id: Option<String>,
}

/// What sending events takes.
#[derive(Deserialize, JsonSchema)]
struct GoogleAnalytics {
    /// Of the web data stream.
    #[schemars(
        title = "Measurement ID",
        regex(pattern = "^G-[A-Z0-9]{4,20}$"),
        extend("ui" = {"placeholder": "G-XXXXXXXXXX"})
    )]
    measurement_id: String,
    /// Made under Admin, Data streams, Measurement Protocol API secrets.
    #[schemars(
        title = "API secret",
        length(max = 200),
        schema_with = "crate::template::sealed"
    )]
    api_secret: SecretString,
    /// The property that reports are read from.
    #[schemars(title = "Property ID", regex(pattern = "^[0-9]{5,20}$"))]
    property_id: Option<String>,
    /// Whether Google is asked what is wrong with an event, in place of counting it.
    #[serde(default)]
    #[schemars(title = "Only test events")]
    validate_only: bool,
}
