//! The surfaces that are examined. One more is one more entry.

use std::path::Path;

use connector_http::{BoxFuture, Endpoint};

use crate::judge::Exchange;
use crate::openphone;

/// One API of a vendor, with its specification and the client's flow through it.
pub(crate) struct Surface {
    /// The word behind `cargo xtask conformance`.
    pub(crate) vendor: &'static str,
    /// Its name in the report and in `explained.json`.
    pub(crate) name: &'static str,
    /// The OpenAPI file, below the shared folder.
    pub(crate) specification: &'static str,
    /// Every operation that the client has.
    pub(crate) endpoints: fn() -> Vec<&'static Endpoint>,
    /// Starts the sandbox and carries out every operation.
    pub(crate) walk: for<'a> fn(Setting<'a>) -> BoxFuture<'a, Result<Walk, String>>,
}

pub(crate) const SURFACES: &[Surface] = &[
    Surface {
        vendor: "openphone",
        name: "openphone-v1",
        specification: "vendor-specs/openphone.json",
        endpoints: || openphone_client::endpoints().collect(),
        walk: |setting| Box::pin(openphone::v1::walk(setting)),
    },
    Surface {
        vendor: "openphone",
        name: "openphone-2026-03-30",
        specification: "vendor-specs/openphone-2026-03-30.reconstructed.json",
        endpoints: || openphone_client::dated::endpoints().collect(),
        walk: |setting| Box::pin(openphone::dated::walk(setting)),
    },
];

/// What a flow needs to put the proxy between its client and its sandbox.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// The OpenAPI file.
    pub(crate) specification: &'a Path,
    /// The folder into which the proxy is installed.
    pub(crate) proxy: &'a Path,
}

/// What a flow came to.
pub(crate) struct Walk {
    /// All that went through the proxy, in order.
    pub(crate) exchanges: Vec<Exchange>,
    /// The parts of the flow that did not go as they should.
    pub(crate) failures: Vec<String>,
}
