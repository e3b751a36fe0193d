//! `weir serve`.

use std::process::Stdio;

use rustix::process::Signal;

use crate::harness::{Place, text};

#[test]
fn it_says_when_it_is_ready_and_ends_in_order() {
    let place = Place::new();
    let key = place.key("read");
    for signal in [Signal::TERM, Signal::INT] {
        let serving = place.serve();
        assert_eq!(serving.get("/v1/status", &key)["serverAddress"], serving.address);
        assert_eq!(serving.stop(signal), 0, "{signal:?}");
    }
    assert!(!place.path("data").join("owner.json").exists(), "the owner's note goes with it");
    place.doctor();
}

#[test]
fn an_open_stream_does_not_keep_it_from_ending() {
    use std::io::{Read, Write};
    let place = Place::new();
    let key = place.key("read");
    let serving = place.serve();
    let host = serving.address.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET /v1/changes HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\r\n").unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    assert_eq!(serving.stop(Signal::TERM), 0);
}

#[test]
fn the_second_one_is_told_who_is_there() {
    let place = Place::new();
    let serving = place.serve();
    let second = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stdout).is_empty());
    assert!(text(&second.stderr).contains("is in use by another Weir"), "{}", text(&second.stderr));
    let taken = serving.address.strip_prefix("http://").unwrap();
    let elsewhere = Place::new();
    let third = elsewhere.run(&["serve", "--listen", taken]);
    assert_eq!(third.status.code(), Some(1));
    assert!(text(&third.stderr).contains(&format!("cannot listen on {taken}")), "{}", text(&third.stderr));
}

#[test]
fn wrong_words_are_explained_on_standard_error() {
    let place = Place::new();
    for args in [
        &["serve", "--port", "1"][..],
        &["import"],
        &["frobnicate"],
        &["keys", "create", "--name", "x", "--scope", "root"],
    ] {
        let output = place.weir(args).stdout(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
    assert!(place.ok(&["--version"]).starts_with("weir "));
}
