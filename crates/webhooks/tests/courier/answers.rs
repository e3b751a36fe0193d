//! What receivers answer, and what is made of it.

use weir_engine::model::DeliveryState;
use weir_webhooks::signature;

use super::bench::{Bench, patience};
use super::receiver::{Act, Receiver, plain};

const DELIVERED: DeliveryState = DeliveryState::Delivered;
const WAITING: DeliveryState = DeliveryState::Waiting;

/// How an attempt ends: the status, a part of what is said of it, and how the answer's body begins, where they are known.
type End = (Option<u16>, Option<&'static str>, Option<&'static str>);

fn say(text: &str) -> Act {
    Act::Say(text.as_bytes().to_vec())
}

fn redirect(status: u16, location: &str) -> Act {
    say(&format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 2\r\n\r\ngo"))
}

#[tokio::test]
async fn what_fails_is_sent_again_the_same_until_it_arrives() {
    let bench = Bench::open(patience(60_000)).await;
    let mut receiver = Receiver::start(|n| Act::Answer(if n < 3 { 500 + n as u16 } else { 200 })).await;
    let id = bench.hook(&receiver.url, true).await;
    bench.ping(id).await;
    let mut requests = vec![receiver.next().await];
    for tries in 1..=3 {
        let known = bench.tried(id, tries).await;
        assert_eq!((known.state, receiver.count()), (WAITING, tries), "nothing is sent before its time");
        bench.later(known.next_attempt_at.unwrap().micros_since(bench.engine.now()) / 1_000_000 + 1);
        requests.push(receiver.next().await);
    }
    let known = &bench.until(id, |deliveries| deliveries[0].state == DELIVERED).await[0];
    let statuses: Vec<_> = known.attempts.iter().map(|each| each.attempt.status.unwrap()).collect();
    assert_eq!(statuses, [500, 501, 502, 200]);
    let errors: Vec<_> = known.attempts.iter().map(|each| each.attempt.error.as_deref()).collect();
    assert_eq!(errors, [Some("it answered 500"), Some("it answered 501"), Some("it answered 502"), None]);
    assert!(known.attempts.iter().all(|each| each.response_body.as_deref() == Some("thank you")));
    let secret = bench.engine.webhook(id).await.unwrap().secret;
    let secret = decoded(&secret);
    let mut last = 0;
    for (request, attempt) in requests.iter().zip(&known.attempts) {
        assert_eq!(request.line, "POST /hooks HTTP/1.1");
        assert_eq!(
            (request.id(), request.body.as_str()),
            (known.message_id.to_string().as_str(), known.payload.as_json())
        );
        assert_eq!(request.headers["content-type"], "application/json");
        let seconds: i64 = request.headers["webhook-timestamp"].parse().unwrap();
        assert!(seconds > last && seconds == attempt.attempt.at.unix_seconds(), "the time of the attempt");
        last = seconds;
        assert_eq!(request.headers["webhook-signature"], signature(&secret, request.id(), seconds, &request.body));
        for (name, value) in &attempt.request_headers {
            assert_eq!(&request.headers[name], value, "what is on record is what was sent");
        }
    }
    let hook = bench.the_hook(id).await;
    assert_eq!((hook.failures_in_a_row, hook.waiting, hook.last_attempt.unwrap().status), (0, 0, Some(200)));
}

pub fn decoded(secret: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap()
}

#[tokio::test]
async fn whatever_a_receiver_does_is_noted_in_plain_words_and_holds_nobody_else_up() {
    let bench = Bench::open(patience(1_500)).await;
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
    let many = (0..150).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let rows: Vec<(&str, Act, End)> = vec![
        ("hangs", Act::Hang(Vec::new()), (None, Some("no answer within 1.5 s"), None)),
        ("resets", Act::Reset, (None, Some("connection"), None)),
        ("closes", say(""), (None, Some("connection closed"), None)),
        ("half a head", say("HTTP/1.1 200 OK\r\ncontent-le"), (None, Some("connection closed"), None)),
        ("hangs in the head", Act::Hang(ok.into()), (None, Some("no answer within 1.5 s"), None)),
        (
            "half a body",
            say(&format!("{ok}content-length: 100\r\n\r\nhello")),
            (Some(200), Some("broke off"), Some("hello")),
        ),
        ("half a chunked body", say(&chunked), (Some(200), Some("broke off"), Some("hello"))),
        (
            "hangs in the body",
            Act::Hang(chunked.clone().into()),
            (Some(200), Some("did not end within 1.5 s"), Some("hello")),
        ),
        (
            "drips",
            Act::Drip(format!("{ok}content-length: 100000\r\n\r\n").into()),
            (Some(200), Some("did not end within"), Some("xxx")),
        ),
        ("drips in the head", Act::Drip(format!("{ok}x: ").into()), (None, Some("no answer within"), None)),
        (
            "drips a failure",
            Act::Drip(b"HTTP/1.1 500 No\r\n\r\n".to_vec()),
            (Some(500), Some("it answered 500"), Some("xxx")),
        ),
        ("never ends", Act::Forever(format!("{ok}\r\n").into(), vec![b'a'; 8_192]), (Some(200), None, Some("aaa"))),
        (
            "never ends, failing",
            Act::Forever(b"HTTP/1.1 503 No\r\n\r\n".to_vec(), vec![b'a'; 8_192]),
            (Some(503), Some("it answered 503"), Some("aaa")),
        ),
        ("never ends its head", Act::Forever(ok.into(), b"x: y\r\n".to_vec()), (None, Some("head is too large"), None)),
        ("many headers", say(&format!("{ok}{many}content-length: 0\r\n\r\n")), (None, Some("head is too large"), None)),
        (
            "a large header",
            say(&format!("{ok}x: {}\r\n\r\n", "y".repeat(1 << 20))),
            (None, Some("head is too large"), None),
        ),
        ("no HTTP", say("hello world\r\n\r\n"), (None, Some("invalid HTTP version"), None)),
        (
            "two lengths",
            say(&format!("{ok}content-length: 5\r\ncontent-length: 6\r\n\r\nhello")),
            (None, Some("content-length"), None),
        ),
        (
            "a length that is none",
            say(&format!("{ok}content-length: five\r\n\r\nhello")),
            (None, Some("content-length"), None),
        ),
        ("a length too short", say(&format!("{ok}content-length: 3\r\n\r\nhello")), (Some(200), None, Some("hel"))),
        ("no length", say(&format!("{ok}\r\nhello")), (Some(200), None, Some("hello"))),
        (
            "no text",
            Act::Say([ok.as_bytes(), b"\r\n\xff\x00\xfe"].concat()),
            (Some(200), None, Some("\u{fffd}\0\u{fffd}")),
        ),
        ("continue", say(&format!("HTTP/1.1 100 Continue\r\n\r\n{ok}\r\nhello")), (Some(200), None, Some("hello"))),
        (
            "early hints",
            say(&format!("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{ok}\r\nhello")),
            (Some(200), None, Some("hello")),
        ),
        ("only hints", Act::Hang(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec()), (None, Some("no answer within"), None)),
        (
            "hints for ever",
            Act::Forever(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
            (None, Some("no answer within"), None),
        ),
        (
            "switches",
            Act::Hang(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n".to_vec()),
            (Some(101), Some("it answered 101"), None),
        ),
        ("201", Act::Answer(201), (Some(201), None, Some("thank you"))),
        ("204", say("HTTP/1.1 204 Nothing\r\n\r\n"), (Some(204), None, Some(""))),
        ("299", Act::Answer(299), (Some(299), None, Some("thank you"))),
        ("300", Act::Answer(300), (Some(300), Some("redirects are not followed"), Some("thank you"))),
        (
            "301",
            redirect(301, "/hooks"),
            (Some(301), Some("it answered 301, and redirects are not followed"), Some("go")),
        ),
        (
            "302",
            redirect(302, "http://169.254.169.254/latest/meta-data"),
            (Some(302), Some("redirects are not followed"), Some("go")),
        ),
        ("303", redirect(303, "file:///etc/passwd"), (Some(303), Some("redirects are not followed"), Some("go"))),
        ("307", redirect(307, "//127.0.0.1:1/"), (Some(307), Some("redirects are not followed"), Some("go"))),
        ("308", redirect(308, ""), (Some(308), Some("redirects are not followed"), Some("go"))),
        ("404", Act::Answer(404), (Some(404), Some("it answered 404"), Some("thank you"))),
        ("410", Act::Answer(410), (Some(410), Some("it answered 410"), Some("thank you"))),
        ("429", Act::Answer(429), (Some(429), Some("it answered 429"), Some("thank you"))),
        ("999", Act::Answer(999), (Some(999), Some("it answered 999"), Some("thank you"))),
        ("HTTP/2", say("HTTP/2 200 OK\r\n\r\n"), (None, Some("invalid HTTP version"), None)),
    ];
    let mut good = Receiver::good().await;
    let good_id = bench.hook(&good.url, true).await;
    let mut cases = Vec::new();
    for (name, act, end) in rows {
        let receiver = Receiver::start(move |_| act.clone()).await;
        let id = bench.hook(&receiver.url, true).await;
        bench.ping(id).await;
        bench.ping(good_id).await;
        cases.push((name, receiver, id, end));
    }
    for _ in 0..cases.len() {
        good.next().await;
    }
    for (name, receiver, id, (status, error, body)) in &cases {
        let known = bench.tried(*id, 1).await;
        let noted = &known.attempts[0];
        let said = noted.attempt.error.as_deref();
        assert_eq!(noted.attempt.status, *status, "{name}: {said:?}");
        match error {
            Some(error) => assert!(said.is_some_and(|said| said.contains(error)), "{name}: {said:?}"),
            None => assert_eq!(said, None, "{name}"),
        }
        let state = if error.is_none() { DELIVERED } else { WAITING };
        assert_eq!(known.state, state, "{name}");
        let begins = noted.response_body.as_deref();
        match body {
            Some(body) => assert!(
                begins.is_some_and(|begins| begins.starts_with(body) && begins.chars().count() <= 2_000),
                "{name}: {begins:?}"
            ),
            None => assert!(begins.is_none_or(str::is_empty), "{name}: {begins:?}"),
        }
        assert_eq!(receiver.count(), 1, "{name}: asked once");
    }
}

#[tokio::test]
async fn where_nobody_listens_or_nobody_speaks_tls_it_says_so() {
    let bench = Bench::open(patience(1_500)).await;
    // Taken, so that no other test listens there, but not listened at.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone = taken.local_addr().unwrap();
    let refused = bench.hook(&format!("http://{gone}/"), true).await;
    let plain_text = Receiver::start(|_| Act::Say(plain(200, ""))).await;
    let no_tls = bench.hook(&plain_text.url.replace("http:", "https:"), true).await;
    bench.ping(refused).await;
    bench.ping(no_tls).await;
    for (id, expected) in [(refused, "refused"), (no_tls, "")] {
        let noted = bench.tried(id, 1).await.attempts.swap_remove(0);
        let said = noted.attempt.error.unwrap();
        assert!(said.contains(expected) && !said.contains("http://") && !said.contains("https://"), "{said}");
        assert_eq!((noted.attempt.status, noted.response_body), (None, None));
    }
    assert_eq!(plain_text.count(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_it_must() {
    let bench = Bench::open(patience(60_000)).await;
    // Had it to end, this would never be noted.
    let receiver =
        Receiver::start(|_| Act::Forever(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), "ü".repeat(4_096).into())).await;
    let id = bench.hook(&receiver.url, true).await;
    bench.ping(id).await;
    let known = bench.tried(id, 1).await;
    let noted = &known.attempts[0];
    assert_eq!((known.state, &noted.attempt.error), (DELIVERED, &None));
    assert_eq!(noted.response_body.as_deref(), Some("ü".repeat(2_000).as_str()));
}
