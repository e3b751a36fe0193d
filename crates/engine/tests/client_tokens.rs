//! Client tokens on a real file: made, looked into, let in, refused, and forgotten.

mod common;

use common::{Bench, actor, at, check, event};
use weir_core::error::Code;
use weir_core::id::ClientTokenId;
use weir_core::properties::{Json, Properties};
use weir_engine::model::{
    IntrospectToken, ListAudit, ListClientTokens, NewClientToken, NewClientTokenAnswer, PageSize, ProjectPatch,
};
use weir_engine::{CLIENT_CALLS_PER_MINUTE, DATA_FILE, Error};

const NOW: &str = "2026-03-10T12:00:00Z";

fn new(metadata: &str, context: Option<&str>, ttl_seconds: u32) -> NewClientToken {
    NewClientToken {
        public_metadata: Properties::parse(metadata).unwrap(),
        server_context: context.map(|context| Json::parse(context).unwrap()),
        ttl_seconds,
    }
}

async fn token(bench: &Bench, customer: &str, ttl_seconds: u32) -> NewClientTokenAnswer {
    let metadata = format!(r#"{{"customerId":"{customer}"}}"#);
    bench.engine.create_client_token(&actor(), new(&metadata, None, ttl_seconds)).await.unwrap()
}

async fn code(bench: &Bench, token: &str) -> Result<String, Code> {
    bench.engine.authenticate_client(token).await.map(|caller| caller.customer_id).map_err(|error| error.code())
}

async fn list(
    bench: &Bench,
    customer: Option<&str>,
    limit: u8,
    cursor: Option<weir_engine::model::Cursor>,
) -> (Vec<ClientTokenId>, Option<weir_engine::model::Cursor>) {
    let limit: PageSize = serde_json::from_value(limit.into()).unwrap();
    let asked = ListClientTokens { customer_id: customer.map(str::to_owned), limit, cursor };
    let page = bench.engine.client_tokens(asked).await.unwrap();
    assert_eq!(page.has_more, page.next_cursor.is_some());
    (page.data.iter().map(|token| token.id).collect(), page.next_cursor)
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_a_hash_and_good_for_its_time_also_after_a_restart() {
    let bench = Bench::open_at(NOW).await;
    let metadata = r#"{"customer_id":"acme","price":0.10,"seat":"7"}"#;
    let made =
        bench.engine.create_client_token(&actor(), new(metadata, Some(r#"{"tier":1e400}"#), 3_600)).await.unwrap();
    assert!(made.token.len() == 72 && made.token.starts_with("weir_ct_"), "{}", made.token.len());
    assert_eq!(made.expires_at, at("2026-03-10T13:00:00Z"));
    assert!(!format!("{made:?}").contains(&made.token));
    let bench = bench.reopen().await;
    let known = bench.engine.client_token(made.id).await.unwrap();
    assert_eq!(
        (known.customer_id.as_str(), known.public_metadata.as_json()),
        ("acme", metadata),
        "every digit is kept"
    );
    assert_eq!(known.server_context.as_ref().unwrap().as_json(), r#"{"tier":1e400}"#);
    assert_eq!(code(&bench, &made.token).await, Ok("acme".to_owned()));
    bench.clock.set(at("2026-03-10T12:59:59.999999Z"));
    assert!(code(&bench, &made.token).await.is_ok());
    bench.clock.set(at("2026-03-10T13:00:00Z"));
    assert_eq!(code(&bench, &made.token).await, Err(Code::ExpiredApiKey));
    bench.engine.close().await;
    for ending in ["", "-wal"] {
        let file = std::fs::read(bench.dir.path().join(format!("{DATA_FILE}{ending}"))).unwrap_or_default();
        for secret in [made.token.as_str(), &made.token["weir_ct_".len()..]] {
            assert!(!file.windows(secret.len()).any(|part| part == secret.as_bytes()), "{ending} holds the token");
        }
    }
}

#[tokio::test]
async fn only_a_known_token_lets_in_until_it_is_revoked() {
    let bench = Bench::open_at(NOW).await;
    let (made, other) = (token(&bench, "acme", 60).await, token(&bench, "acme", 60).await);
    let unknown = format!("weir_ct_{}", "0".repeat(64));
    for text in ["", "weir_ct_", &unknown, &made.token[1..], &made.token.to_uppercase(), &format!("{} ", made.token)] {
        assert_eq!(code(&bench, text).await, Err(Code::InvalidApiKey), "{text}");
    }
    assert_eq!(bench.engine.authenticate(&made.token).unwrap_err().code(), Code::InvalidApiKey, "it is no API key");
    bench.engine.revoke_client_token(&actor(), made.id).await.unwrap();
    assert_eq!(code(&bench, &made.token).await, Err(Code::InvalidApiKey), "at once");
    let revoked = bench.engine.client_token(made.id).await.unwrap();
    bench.clock.set(at("2026-03-10T12:00:30Z"));
    bench.engine.revoke_client_token(&actor(), made.id).await.unwrap();
    assert_eq!(bench.engine.client_token(made.id).await.unwrap(), revoked, "again changes nothing");
    assert_eq!(code(&bench, &other.token).await, Ok("acme".to_owned()));
    let none = ClientTokenId::new(Default::default());
    assert_eq!(bench.engine.revoke_client_token(&actor(), none).await.unwrap_err().code(), Code::ClientTokenNotFound);
    assert_eq!(bench.engine.client_token(none).await.unwrap_err().code(), Code::ClientTokenNotFound);
}

#[tokio::test]
async fn bounds_name_the_field() {
    let bench = Bench::open_at(NOW).await;
    for (metadata, ttl, field) in [
        (r#"{"customerId":"a"}"#, 0, "ttlSeconds"),
        (r#"{"customerId":"a"}"#, 86_401, "ttlSeconds"),
        ("{}", 60, "publicMetadata.customerId"),
        (r#"{"customerId":"a","customer_id":"b"}"#, 60, "publicMetadata.customer_id"),
    ] {
        match bench.engine.create_client_token(&actor(), new(metadata, None, ttl)).await {
            Err(Error::Fault(fault)) => assert_eq!(fault.field.as_deref(), Some(field), "{metadata} {ttl}"),
            other => panic!("{metadata} {ttl}: {other:?}"),
        }
    }
    assert_eq!(list(&bench, None, 1, None).await.0, []);
}

#[tokio::test]
async fn an_archived_customer_has_none() {
    let bench = Bench::open_at(NOW).await;
    let made = token(&bench, "acme", 3_600).await;
    assert!(bench.engine.check(check("acme")).await.is_ok());
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    bench.engine.archive_customer(&actor(), "acme").await.unwrap();
    assert_eq!(code(&bench, &made.token).await, Err(Code::InvalidApiKey));
    let asked = IntrospectToken { token: made.token.clone() };
    assert!(!bench.engine.introspect_client_token(asked).await.unwrap().active);
    let refused = bench.engine.create_client_token(&actor(), new(r#"{"customerId":"acme"}"#, None, 60)).await;
    assert_eq!(refused.unwrap_err().code(), Code::Conflict);
    bench.engine.restore_customer(&actor(), "acme").await.unwrap();
    assert_eq!(code(&bench, &made.token).await, Ok("acme".to_owned()));
}

#[tokio::test]
async fn lists_are_newest_first_in_pages_and_of_one_customer() {
    let bench = Bench::open_at(NOW).await;
    let mut all = Vec::new();
    for n in 0..7 {
        all.push(token(&bench, if n % 2 == 0 { "acme" } else { "beta" }, 60).await.id);
    }
    all.reverse();
    for (customer, wanted) in [
        (None, all.clone()),
        (Some("acme"), all.iter().copied().step_by(2).collect()),
        (Some("beta"), all.iter().copied().skip(1).step_by(2).collect()),
        (Some("Acme"), vec![]),
    ] {
        let (mut walked, mut cursor) = (Vec::new(), None);
        loop {
            let (page, next) = list(&bench, customer, 2, cursor).await;
            walked.extend(page);
            if next.is_none() {
                break;
            }
            cursor = next;
        }
        assert_eq!(walked, wanted, "{customer:?}");
    }
}

#[tokio::test]
async fn what_is_known_of_a_token_is_told_until_a_day_past_its_date() {
    let bench = Bench::open_at(NOW).await;
    let made = token(&bench, "acme", 60).await;
    let asked = || bench.engine.introspect_client_token(IntrospectToken { token: made.token.clone() });
    let told = asked().await.unwrap();
    assert!(told.active && told.token.id == made.id);
    bench.clock.set(at("2026-03-10T12:01:00Z"));
    assert!(!asked().await.unwrap().active);
    let unknown = IntrospectToken { token: "weir_ct_x".to_owned() };
    assert_eq!(bench.engine.introspect_client_token(unknown).await.unwrap_err().code(), Code::ClientTokenNotFound);
    bench.clock.set(at("2026-03-11T12:00:59Z"));
    token(&bench, "acme", 60).await;
    assert_eq!(asked().await.unwrap().token.id, made.id, "not yet a day");
    bench.clock.set(at("2026-03-11T12:01:00Z"));
    token(&bench, "acme", 60).await;
    assert_eq!(asked().await.unwrap_err().code(), Code::ClientTokenNotFound);
    assert_eq!(code(&bench, &made.token).await, Err(Code::InvalidApiKey));
    assert_eq!(list(&bench, None, 10, None).await.0.len(), 2);
}

#[tokio::test]
async fn a_token_makes_so_many_calls_a_minute_and_another_its_own() {
    let bench = Bench::open_at(NOW).await;
    let (made, other) = (token(&bench, "acme", 3_600).await, token(&bench, "acme", 3_600).await);
    for _ in 0..CLIENT_CALLS_PER_MINUTE {
        bench.engine.authenticate_client(&made.token).await.unwrap();
    }
    match bench.engine.authenticate_client(&made.token).await {
        Err(Error::TooManyCalls { limit, retry_after_seconds, .. }) => {
            assert_eq!((limit, retry_after_seconds), (CLIENT_CALLS_PER_MINUTE, 61));
        }
        other => panic!("{other:?}"),
    }
    assert!(bench.engine.authenticate_client(&other.token).await.is_ok());
    bench.clock.set(at("2026-03-10T12:01:01Z"));
    assert!(bench.engine.authenticate_client(&made.token).await.is_ok());
}

#[tokio::test]
async fn the_audit_shows_whose_a_token_is_and_neither_the_token_nor_the_server_context() {
    let bench = Bench::open_at(NOW).await;
    let metadata = r#"{"customerId":"acme","seat":"window"}"#;
    let made = bench.engine.create_client_token(&actor(), new(metadata, Some(r#""confidential""#), 60)).await.unwrap();
    bench.engine.revoke_client_token(&actor(), made.id).await.unwrap();
    bench.engine.revoke_client_token(&actor(), made.id).await.unwrap();
    token(&bench, "beta", 60).await;
    let asked = ListAudit { customer_id: Some("acme".to_owned()), ..ListAudit::default() };
    let facts = bench.engine.audit(asked).await.unwrap().data;
    let operations: Vec<_> = facts.iter().map(|fact| fact.operation.as_str()).collect();
    assert_eq!(operations, ["client_tokens.revoke", "client_tokens.create"]);
    let text = serde_json::to_string(&facts).unwrap();
    assert!(text.contains("window") && text.contains(r#""hasServerContext":true"#), "{text}");
    assert!(!text.contains("confidential") && !text.contains(&made.token), "{text}");
}

#[tokio::test]
async fn a_front_end_neither_takes_nor_finds_out_the_keys_of_programs() {
    let bench = Bench::open_at(NOW).await;
    let made = token(&bench, "acme", 60).await;
    let front = bench.engine.authenticate_client(&made.token).await.unwrap().actor;
    let under = |key: &str, tokens: &str| {
        let mut event = event("acme", tokens);
        event.idempotency_key = Some(key.to_owned());
        event
    };
    let of_program = bench.engine.record(&actor(), under("invoice-1", "1")).await.unwrap();
    // The same key and body, and the same key with another body: both are new to the front end.
    let of_client = bench.engine.record_from_client(&front, under("invoice-1", "1")).await.unwrap();
    assert_ne!(of_client.id, of_program.id);
    let again = bench.engine.record_from_client(&front, under("invoice-1", "1")).await.unwrap();
    assert_eq!(again.id, of_client.id);
    let other = bench.engine.record_from_client(&front, under("invoice-1", "2")).await.unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyConflict);
    bench.engine.record_from_client(&front, under("invoice-2", "5")).await.unwrap();
    bench.engine.record(&actor(), under("invoice-2", "6")).await.unwrap();
    // Whatever a program sends, it is not a front end's.
    let bad = under("\u{1}client\u{1}invoice-1", "1");
    assert_eq!(bench.engine.record(&actor(), bad).await.unwrap_err().code(), Code::InvalidFieldValue);
    // Of another customer's front end the same key is another one.
    let mut beta = under("invoice-1", "9");
    beta.customer_id = "beta".to_owned();
    bench.engine.record_from_client(&front, beta).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.record_from_client(&front, under("invoice-1", "1")).await.unwrap().id, of_client.id);
}

#[tokio::test]
async fn a_front_end_cannot_take_back_nor_say_when() {
    let bench = Bench::open_at(NOW).await;
    let front = weir_engine::Actor::client("ct_x");
    let mut shorthand = event("acme", "1");
    shorthand.input_tokens = Some(common::quantity("-0.000000001"));
    let mut dated = event("acme", "1");
    dated.timestamp = Some(at(NOW));
    for (event, field) in [(event("acme", "-1"), "values.tokens"), (shorthand, "inputTokens"), (dated, "timestamp")] {
        match bench.engine.record_from_client(&front, event).await {
            Err(Error::Fault(fault)) => assert_eq!(fault.field.as_deref(), Some(field)),
            other => panic!("{field}: {other:?}"),
        }
    }
    bench.engine.record_from_client(&front, event("acme", "0")).await.unwrap();
    assert_eq!(bench.engine.status().await.unwrap().events, 1);
}

#[tokio::test]
async fn origins_are_kept_as_browsers_write_them() {
    let bench = Bench::open_at(NOW).await;
    assert_eq!(bench.engine.project().await.unwrap().client_origins, [] as [&str; 0]);
    let patch = |origins: &[&str]| ProjectPatch {
        client_origins: Some(origins.iter().map(|origin| (*origin).to_owned()).collect()),
        ..ProjectPatch::default()
    };
    let given = patch(&["https://App.example.com:443", "http://localhost:5173"]);
    let changed = bench.engine.update_project(&actor(), given.clone()).await.unwrap();
    assert_eq!(changed.client_origins, ["https://app.example.com", "http://localhost:5173"]);
    bench.clock.set(at("2026-03-11T12:00:00Z"));
    assert_eq!(bench.engine.update_project(&actor(), given).await.unwrap(), changed, "the same again changes nothing");
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.project().await.unwrap(), changed);
    let refused = bench.engine.update_project(&actor(), patch(&["https://a.example/x"])).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidFieldValue);
    assert_eq!(bench.engine.update_project(&actor(), patch(&[])).await.unwrap().client_origins, [] as [&str; 0]);
}
