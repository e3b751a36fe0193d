//! `weir keys`, whether or not a server owns the data.

use rustix::process::Signal;

use crate::harness::{Place, text};

#[test]
fn keys_are_made_listed_and_revoked_with_and_without_a_server() {
    let place = Place::new();
    let before = place.key("manage");
    let serving = place.serve();
    assert_eq!(serving.get("/v1/project", &before)["name"].as_str().map(str::is_empty), Some(false));
    let beside = place.key("read");
    assert_eq!(serving.get("/v1/keys", &beside)["error"]["code"], "insufficient_permissions");
    place.ok(&["keys", "create", "--name", "bounded", "--scope", "ingest", "--per-minute", "60", "--per-day", "5000"]);
    let listed = place.ok(&["keys", "list"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    let calls = |name: &str, calls: &str| listed.lines().any(|line| line.contains(name) && line.contains(calls));
    assert!(calls("bounded", "60/minute 5000/day") && calls(" manage ", "any number"), "{listed}");
    assert!(!listed.contains(&before) && !listed.contains(&beside), "secrets are shown once");
    let id = listed.lines().find(|line| line.contains(" read ")).unwrap().split_whitespace().next().unwrap();
    place.ok(&["keys", "revoke", id]);
    assert_eq!(serving.get("/v1/project", &beside)["error"]["code"], "invalid_api_key", "at once");
    assert_eq!(serving.stop(Signal::TERM), 0);
    let listed = place.ok(&["keys", "list"]);
    assert!(listed.lines().any(|line| line.contains(id) && line.contains("revoked")), "{listed}");
}

#[test]
fn what_is_wrong_with_a_key_is_said() {
    let place = Place::new();
    let said = |args: &[&str]| {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        text(&output.stderr)
    };
    assert!(said(&["keys", "revoke", "nothing"]).contains("there is no key `nothing`"));
    assert!(
        said(&["keys", "create", "--name", "", "--scope", "read"]).contains("`name` must have 1 to 256 characters")
    );
    assert!(said(&["keys", "create", "--name", "x", "--scope", "read", "--expires", "soon"]).contains("`expiresAt`"));
}
