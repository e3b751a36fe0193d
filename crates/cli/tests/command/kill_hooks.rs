//! `weir serve`, killed at random while thresholds are crossed and receivers fail at random: every alert arrives at every endpoint
//! that wants it, under one id, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use weir_webhooks::signature;

use crate::harness::{Place, client, create, random_below};

/// Kills. For more, set `WEIR_HOOK_KILLS`; for the same again, `WEIR_HOOK_SEED`.
const KILLS: usize = 8;
/// Customers that cross two thresholds each between two kills.
const CUSTOMERS: usize = 8;
/// What each endpoint wants.
const WANTED: [&[&str]; 4] = [
    &["limit.threshold_reached", "limit.exceeded"],
    &["limit.threshold_reached", "limit.exceeded"],
    &["limit.exceeded"],
    &["limit.threshold_reached"],
];
/// No run takes as long as this: what has not happened by then never will.
const NEVER: Duration = Duration::from_secs(600);

fn given(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().and_then(|given| given.parse().ok())
}

/// Numbers that look random and follow from a seed (SplitMix64).
struct Chance(AtomicU64);

impl Chance {
    fn below(&self, bound: usize) -> usize {
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// A message that arrived whole.
struct Arrival {
    endpoint: usize,
    headers: BTreeMap<String, String>,
    body: String,
    /// Whether it was answered with success.
    is_taken: bool,
}

/// Every endpoint, on one port.
struct Receiver {
    chance: Chance,
    arrivals: Mutex<Vec<Arrival>>,
    count: AtomicUsize,
    /// Endpoints that failed.
    failed: UnboundedSender<usize>,
}

impl Receiver {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let receiver = self.clone();
            tokio::spawn(async move { receiver.receive(stream).await });
        }
    }

    async fn receive(&self, mut stream: TcpStream) {
        let Some((path, headers, body)) = read(&mut stream).await else { return };
        let endpoint: usize = path[1..].parse().unwrap();
        let answer: &[u8] = match self.chance.below(10) {
            0..=4 => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
            5 => b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
            6 => b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
            7 => b"HTTP/1.1 302 Elsewhere\r\nlocation: /0\r\ncontent-length: 0\r\n\r\n",
            8 => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
            _ => b"",
        };
        let is_taken = answer.starts_with(b"HTTP/1.1 20") && !answer.ends_with(b"half");
        self.arrivals.lock().unwrap().push(Arrival { endpoint, headers, body, is_taken });
        self.count.fetch_add(1, Ordering::Relaxed);
        // The server may have been killed.
        let _ = stream.write_all(answer).await;
        drop(stream);
        if !is_taken {
            // The test may have ended.
            let _ = self.failed.send(endpoint);
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<(String, BTreeMap<String, String>, String)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = std::str::from_utf8(&bytes[..end]).ok()?.to_owned();
    let (line, rest) = head.split_once("\r\n")?;
    let headers: BTreeMap<_, _> = rest
        .split("\r\n")
        .filter_map(|header| header.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes.split_off(end + 4);
    let length: usize = headers["content-length"].parse().ok()?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((line.split(' ').nth(1)?.to_owned(), headers, String::from_utf8(body).ok()?))
}

/// Whoever calls the server, wherever it listens now.
struct Caller {
    client: Client,
    key: String,
    address: Mutex<String>,
}

impl Caller {
    /// The answer, if there was one.
    async fn call(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let url = format!("{}/v1{path}", self.address.lock().unwrap());
        let request =
            self.client.request(method, url).bearer_auth(&self.key).header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let reply = request.body(body).send().await.ok()?;
        let status = reply.status().as_u16();
        Some((status, serde_json::from_str(&reply.text().await.ok()?).ok()?))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(reqwest::Method::GET, path, None).await.expect("an answer");
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Every row of a list, newest first.
    async fn all(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}?limit=100{cursor}")).await;
            rows.append(page["data"].as_array_mut().unwrap());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// Uses half of the limit twice, until that is answered.
    async fn cross(&self, customer: &str) {
        for half in ["first", "second"] {
            let event = json!({"customerId": customer, "eventType": "call", "values": {"tokens": 50},
                "idempotencyKey": format!("{customer}-{half}")});
            loop {
                match self.call(reqwest::Method::POST, "/track", Some(&event)).await {
                    Some((200 | 201, _)) => break,
                    Some((status, body)) => panic!("{status}: {body}"),
                    // It was killed, and comes back.
                    None => tokio::task::yield_now().await,
                }
            }
        }
    }

    /// Has what waits tried at once, where the server answers.
    async fn enable(&self, id: &str) {
        let answer = self.call(reqwest::Method::POST, &format!("/webhooks/{id}/enable"), Some(&json!({}))).await;
        if let Some((status, body)) = answer {
            assert_eq!(status, 200, "{body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_random_every_alert_arrives_everywhere_under_one_id_and_in_order() {
    tokio::time::timeout(NEVER, run()).await.expect("it comes to an end");
}

async fn run() {
    let (kills, seed) = (given("WEIR_HOOK_KILLS").unwrap_or(KILLS), given("WEIR_HOOK_SEED"));
    let seed = seed.unwrap_or_else(|| random_below(1 << 31));
    println!("WEIR_HOOK_SEED={seed} WEIR_HOOK_KILLS={kills}");
    let place = Place::new();
    let key = place.key("manage");
    let mut serving = place.serve();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (failed, mut failures) = unbounded_channel();
    let receiver = Arc::new(Receiver {
        chance: Chance(AtomicU64::new(seed as u64)),
        arrivals: Mutex::default(),
        count: AtomicUsize::new(0),
        failed,
    });
    tokio::spawn(receiver.clone().serve(listener));

    let client = client();
    let caller =
        Arc::new(Caller { client: client.clone(), key: key.clone(), address: Mutex::new(serving.address.clone()) });
    let meter = json!({"name": "tokens", "aggregation": "sum", "field": "values.tokens"});
    let meter = create(&client, &serving, &key, "/v1/meters", meter).await["id"].clone();
    let limit =
        json!({"name": "all", "meterId": meter, "limitValue": 100, "period": "all_time", "alertThresholds": [50, 100]});
    create(&client, &serving, &key, "/v1/limits", limit).await;
    let (mut ids, mut secrets) = (Vec::new(), Vec::new());
    for (n, types) in WANTED.iter().enumerate() {
        let hook = json!({"url": format!("http://127.0.0.1:{port}/{n}"), "allowPrivate": true, "eventTypes": types});
        let hook = create(&client, &serving, &key, "/v1/webhooks", hook).await;
        ids.push(hook["id"].as_str().unwrap().to_owned());
        secrets.push(STANDARD.decode(hook["secret"].as_str().unwrap().strip_prefix("whsec_").unwrap()).unwrap());
    }
    // Whoever fails is tried again at once, for the test not to take days.
    let nudging = {
        let (caller, ids) = (caller.clone(), ids.clone());
        tokio::spawn(async move {
            while let Some(endpoint) = failures.recv().await {
                caller.enable(&ids[endpoint]).await;
            }
        })
    };

    let pace = Chance(AtomicU64::new(!(seed as u64)));
    for round in 0..kills {
        let callers: Vec<_> = (0..CUSTOMERS)
            .map(|n| {
                let caller = caller.clone();
                tokio::spawn(async move { caller.cross(&format!("customer-{round}-{n}")).await })
            })
            .collect();
        let enough = receiver.count.load(Ordering::Relaxed) + pace.below(3 * CUSTOMERS);
        while receiver.count.load(Ordering::Relaxed) < enough {
            tokio::task::yield_now().await;
        }
        drop(serving);
        serving = place.serve();
        *caller.address.lock().unwrap() = serving.address.clone();
        for id in &ids {
            caller.enable(id).await;
        }
        for calling in callers {
            calling.await.unwrap();
        }
    }
    for id in &ids {
        while caller.get(&format!("/webhooks/{id}")).await["waiting"] != 0 {
            caller.enable(id).await;
        }
    }
    nudging.abort();

    let alerts: BTreeSet<String> = caller.all("/alerts").await.iter().map(|alert| text(&alert["id"])).collect();
    assert_eq!(alerts.len(), 2 * kills * CUSTOMERS, "one for each threshold and customer");
    let mut deliveries = Vec::new();
    for id in &ids {
        deliveries.push(caller.all(&format!("/webhooks/{id}/deliveries")).await);
    }
    let arrivals = receiver.arrivals.lock().unwrap();
    let (mut of_alert, mut of_id) = (BTreeMap::new(), BTreeMap::new());
    for Arrival { endpoint, headers, body, .. } in arrivals.iter() {
        let (id, seconds) = (headers["webhook-id"].clone(), headers["webhook-timestamp"].parse().unwrap());
        let told: Value = serde_json::from_str(body).unwrap();
        assert!(told["id"] == id.as_str() && WANTED[*endpoint].contains(&told["type"].as_str().unwrap()));
        assert_eq!(headers["webhook-signature"], signature(&secrets[*endpoint], &id, seconds, body));
        assert_eq!(*of_id.entry(id.clone()).or_insert(body.clone()), *body, "one body for each id");
        assert_eq!(*of_alert.entry(text(&told["data"]["alertId"])).or_insert(id.clone()), id, "one id for each alert");
    }
    assert_eq!(of_alert.keys().cloned().collect::<BTreeSet<_>>(), alerts);
    assert_eq!(of_id.len(), alerts.len());
    for (n, mut deliveries) in deliveries.into_iter().enumerate() {
        deliveries.reverse();
        assert!(deliveries.iter().all(|delivery| delivery["state"] == "delivered"));
        let in_order: Vec<_> = deliveries.iter().map(|delivery| text(&delivery["messageId"])).collect();
        let mut first: Vec<String> = Vec::new();
        let mut taken = BTreeSet::new();
        for arrival in arrivals.iter().filter(|arrival| arrival.endpoint == n) {
            let id = &arrival.headers["webhook-id"];
            if arrival.is_taken {
                taken.insert(id.clone());
            }
            if !first.contains(id) {
                first.push(id.clone());
            }
        }
        assert_eq!(in_order.len(), WANTED[n].len() * kills * CUSTOMERS, "each wanted alert once");
        assert_eq!(first, in_order, "endpoint {n}: first arrivals in the order of the messages");
        assert_eq!(taken.len(), in_order.len(), "endpoint {n}: each was taken at least once");
    }
    let taken = arrivals.iter().filter(|arrival| arrival.is_taken).count();
    let messages: usize = WANTED.iter().map(|types| types.len() * kills * CUSTOMERS).sum();
    println!(
        "{kills} kills, {} alerts, {messages} messages to {} endpoints, {} arrivals, {taken} of them taken, {} once more after a kill",
        alerts.len(),
        ids.len(),
        arrivals.len(),
        taken - messages
    );
    drop(arrivals);
    drop(serving);
    place.doctor();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
