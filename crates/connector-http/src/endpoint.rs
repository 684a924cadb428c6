//! What is known of one operation before it is called.
//!
//! Everything the engine needs to decide a retry or to choose a bucket is constant data next to the
//! operation, so that a test can print every descriptor and a changed idempotency class shows up as a diff.

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the headers only.
    Head,
    /// Creates, or anything else a vendor puts behind it.
    Post,
    /// Replaces.
    Put,
    /// Changes parts.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// Returns the name as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Returns whether the method only reads.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// Whether sending the same request twice does more than sending it once.
///
/// It is the most important field of an [`Endpoint`]: it decides what may be repeated when nobody knows
/// whether the first request arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// Twice is the same as once: a read, a replacement, a removal, or what the vendor declares so.
    Idempotent,
    /// Twice is the same as once if both carry the same key in this header, as the vendor documents.
    WithKey {
        /// The header that carries the key, in lower case.
        header: &'static str,
    },
    /// Twice is one too many: a text message, a new contact, a payment.
    NotIdempotent,
}

/// Which of a vendor's rate limits an operation counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateClass(&'static str);

impl RateClass {
    /// The class of operations for which the vendor names no limit of their own.
    pub const DEFAULT: Self = Self("default");

    /// Names a class, as the vendor's documentation does: `"light"`, `"heavy"`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// One operation of a vendor's API, as constant data.
///
/// Usually written with [`endpoints!`](crate::endpoints).
///
/// ```
/// use connector_http::{Endpoint, Method};
///
/// const DELETE: Endpoint = Endpoint::new("contacts.delete", Method::Delete, "/v1/contacts/{id}")
///     .success(&[204])
///     .docs("https://example.com/docs/contacts (read 2026-11-21)");
/// assert_eq!(DELETE.path, "/v1/contacts/{id}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Endpoint {
    /// The operation's name in errors, spans and logs: `"contacts.create"`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path template below the base URL: `"/v1/contacts/{id}"`.
    pub path: &'static str,
    /// Whether it may be sent twice.
    pub idempotency: Idempotency,
    /// Which limit it counts against.
    pub rate_class: RateClass,
    /// The statuses the vendor documents for success. Any 2xx is decoded; these are for conformance tests.
    pub success: &'static [u16],
    /// Whether the vendor documents that a 503 with `Retry-After` was refused before any work was done,
    /// which makes repeating safe even for what is not idempotent.
    pub refuses_with_503: bool,
    /// The vendor's page, and the day it was read.
    pub docs: &'static str,
}

impl Endpoint {
    /// Describes an operation. GET, HEAD, PUT and DELETE start out idempotent, as RFC 9110 (section 9.2.2) has them;
    /// POST and PATCH do not.
    pub const fn new(name: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            name,
            method,
            path,
            idempotency: match method {
                Method::Get | Method::Head | Method::Put | Method::Delete => {
                    Idempotency::Idempotent
                }
                Method::Post | Method::Patch => Idempotency::NotIdempotent,
            },
            rate_class: RateClass::DEFAULT,
            success: &[200],
            refuses_with_503: false,
            docs: "",
        }
    }

    /// Sets whether it may be sent twice.
    pub const fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Sets the limit it counts against.
    pub const fn rate_class(mut self, class: RateClass) -> Self {
        self.rate_class = class;
        self
    }

    /// Sets the documented success statuses.
    pub const fn success(mut self, statuses: &'static [u16]) -> Self {
        self.success = statuses;
        self
    }

    /// Notes that the vendor documents 503 with `Retry-After` as refused before any work.
    pub const fn refuses_with_503(mut self) -> Self {
        self.refuses_with_503 = true;
        self
    }

    /// Sets the vendor's page and the day it was read.
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }
}

/// Writes the operations of one resource as a table.
///
/// Each line makes one `pub(crate) const` of type [`Endpoint`], and all of them together
/// `pub(crate) const ENDPOINTS: &[Endpoint]`, which a test prints as one snapshot. A line reads
///
/// ```text
/// NAME = "operation": METHOD "path", IDEMPOTENCY, RATE_CLASS, [SUCCESS…], "docs (read date)";
/// ```
///
/// where `METHOD` is `GET HEAD POST PUT PATCH` or `DELETE`, `IDEMPOTENCY` is `Idempotent`, `NotIdempotent` or
/// `WithKey("header")`, and `RATE_CLASS` is `DEFAULT` or a constant of the caller. A trailing
/// `, refuses_with_503` notes that the vendor documents 503 as refused before work.
///
/// ```
/// # mod contacts {
/// connector_http::endpoints! {
///     /// Creates a contact.
///     CREATE = "contacts.create": POST "/v1/contacts", NotIdempotent, DEFAULT, [201],
///         "https://example.com/docs/contacts (read 2026-11-21)";
///     /// Reads a contact.
///     GET = "contacts.get": GET "/v1/contacts/{id}", Idempotent, DEFAULT, [200],
///         "https://example.com/docs/contacts (read 2026-11-21)";
/// }
/// # pub fn check() { assert_eq!(ENDPOINTS, [CREATE, GET]); assert_eq!(CREATE.success, [201]); }
/// # }
/// # contacts::check();
/// ```
#[macro_export]
macro_rules! endpoints {
    ($(
        $(#[$meta:meta])*
        $name:ident = $operation:literal : $method:ident $path:literal ,
        $idempotency:ident $(($header:literal))? , $class:tt , [$($success:literal),* $(,)?] , $docs:literal
        $(, $flag:ident)? $(,)? ;
    )+) => {
        $(
            $(#[$meta])*
            pub(crate) const $name: $crate::Endpoint = {
                let endpoint = $crate::Endpoint::new($operation, $crate::endpoints!(@method $method), $path)
                    .idempotency($crate::endpoints!(@idempotency $idempotency $(($header))?))
                    .rate_class($crate::endpoints!(@class $class))
                    .success(&[$($success),*])
                    .docs($docs);
                $(let endpoint = $crate::endpoints!(@flag endpoint $flag);)?
                endpoint
            };
        )+
        /// Every operation of this resource.
        pub(crate) const ENDPOINTS: &[$crate::Endpoint] = &[$($name),+];
        // A resource whose table only tests read is not dead code.
        const _: &[$crate::Endpoint] = ENDPOINTS;
    };
    (@method GET) => { $crate::Method::Get };
    (@method HEAD) => { $crate::Method::Head };
    (@method POST) => { $crate::Method::Post };
    (@method PUT) => { $crate::Method::Put };
    (@method PATCH) => { $crate::Method::Patch };
    (@method DELETE) => { $crate::Method::Delete };
    (@idempotency Idempotent) => { $crate::Idempotency::Idempotent };
    (@idempotency NotIdempotent) => { $crate::Idempotency::NotIdempotent };
    (@idempotency WithKey($header:literal)) => { $crate::Idempotency::WithKey { header: $header } };
    (@class DEFAULT) => { $crate::RateClass::DEFAULT };
    (@class $class:tt) => { $class };
    (@flag $endpoint:ident refuses_with_503) => { $endpoint.refuses_with_503() };
}

#[cfg(test)]
mod tests {
    use super::*;

    mod table {
        use crate::RateClass;

        const HEAVY: RateClass = RateClass::new("heavy");

        endpoints! {
            /// Reads.
            LIST = "things.list": GET "/things", Idempotent, DEFAULT, [200], "docs";
            /// Creates, with a key.
            CREATE = "things.create": POST "/things", WithKey("idempotency-key"), HEAVY, [200, 201], "docs", refuses_with_503;
        }
    }

    #[test]
    fn a_table_becomes_descriptors() {
        let [list, create] = table::ENDPOINTS else {
            panic!("two lines make two descriptors")
        };
        assert_eq!(*list, table::LIST);
        assert_eq!(list.idempotency, Idempotency::Idempotent);
        assert_eq!(create.method, Method::Post);
        assert_eq!(
            create.idempotency,
            Idempotency::WithKey {
                header: "idempotency-key"
            }
        );
        assert_eq!(create.rate_class.as_str(), "heavy");
        assert_eq!(create.success, [200, 201]);
        assert!(create.refuses_with_503 && !list.refuses_with_503);
    }

    #[test]
    fn what_may_be_sent_twice_by_its_method_starts_out_so() {
        for method in [Method::Post, Method::Patch] {
            assert_eq!(
                Endpoint::new("x", method, "/").idempotency,
                Idempotency::NotIdempotent
            );
        }
        for method in [Method::Get, Method::Head, Method::Put, Method::Delete] {
            assert_eq!(
                Endpoint::new("x", method, "/").idempotency,
                Idempotency::Idempotent
            );
        }
    }
}
