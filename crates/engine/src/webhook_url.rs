//! Where an endpoint may lie.

use std::net::IpAddr;

use url::{Host, Url};
use weir_core::error::Fault;
use weir_core::network::is_public;
use weir_core::text::{self, MAX_LONG};

/// Checks an endpoint's address. What a name leads to is looked at whenever something is sent there.
pub(crate) fn check(text: &str, allow_private: bool) -> Result<(), Fault> {
    text::check("url", text, 1, MAX_LONG)?;
    let url = Url::parse(text).map_err(|error| Fault::invalid("url", format_args!("is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Fault::invalid("url", "must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::invalid("url", "must not hold a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(Fault::invalid("url", "must not hold a fragment"));
    }
    if url.port() == Some(0) {
        return Err(Fault::invalid("url", "must not name port 0"));
    }
    let is_private = match url.host() {
        None => return Err(Fault::invalid("url", "must name a host")),
        Some(Host::Ipv4(address)) => !is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_public(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
    };
    if is_private && !allow_private {
        let message = "lies on this machine or in a private network; say `allowPrivate` if that is meant";
        return Err(Fault::invalid("url", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_taken() {
        for url in [
            "https://example.com/hooks?a=b",
            "http://example.com:8080",
            "https://93.184.216.34/",
            "https://[2606:4700::1]/",
            "https://localhost.example.com",
        ] {
            assert_eq!(check(url, false), Ok(()), "{url}");
        }
    }

    #[test]
    fn private_ones_only_when_meant_however_they_are_written() {
        for url in [
            "http://127.0.0.1:3000/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://017700000001/",
            "http://localhost",
            "http://LOCALHOST.",
            "http://app.localhost",
            "http://10.1.2.3",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0",
        ] {
            assert!(check(url, false).is_err(), "{url}");
            assert_eq!(check(url, true), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for url in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://",
            "https://user@example.com",
            "https://:secret@example.com",
            "https://example.com/#here",
            "https://example.com:0/",
            "https://example.com:99999/",
            "http://exa mple.com",
            "https://example.com/\n",
        ] {
            let fault = check(url, true).unwrap_err();
            assert_eq!(fault.field.as_deref(), Some("url"), "{url}");
        }
        assert!(check(&format!("https://example.com/{}", "a".repeat(2_000)), true).is_err());
    }
}
