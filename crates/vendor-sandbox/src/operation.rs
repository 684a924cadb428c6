use std::fmt;

use serde::{Serialize, Serializer};

/// One operation of a vendor's API, named as the vendor names it.
///
/// Each vendor's module lists its own, for instance
/// [`openphone::CREATE_CONTACT`](crate::openphone::CREATE_CONTACT).
///
/// ```
/// use vendor_sandbox::openphone::CREATE_CONTACT;
///
/// assert_eq!(CREATE_CONTACT.id(), "createContact_v1");
/// assert_eq!(CREATE_CONTACT.method(), "POST");
/// assert_eq!(CREATE_CONTACT.template(), "/v1/contacts");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    id: &'static str,
    method: &'static str,
    template: &'static str,
}

impl Operation {
    pub(crate) const fn new(
        id: &'static str,
        method: &'static str,
        template: &'static str,
    ) -> Self {
        Self {
            id,
            method,
            template,
        }
    }

    /// Returns the vendor's own name of the operation, its `operationId`.
    pub const fn id(self) -> &'static str {
        self.id
    }

    /// Returns the HTTP method.
    pub const fn method(self) -> &'static str {
        self.method
    }

    /// Returns the path template, with parameters in braces.
    pub const fn template(self) -> &'static str {
        self.template
    }
}

/// How often an operation was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OperationCount {
    /// The operation.
    #[serde(rename = "id")]
    pub operation: Operation,
    /// Its HTTP method.
    pub method: &'static str,
    /// Its path template.
    pub template: &'static str,
    /// The requests that asked for it, refused ones and those that met a fault included.
    pub requests: u64,
    /// Those of them that were answered with a 2xx.
    pub succeeded: u64,
}

impl OperationCount {
    pub(crate) fn new(operation: Operation) -> Self {
        Self {
            operation,
            method: operation.method,
            template: operation.template,
            requests: 0,
            succeeded: 0,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id)
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}
