//! The guard against DNS rebinding: a page of the web that has its name point to this machine still sends that name.
//!
//! So a request must name this server by an address, by `localhost`, or by a name that the operator allowed; and one from a page
//! must come from a page of this server, or of this machine.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};
use weir_api::ApiError;
use weir_core::error::Code;

/// The names by which this server may be called, besides addresses and `localhost`.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<String>);

impl Names {
    /// These names.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Names(names.into_iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request may be for this server.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = self.host(uri, headers)?;
        match headers.get(header::ORIGIN) {
            None => Ok(()),
            Some(origin) if origin.to_str().is_ok_and(|origin| is_page_of_ours(origin, host)) => Ok(()),
            Some(_) => Err(forbidden("requests from pages of other sites are refused")),
        }
    }

    /// The name by which a request calls this server, if it is one of ours. A request that gives several is malformed (RFC 9112,
    /// section 3.2): whoever stands between could have gone by another one.
    pub fn host<'a>(&self, uri: &'a Uri, headers: &'a HeaderMap) -> Result<&'a str, ApiError> {
        if headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Err(ApiError::new(Code::InvalidRequest, "a request has one Host header, not several"));
        }
        named(uri, headers)
            .filter(|host| self.is_ours(name(host)))
            .ok_or_else(|| forbidden("the Host header does not name this server by an address or an allowed name"))
    }

    fn is_ours(&self, name: &str) -> bool {
        name.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|allowed| name.eq_ignore_ascii_case(allowed))
    }
}

/// What a request calls this server by: a name or an address, and a port where it is not the usual one.
pub fn named<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match headers.get(header::HOST) {
        Some(host) => host.to_str().ok(),
        None => uri.authority().map(|authority| authority.as_str()),
    }
}

/// The port that stands behind the name or address.
pub fn port(host: &str) -> Option<&str> {
    host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.is_empty() && is_number(port))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn forbidden(message: &str) -> ApiError {
    ApiError::new(Code::InsufficientPermissions, message)
}

/// Whether a page was served under this very name and port.
pub fn is_page_on(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, page)| page.eq_ignore_ascii_case(host))
}

fn is_page_of_ours(origin: &str, host: &str) -> bool {
    let Some((_, page)) = origin.split_once("://") else { return false };
    let page_name = name(page);
    let loopback =
        page_name.eq_ignore_ascii_case("localhost") || page_name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_page_on(origin, host) || loopback
}

/// The name or address without port and brackets.
fn name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match host.rsplit_once(':') {
        Some((name, port)) if is_number(port) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(host: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        Names::new(["Meter.example".to_owned()]).check(&Uri::from_static("/v1/status"), &headers).is_ok()
    }

    #[test]
    fn addresses_and_allowed_names_are_ours() {
        for host in [
            "127.0.0.1:8787",
            "127.0.0.1",
            "[::1]:8787",
            "localhost:1",
            "LOCALHOST",
            "192.168.1.5:80",
            "meter.example:1",
        ] {
            assert!(allows(Some(host), None), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8787",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "",
            "[",
            "meter.example.evil",
        ] {
            assert!(!allows(Some(host), None), "{host}");
        }
        assert!(!allows(None, None));
    }

    #[test]
    fn two_hosts_are_malformed_also_where_both_are_ours() {
        for second in ["127.0.0.1:8787", "localhost", "evil.example"] {
            let mut headers = HeaderMap::new();
            headers.append(header::HOST, "127.0.0.1:8787".parse().unwrap());
            headers.append(header::HOST, second.parse().unwrap());
            let error = Names::default().check(&Uri::from_static("/v1/status"), &headers).unwrap_err();
            assert_eq!(error.code, Code::InvalidRequest, "{second}");
        }
    }

    #[test]
    fn a_port_is_what_stands_behind_the_name() {
        for host in ["127.0.0.1:8787", "[::1]:8787", "meter.example:8787"] {
            assert_eq!(port(host), Some("8787"), "{host}");
        }
        for host in ["127.0.0.1", "[::1]", "meter.example", "localhost:", "localhost:x", ""] {
            assert_eq!(port(host), None, "{host}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = Some("127.0.0.1:8787");
        for origin in ["http://127.0.0.1:8787", "http://localhost:5173", "http://[::1]:1"] {
            assert!(allows(host, Some(origin)), "{origin}");
        }
        for origin in [
            "null",
            "https://evil.example",
            "http://evil.example:8787",
            "http://192.168.1.9:8787",
            "http://localhost.evil.example",
        ] {
            assert!(!allows(host, Some(origin)), "{origin}");
        }
        assert!(allows(Some("meter.example"), Some("https://meter.example")));
    }
}
