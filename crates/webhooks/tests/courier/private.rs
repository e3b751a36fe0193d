//! What names lead to: private networks are reached by permission alone, whatever was there a moment ago.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use weir_core::id::WebhookId;
use weir_engine::model::{DeliveryState, WebhookPatch};
use weir_webhooks::{LookingUp, Lookup, Setup};

use super::bench::{Bench, operator};
use super::receiver::Receiver;

/// Names that lead wherever the test says, and who asked.
#[derive(Default)]
struct Names {
    leads_to: Mutex<Vec<IpAddr>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn lead_to(&self, addresses: &[&str]) {
        *self.leads_to.lock().unwrap() = addresses.iter().map(|address| address.parse().unwrap()).collect();
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

struct Shared(Arc<Names>);

impl Lookup for Shared {
    fn lookup(&self, name: &str) -> LookingUp {
        self.0.asked.lock().unwrap().push(name.to_owned());
        let found = self.0.leads_to.lock().unwrap().clone();
        Box::pin(async move {
            match found.first() {
                Some(address) if address.is_unspecified() && found.len() > 1 => {
                    Err(std::io::Error::other("no such name"))
                }
                _ => Ok(found),
            }
        })
    }
}

async fn open() -> (Bench, Arc<Names>) {
    let names = Arc::new(Names::default());
    let bench = Bench::open(Setup { names: Arc::new(Shared(names.clone())), ..Setup::default() }).await;
    (bench, names)
}

async fn enable(bench: &Bench, id: WebhookId) {
    bench.engine.enable_webhook(&operator(), id).await.unwrap();
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_followed_whenever_it_comes_to_do_so() {
    let (bench, names) = open().await;
    let mut receiver = Receiver::good().await;
    let id = bench.hook(&format!("http://hooks.example.com:{}/hooks", receiver.port), false).await;
    assert_eq!(names.asked().len(), 0, "what it leads to when it is made says nothing of later");
    let mut tries = 0;
    for (addresses, private) in [
        (vec!["127.0.0.1"], "127.0.0.1"),
        (vec!["127.8.8.8"], "127.8.8.8"),
        (vec!["::1"], "::1"),
        (vec!["::ffff:127.0.0.1"], "::ffff:127.0.0.1"),
        (vec!["::127.0.0.1"], "::7f00:1"),
        (vec!["64:ff9b::7f00:1"], "64:ff9b::7f00:1"),
        (vec!["64:ff9b:1::7f00:1"], "64:ff9b:1::7f00:1"),
        (vec!["2002:7f00:1::"], "2002:7f00:1::"),
        (vec!["0.0.0.0"], "0.0.0.0"),
        (vec!["::"], "::"),
        (vec!["10.0.0.1"], "10.0.0.1"),
        (vec!["169.254.169.254"], "169.254.169.254"),
        (vec!["fd00:ec2::254"], "fd00:ec2::254"),
        (vec!["fe80::1"], "fe80::1"),
        (vec!["100.64.0.1"], "100.64.0.1"),
        (vec!["192.168.0.1"], "192.168.0.1"),
        (vec!["255.255.255.255"], "255.255.255.255"),
        (vec!["1.1.1.1", "127.0.0.1"], "127.0.0.1"),
        (vec!["127.0.0.1", "1.1.1.1"], "127.0.0.1"),
        (vec!["2606:4700::1111", "1.1.1.1", "::1"], "::1"),
    ] {
        names.lead_to(&addresses);
        match tries {
            0 => bench.ping(id).await,
            _ => enable(&bench, id).await,
        }
        tries += 1;
        let known = bench.tried(id, tries).await;
        let said = known.attempts[tries - 1].attempt.error.clone().unwrap();
        let expected = format!(
            "the name leads to {private}, on this machine or in a private network, which the endpoint does not allow"
        );
        assert!(said.ends_with(&expected), "{addresses:?}: {said}");
        assert_eq!(names.asked().len(), tries, "looked up once for each attempt");
    }
    assert_eq!(receiver.count(), 0);
    assert!(names.asked().iter().all(|name| name == "hooks.example.com"));
    // Permission lifts it, at once.
    names.lead_to(&["127.0.0.1"]);
    let patch = WebhookPatch { allow_private: Some(true), ..WebhookPatch::default() };
    bench.engine.update_webhook(&operator(), id, patch).await.unwrap();
    let request = receiver.next().await;
    assert_eq!(request.headers["host"], format!("hooks.example.com:{}", receiver.port));
    bench.until(id, |all| all[0].state == DeliveryState::Delivered).await;
}

#[tokio::test]
async fn a_name_that_leads_nowhere_says_so() {
    let (bench, names) = open().await;
    let id = bench.hook("https://hooks.example.com", false).await;
    bench.ping(id).await;
    let nowhere = bench.tried(id, 1).await.attempts[0].attempt.error.clone().unwrap();
    assert!(nowhere.ends_with("the name leads to no address"), "{nowhere}");
    names.lead_to(&["0.0.0.0", "0.0.0.0"]);
    enable(&bench, id).await;
    let unknown = bench.tried(id, 2).await.attempts[1].attempt.error.clone().unwrap();
    assert!(unknown.ends_with("no such name"), "{unknown}");
}

#[tokio::test]
async fn the_connection_goes_to_the_very_address_that_was_looked_at() {
    let (bench, names) = open().await;
    let mut here = Receiver::good().await;
    let mut there =
        Receiver::start_at(&format!("127.0.0.2:{}", here.port), |_| super::receiver::Act::Answer(200)).await;
    let id = bench.hook(&format!("http://hooks.example.com:{}/", here.port), true).await;
    for (turn, address) in ["127.0.0.1", "127.0.0.2", "127.0.0.1"].into_iter().enumerate() {
        names.lead_to(&[address]);
        bench.ping(id).await;
        match address {
            "127.0.0.1" => here.next().await,
            _ => there.next().await,
        };
        bench.until(id, |all| all.len() == turn + 1 && all[turn].state == DeliveryState::Delivered).await;
        assert_eq!(names.asked().len(), turn + 1);
    }
    assert_eq!((here.count(), there.count()), (2, 1));
}
