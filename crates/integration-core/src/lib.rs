#![cfg_attr(feature = "webhook", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "webhook"),
    doc = "What an integration with an outside vendor is. Everything lives behind a feature; see `webhook`."
)]

#[cfg(feature = "webhook")]
pub mod webhook;
