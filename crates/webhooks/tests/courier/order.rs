//! In order for each endpoint, without waiting for others, and on again after a restart.

use tokio::sync::watch;
use weir_engine::model::{DeliveryState, RotateWebhook};
use weir_webhooks::signature;

use super::answers::decoded;
use super::bench::{Bench, operator, patience, soon};
use super::receiver::{Act, Receiver};

const DELIVERED: DeliveryState = DeliveryState::Delivered;
const WAITING: DeliveryState = DeliveryState::Waiting;

#[tokio::test]
async fn one_of_a_hundred_endpoints_hangs_and_the_others_get_theirs_meanwhile() {
    let bench = Bench::open(patience(600_000)).await;
    let (let_go, held) = watch::channel(false);
    let mut hanging = Receiver::start(move |_| Act::Hold(held.clone())).await;
    let hanging_id = bench.hook(&hanging.url, true).await;
    bench.ping(hanging_id).await;
    let first = hanging.next().await;
    let mut good = Receiver::good().await;
    let mut others = Vec::new();
    for _ in 0..99 {
        others.push(bench.hook(&good.url, true).await);
    }
    for _ in 0..2 {
        bench.ping(hanging_id).await;
        for id in &others {
            bench.ping(*id).await;
        }
    }
    for _ in 0..198 {
        good.next().await;
    }
    for id in &others {
        bench.until(*id, |all| all.len() == 2 && all.iter().all(|each| each.state == DELIVERED)).await;
    }
    let waiting = bench.deliveries(hanging_id).await;
    assert!(waiting.len() == 3 && waiting.iter().all(|each| each.state == WAITING && each.attempts.is_empty()));
    assert_eq!(hanging.count(), 1, "one message at a time");
    let_go.send_replace(true);
    let all = bench.until(hanging_id, |all| all.iter().all(|each| each.state == DELIVERED)).await;
    let order: Vec<_> = std::iter::once(first).chain(hanging.rest()).map(|request| request.id().to_owned()).collect();
    assert_eq!(order, all.iter().map(|each| each.message_id.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn messages_arrive_in_order_however_often_they_fail() {
    let bench = Bench::open(patience(60_000)).await;
    // Of every four attempts one goes well.
    let mut receiver = Receiver::start(|n| match n % 4 {
        0 => Act::Reset,
        1 => Act::Answer(503),
        2 => Act::Say(b"what?".to_vec()),
        _ => Act::Answer(200),
    })
    .await;
    let id = bench.hook(&receiver.url, true).await;
    for _ in 0..12 {
        bench.ping(id).await;
    }
    let mut arrived: Vec<String> = Vec::new();
    for number in 1..=48 {
        arrived.push(receiver.next().await.id().to_owned());
        bench.until(id, |all| all.iter().map(|each| each.attempts.len()).sum::<usize>() >= number).await;
        bench.later(600);
    }
    let all = bench.deliveries(id).await;
    let tries: Vec<_> = all.iter().map(|each| (each.state, each.attempts.len())).collect();
    assert_eq!(tries, [(DELIVERED, 4); 12], "{:?}", all[0].attempts);
    arrived.dedup();
    assert_eq!(arrived, all.iter().map(|each| each.message_id.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stop_lets_what_is_under_way_end_and_the_next_start_goes_on() {
    let mut bench = Bench::open(patience(60_000)).await;
    let (let_go, held) = watch::channel(false);
    let mut receiver = Receiver::start(move |_| Act::Hold(held.clone())).await;
    let id = bench.hook(&receiver.url, true).await;
    for _ in 0..3 {
        bench.ping(id).await;
    }
    let first = receiver.next().await;
    let courier = bench.courier.take().unwrap();
    let stopping = tokio::spawn(courier.stop());
    let_go.send_replace(true);
    soon(stopping).await.unwrap();
    let all = bench.deliveries(id).await;
    assert_eq!(all.iter().map(|each| each.state).collect::<Vec<_>>(), [DELIVERED, WAITING, WAITING]);
    let bench = bench.reopen(patience(60_000)).await;
    bench.until(id, |all| all.iter().all(|each| each.state == DELIVERED)).await;
    let ids: Vec<_> = std::iter::once(first).chain(receiver.rest()).map(|request| request.id().to_owned()).collect();
    assert_eq!(ids, all.iter().map(|each| each.message_id.to_string()).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn while_a_secret_is_rotated_both_sign() {
    let bench = Bench::open(patience(60_000)).await;
    let mut receiver = Receiver::good().await;
    let id = bench.hook(&receiver.url, true).await;
    let old = decoded(&bench.engine.webhook(id).await.unwrap().secret);
    let rotated = bench.engine.rotate_webhook(&operator(), id, RotateWebhook { overlap_seconds: 3_600 }).await.unwrap();
    let new = decoded(&rotated.secret);
    for (seconds, expected) in [(0, vec![&new, &old]), (3_599, vec![&new, &old]), (1, vec![&new])] {
        bench.later(seconds);
        bench.ping(id).await;
        let request = receiver.next().await;
        let at: i64 = request.headers["webhook-timestamp"].parse().unwrap();
        let expected: Vec<_> =
            expected.iter().map(|secret| signature(secret, request.id(), at, &request.body)).collect();
        assert_eq!(request.headers["webhook-signature"], expected.join(" "));
    }
}

#[tokio::test]
async fn without_the_key_nothing_is_sent_and_rotating_has_it_sent() {
    let mut bench = Bench::open(patience(60_000)).await;
    let mut receiver = Receiver::good().await;
    let id = bench.hook(&receiver.url, true).await;
    bench.stop().await;
    bench.ping(id).await;
    std::fs::remove_file(bench.dir.path().join("secret.key")).unwrap();
    let bench = bench.reopen(patience(60_000)).await;
    let noted = bench.tried(id, 1).await.attempts.swap_remove(0);
    assert!(noted.attempt.error.unwrap().contains("rotate the endpoint's secret") && noted.attempt.status.is_none());
    assert!(!noted.request_headers.contains_key("webhook-signature"), "no empty signature is on record");
    assert_eq!(receiver.count(), 0);
    bench.engine.rotate_webhook(&operator(), id, RotateWebhook { overlap_seconds: 0 }).await.unwrap();
    bench.later(10);
    receiver.next().await;
    bench.until(id, |all| all[0].state == DELIVERED).await;
}
