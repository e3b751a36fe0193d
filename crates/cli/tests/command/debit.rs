//! One hot balance: ten thousand debits that want more than there is, also where the server is killed in the middle of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Client;
use serde_json::{Value, json};

use crate::harness::{Place, Serving, client, create, random_below};

const ROUNDS: usize = 20;
const CONNECTIONS: usize = 64;
/// Debits of one each. The whole proof takes 10,000: set `WEIR_HOT_DEBITS`.
const DEBITS: usize = 300;

/// Everyone who debits, and what they were answered.
struct Callers {
    client: Client,
    key: String,
    customer: String,
    /// By debit: the entry it was booked as, or that there was too little.
    answers: Mutex<Vec<Option<Result<String, ()>>>>,
    booked: AtomicUsize,
}

impl Callers {
    /// Makes every debit, on 64 connections, answered before or not. Where the server has gone, they stay without an answer.
    async fn call_all(self: &Arc<Self>, address: &str) {
        let next = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (callers, next) = (self.clone(), next.clone());
                let url = format!("{address}/v1/balances/debit");
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= debits() {
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
        let mut debit = json!({"customerId": self.customer, "name": "credits", "amount": 1});
        let mut request = self.client.post(url).bearer_auth(&self.key).header("content-type", "application/json");
        // By the ledger's own key, or by that of the request.
        let key = format!("{}-debit-{n}", self.customer);
        match n % 2 {
            0 => debit["idempotencyKey"] = json!(key),
            _ => request = request.header("idempotency-key", key),
        }
        let Ok(reply) = request.body(debit.to_string()).send().await else { return };
        let status = reply.status().as_u16();
        // Killed in the middle of an answer, it was none.
        let Ok(text) = reply.text().await else { return };
        assert_eq!(status, 200, "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        let answer = match body["success"].as_bool().unwrap() {
            true => Ok(body["transaction"]["id"].as_str().unwrap().to_owned()),
            false => Err(()),
        };
        self.booked.fetch_add(usize::from(answer.is_ok()), Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        match &answers[n] {
            Some(first) => assert_eq!(*first, answer, "debit {n} answered as the first time"),
            None => answers[n] = Some(answer),
        }
    }
}

fn debits() -> usize {
    std::env::var("WEIR_HOT_DEBITS").ok().and_then(|given| given.parse().ok()).unwrap_or(DEBITS)
}

async fn round(place: &Place, mut serving: Serving, key: &str, round: usize, is_killed: bool) -> Serving {
    let (debits, customer) = (debits(), format!("customer-{round}-{is_killed}"));
    let balance = json!({"customerId": customer, "name": "credits", "initialBalance": debits / 2});
    let balance = create(&client(), &serving, key, "/v1/balances", balance).await["id"].clone();
    let callers = Arc::new(Callers {
        client: client(),
        key: key.to_owned(),
        customer,
        answers: Mutex::new(vec![None; debits]),
        booked: AtomicUsize::new(0),
    });
    if is_killed {
        let calling = {
            let (callers, address) = (callers.clone(), serving.address.clone());
            tokio::spawn(async move { callers.call_all(&address).await })
        };
        let enough = random_below(debits / 2);
        while callers.booked.load(Ordering::Relaxed) < enough && !calling.is_finished() {
            tokio::task::yield_now().await;
        }
        drop(serving);
        calling.await.unwrap();
        serving = place.serve();
    }
    callers.call_all(&serving.address.clone()).await;

    let answers = callers.answers.lock().unwrap().clone();
    assert!(answers.iter().all(Option::is_some), "everyone is answered in the end");
    let mut ids: Vec<_> = answers.iter().flatten().flatten().collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), debits / 2, "round {round}: exactly what was there was debited");
    let statement = serving.get(&format!("/v1/balances/{}/statement", balance.as_str().unwrap()), key);
    assert_eq!((&statement["debited"], &statement["closingBalance"]), (&json!(debits / 2), &json!(0)));
    assert_eq!(statement["entries"], debits / 2 + 1, "round {round}: what is booked is what was answered");
    serving
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_debits_for_more_than_there_is_exactly_what_there_is_succeeds_killed_or_not() {
    let place = Place::new();
    let key = place.key("manage");
    let mut serving = place.serve();
    for number in 0..ROUNDS {
        serving = round(&place, serving, &key, number, number % 2 == 1).await;
    }
    drop(serving);
    place.doctor();
}
