//! Origins of web pages: scheme, host and port, written as browsers write them.

use url::Url;
use weir_core::error::Fault;

/// Most origins of a project.
const MOST: usize = 100;
/// Longest origin, in bytes: a name of a host has at most 253.
const LONGEST: usize = 300;

/// The origins as browsers send them. Each must be one that a browser can send.
pub(crate) fn normalised(origins: &[String]) -> Result<Vec<String>, Fault> {
    if origins.len() > MOST {
        return Err(Fault::invalid("clientOrigins", format_args!("must have at most {MOST} entries")));
    }
    let mut read: Vec<String> = Vec::with_capacity(origins.len());
    for (index, origin) in origins.iter().enumerate() {
        let field = || format!("clientOrigins[{index}]");
        let origin = normal(origin).map_err(|reason| Fault::invalid(field(), reason))?;
        if read.contains(&origin) {
            return Err(Fault::invalid(field(), format_args!("is given twice: {origin}")));
        }
        read.push(origin);
    }
    Ok(read)
}

fn normal(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "must be an origin such as `https://app.example.com` or `http://localhost:5173`";
    let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) || text.len() > LONGEST {
        return Err(FORM);
    }
    if rest.contains('*') {
        return Err("must name one host: wildcards are not taken");
    }
    // What reads an address forgives white space and much else; here nothing may stand beside host and port.
    if rest.contains(['/', '\\', '?', '#', '@']) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must be scheme, host and port alone, without a path, a user or spaces");
    }
    let url = Url::parse(text).map_err(|_| FORM)?;
    if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
        return Err(FORM);
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (given, written) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://127.1:8080", "http://127.0.0.1:8080"),
            ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(normal(given).as_deref(), Ok(written), "{given}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "null",
            "*",
            "https://",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com/app",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://user@app.example.com",
            "https://app.example.com\\x",
            " https://app.example.com",
            "https://app.example.com ",
            "https://app.exa\tmple.com",
            "https://app.example.com:0",
            "https://app.example.com:65536",
            "https://app.example.com:port",
            "https://1.2.3.4.5",
            "https://a b",
            "app.example.com",
            "//app.example.com",
            "file:///tmp",
            "chrome-extension://abcdef",
            "javascript://app.example.com",
            &format!("https://{}.example", "a".repeat(300)),
        ] {
            assert!(normal(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_is_named_once_and_there_are_a_hundred_at_most() {
        let list = |texts: &[&str]| normalised(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["https://a.example", "https://b.example"]).unwrap().len(), 2);
        let field = |texts: &[&str]| list(texts).unwrap_err().field.unwrap();
        assert_eq!(field(&["https://a.example", "https://A.example:443"]), "clientOrigins[1]");
        assert_eq!(field(&["https://a.example", "x"]), "clientOrigins[1]");
        let many: Vec<String> = (0..=MOST).map(|n| format!("https://a{n}.example")).collect();
        assert_eq!(normalised(&many).unwrap_err().field.unwrap(), "clientOrigins");
        assert_eq!(normalised(&many[1..]).unwrap().len(), MOST);
    }
}
