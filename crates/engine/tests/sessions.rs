//! Sessions of the console: as good as the key that they were begun with, for a week at most.

mod common;

use common::{Bench, actor, at};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use weir_core::error::Code;
use weir_engine::model::{Change, KeyPatch, NewKey, NewKeyAnswer, RotateKey, Scope};
use weir_engine::{Actor, DATA_FILE, Error, MOST_SESSIONS, restore};

const NOW: &str = "2026-03-10T12:00:00Z";
const WEEK_LATER: &str = "2026-03-17T12:00:00Z";

async fn key(bench: &Bench, scope: Scope) -> NewKeyAnswer {
    let new = NewKey {
        name: "console".to_owned(),
        scope,
        expires_at: None,
        per_minute: Change::Clear,
        per_day: Change::Clear,
    };
    bench.engine.create_key(&actor(), new).await.unwrap()
}

async fn begin(bench: &Bench, key: &str) -> String {
    bench.engine.sign_in(key).await.unwrap().token
}

async fn refused(bench: &Bench, token: &str) -> Code {
    bench.engine.authenticate_session(token).await.unwrap_err().code()
}

/// How many sessions the file holds.
async fn kept(bench: &Bench) -> i64 {
    let path = bench.dir.path().join(DATA_FILE);
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM session").fetch_one(&mut file).await.unwrap()
}

#[tokio::test]
async fn a_session_is_its_key_by_another_name() {
    let bench = Bench::open_at(NOW).await;
    for scope in [Scope::Read, Scope::Ingest, Scope::Manage] {
        let made = key(&bench, scope).await;
        let new = bench.engine.sign_in(&made.key).await.unwrap();
        assert!(new.token.starts_with("weir_cs_") && new.token.len() == 72);
        assert!(!format!("{new:?}").contains(&new.token), "not for any log");
        let found = bench.engine.authenticate_session(&new.token).await.unwrap();
        for session in [&new.session, &found] {
            let caller = &session.caller;
            assert_eq!((&caller.actor, caller.scope, caller.key), (&Actor::key(made.id.to_string()), scope, made.id));
            assert_eq!((&*session.key_name, session.expires_at), ("console", at(WEEK_LATER)));
            assert_eq!(caller.until, Some(at(WEEK_LATER)));
        }
        // Neither opens what the other does.
        assert_eq!(bench.engine.authenticate(&new.token).unwrap_err().code(), Code::InvalidApiKey);
        assert_eq!(refused(&bench, &made.key).await, Code::InvalidApiKey);
    }
    for unknown in ["", "weir_cs_", "weir_cs_0000", "weir_sk_0000"] {
        assert_eq!(refused(&bench, unknown).await, Code::InvalidApiKey, "{unknown}");
        assert_eq!(bench.engine.sign_in(unknown).await.unwrap_err().code(), Code::InvalidApiKey, "{unknown}");
    }
}

#[tokio::test]
async fn a_session_is_over_after_a_week_and_let_go_of_with_the_next_one() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Scope::Read).await;
    let first = begin(&bench, &made.key).await;
    bench.clock.set(at("2026-03-17T11:59:59.999999Z"));
    assert!(bench.engine.authenticate_session(&first).await.is_ok(), "use does not make it longer");
    let second = begin(&bench, &made.key).await;
    bench.clock.set(at(WEEK_LATER));
    assert_eq!(refused(&bench, &first).await, Code::ExpiredApiKey);
    assert!(bench.engine.authenticate_session(&second).await.is_ok());
    assert_eq!(kept(&bench).await, 2);
    begin(&bench, &made.key).await;
    assert_eq!(kept(&bench).await, 2);
    assert_eq!(refused(&bench, &first).await, Code::InvalidApiKey);
}

#[tokio::test]
async fn a_restart_signs_nobody_out() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Scope::Ingest).await;
    let token = begin(&bench, &made.key).await;
    let gone = begin(&bench, &made.key).await;
    bench.engine.sign_out(&gone).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.authenticate_session(&token).await.unwrap().caller.key, made.id);
    assert_eq!(refused(&bench, &gone).await, Code::InvalidApiKey);
    // The token itself is nowhere in the file.
    bench.engine.close().await;
    let file = std::fs::read(bench.dir.path().join(DATA_FILE)).unwrap();
    assert!(!file.windows(token.len()).any(|part| part == token.as_bytes()));
}

#[tokio::test]
async fn a_restored_backup_lets_no_session_in() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Scope::Manage).await;
    let token = begin(&bench, &made.key).await;
    let backup = bench.dir.path().join("copy.db");
    bench.engine.backup(&actor(), &backup).await.unwrap();
    bench.engine.sign_out(&token).await.unwrap();
    bench.engine.close().await;
    restore::restore(&backup, bench.dir.path()).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(refused(&bench, &token).await, Code::InvalidApiKey);
    assert!(bench.engine.sign_in(&made.key).await.is_ok(), "the key is still good");
}

#[tokio::test]
async fn signing_out_ends_one_session_and_may_be_repeated() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Scope::Manage).await;
    let (one, other) = (begin(&bench, &made.key).await, begin(&bench, &made.key).await);
    for _ in 0..2 {
        bench.engine.sign_out(&one).await.unwrap();
        assert_eq!(refused(&bench, &one).await, Code::InvalidApiKey);
    }
    assert!(bench.engine.authenticate_session(&other).await.is_ok());
    assert!(bench.engine.authenticate(&made.key).is_ok());
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let bench = Bench::open_at(NOW).await;
    let made = key(&bench, Scope::Manage).await;
    let token = begin(&bench, &made.key).await;
    let patch = |at| KeyPatch { expires_at: Change::Set(at), ..KeyPatch::default() };
    bench.engine.update_key(&actor(), made.id, patch(at("2026-03-11T00:00:00Z"))).await.unwrap();
    let session = bench.engine.authenticate_session(&token).await.unwrap();
    assert_eq!(session.expires_at, at("2026-03-11T00:00:00Z"), "no later than the key");
    assert_eq!(bench.engine.sign_in(&made.key).await.unwrap().session.expires_at, session.expires_at);
    bench.clock.set(session.expires_at);
    assert_eq!(refused(&bench, &token).await, Code::ExpiredApiKey);
    assert_eq!(bench.engine.sign_in(&made.key).await.unwrap_err().code(), Code::ExpiredApiKey);

    let (revoked, stays) = (key(&bench, Scope::Manage).await, key(&bench, Scope::Manage).await);
    let (ended, other) = (begin(&bench, &revoked.key).await, begin(&bench, &stays.key).await);
    bench.engine.revoke_key(&actor(), revoked.id).await.unwrap();
    assert_eq!(refused(&bench, &ended).await, Code::InvalidApiKey);
    assert_eq!(bench.engine.sign_in(&revoked.key).await.unwrap_err().code(), Code::InvalidApiKey);
    assert!(bench.engine.authenticate_session(&other).await.is_ok());
    assert_eq!(kept(&bench).await, 3, "those of the revoked key are let go of");
}

#[tokio::test]
async fn a_session_ends_with_the_secret_that_it_was_begun_with() {
    let bench = Bench::open_at(NOW).await;
    let first = key(&bench, Scope::Manage).await;
    let old = begin(&bench, &first.key).await;
    let second = bench.engine.rotate_key(&actor(), first.id, RotateKey { overlap_seconds: 3_600 }).await.unwrap();
    let new = begin(&bench, &second.key).await;
    let until = bench.engine.authenticate_session(&old).await.unwrap().expires_at;
    assert_eq!(until, at("2026-03-10T13:00:00Z"));
    bench.clock.set(until);
    assert_eq!(refused(&bench, &old).await, Code::ExpiredApiKey);
    assert!(bench.engine.authenticate_session(&new).await.is_ok());
    bench.engine.rotate_key(&actor(), first.id, RotateKey { overlap_seconds: 0 }).await.unwrap();
    assert_eq!(refused(&bench, &new).await, Code::ExpiredApiKey, "who had the old secret has nothing left");
}

#[tokio::test]
async fn a_session_counts_as_its_key_does() {
    let bench = Bench::open_at(NOW).await;
    let new = NewKey {
        name: "few".to_owned(),
        scope: Scope::Read,
        expires_at: None,
        per_minute: Change::Set(3),
        per_day: Change::Clear,
    };
    let made = bench.engine.create_key(&actor(), new).await.unwrap();
    let token = begin(&bench, &made.key).await;
    bench.engine.authenticate_session(&token).await.unwrap();
    bench.engine.authenticate(&made.key).unwrap();
    let refused = bench.engine.authenticate_session(&token).await.unwrap_err();
    assert!(matches!(refused, Error::TooManyCalls { limit: 3, .. }), "{refused}");
    assert!(matches!(bench.engine.sign_in(&made.key).await.unwrap_err(), Error::TooManyCalls { .. }));
    bench.engine.sign_out(&token).await.unwrap();
}

#[tokio::test]
async fn a_key_has_so_many_sessions_and_the_oldest_goes() {
    let bench = Bench::open_at(NOW).await;
    let (made, other) = (key(&bench, Scope::Read).await, key(&bench, Scope::Read).await);
    let beside = begin(&bench, &other.key).await;
    let mut tokens = Vec::new();
    for _ in 0..=MOST_SESSIONS {
        tokens.push(begin(&bench, &made.key).await);
    }
    assert_eq!(refused(&bench, &tokens[0]).await, Code::InvalidApiKey);
    for token in [&tokens[1], &tokens[tokens.len() - 1], &beside] {
        assert!(bench.engine.authenticate_session(token).await.is_ok());
    }
    assert_eq!(kept(&bench).await, i64::from(MOST_SESSIONS) + 1);
}
