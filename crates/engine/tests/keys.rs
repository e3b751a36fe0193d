//! Keys: their own rate limits, and secrets that are rotated.

mod common;

use common::{Bench, actor, at};
use weir_core::error::Code;
use weir_engine::Error;
use weir_engine::model::{Change, KeyPatch, NewKey, NewKeyAnswer, RotateKey, Scope};

const NOW: &str = "2026-03-10T12:00:00Z";

async fn key(bench: &Bench, per_minute: Change<u32>, per_day: Change<u32>) -> NewKeyAnswer {
    let new = NewKey { name: "worker".to_owned(), scope: Scope::Ingest, expires_at: None, per_minute, per_day };
    bench.engine.create_key(&actor(), new).await.unwrap()
}

/// How many calls in a row are admitted, and when to come back.
fn calls(bench: &Bench, secret: &str) -> (u32, Option<u32>) {
    for admitted in 0..2_000 {
        match bench.engine.authenticate(secret) {
            Ok(_) => {}
            Err(Error::TooManyCalls { retry_after_seconds, .. }) => return (admitted, Some(retry_after_seconds)),
            Err(error) => panic!("{error}"),
        }
    }
    (2_000, None)
}

#[tokio::test]
async fn a_key_makes_as_many_calls_as_it_may_in_any_minute_and_any_day() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Change::Set(3), Change::Set(5)).await;
    let other = key(&bench, Change::Clear, Change::Clear).await;
    assert_eq!(calls(&bench, &made.key), (3, Some(61)), "a hundredth of a minute late, never early");
    assert_eq!(calls(&bench, &other.key), (2_000, None));
    bench.clock.set(at("2026-03-10T12:00:59Z"));
    assert_eq!(calls(&bench, &made.key).0, 0);
    bench.clock.set(at("2026-03-10T12:01:01Z"));
    assert_eq!(calls(&bench, &made.key).0, 2, "the day's are made");
    bench.clock.set(at("2026-03-10T13:00:00Z"));
    let (admitted, wait) = calls(&bench, &made.key);
    assert!(admitted == 0 && wait.is_some_and(|wait| wait > 80_000), "{wait:?}");
    let patch = KeyPatch { per_day: Change::Clear, ..KeyPatch::default() };
    bench.engine.update_key(&actor(), made.id, patch).await.unwrap();
    assert_eq!(calls(&bench, &made.key).0, 3, "a changed limit counts what was counted before");
}

#[tokio::test]
async fn a_restart_gives_no_calls_back() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Change::Set(3), Change::Set(5)).await;
    assert_eq!(calls(&bench, &made.key).0, 3);
    let bench = bench.reopen().await;
    assert_eq!(calls(&bench, &made.key), (0, Some(61)));
    bench.clock.set(at("2026-03-10T12:01:01Z"));
    assert_eq!(calls(&bench, &made.key).0, 2, "the rest of the day's");
    let bench = bench.reopen().await;
    bench.clock.set(at("2026-03-10T12:03:00Z"));
    assert_eq!(calls(&bench, &made.key).0, 0, "the day's are made");
    bench.clock.set(at("2026-03-11T12:16:00Z"));
    assert_eq!(calls(&bench, &made.key).0, 3);
}

#[tokio::test]
async fn no_wait_is_told_longer_than_the_window_and_a_hundredth() {
    let bench = Bench::open_at("2026-03-10T12:00:00.012345Z").await;
    let made = key(&bench, Change::Set(1), Change::Clear).await;
    assert_eq!(calls(&bench, &made.key), (1, Some(61)), "just past a second, at the start of a slot");
    bench.clock.set(at("2026-03-10T12:01:00.512345Z"));
    assert_eq!(calls(&bench, &made.key), (0, Some(1)));
}

#[tokio::test]
async fn who_says_nothing_gets_the_usual_limits() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Change::Keep, Change::Keep).await;
    assert_eq!(calls(&bench, &made.key).0, 1_000);
    let known = bench.engine.keys().await.unwrap().into_iter().find(|key| key.id == made.id).unwrap();
    assert_eq!((known.per_minute, known.per_day), (Some(1_000), Some(100_000)));
}

#[tokio::test]
async fn a_rotated_secret_is_good_for_a_while_beside_the_new_one_also_after_a_restart() {
    let bench = Bench::open_at(NOW).await;
    let first = key(&bench, Change::Clear, Change::Clear).await;
    let rotate = |overlap_seconds| RotateKey { overlap_seconds };
    let second = bench.engine.rotate_key(&actor(), first.id, rotate(3_600)).await.unwrap();
    assert_ne!(first.key, second.key);
    let bench = bench.reopen().await;
    for secret in [&first.key, &second.key] {
        assert_eq!(bench.engine.authenticate(secret).unwrap().key, first.id);
    }
    bench.clock.set(at("2026-03-10T13:00:00Z"));
    assert_eq!(bench.engine.authenticate(&first.key).unwrap_err().code(), Code::ExpiredApiKey);
    assert!(bench.engine.authenticate(&second.key).is_ok());
    let third = bench.engine.rotate_key(&actor(), first.id, rotate(3_600)).await.unwrap();
    let fourth = bench.engine.rotate_key(&actor(), first.id, rotate(3_600)).await.unwrap();
    assert_eq!(bench.engine.authenticate(&second.key).unwrap_err().code(), Code::InvalidApiKey, "one before the last");
    assert!(bench.engine.authenticate(&third.key).is_ok());
    bench.engine.revoke_key(&actor(), first.id).await.unwrap();
    for secret in [&third.key, &fourth.key] {
        assert_eq!(bench.engine.authenticate(secret).unwrap_err().code(), Code::InvalidApiKey);
    }
    let late = bench.engine.rotate_key(&actor(), first.id, rotate(0)).await.unwrap_err();
    assert_eq!(late.code(), Code::Conflict);
}
