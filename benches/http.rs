//! The HTTP door, served by a process of its own: what a check costs the server beside an empty handler behind the same
//! middleware, batches beside the engine in process, and the memory of a server with 1,000,000 events and 100,000 customers.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use axum::routing::post;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weir_api::App;
use weir_benches::{Bench, event, line};
use weir_engine::model::{Change, NewKey, Scope};
use weir_engine::{Actor, Engine};

const SERVE: &str = "serve";
const CONNECTIONS: usize = 8;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if std::env::args().any(|argument| argument == SERVE) {
        runtime.block_on(serve());
    } else {
        runtime.block_on(measure());
    }
}

/// The server's side, with the settings of `weir serve`: the public routes, and beside them a handler that authenticates, reads the body and does nothing.
async fn serve() {
    let bench = Bench::with(|_| ()).await;
    let key = NewKey {
        name: "bench".to_owned(),
        scope: Scope::Manage,
        expires_at: None,
        per_minute: Change::Clear,
        per_day: Change::Clear,
    };
    let key = bench.engine.create_key(&Actor::system(), key).await.expect("a key").key;
    let app = App::new(bench.engine.clone()).await.expect("an app");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let engine = bench.engine.clone();
    let server = weir_http::Server::start(listener, |running| {
        let empty = post(move |request: Request| empty(engine.clone(), request));
        weir_http::guarded(weir_http::public(app.clone(), running).route("/empty", empty), &app.engine, [])
    })
    .expect("a server");
    println!("{} {key}", server.address());
    // The parent closes our input when it is done.
    tokio::task::spawn_blocking(|| std::io::stdin().lines().for_each(drop)).await.expect("the end");
    server.stop().await;
    bench.engine.close().await;
}

async fn empty(engine: Engine, request: Request) -> Body {
    let (head, body) = request.into_parts();
    let token = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    engine.authenticate(token.trim_start_matches("Bearer ")).expect("a key");
    let body = body.collect().await.expect("a body").to_bytes();
    assert!(!body.is_empty());
    Body::from("{}")
}

struct Server {
    child: Child,
    address: String,
    key: String,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server process");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut ready).expect("its address");
        let (address, key) = ready.trim().split_once(' ').expect("an address and a key");
        Server { address: address.to_owned(), key: key.to_owned(), child }
    }

    /// Processor time used so far, in hundredths of a second.
    fn cpu(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("its figures");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        [11, 12].iter().map(|field| fields[*field].parse::<u64>().expect("a number")).sum()
    }

    /// Resident memory in MB.
    fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its figures");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1_000.0 * 1.024
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("its end");
    }

    /// Sends requests until `total` have been answered, over several connections, and answers how long it took.
    async fn send(
        &self,
        path: &'static str,
        total: usize,
        body: impl Fn(usize) -> String + Send + Sync + 'static,
    ) -> f64 {
        let (next, body) = (Arc::new(AtomicUsize::new(0)), Arc::new(body));
        let started = Instant::now();
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (next, body) = (next.clone(), body.clone());
                let (address, key) = (self.address.clone(), self.key.clone());
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(&address).await.expect("a connection");
                    stream.set_nodelay(true).expect("no delay");
                    let mut answer = vec![0; 1 << 16];
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= total {
                            break;
                        }
                        let body = body(n);
                        let head = format!(
                            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
                             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                            body.len()
                        );
                        stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
                        read_answer(&mut stream, &mut answer).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a connection's end");
        }
        started.elapsed().as_secs_f64()
    }
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut have = 0;
    loop {
        let read = stream.read(&mut buffer[have..]).await.expect("an answer");
        assert!(read > 0, "the server hung up");
        have += read;
        let Some(end) = buffer[..have].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 2"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        if have >= end + 4 + length.trim().parse::<usize>().expect("a number") {
            return;
        }
    }
}

fn batch(from: usize, customers: usize) -> String {
    let mut body = String::from("{\"events\":[");
    for n in from..from + 1_000 {
        let event = event(n, customers);
        let comma = if n == from { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"customerId":"{}","eventType":"{}","values":{{"input_tokens":{},"tokens":{}}},"dimensions":{{"model":"small"}}}}"#,
            event.customer_id, event.event_type, event.values["input_tokens"], event.values["tokens"]
        )
        .expect("text");
    }
    body.push_str("]}");
    body
}

async fn in_process(total: usize) -> f64 {
    let bench = Bench::with(|_| ()).await;
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (engine, next) = (bench.engine.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1_000, Ordering::Relaxed);
                    if n >= total {
                        break;
                    }
                    let events = (n..n + 1_000).map(|n| event(n, 1_000)).collect();
                    engine.record_batch(&Actor::system(), events).await.expect("recorded");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a caller's end");
    }
    let rate = total as f64 / started.elapsed().as_secs_f64();
    bench.engine.close().await;
    rate
}

async fn measure() {
    println!("http: {CONNECTIONS} connections, server in a process of its own, 4 meters, 2 limits");
    let server = Server::start();
    const BATCHES: usize = 200;
    let inside = in_process(BATCHES * 1_000).await;
    let elapsed = server.send("/v1/events/batch", BATCHES, |n| batch(n * 1_000, 1_000)).await;
    let rate = (BATCHES * 1_000) as f64 / elapsed;
    line("REST batches of 1,000, against the same in process", rate, inside, 0.6, "events/s");

    const CHECKS: usize = 40_000;
    const ROUNDS: usize = 5;
    let ask = |n: usize| format!(r#"{{"customerId":"customer-{:06}"}}"#, n % 1_000);
    // In turn and several times: what a system call costs varies with what else the machine does.
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..=ROUNDS {
        for (path, round) in ["/empty", "/v1/limits/check"].into_iter().zip(&mut rounds) {
            let before = server.cpu();
            server.send(path, CHECKS, ask).await;
            round.push((server.cpu() - before) as f64 * 10_000.0 / CHECKS as f64);
        }
    }
    let costs = rounds.map(|mut round| {
        round.remove(0);
        round.sort_by(f64::total_cmp);
        round[ROUNDS / 2]
    });
    let ratio = costs[1] / costs[0];
    println!(
        "server time per request, median of {ROUNDS} rounds: empty handler {:.1} µs, check {:.1} µs, ratio {ratio:.2} (wanted at most 1.50) {}",
        costs[0],
        costs[1],
        if ratio <= 1.5 { "ok" } else { "ABOVE" }
    );
    server.stop();

    let server = Server::start();
    server.send("/v1/events/batch", 1_000, |n| batch(n * 1_000, 100_000)).await;
    let resident = server.resident();
    println!(
        "resident memory with 1,000,000 events and 100,000 customers: {resident:.0} MB (wanted under 200) {}",
        if resident < 200.0 { "ok" } else { "ABOVE" }
    );
    server.stop();
}
