//! Real data files of older schemas, as the programs of their time wrote them: brought up to date with everything they hold.

mod common;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use common::{actor, at, check, event, options, quantity};
use flate2::read::GzDecoder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::event::EventInput;
use weir_engine::model::{
    Alert, AlertKind, AlertState, Check, CommitReservation, DebitBalance, ListAlerts, ListBalances, ListLimits,
    ListReservations, ListTransactions, Metered, NewBalance, NewReservation, NewWebhook, ProjectPatch,
    ReservationState, Scope,
};
use weir_engine::{DATA_FILE, Engine, Error, ManualClock, OpenOptions, SCHEMA, doctor};

/// 300 real calls of `acme`, one of `beta` under a key, a limit and an API key, written by the first Weir.
const SCHEMA_1: &[u8] = include_bytes!("old/schema-1.db.gz");

fn unpack(packed: &[u8], dir: &Path) {
    let mut file = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut file).expect("the old file");
    std::fs::write(dir.join(DATA_FILE), file).expect("a copy");
}

async fn schema_of(path: &Path) -> i64 {
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let schema = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut file).await.unwrap();
    file.close().await.unwrap();
    schema
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_backed_up_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    unpack(SCHEMA_1, dir.path());
    let clock = Arc::new(ManualClock::at(at("2026-12-01T00:00:00Z")));
    let engine = Engine::open(OpenOptions::new(dir.path()), clock.clone()).await.unwrap();

    for (customer, used) in [("acme", "634655"), ("beta", "0.1")] {
        let answer = engine.check(check(customer)).await.unwrap();
        assert_eq!((answer.limits.len(), answer.limits[0].used), (1, quantity(used)), "{customer}");
        assert_eq!(answer.limits[0].limit, quantity("1000000.5"));
    }
    let limits = engine.limits(ListLimits::default()).await.unwrap().data;
    assert_eq!((&*limits[0].name, &limits[0].alert_thresholds), ("Tokens in all", &vec![80]));
    // The old key of a caller is still taken, by the same event.
    let once = EventInput {
        customer_id: "beta".to_owned(),
        event_type: "call".to_owned(),
        total_tokens: Some(quantity("0.1")),
        timestamp: Some(at("2024-02-29T23:59:59.999999Z")),
        model: Some("m".to_owned()),
        idempotency_key: Some("once".to_owned()),
        ..EventInput::default()
    };
    let again = engine.record(&actor(), once).await.unwrap().id;
    assert_eq!(again.to_string(), "evt_01a1fec0-9faa-751b-badc-ec831b83a71c");
    // What is new works on what is old.
    assert!(engine.track(&actor(), event("acme", "365345.5")).await.is_ok());
    assert!(engine.track(&actor(), event("acme", "0.000000001")).await.is_err());
    assert!(!engine.check(Check { values: Some(event("acme", "1").values), ..check("acme") }).await.unwrap().allowed);
    engine.close().await;

    assert!(doctor::examine(dir.path()).await.unwrap().is_clean());
    assert_eq!(schema_of(&dir.path().join(DATA_FILE)).await, SCHEMA);
    let backups: Vec<_> =
        std::fs::read_dir(dir.path().join("backups")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(backups.len(), 1);
    assert_eq!(schema_of(&backups[0]).await, 1, "as it was before");

    // Opened again, there is nothing left to do.
    Engine::open(OpenOptions::new(dir.path()), clock).await.unwrap().close().await;
    assert_eq!(std::fs::read_dir(dir.path().join("backups")).unwrap().count(), 1);
}

/// Twelve tracked calls of `acme` under keys `t1` to `t12`, of which the last is void, a limit with thresholds, a rate limit and
/// a refusal, written by the second Weir.
const SCHEMA_2: &[u8] = include_bytes!("old/schema-2.db.gz");

#[tokio::test]
async fn a_file_of_the_second_schema_tells_what_was_crossed_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    unpack(SCHEMA_2, dir.path());
    let clock = Arc::new(ManualClock::at(at("2026-12-01T00:00:00Z")));
    let engine = Engine::open(OpenOptions::new(dir.path()), clock).await.unwrap();
    // Each command that is served lets a chunk of the work in the background be done.
    for _ in 0..3 {
        engine.update_project(&actor(), ProjectPatch::default()).await.unwrap();
    }
    let alerts = engine.alerts(ListAlerts::default()).await.unwrap().data;
    assert_eq!(alerts.len(), 1, "half of the limit was crossed before there were alerts");
    let crossed = alerts[0].limit.as_ref().expect("a limit's");
    assert_eq!((crossed.threshold, crossed.used), (50, quantity("555.5")));
    assert_eq!(engine.refusals(Default::default()).await.unwrap().data.len(), 1);
    // What is new works on what is old.
    let hold = NewReservation {
        customer_id: "acme".to_owned(),
        event_type: "call".to_owned(),
        values: event("acme", "444.5").values,
        dimensions: Default::default(),
        ttl_seconds: 60,
    };
    let held = engine.reserve(&actor(), hold.clone()).await.unwrap();
    assert!(matches!(engine.reserve(&actor(), hold).await, Err(Error::Refused(_))));
    engine.commit_reservation(&actor(), held.id, CommitReservation::default()).await.unwrap();
    let alerts = engine.alerts(ListAlerts::default()).await.unwrap().data;
    assert_eq!(alerts[0].limit.as_ref().map(|limit| limit.threshold), Some(100));
    // A key of old is still taken, also that of the void event.
    let once = EventInput {
        event_type: "call".to_owned(),
        total_tokens: Some(quantity("50.5")),
        model: Some("m".to_owned()),
        idempotency_key: Some("t12".to_owned()),
        values: Default::default(),
        ..event("acme", "0")
    };
    let again = engine.record(&actor(), once).await.unwrap().id;
    assert_eq!(again.to_string(), "evt_01a1ff64-3fae-76ad-97a4-004e32c7fc72");
    engine.close().await;
    assert!(doctor::examine(dir.path()).await.unwrap().is_clean());
    assert_eq!(schema_of(&dir.path().join(DATA_FILE)).await, SCHEMA);
}

/// Tracked calls of `acme`, the last of eight voided, a reservation committed and one that lives until 21:32:45 of its day, a raise
/// to 2,000, and two limits with thresholds: the alerts of `acme` are resolved, one of `beta` is acknowledged and one open. Written
/// by the third Weir.
const SCHEMA_3: &[u8] = include_bytes!("old/schema-3.db.gz");

/// What a limit's alert tells, in one line.
fn line(alert: &Alert) -> String {
    assert_eq!(alert.kind, AlertKind::LimitThreshold);
    assert!(alert.balance.is_none());
    let limit = alert.limit.as_ref().expect("a limit's");
    format!(
        "{} {} {} {}% {}/{} {:?}",
        alert.id, alert.customer_id, limit.name, limit.threshold, limit.used, limit.value, alert.state
    )
}

#[tokio::test]
async fn a_file_of_the_third_schema_keeps_its_alerts_and_pays_from_balances() {
    let dir = tempfile::tempdir().unwrap();
    unpack(SCHEMA_3, dir.path());
    let clock = Arc::new(ManualClock::at(at("2026-11-21T21:30:00Z")));
    let engine = Engine::open(OpenOptions::new(dir.path()), clock.clone()).await.unwrap();

    let alerts = engine.alerts(ListAlerts::default()).await.unwrap().data;
    assert_eq!(
        alerts.iter().map(line).collect::<Vec<_>>(),
        [
            "alr_869962c3-8766-8e70-8a34-5931ce6054aa beta Cost in all 50% 5.25/10.5 Open",
            "alr_9dfc9238-534f-8031-bd4b-e6a37b6e0b91 beta Tokens in all 50% 500/1000 Acknowledged",
            "alr_14fc5c3f-d565-8556-a1ed-e11aadfe7762 acme Cost in all 50% 5.6/10.5 Resolved",
            "alr_d1191fcb-e3ac-86ed-a654-7a3f9d9a4cfa acme Tokens in all 50% 564/1000 Resolved",
        ]
    );
    assert_eq!(alerts[0].created_at, at("2026-11-21T20:32:26.556822Z"));
    assert_eq!(alerts[1].acknowledged_at, Some(at("2026-11-21T20:32:45.422746Z")));
    assert_eq!(alerts[1].acknowledged_by.as_ref().and_then(|by| by.label.as_deref()), Some("setup"));
    assert_eq!(alerts[3].resolved_at, Some(at("2026-11-21T20:32:45.121966Z")));
    let open = ListAlerts { state: Some(AlertState::Open), ..ListAlerts::default() };
    assert_eq!(engine.alerts(open).await.unwrap().data, alerts[..1]);

    // What was held and raised is, still.
    let held = engine.reservations(ListReservations::default()).await.unwrap().data;
    let states: Vec<_> = held.iter().map(|one| one.state).collect();
    assert_eq!(states, [ReservationState::Live, ReservationState::Committed]);
    let tokens = |answer: weir_engine::model::CheckAnswer| {
        let limit = answer.limits.into_iter().find(|limit| limit.name == "Tokens in all").expect("the limit");
        (limit.limit, limit.used, limit.held)
    };
    let standing = tokens(engine.check(check("acme")).await.unwrap());
    assert_eq!(standing, (quantity("2000"), quantity("573.5"), quantity("300")));
    assert_eq!(engine.balances(ListBalances::default()).await.unwrap().data, []);

    // A balance pays for what comes from now on, the reservation of old included, which it has nothing set aside for.
    let limits = engine.limits(ListLimits::default()).await.unwrap().data;
    let metered = Metered {
        meter_id: limits.iter().find(|limit| limit.name == "Tokens in all").expect("the limit").meter_id,
        amount: quantity("0.01"),
        per: 1,
        enforcement: Default::default(),
    };
    let new = NewBalance {
        customer_id: "acme".to_owned(),
        name: "credits".to_owned(),
        unit: None,
        minimum_balance: quantity("0"),
        initial_balance: Some(quantity("10")),
        low_balance_threshold: Some(quantity("7")),
        top_up: None,
        dimension_filters: Default::default(),
        priority: 100,
        metered: Some(metered),
        recurring_credit: None,
    };
    let balance = engine.create_balance(&actor(), new).await.unwrap();
    assert_eq!((balance.current_balance, balance.available_balance), (quantity("10"), quantity("10")));
    engine.commit_reservation(&actor(), held[0].id, CommitReservation::default()).await.unwrap();
    assert_eq!(engine.balance(balance.id).await.unwrap().current_balance, quantity("7"));
    let debit = DebitBalance {
        customer_id: "acme".to_owned(),
        name: "credits".to_owned(),
        amount: quantity("7.000000001"),
        description: String::new(),
        reference: None,
        idempotency_key: None,
    };
    assert!(!engine.debit_balance(&actor(), debit).await.unwrap().success);
    let told = &engine.alerts(ListAlerts::default()).await.unwrap().data[0];
    assert_eq!((told.kind, told.state), (AlertKind::BalanceLow, AlertState::Open));
    assert_eq!(engine.transactions(balance.id, ListTransactions::default()).await.unwrap().data.len(), 2);
    engine.close().await;

    assert!(doctor::examine(dir.path()).await.unwrap().is_clean());
    assert_eq!(schema_of(&dir.path().join(DATA_FILE)).await, SCHEMA);
    let backups: Vec<_> =
        std::fs::read_dir(dir.path().join("backups")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(backups.len(), 1);
    assert_eq!(schema_of(&backups[0]).await, 3, "as it was before");
}

/// `acme` at 550.5 of 1,000 tokens, with a balance that has paid 5.505 and is low, both told; a key whose secret was rotated.
const SCHEMA_5: &[u8] = include_bytes!("old/schema-5.db.gz");

#[tokio::test]
async fn a_file_of_the_fifth_schema_keeps_its_keys_and_tells_endpoints_what_comes_from_now_on() {
    let dir = tempfile::tempdir().unwrap();
    unpack(SCHEMA_5, dir.path());
    let clock = Arc::new(ManualClock::at(at("2026-11-22T02:00:00Z")));
    let engine = Engine::open(options(dir.path()), clock.clone()).await.unwrap();

    let old_secret = "weir_sk_19f189e2d4a04af7f9d4c6582fc26082367d349fae75ca7055218889f69f55da";
    assert_eq!(engine.authenticate(old_secret).unwrap().scope, Scope::Ingest);
    let worker = engine.keys().await.unwrap().into_iter().find(|key| key.name == "worker").unwrap();
    assert_eq!((worker.per_minute, worker.old_secret_until.is_some()), (Some(5), true));
    assert_eq!(engine.project().await.unwrap().client_origins, Vec::<String>::new());

    let new = NewWebhook {
        url: "https://example.com/hooks".to_owned(),
        description: None,
        event_types: None,
        allow_private: false,
        enabled: true,
    };
    let webhook = engine.create_webhook(&actor(), new).await.unwrap().webhook;
    assert_eq!(engine.outbox(&[]).await.unwrap().due.len(), 0, "what was told before is not told again");
    engine.record(&actor(), event("acme", "449.5")).await.unwrap();
    let due = engine.outbox(&[]).await.unwrap().due;
    assert_eq!((due.len(), due[0].webhook), (1, webhook.id));
    assert!(due[0].body.contains(r#""type":"limit.exceeded""#) && due[0].body.contains(r#""currentUsage":1000"#));
    engine.close().await;

    assert!(doctor::examine(dir.path()).await.unwrap().is_clean());
    assert_eq!(schema_of(&dir.path().join(DATA_FILE)).await, SCHEMA);
}

/// A call of `acme` under a key, a client token of it, an endpoint, and two API keys.
const SCHEMA_6: &[u8] = include_bytes!("old/schema-6.db.gz");

#[tokio::test]
async fn a_file_of_the_sixth_schema_keeps_its_keys_and_signs_browsers_in_with_them() {
    let dir = tempfile::tempdir().unwrap();
    unpack(SCHEMA_6, dir.path());
    let clock = Arc::new(ManualClock::at(at("2026-11-28T10:00:00Z")));
    let engine = Engine::open(OpenOptions::new(dir.path()), clock.clone()).await.unwrap();

    let key = "weir_sk_44ba24b090d8690a97e391d64b9e6600b5d4248cd59ec906a7d38e8083329491";
    let new = engine.sign_in(key).await.unwrap();
    assert_eq!((&*new.session.key_name, new.session.caller.scope), ("console", Scope::Manage));
    let token = "weir_ct_5fcf819ced12aea3739b63653e0b0e864260aabe3bd732c9c148d9443ef65816";
    assert_eq!(engine.authenticate_client(token).await.unwrap().customer_id, "acme");
    engine.close().await;

    assert!(doctor::examine(dir.path()).await.unwrap().is_clean());
    assert_eq!(schema_of(&dir.path().join(DATA_FILE)).await, SCHEMA);
    let engine = Engine::open(OpenOptions::new(dir.path()), clock).await.unwrap();
    assert_eq!(engine.authenticate_session(&new.token).await.unwrap().caller.key, new.session.caller.key);
    engine.close().await;
}
