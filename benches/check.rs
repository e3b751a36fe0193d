//! Checks in process with 100,000 resident customers, beside a bare look-up in a map of as many.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use weir_benches::{Bench, event, quantile};
use weir_engine::Actor;
use weir_engine::model::Check;

const CUSTOMERS: usize = 100_000;
const CHECKS: usize = 500_000;
/// What a check may take at the 99th percentile.
const WANTED: Duration = Duration::from_micros(20);

#[tokio::main]
async fn main() {
    let bench = Bench::open().await;
    let mut n = 0;
    while n < CUSTOMERS {
        let events = (n..n + 1_000).map(|n| event(n, CUSTOMERS)).collect();
        bench.engine.record_batch(&Actor::system(), events).await.expect("recorded");
        n += 1_000;
    }
    let names: Vec<String> = (0..CUSTOMERS).map(|n| format!("customer-{n:06}")).collect();
    for name in &names {
        let check = Check { customer_id: name.clone(), ..Check::default() };
        assert_eq!(bench.engine.check(check).await.expect("an answer").limits.len(), 2);
    }
    let order: Vec<usize> = (0..CHECKS).map(|n| n.wrapping_mul(2_654_435_761) % CUSTOMERS).collect();

    let map: HashMap<String, usize> = names.iter().cloned().zip(0..).collect();
    let mut bare: Vec<Duration> = Vec::with_capacity(CHECKS);
    for &n in &order {
        let started = Instant::now();
        black_box(map.get(black_box(&names[n])));
        bare.push(started.elapsed());
    }
    let mut checks: Vec<Duration> = Vec::with_capacity(CHECKS);
    for &n in &order {
        let check = Check { customer_id: names[n].clone(), ..Check::default() };
        let started = Instant::now();
        black_box(bench.engine.check(check).await.expect("an answer"));
        checks.push(started.elapsed());
    }
    bare.sort_unstable();
    checks.sort_unstable();
    println!("check: {CUSTOMERS} resident customers, 2 limits each, {CHECKS} checks in random order");
    for (what, times) in [("a bare map look-up", &bare), ("check in process", &checks)] {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| quantile(times, q));
        println!("{what:<24} p50 {p50:>9.2?}  p99 {p99:>9.2?}  p99.9 {p999:>9.2?}");
    }
    let p99 = quantile(&checks, 0.99);
    println!("p99 of check {p99:.2?} (wanted under {WANTED:.0?}) {}", if p99 < WANTED { "ok" } else { "ABOVE" });
    bench.engine.close().await;
}
