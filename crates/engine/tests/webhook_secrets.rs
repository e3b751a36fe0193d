//! What signs, and that nobody else learns it; and what an endpoint may be.

mod common;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::hooks::{URL, answered, hook};
use common::{Bench, actor, at};
use weir_core::error::Code;
use weir_core::id::WebhookId;
use weir_engine::model::{Change, ListAudit, ListWebhooks, NewWebhook, RotateWebhook, WebhookPatch, WebhookWithSecret};
use weir_engine::{DATA_FILE, Error, Result};

const NOW: &str = "2026-03-10T12:00:00Z";
const KEY: &str = "secret.key";

async fn rotate(bench: &Bench, id: WebhookId, overlap_seconds: u32) -> Result<WebhookWithSecret> {
    bench.engine.rotate_webhook(&actor(), id, RotateWebhook { overlap_seconds }).await
}

/// What signs the message that is due.
async fn signing(bench: &Bench) -> Vec<String> {
    bench.only().await.secrets.iter().map(|secret| secret.reveal()).collect()
}

fn field<T>(answer: Result<T>) -> String {
    match answer {
        Err(Error::Fault(fault)) => {
            assert_eq!(fault.code, Code::InvalidFieldValue, "{fault:?}");
            fault.field.expect("a field")
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is out of bounds"),
    }
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_new_one_until_its_time_is_over() {
    let bench = Bench::open_at(NOW).await;
    let first = bench.create_hook(hook(None)).await;
    let id = first.webhook.id;
    bench.ping(id).await;
    assert_eq!(signing(&bench).await, std::slice::from_ref(&first.secret));
    let second = rotate(&bench, id, 3_600).await.unwrap();
    assert_ne!(first.secret, second.secret);
    assert_eq!(second.webhook.old_secret_until, Some(at("2026-03-10T13:00:00Z")));
    assert_eq!(signing(&bench).await, [second.secret.clone(), first.secret.clone()], "the newer first");
    let bench = bench.reopen().await;
    assert_eq!(signing(&bench).await, [second.secret.clone(), first.secret.clone()]);
    assert_eq!(bench.engine.webhook(id).await.unwrap().secret, second.secret);
    bench.clock.set(at("2026-03-10T12:59:59.999999Z"));
    assert_eq!(signing(&bench).await.len(), 2);
    bench.clock.set(at("2026-03-10T13:00:00Z"));
    assert_eq!(signing(&bench).await, std::slice::from_ref(&second.secret));
    assert_eq!(bench.the_hook(id).await.old_secret_until, None);
    // Twice in a row: the last two. At once: only the new one.
    rotate(&bench, id, 3_600).await.unwrap();
    let fourth = rotate(&bench, id, 604_800).await.unwrap();
    let two = signing(&bench).await;
    assert!(two.len() == 2 && two[0] == fourth.secret && !two.contains(&second.secret));
    let fifth = rotate(&bench, id, 0).await.unwrap();
    assert_eq!((signing(&bench).await, fifth.webhook.old_secret_until), (vec![fifth.secret], None));
    assert_eq!(field(rotate(&bench, id, 604_801).await), "overlapSeconds");
}

#[tokio::test]
async fn secrets_are_as_the_standard_has_them_and_everyones_own() {
    let bench = Bench::open_at(NOW).await;
    let (one, two) = (bench.create_hook(hook(None)).await, bench.create_hook(hook(None)).await);
    assert_ne!(one.secret, two.secret);
    for made in [one, two] {
        let encoded = made.secret.strip_prefix("whsec_").expect("its prefix");
        assert_eq!(STANDARD.decode(encoded).unwrap().len(), 32);
        assert_eq!(bench.engine.webhook(made.webhook.id).await.unwrap().secret, made.secret);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn endpoints_made_at_once_in_a_new_folder_keep_their_secrets() {
    for _ in 0..5 {
        let bench = Bench::open_at(NOW).await;
        let made: Vec<_> = (0..16)
            .map(|_| {
                let engine = bench.engine.clone();
                tokio::spawn(async move { engine.create_webhook(&actor(), hook(None)).await.expect("an endpoint") })
            })
            .collect();
        let mut secrets = Vec::new();
        for made in made {
            secrets.push(made.await.unwrap());
        }
        let bench = bench.reopen().await;
        for made in secrets {
            let known = bench.engine.webhook(made.webhook.id).await.map(|known| known.secret);
            assert_eq!(known.expect("its secret"), made.secret);
        }
    }
}

#[tokio::test]
async fn where_the_key_is_lost_or_another_one_nothing_wrong_signs_and_rotating_mends() {
    for another in [None, Some("ab".repeat(32))] {
        let bench = Bench::open_at(NOW).await;
        let made = bench.create_hook(hook(None)).await;
        let (id, other) = (made.webhook.id, bench.hook(None).await);
        rotate(&bench, id, 86_400).await.unwrap();
        bench.ping(id).await;
        bench.engine.close().await;
        let path = bench.dir.path().join(KEY);
        std::fs::remove_file(&path).unwrap();
        if let Some(another) = &another {
            std::fs::write(&path, another).unwrap();
        }
        let bench = bench.reopen().await;
        assert_eq!(signing(&bench).await.len(), 0, "neither the new nor the old one");
        assert_eq!(bench.engine.webhook(id).await.unwrap_err().code(), Code::Conflict);
        let listed = bench.engine.webhooks(ListWebhooks::default()).await.unwrap().data;
        assert_eq!(listed.len(), 2, "it can be seen, changed and archived");
        let mended = rotate(&bench, id, 86_400).await.unwrap();
        assert_eq!(
            signing(&bench).await,
            std::slice::from_ref(&mended.secret),
            "no old one that derives from the lost key"
        );
        assert_eq!(mended.webhook.old_secret_until, None, "and nobody is told that there is one");
        assert_eq!(bench.engine.webhook(other).await.unwrap_err().code(), Code::Conflict);
        let bench = bench.reopen().await;
        assert_eq!(bench.engine.webhook(id).await.unwrap().secret, mended.secret);
        assert_eq!(bench.only().await.secrets.len(), 1);
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_told_and_left_alone() {
    let bench = Bench::open_at(NOW).await;
    let id = bench.hook(None).await;
    bench.engine.close().await;
    std::fs::write(bench.dir.path().join(KEY), "what is this?").unwrap();
    let bench = bench.reopen().await;
    let error = bench.engine.webhook(id).await.unwrap_err().to_string();
    assert!(error.contains(KEY) && error.contains("64 hex digits"), "{error}");
    assert!(bench.engine.create_webhook(&actor(), hook(None)).await.is_err());
    assert!(rotate(&bench, id, 0).await.is_err());
    assert_eq!(std::fs::read_to_string(bench.dir.path().join(KEY)).unwrap(), "what is this?");
    bench.record("acme", "1").await;
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Every file of a folder, and what is in it.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

#[tokio::test]
async fn a_secret_is_stored_nowhere_and_shown_to_nobody_else() {
    let bench = Bench::open_at(NOW).await;
    let first = bench.create_hook(hook(None)).await;
    let id = first.webhook.id;
    let second = rotate(&bench, id, 86_400).await.unwrap();
    let described = WebhookPatch { description: Change::Set("x".to_owned()), ..WebhookPatch::default() };
    let updated = bench.engine.update_webhook(&actor(), id, described).await.unwrap();
    bench.ping(id).await;
    let outgoing = bench.only().await;
    bench.engine.note_attempt(outgoing.delivery, answered(bench.now(), 200)).await.unwrap();
    let mut shown = format!("{first:?} {second:?} {updated:?} {outgoing:?}");
    shown += &serde_json::to_string(&bench.engine.webhooks(ListWebhooks::default()).await.unwrap().data).unwrap();
    shown += &serde_json::to_string(&bench.engine.audit(ListAudit::default()).await.unwrap().data).unwrap();
    shown += &serde_json::to_string(&bench.deliveries(id).await).unwrap();
    assert!(shown.contains("webhooks.rotate"));
    let key = std::fs::read_to_string(bench.dir.path().join(KEY)).unwrap();
    let mut scanned = 0;
    for closed in [false, true] {
        if closed {
            bench.engine.close().await;
        }
        for (name, bytes) in files(bench.dir.path()) {
            if name == KEY {
                continue;
            }
            scanned += usize::from(name == DATA_FILE);
            for secret in [&first.secret, &second.secret] {
                let encoded = secret.strip_prefix("whsec_").unwrap();
                let raw = STANDARD.decode(encoded).unwrap();
                let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
                assert!(
                    !holds(&bytes, encoded.as_bytes()) && !holds(&bytes, &raw) && !holds(&bytes, hex.as_bytes()),
                    "{name}"
                );
                assert!(!shown.contains(encoded) && !shown.contains(&hex));
            }
            assert!(!holds(&bytes, key.trim().as_bytes()), "{name} holds the key");
        }
    }
    assert_eq!(scanned, 2);
}

#[tokio::test]
async fn each_field_has_its_bounds() {
    let bench = Bench::open_at(NOW).await;
    let create = async |new| bench.engine.create_webhook(&actor(), new).await;
    let long = |count: usize| format!("https://example.com/{}", "a".repeat(count - 20));
    for url in [
        String::new(),
        "example.com".to_owned(),
        "ftp://example.com".to_owned(),
        "https://example.com/\u{7}".to_owned(),
        "http://127.0.0.1".to_owned(),
        "http://[::ffff:10.0.0.1]".to_owned(),
        long(2_001),
    ] {
        assert_eq!(field(create(NewWebhook { url: url.clone(), ..hook(None) }).await), "url", "{url}");
    }
    assert!(create(NewWebhook { url: long(2_000), ..hook(None) }).await.is_ok());
    let described = |text: String| NewWebhook { description: Some(text), ..hook(None) };
    assert_eq!(field(create(described("ü".repeat(2_001))).await), "description");
    assert_eq!(field(create(described("a\0b".to_owned())).await), "description");
    assert_eq!(field(create(NewWebhook { event_types: Some(Vec::new()), ..hook(None) }).await), "eventTypes");
    let id = create(described("ü".repeat(2_000))).await.unwrap().webhook.id;
    let update = async |patch| bench.engine.update_webhook(&actor(), id, patch).await;
    let none = WebhookPatch::default;
    assert_eq!(field(update(WebhookPatch { url: Some("http://10.0.0.1".to_owned()), ..none() }).await), "url");
    assert_eq!(
        field(update(WebhookPatch { description: Change::Set("\n".to_owned()), ..none() }).await),
        "description"
    );
    assert_eq!(field(update(WebhookPatch { event_types: Change::Set(Vec::new()), ..none() }).await), "eventTypes");
    // What was private by permission must not stay so without.
    let private = WebhookPatch { url: Some("http://10.0.0.1".to_owned()), allow_private: Some(true), ..none() };
    assert!(update(private).await.unwrap().allow_private);
    assert_eq!(field(update(WebhookPatch { allow_private: Some(false), ..none() }).await), "url");
    assert_eq!(bench.the_hook(id).await.url, "http://10.0.0.1", "nothing of it was done");
    let unknown = serde_json::from_str::<NewWebhook>(r#"{"url":"https://example.com","secret":"mine"}"#);
    assert!(unknown.is_err());
}

#[tokio::test]
async fn a_hundred_endpoints_and_no_more() {
    let bench = Bench::open_at(NOW).await;
    let mut ids = Vec::new();
    for n in 0..100 {
        let new = NewWebhook { url: format!("{URL}/{n}"), ..hook(None) };
        ids.push(bench.create_hook(new).await.webhook.id);
    }
    let refused = bench.engine.create_webhook(&actor(), hook(None)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Conflict);
    for id in &ids {
        bench.ping(*id).await;
    }
    assert_eq!(bench.due().await.len(), 100, "one to each");
    bench.engine.archive_webhook(&actor(), ids[7]).await.unwrap();
    bench.create_hook(hook(None)).await;
    assert!(bench.engine.create_webhook(&actor(), hook(None)).await.is_err());
    let mut list = ListWebhooks { include_archived: true, ..ListWebhooks::default() };
    let first = bench.engine.webhooks(list.clone()).await.unwrap();
    list.cursor = first.next_cursor.clone();
    let second = bench.engine.webhooks(list.clone()).await.unwrap();
    list.cursor = second.next_cursor.clone();
    let third = bench.engine.webhooks(list).await.unwrap();
    assert_eq!((first.data.len(), second.data.len(), third.data.len(), third.has_more), (50, 50, 1, false));
}
