//! Tracking: decided, recorded and durable when answered, beside what plain SQLite does with the same rows in the same run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::unbounded_channel;
use weir_benches::{Bench, Plain, event, line, quantile};
use weir_engine::{Actor, Engine};

const CUSTOMERS: usize = 1_000;
/// Calls at a steady rate: enough of them that checkpoints come and go.
const STEADY: usize = 250_000;
/// The same at a rate that one caller at a time could reach twice.
const CALM: usize = 20_000;
/// Between looks at what has arrived.
const PAUSE: Duration = Duration::from_micros(100);
/// What the 99th percentile at half of saturation may be of that of a bare commit, and of plain SQLite's for the same arrivals: that
/// writes in groups as well, and at the same rate moves its log into its file beside what waits.
const WANTED: f64 = 3.0;
const WANTED_OF_PLAIN: f64 = 1.5;

async fn track(engine: &Engine, n: usize) {
    engine.track(&Actor::system(), event(n, CUSTOMERS)).await.expect("admitted");
}

/// Tracks per second by some callers at a time, each waiting for its answer.
async fn rate(engine: &Engine, next: &Arc<AtomicUsize>, callers: usize, total: usize) -> f64 {
    let until = next.load(Ordering::Relaxed) + total;
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (engine, next) = (engine.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= until {
                        break;
                    }
                    track(&engine, n).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a caller");
    }
    total as f64 / started.elapsed().as_secs_f64()
}

/// How long each of many tracks takes that arrive at a steady rate, whether or not earlier ones were answered.
async fn latencies(engine: &Engine, next: &Arc<AtomicUsize>, per_second: f64, total: usize) -> Vec<Duration> {
    let (answered, mut answers) = unbounded_channel();
    let (engine, next, runtime) = (engine.clone(), next.clone(), Handle::current());
    // On a thread of its own: the runtime's clock is too coarse, and its calls would come by the dozen.
    let arrivals = std::thread::spawn(move || {
        let (started, mut sent) = (Instant::now(), 0);
        while sent < total {
            let due = ((started.elapsed().as_secs_f64() * per_second) as usize).min(total);
            for _ in sent..due {
                let (engine, n, answered) = (engine.clone(), next.fetch_add(1, Ordering::Relaxed), answered.clone());
                let arrived = Instant::now();
                runtime.spawn(async move {
                    track(&engine, n).await;
                    answered.send(arrived.elapsed()).expect("who counts waits for all");
                });
            }
            sent = due;
            #[expect(clippy::disallowed_methods, reason = "time itself is what calls arrive by")]
            std::thread::sleep(PAUSE);
        }
    });
    let mut latencies = Vec::with_capacity(total);
    while let Some(latency) = answers.recv().await {
        latencies.push(latency);
    }
    arrivals.join().expect("all arrived");
    latencies.sort_unstable();
    latencies
}

#[tokio::main]
async fn main() {
    println!("track: {CUSTOMERS} customers, 4 meters, 2 limits, cache 64 MiB, synchronous FULL on both sides");
    let bench = Bench::open().await;
    let next = Arc::new(AtomicUsize::new(0));
    rate(&bench.engine, &next, 64, 10_000).await;

    let saturated = rate(&bench.engine, &next, 64, 60_000).await;
    let batches = Plain::rate(CUSTOMERS, 64, 60_000).await;
    line("64 callers, against batches of 64", saturated, batches, 0.4, "tracks/s");

    let single = rate(&bench.engine, &next, 1, 3_000).await;
    let commits = Plain::rate(CUSTOMERS, 1, 3_000).await;
    line("one caller, against a commit each", single, commits, 0.8, "tracks/s");
    let bare = Plain::latencies(CUSTOMERS, 5_000).await;
    let calm = latencies(&bench.engine, &next, single / 2.0, CALM).await;
    let plain = Plain::steady(CUSTOMERS, saturated / 2.0, STEADY).await;
    let steady = latencies(&bench.engine, &next, saturated / 2.0, STEADY).await;
    for (what, times) in [
        ("a bare commit", &bare),
        ("track, half of one caller's", &calm),
        ("plain SQLite, same arrivals", &plain),
        ("track, half of 64 callers'", &steady),
    ] {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| quantile(times, q));
        println!("{what:<28} p50 {p50:>9.2?}  p99 {p99:>9.2?}  p99.9 {p999:>9.2?}");
    }
    for (what, times, of, other, wanted) in [
        ("one caller's", &calm, "a bare commit's", &bare, WANTED),
        ("64 callers'", &steady, "a bare commit's", &bare, WANTED),
        ("64 callers'", &steady, "plain SQLite's", &plain, WANTED_OF_PLAIN),
    ] {
        let ratio = quantile(times, 0.99).as_secs_f64() / quantile(other, 0.99).as_secs_f64();
        let verdict = if ratio <= wanted { "ok" } else { "ABOVE" };
        println!("p99 at half of {what} rate: {ratio:.2} of {of} (wanted at most {wanted:.2}) {verdict}");
    }
    bench.engine.close().await;
}
