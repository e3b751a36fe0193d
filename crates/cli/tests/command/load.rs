//! `weir serve` with more callers than it can keep up with, for as many seconds as WEIR_LOAD_SECONDS says. The proof is one of 60.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::{Place, Serving, client, create};

const CONNECTIONS: usize = 200;
/// One of so many requests is malformed.
const MALFORMED: usize = 20;
const CUSTOMERS: usize = 100;
/// These have a limit so low that it is soon reached.
const LIMITED: std::ops::RangeInclusive<usize> = 1..=10;
/// Shorter runs say nothing of memory.
const FULL: Duration = Duration::from_secs(60);
/// What is recorded before a full run: more than the writer's cache of 32 MiB holds, so that it is as full at the beginning as it will be.
const BATCHES: usize = 200;

/// One connection, opened anew whenever the server has closed it.
struct Connection {
    address: String,
    key: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// Sends a request as it stands: the answer's status and body.
    async fn send(&mut self, request: &str) -> (u16, String) {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(&self.address).await.unwrap()),
        };
        stream.get_mut().write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length, mut closes) = (0, 0, false);
        loop {
            let mut line = String::new();
            assert!(stream.read_line(&mut line).await.unwrap() > 0, "no answer to {request:.200}");
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(": ") {
                _ if line.is_empty() => break,
                Some(("content-length", size)) => length = size.parse().unwrap(),
                Some(("connection", "close")) => closes = true,
                None => status = line.split(' ').nth(1).unwrap().parse().unwrap(),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        if !closes {
            self.stream = Some(stream);
        }
        (status, String::from_utf8(body).unwrap())
    }

    fn post(&self, path: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}",
            self.key
        )
    }

    /// A request with something wrong, and the status that says so.
    fn malformed(&self, n: usize) -> (String, u16) {
        let event = r#"{"customerId":"c","eventType":"call"}"#;
        match n % 8 {
            0 => (self.post("/v1/events/record", r#"{"customerId":"c","eventType""#), 400),
            1 => (self.post("/v1/track", r#"{"customerId":"c","eventType":"call","values":{"n":"many"}}"#), 400),
            2 => (self.post("/v1/limits/check", r#"{"customerId":"c","nothing":1}"#), 400),
            3 => (self.post("/v1/nothing", event), 404),
            4 => (self.post("/v1/track", event).replace("weir_sk_", "weir_sk_0"), 401),
            5 => (self.post("/v1/track", event).replace("application/json", "text/plain"), 415),
            6 => (self.post("/v1/status", event), 405),
            _ => (self.post("/v1/track", event).replacen("POST", "PO ST", 1), 400),
        }
    }
}

/// What one caller was answered.
#[derive(Default)]
struct Answers {
    /// Events that were acknowledged.
    events: Vec<String>,
    statuses: BTreeMap<u16, usize>,
    times: Vec<Duration>,
}

/// Calls without a pause until the end.
async fn call(mut connection: Connection, first: usize, end: Instant) -> Answers {
    let mut answers = Answers::default();
    let mut n = first;
    while Instant::now() < end {
        // Callers begin at different places, so that everything is asked at any time.
        n += 1;
        let customer = format!("customer-{}", n % CUSTOMERS);
        let event = json!({ "customerId": customer, "eventType": "call", "model": "m", "values": { "n": 0.1 },
            "idempotencyKey": format!("{first}-{n}") });
        let (request, wanted): (String, &[u16]) = match n % 3 {
            _ if n.is_multiple_of(MALFORMED) => {
                let (request, status) = connection.malformed(n / MALFORMED);
                let (answered, body) = connection.send(&request).await;
                assert_eq!(answered, status, "{request}: {body}");
                *answers.statuses.entry(answered).or_default() += 1;
                continue;
            }
            0 => (connection.post("/v1/events/record", &event.to_string()), &[201, 503]),
            1 => (connection.post("/v1/track", &event.to_string()), &[201, 429, 503]),
            _ => {
                let check = json!({ "customerId": customer, "values": { "n": 0.1 }, "dimensions": {} });
                (connection.post("/v1/limits/check", &check.to_string()), &[200, 503])
            }
        };
        let began = Instant::now();
        let (status, body) = connection.send(&request).await;
        answers.times.push(began.elapsed());
        assert!(wanted.contains(&status), "{status}: {body}");
        *answers.statuses.entry(status).or_default() += 1;
        if status == 201 {
            let answer: Value = serde_json::from_str(&body).unwrap();
            answers.events.push(answer["id"].as_str().unwrap().to_owned());
        }
    }
    answers
}

/// Records what a server that has been on for long has recorded.
async fn fill(client: &Client, serving: &Serving, key: &str) {
    let text = "x".repeat(2_000);
    for n in 0..BATCHES {
        let event =
            json!({ "customerId": format!("former-{n}"), "eventType": "former", "properties": { "text": text } });
        create(client, serving, key, "/v1/events/batch", json!({ "events": vec![event; 100] })).await;
    }
}

/// Every call that is recorded, by walking through them all.
async fn recorded(client: &Client, serving: &Serving, key: &str) -> HashSet<String> {
    let mut ids = HashSet::new();
    let mut cursor = String::new();
    loop {
        let url = format!("{}/v1/events?eventType=call&limit=100{cursor}", serving.address);
        let page: Value = client.get(url).bearer_auth(key).send().await.unwrap().json().await.unwrap();
        for event in page["data"].as_array().unwrap() {
            assert!(ids.insert(event["id"].as_str().unwrap().to_owned()), "{event} twice");
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// The memory of a process that is resident, in KiB.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_saturation_nothing_is_lost_nothing_breaks_and_memory_stays() {
    let seconds = std::env::var("WEIR_LOAD_SECONDS").map_or(6, |seconds| seconds.parse().unwrap());
    let (place, took) = (Place::new(), Duration::from_secs(seconds));
    let key = place.key("manage");
    let serving = place.serve();
    let client = client();
    let meter = json!({ "name": "calls", "aggregation": "count", "field": "*" });
    let meter = create(&client, &serving, &key, "/v1/meters", meter).await["id"].clone();
    let all = json!({ "name": "all", "meterId": meter, "limitValue": 1_000_000_000, "period": "month" });
    create(&client, &serving, &key, "/v1/limits", all).await;
    for customer in LIMITED.map(|n| format!("customer-{n}")) {
        let few =
            json!({ "name": "few", "meterId": meter, "limitValue": 2, "period": "all_time", "customerId": customer });
        create(&client, &serving, &key, "/v1/limits", few).await;
    }

    if took >= FULL {
        fill(&client, &serving, &key).await;
    }
    let began = Instant::now();
    let callers: Vec<_> = (0..CONNECTIONS)
        .map(|caller| {
            let connection = Connection { address: serving.place().to_owned(), key: key.clone(), stream: None };
            tokio::spawn(call(connection, caller * 1_000_003, began + took))
        })
        .collect();
    tokio::time::sleep_until((began + took / 6).into()).await;
    let early = resident(serving.pid());
    let mut all = Answers::default();
    for caller in callers {
        let answers = caller.await.unwrap();
        all.events.extend(answers.events);
        all.times.extend(answers.times);
        for (status, count) in answers.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
    }
    let late = resident(serving.pid());

    let asked: usize = all.statuses.values().sum();
    all.times.sort_unstable();
    let share = |percent: usize| all.times[all.times.len() * percent / 100];
    println!(
        "{asked} requests in {seconds} s on {CONNECTIONS} connections: {:.0}/s",
        asked as f64 / took.as_secs_f64()
    );
    println!("answers by status: {:?}", all.statuses);
    println!("answered within {:?} (half of them), {:?} (99 of 100)", share(50), share(99));
    println!("resident: {early:?} KiB after {} s, {late:?} KiB at the end", seconds / 6);
    for status in [200, 201, 400, 401, 404, 405, 415, 429] {
        assert!(all.statuses.contains_key(&status), "{status} is part of the mix");
    }

    let acknowledged: HashSet<String> = all.events.iter().cloned().collect();
    assert_eq!(acknowledged.len(), all.events.len(), "every event has an id of its own");
    let recorded = recorded(&client, &serving, &key).await;
    let lost: Vec<_> = acknowledged.difference(&recorded).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let extra: Vec<_> = recorded.difference(&acknowledged).collect();
    assert!(extra.is_empty(), "recorded and never acknowledged: {extra:?}");

    if let (Some(early), Some(late), true) = (early, late, took >= FULL) {
        assert!(late * 10 <= early * 11, "memory grew from {early} KiB to {late} KiB");
    }
    assert_eq!(serving.stop(Signal::TERM), 0);
    place.doctor();
}
