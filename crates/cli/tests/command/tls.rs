//! `weir serve` with a certificate of the operator's own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustix::process::Signal;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::harness::{DEADLINE, Place, Serving, text};

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

/// Puts a certificate and its key where the server reads them.
fn put(place: &Place, made: &CertifiedKey<KeyPair>) {
    place.write("cert.pem", made.cert.pem());
    place.write("key.pem", made.signing_key.serialize_pem());
}

fn serve(place: &Place) -> Serving {
    place.serve_logging(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"], "info", "log")
}

/// Asks for the health over TLS, trusting one certificate alone.
fn ask(
    serving: &Serving,
    trusted: &CertifiedKey<KeyPair>,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<String> {
    say(serving, trusted, version, "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

/// Sends a request, and reads to the end.
fn say(
    serving: &Serving,
    trusted: &CertifiedKey<KeyPair>,
    version: &'static SupportedProtocolVersion,
    request: &str,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(client, TcpStream::connect(serving.place())?);
    stream.sock.set_read_timeout(Some(DEADLINE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn it_serves_over_tls_and_says_so() {
    let place = Place::new();
    let made = certificate();
    put(&place, &made);
    let mut serving = place.serve_logging(
        &["--listen", "0.0.0.0:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"],
        "info",
        "log",
    );
    assert!(serving.address.starts_with("https://0.0.0.0:"), "{}", serving.address);
    serving.address = serving.address.replace("0.0.0.0", "127.0.0.1");
    for version in [&TLS12, &TLS13] {
        let answer = ask(&serving, &made, version).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
    }
    assert!(ask(&serving, &certificate(), &TLS13).is_err(), "another certificate is not taken for this one");
    assert_eq!(serving.stop(Signal::TERM), 0);
    let log = std::fs::read_to_string(place.path("log")).unwrap();
    assert!(!log.contains("not encrypted"), "{log}");
}

#[test]
fn a_browser_that_was_signed_in_over_tls_sends_its_cookie_over_nothing_else() {
    let place = Place::new();
    let made = certificate();
    put(&place, &made);
    let key = place.key("read");
    let serving = serve(&place);
    let request = format!(
        "POST /console/session HTTP/1.1\r\nhost: localhost:1234\r\nauthorization: Bearer {key}\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n"
    );
    let answer = say(&serving, &made, &TLS13, &request).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let cookie = answer.lines().find(|line| line.starts_with("set-cookie: weir_session_1234=weir_cs_"));
    assert!(cookie.is_some_and(|cookie| cookie.ends_with("; HttpOnly; SameSite=Strict; Secure")), "{answer}");
    assert_eq!(serving.stop(Signal::TERM), 0);
}

#[test]
fn without_a_certificate_a_server_for_others_warns() {
    let place = Place::new();
    let serving = place.serve_logging(&["--listen", "0.0.0.0:0"], "info", "log");
    assert!(serving.address.starts_with("http://0.0.0.0:"), "{}", serving.address);
    assert_eq!(serving.stop(Signal::TERM), 0);
    let log = std::fs::read_to_string(place.path("log")).unwrap();
    assert!(log.contains("not encrypted"), "{log}");
}

#[test]
fn a_new_certificate_is_read_when_told_and_a_bad_one_is_not_taken() {
    let place = Place::new();
    let (first, second) = (certificate(), certificate());
    put(&place, &first);
    let serving = serve(&place);
    assert!(ask(&serving, &first, &TLS13).is_ok());
    put(&place, &second);
    assert!(ask(&serving, &second, &TLS13).is_err(), "files are read when told, not before");
    serving.signal(Signal::HUP);
    let began = Instant::now();
    while ask(&serving, &second, &TLS13).is_err() {
        assert!(began.elapsed() < DEADLINE, "the new certificate was not taken");
    }
    assert!(ask(&serving, &first, &TLS13).is_err());
    place.write("cert.pem", first.cert.pem());
    serving.signal(Signal::HUP);
    while !std::fs::read_to_string(place.path("log")).unwrap().contains("does not belong to the certificate") {
        assert!(began.elapsed() < DEADLINE, "nothing was said of the bad certificate");
    }
    assert!(ask(&serving, &second, &TLS13).is_ok(), "the one until now stays");
    assert_eq!(serving.stop(Signal::TERM), 0);
}

#[test]
fn what_cannot_be_served_with_is_named() {
    let place = Place::new();
    let made = certificate();
    put(&place, &made);
    place.write("other.pem", KeyPair::generate().unwrap().serialize_pem());
    place.write("empty.pem", "");
    place.write("text.pem", "no certificate at all\n");
    place.write("half.pem", &made.cert.pem()[..100]);
    place.write("noise.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    place.write("locked.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    place.write("large.pem", vec![b'\n'; (1 << 20) + 1]);
    for (cert, key, said) in [
        ("missing.pem", "key.pem", "missing.pem: No such file or directory"),
        ("cert.pem", "missing.pem", "missing.pem: No such file or directory"),
        ("cert.pem", "other.pem", "the key in other.pem does not belong to the certificate in cert.pem"),
        ("empty.pem", "key.pem", "empty.pem: holds no certificate in PEM form"),
        ("text.pem", "key.pem", "text.pem: holds no certificate in PEM form"),
        ("key.pem", "key.pem", "key.pem: holds no certificate in PEM form"),
        ("half.pem", "key.pem", "half.pem: is not sound PEM"),
        ("noise.pem", "key.pem", "the certificate in noise.pem cannot be used with the key in key.pem"),
        ("large.pem", "key.pem", "large.pem: is too large"),
        ("cert.pem", "cert.pem", "cert.pem: holds no unencrypted private key in PEM form"),
        ("cert.pem", "locked.pem", "locked.pem: holds no unencrypted private key in PEM form"),
    ] {
        let output = place.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
        let failure = text(&output.stderr);
        assert!(failure.starts_with(&format!("weir: {said}")), "{cert} {key}: {failure}");
    }
    for alone in ["--tls-cert", "--tls-key"] {
        let output = place.run(&["serve", alone, "cert.pem"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("required arguments were not provided"), "{}", text(&output.stderr));
    }
    assert!(!place.path("data").exists(), "nothing was begun");
}
