//! Recording, beside the best that plain SQLite does with the same rows on the same disk in the same run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use weir_benches::{Bench, Plain, event, line};
use weir_engine::Actor;

/// Events per second through the engine: `callers` at a time, each recording batches of a size and waiting for the answer.
async fn engine_rate(customers: usize, callers: usize, batch: usize, total: usize) -> f64 {
    let bench = Bench::open().await;
    let next = Arc::new(AtomicUsize::new(0));
    let run = |until: usize| {
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let (engine, next) = (bench.engine.clone(), next.clone());
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(batch, Ordering::Relaxed);
                        if n >= until {
                            break;
                        }
                        let events: Vec<_> = (n..n + batch).map(|n| event(n, customers)).collect();
                        if batch == 1 {
                            let event = events.into_iter().next().expect("one event");
                            engine.record(&Actor::system(), event).await.expect("recorded");
                        } else {
                            for chunk in events.chunks(1_000) {
                                engine.record_batch(&Actor::system(), chunk.to_vec()).await.expect("recorded");
                            }
                        }
                    }
                })
            })
            .collect();
        async move {
            for task in tasks {
                task.await.expect("a caller");
            }
        }
    };
    run(total / 10).await;
    let warm = next.load(Ordering::Relaxed);
    next.store(warm, Ordering::Relaxed);
    let before = bench.engine.status().await.expect("status").events;
    let started = Instant::now();
    run(warm + total).await;
    let elapsed = started.elapsed().as_secs_f64();
    let recorded = bench.engine.status().await.expect("status").events - before;
    bench.engine.close().await;
    recorded as f64 / elapsed
}

#[tokio::main]
async fn main() {
    println!("ingest: 4 meters, 2 limits, cache 64 MiB, synchronous FULL on both sides");
    let limit = Plain::rate(1_000, 1_000, 300_000).await;
    line(
        "batches of 1,000, 1,000 customers, 1 caller",
        engine_rate(1_000, 1, 1_000, 300_000).await,
        limit,
        0.5,
        "events/s",
    );
    line(
        "batches of 1,000, 1,000 customers, 4 callers",
        engine_rate(1_000, 4, 1_000, 300_000).await,
        limit,
        0.5,
        "events/s",
    );
    let large = Plain::rate(1_000, 10_000, 300_000).await;
    line(
        "batches of 1,000 from 10 callers, against 10,000",
        engine_rate(1_000, 10, 1_000, 300_000).await,
        large,
        0.0,
        "events/s",
    );
    let wide = Plain::rate(100_000, 1_000, 300_000).await;
    line(
        "batches of 1,000, 100,000 customers, 4 callers",
        engine_rate(100_000, 4, 1_000, 300_000).await,
        wide,
        0.0,
        "events/s",
    );
    let small = Plain::rate(1_000, 64, 60_000).await;
    let singles = engine_rate(1_000, 64, 1, 60_000).await;
    line("64 concurrent single records, against batches of 64", singles, small, 0.4, "events/s");
    let one = Plain::rate(1_000, 1, 3_000).await;
    line("64 concurrent single records, against one commit each", singles, one, 5.0, "events/s");
}
