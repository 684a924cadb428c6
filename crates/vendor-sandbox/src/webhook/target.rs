use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use url::{Host, Url};

use crate::error::SandboxError;

/// Where a registration wants its deliveries.
#[derive(Clone, Debug)]
pub(crate) enum Recipient {
    Loopback(Arc<Target>),
    /// A URL that the vendor takes and the sandbox never calls.
    Elsewhere(Arc<str>),
}

impl Recipient {
    pub(crate) fn new(url: &str) -> Self {
        match Target::parse(url) {
            Ok(target) => Self::Loopback(Arc::new(target)),
            Err(_) => Self::Elsewhere(url.into()),
        }
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Loopback(target) => &target.url,
            Self::Elsewhere(url) => url,
        }
    }

    pub(crate) const fn is_loopback(&self) -> bool {
        matches!(self, Self::Loopback(_))
    }
}

/// A place on this machine that webhooks are delivered to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    /// The `Host` header.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
}

impl Target {
    /// Accepts `http` to a loopback address or to `localhost`, and nothing else. `localhost` is
    /// taken as 127.0.0.1 without asking a resolver, which could answer anything.
    pub(crate) fn parse(text: &str) -> Result<Self, SandboxError> {
        let refuse = |reason| SandboxError::NotLoopback { reason };
        let url = Url::parse(text).map_err(|_| refuse("this is not a URL"))?;
        if url.scheme() != "http" {
            return Err(refuse("the scheme is not http"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("the URL holds credentials"));
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain("localhost")) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(Host::Domain(_)) | None => {
                return Err(refuse("the host is not a loopback address"));
            }
        };
        if !ip.is_loopback() {
            return Err(refuse("the host is not a loopback address"));
        }
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self {
            url: url.to_string(),
            address: SocketAddr::new(ip, url.port().unwrap_or(80)),
            authority: url.authority().to_owned(),
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_taken_with_its_port_path_and_query() {
        let target = Target::parse("http://127.0.0.1:9000/hooks/a?b=c#d").unwrap();
        assert_eq!(target.address, "127.0.0.1:9000".parse().unwrap());
        assert_eq!(target.authority, "127.0.0.1:9000");
        assert_eq!(target.path, "/hooks/a?b=c");
        let named = Target::parse("http://localhost/x").unwrap();
        assert_eq!(named.address, "127.0.0.1:80".parse().unwrap());
        let six = Target::parse("http://[::1]:7/").unwrap();
        assert_eq!(six.address, "[::1]:7".parse().unwrap());
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "https://127.0.0.1/",
            "http://example.com/",
            "http://192.0.2.1/",
            "http://0.0.0.0/",
            "http://[::ffff:192.0.2.1]/",
            "http://localhost.example.com/",
            "http://user:secret@127.0.0.1/",
            "ftp://127.0.0.1/",
            "/hooks",
            "",
        ] {
            let error = Target::parse(url).map(|target| target.url);
            assert!(
                matches!(error, Err(SandboxError::NotLoopback { .. })),
                "{url}"
            );
        }
    }
}
