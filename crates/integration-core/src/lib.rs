#![cfg_attr(
    all(feature = "webhook", feature = "integrations"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(feature = "webhook", feature = "integrations")),
    doc = "What an integration with an outside vendor is. Everything lives behind a feature: `webhook`, `vault`, `template`, `status`, `http`, `integrations`."
)]

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "ids")]
mod ids;
#[cfg(feature = "integrations")]
pub mod instance;
#[cfg(feature = "status")]
pub mod status;
#[cfg(feature = "http")]
pub mod store;
#[cfg(feature = "template")]
pub mod template;
#[cfg(feature = "vault")]
pub mod vault;
#[cfg(feature = "webhook")]
pub mod webhook;

#[cfg(feature = "ids")]
pub use self::ids::{Actor, EndpointId, IntegrationId, LogId, Scope, TemplateId, TenantId};
#[cfg(feature = "integrations")]
#[doc(inline)]
pub use self::instance::Integrations;
