//! What a server takes from its callers, over real sockets, with bounds so small that they are met.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use weir_engine::{Engine, OpenOptions, SystemClock};
use weir_http::{Limits, Server, Tls, guarded};

use crate::harness::{DEADLINE, Host};

/// Too short for anyone who does nothing.
const SHORT: Duration = Duration::from_millis(50);
/// Long enough for anything.
const LONG: Duration = Duration::from_secs(3_600);

/// Bounds that nothing meets.
const WIDE: Limits = Limits {
    connections: 100,
    turned_away: 10,
    turning_away: LONG,
    handshake: LONG,
    head: 16 << 10,
    head_time: LONG,
    body_pause: LONG,
    body_time: LONG,
    write_pause: LONG,
    drain: LONG,
};

async fn start(limits: Limits) -> Server {
    serve(limits, None).await
}

async fn serve(limits: Limits, tls: Option<Arc<Tls>>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::open(OpenOptions::new(dir.path()), SystemClock).await.unwrap();
    Server::within(limits, tls, listener, |_| {
        let large = || async { vec![b'x'; 1 << 20] };
        let endless = || async { Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(vec![b'x'; 1 << 16]))) };
        let router = Router::new().route("/", get(|| async { "here" })).route("/slow", get(slow));
        let router = router.route("/large", get(large)).route("/endless", get(endless));
        guarded(router.route("/length", post(|body: Bytes| async move { body.len().to_string() })), &engine, [])
    })
    .unwrap()
}

/// A stream that lasts longer than a short bound.
async fn slow() -> Body {
    Body::from_stream(stream::unfold(0, |n| async move {
        tokio::time::sleep(2 * SHORT).await;
        (n < 3).then_some((Ok::<_, Infallible>("part;"), n + 1))
    }))
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address()).await.unwrap()
}

/// Sends a request without a body, and waits for nothing.
async fn ask(stream: &mut TcpStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
}

/// Everything until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // That a connection was reset is an end as well.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut text)).await.expect("the server closes it");
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads as far as a text.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        text.push(timeout(DEADLINE, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(text).unwrap()
}

/// Asks until a place is free.
async fn until_free(server: &Server) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < deadline, "the place was never free again");
        let mut next = connect(server).await;
        ask(&mut next, "/").await;
        let answer = until(&mut next, "\r\n").await;
        if answer.starts_with("HTTP/1.1 200 ") {
            return;
        }
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_too_many_is_answered_and_the_next_is_served_when_one_has_gone() {
    let server = start(Limits { connections: 2, turned_away: 1, ..WIDE }).await;
    let (mut first, mut second) = (connect(&server).await, connect(&server).await);
    for stream in [&mut first, &mut second] {
        ask(stream, "/").await;
        until(stream, "here").await;
    }
    for _ in 0..3 {
        let mut third = connect(&server).await;
        let body = "x".repeat(1 << 20);
        let request =
            format!("POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        third.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut third).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("\r\nretry-after: 1\r\n") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.contains(r#""code":"busy""#) && answer.contains(r#""retryAfterSeconds":1"#), "{answer}");
    }
    ask(&mut second, "/").await;
    until(&mut second, "here").await;
    drop(first);
    // The server may not have seen yet that it has gone.
    until_free(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn who_is_turned_away_and_says_nothing_makes_room_for_the_next() {
    let server = start(Limits { connections: 1, turned_away: 1, turning_away: SHORT, ..WIDE }).await;
    let mut served = connect(&server).await;
    ask(&mut served, "/").await;
    until(&mut served, "here").await;
    let mut silent = connect(&server).await;
    let mut next = connect(&server).await;
    ask(&mut next, "/").await;
    assert!(rest(&mut next).await.starts_with("HTTP/1.1 503 "));
    assert_eq!(rest(&mut silent).await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_headers_is_refused() {
    let server = start(WIDE).await;
    for headers in [format!("x: {}\r\n", "a".repeat(WIDE.head)), "x: a\r\n".repeat(101)] {
        let mut stream = connect(&server).await;
        stream.write_all(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let mut stream = connect(&server).await;
    let many = "x: a\r\n".repeat(99);
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").as_bytes()).await.unwrap();
    until(&mut stream, "here").await;
    server.stop().await;
}

#[tokio::test]
async fn a_body_announced_too_large_is_refused_before_it_is_sent() {
    let host = Host::start().await;
    let address = host.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/events/batch HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 9000000\r\nexpect: 100-continue\r\n\r\n",
        host.key
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = until(&mut stream, "payload_too_large").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "not told to go on first: {answer}");
    drop(stream);
    host.stop().await;
}

#[tokio::test]
async fn who_sends_no_head_is_dropped_and_so_is_who_stays_idle() {
    let server = start(Limits { head_time: SHORT, ..WIDE }).await;
    let mut silent = connect(&server).await;
    assert_eq!(rest(&mut silent).await, "");
    let mut half = connect(&server).await;
    half.write_all(b"GET / HTTP/1.1\r\nhost: local").await.unwrap();
    let answer = rest(&mut half).await;
    assert!(!answer.contains("here"), "{answer}");
    let mut idle = connect(&server).await;
    ask(&mut idle, "/").await;
    assert!(rest(&mut idle).await.ends_with("here"), "answered, then closed");
    server.stop().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = Arc::new(Tls::load(&cert, &key).unwrap());
    let server = serve(Limits { handshake: SHORT, ..WIDE }, Some(tls)).await;
    let mut silent = connect(&server).await;
    assert_eq!(rest(&mut silent).await, "");
    let mut plain = connect(&server).await;
    ask(&mut plain, "/").await;
    assert!(!rest(&mut plain).await.contains("here"), "nothing is said in the clear");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_pauses_or_trickles_is_given_up() {
    for limits in [Limits { body_pause: SHORT, ..WIDE }, Limits { body_time: 2 * SHORT, ..WIDE }] {
        let mut host = Host::within(limits).await;
        let mut stream = TcpStream::connect(host.base.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!(
            "POST /v1/events/record HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
            host.key
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        // A byte now and then, if that is not too slow already; it ends when the server closes.
        let trickle = limits.body_pause == LONG;
        let sending = tokio::spawn(async move {
            let mut tick = tokio::time::interval(SHORT / 5);
            while trickle && writing.write_all(b" ").await.is_ok() {
                tick.tick().await;
            }
            writing
        });
        let mut answer = String::new();
        // What was sent after the server closed may reset the connection behind the answer.
        let _ = timeout(DEADLINE, reading.read_to_string(&mut answer)).await.expect("the server closes it");
        assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
        assert!(answer.contains(r#""code":"timeout""#) && answer.contains("connection: close"), "{answer}");
        drop(sending.await.unwrap());
        assert_eq!(host.ok("status.get", serde_json::json!({})).await["events"], 0, "nothing was done");
        host.stop_server().await;
        host.app.close().await;
    }
}

#[tokio::test]
async fn who_takes_nothing_of_a_stream_is_dropped() {
    let server = start(Limits { connections: 1, write_pause: SHORT, ..WIDE }).await;
    let mut lazy = connect(&server).await;
    ask(&mut lazy, "/endless").await;
    until_free(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_stream_lasts_as_long_as_it_is_taken() {
    let limits = Limits { head_time: SHORT, body_pause: SHORT, body_time: SHORT, write_pause: SHORT, ..WIDE };
    let server = start(limits).await;
    let mut listener = connect(&server).await;
    ask(&mut listener, "/slow").await;
    let answer = until(&mut listener, "\r\n0\r\n\r\n").await;
    assert_eq!(answer.matches("part;").count(), 3, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_dropped() {
    let server = start(Limits { connections: 1, write_pause: SHORT, ..WIDE }).await;
    let mut lazy = connect(&server).await;
    // More than the system keeps for a connection.
    const ASKED: usize = 100;
    for _ in 0..ASKED {
        ask(&mut lazy, "/large").await;
    }
    // Its place is free again without it having read or closed anything.
    until_free(&server).await;
    let got = rest(&mut lazy).await.len();
    assert!(got < ASKED << 20, "the rest was never sent: {got}");
    server.stop().await;
}
