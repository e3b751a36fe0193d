//! `weir limits`: a file put into force and written back, with and without a server.

use std::process::Stdio;

use rustix::process::Signal;

use crate::harness::{Place, text};

const FILE: &str = "\
[[limit]]
name = \"Everybody\"
meter = \"total_tokens\"
limitValue = 123456789012345678.123456789
period = \"month\"

[[limit]]
name = \"Tenth\"
customerId = \"acme\"
meter = \"total_events\"
limitValue = 0.1
period = \"day\"
alertThresholds = [80]
";

#[test]
fn what_is_exported_changes_nothing_when_applied() {
    let place = Place::new();
    place.write("limits.toml", FILE);
    let plan = place.ok(&["limits", "apply", "limits.toml", "--preview"]);
    assert!(plan.contains("+ Everybody (for every customer)\n") && plan.contains("+ Tenth (for `acme`)\n"), "{plan}");
    assert!(plan.contains("limitValue: \"123456789012345678.123456789\"\n"), "{plan}");
    assert!(plan.ends_with("would be created 2, changed 0, archived 0; unchanged 0\n"), "{plan}");
    assert_eq!(place.ok(&["limits", "export"]), "limit = []\n", "a preview changes nothing");

    let key = place.key("read");
    let serving = place.serve();
    let done = place.ok(&["limits", "apply", "limits.toml"]);
    assert!(done.ends_with("\ncreated 2, changed 0, archived 0; unchanged 0\n"), "{done}");
    assert_eq!(serving.get("/v1/limits", &key)["data"][0]["alertThresholds"], serde_json::json!([80]), "at once");
    let unchanged = "created 0, changed 0, archived 0; unchanged 2\n";
    for (format, file) in [("toml", "again.toml"), ("json", "again.json")] {
        let exported = place.ok(&["limits", "export", "--format", format]);
        assert!(exported.contains("\"123456789012345678.123456789\"") || format == "json", "{exported}");
        assert!(exported.contains("123456789012345678.123456789") && exported.contains("0.1"), "{exported}");
        place.write(file, exported);
        assert_eq!(place.ok(&["limits", "apply", file, "--archive-missing"]), unchanged);
    }
    assert_eq!(serving.stop(Signal::TERM), 0);

    let one = FILE.split("\n[[limit]]").next().unwrap().replace("123456789012345678.123456789", "5");
    let mut child = place
        .weir(&["limits", "apply", "-", "--archive-missing"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), one.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        text(&output.stdout),
        "~ Everybody (for every customer)\n    limitValue: \"123456789012345678.123456789\" -> \"5\"\n\
         - Tenth (for `acme`)\ncreated 0, changed 1, archived 1; unchanged 0\n"
    );
    place.doctor();
}

#[test]
fn a_refused_file_is_told_line_by_line() {
    let place = Place::new();
    place.key("read");
    let said = |content: &str| {
        let file = place.write("wrong.toml", content);
        let output = place.run(&["limits", "apply", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        text(&output.stderr)
    };
    let wrong = FILE.replace("0.1", "-0.1").replace("total_tokens", "nothing");
    let message = said(&wrong);
    assert!(message.contains("wrong.toml: line 3: `limits[0].meter` names no live meter"), "{message}");
    assert!(message.contains("wrong.toml: line 11: `limits[1].limitValue` must be above 0"), "{message}");
    assert!(said("[[limit]\n").contains("line 1"));
    assert!(said("").contains("holds no limit; `limit = []` says that there is none"));
    assert_eq!(place.ok(&["limits", "export"]), "limit = []\n");
    let missing = place.run(&["limits", "apply", "nowhere.toml"]);
    assert!(text(&missing.stderr).contains("nowhere.toml"));
}
