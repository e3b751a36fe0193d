//! `weir serve`, killed in the middle of calls whose callers try again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Client;
use serde_json::{Value, json};

use crate::harness::{self, Place, create, random_below};

const ROUNDS: usize = 20;
const CONNECTIONS: usize = 64;
const LIMIT: usize = 20;
const CALLS: usize = 10 * LIMIT;
/// Calls with this model are limited once more.
const SMALL: usize = 8;

/// Everyone who calls, and what they were answered.
struct Callers {
    client: Client,
    key: String,
    customer: String,
    /// By call: the event it was recorded as, or that it was refused.
    answers: Mutex<Vec<Option<Result<String, ()>>>>,
    admitted: AtomicUsize,
}

impl Callers {
    fn small(n: usize) -> bool {
        n.is_multiple_of(2)
    }

    fn event(&self, n: usize) -> Value {
        let model = if Callers::small(n) { "small" } else { "large" };
        json!({"customerId": self.customer, "eventType": "call", "model": model, "idempotencyKey": format!("call-{n}")})
    }

    /// Makes every call, on 64 connections, answered before or not. Where the server has gone, calls stay without an answer.
    async fn call_all(self: &Arc<Self>, address: &str) {
        let next = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (callers, next) = (self.clone(), next.clone());
                let url = format!("{address}/v1/track");
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= CALLS {
                            return;
                        }
                        callers.call(&url, n).await;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    }

    async fn call(&self, url: &str, n: usize) {
        let request = self.client.post(url).bearer_auth(&self.key).header("content-type", "application/json");
        let Ok(reply) = request.body(self.event(n).to_string()).send().await else { return };
        let status = reply.status().as_u16();
        // Killed in the middle of an answer, it was none.
        let Ok(text) = reply.text().await else { return };
        let body: Value = serde_json::from_str(&text).unwrap();
        let answer = match status {
            201 => Ok(body["id"].as_str().unwrap().to_owned()),
            429 => {
                assert_eq!(body["error"]["code"], "limit_exceeded", "{text}");
                Err(())
            }
            _ => panic!("{status}: {text}"),
        };
        self.admitted.fetch_add(usize::from(answer.is_ok()), Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        match &answers[n] {
            Some(first) => assert_eq!(*first, answer, "call {n} answered as the first time"),
            None => answers[n] = Some(answer),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_midway_exactly_the_limit_is_admitted_in_every_round() {
    let place = Place::new();
    let key = place.key("manage");
    let mut serving = place.serve();
    let client = harness::client();
    let meter = json!({"name": "calls", "aggregation": "count", "field": "*"});
    let meter = create(&client, &serving, &key, "/v1/meters", meter).await["id"].clone();
    let limit = json!({"name": "all", "meterId": meter, "limitValue": LIMIT, "period": "month"});
    create(&client, &serving, &key, "/v1/limits", limit).await;
    let small = json!({"name": "small", "meterId": meter, "limitValue": SMALL, "period": "all_time",
        "dimensionFilters": {"model": "small"}});
    create(&client, &serving, &key, "/v1/limits", small).await;
    for round in 0..ROUNDS {
        let callers = Arc::new(Callers {
            client: harness::client(),
            key: key.clone(),
            customer: format!("customer-{round}"),
            answers: Mutex::new(vec![None; CALLS]),
            admitted: AtomicUsize::new(0),
        });
        let calling = {
            let (callers, address) = (callers.clone(), serving.address.clone());
            tokio::spawn(async move { callers.call_all(&address).await })
        };
        let enough = random_below(LIMIT);
        while callers.admitted.load(Ordering::Relaxed) < enough && !calling.is_finished() {
            tokio::task::yield_now().await;
        }
        drop(serving);
        calling.await.unwrap();
        serving = place.serve();
        callers.call_all(&serving.address.clone()).await;

        let answers = callers.answers.lock().unwrap().clone();
        assert!(answers.iter().all(Option::is_some), "everyone is answered in the end");
        let admitted = answers.iter().enumerate().filter_map(|(n, answer)| Some((n, answer.as_ref()?.as_ref().ok()?)));
        let (small, ids): (Vec<_>, BTreeSet<_>) = admitted.map(|(n, id)| (Callers::small(n), id)).unzip();
        assert_eq!((small.len(), ids.len()), (LIMIT, LIMIT), "round {round}");
        assert!(small.iter().filter(|small| **small).count() <= SMALL, "round {round}");
        let path = format!("/v1/events?customerId=customer-{round}&limit=100");
        let recorded = serving.get(&path, &key)["data"].as_array().unwrap().len();
        assert_eq!(recorded, LIMIT, "round {round}: what is recorded is what was answered");
    }
    drop(serving);
    place.doctor();
}
