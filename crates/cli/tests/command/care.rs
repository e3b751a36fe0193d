//! `weir doctor`, `backup`, `restore` and `chart`.

use crate::harness::{Place, rows, text};

#[test]
fn a_backup_is_taken_beside_a_server_and_put_back_without_one() {
    let place = Place::new();
    let key = place.key("read");
    place.write("u.csv", rows(100));
    place.import("u.csv", &[]);
    let serving = place.serve();
    place.ok(&["backup", "copy.db"]);
    place.doctor();
    place.write("u.csv", rows(150));
    place.import("u.csv", &[]);
    assert_eq!(serving.get("/v1/status", &key)["events"], 150);
    let refused = place.run(&["restore", "copy.db"]);
    assert_eq!(refused.status.code(), Some(1), "it is in use");
    assert!(text(&refused.stderr).contains("in use"), "{}", text(&refused.stderr));
    drop(serving);
    place.ok(&["restore", "copy.db"]);
    place.doctor();
    assert_eq!(place.serve().get("/v1/status", &key)["events"], 100);
    let exists = place.run(&["backup", "copy.db"]);
    assert_eq!(exists.status.code(), Some(1), "a backup never replaces a file");
}

#[test]
fn a_chart_is_drawn_of_a_meter_by_its_name() {
    let place = Place::new();
    place.write("u.csv", rows(100));
    place.import("u.csv", &["--dimension", "who=who"]);
    place.ok(&["chart", "--meter", "total_events", "--group-by", "who", "--out", "c.svg"]);
    assert!(std::fs::read_to_string(place.path("c.svg")).unwrap().contains("</svg>"));
    place.ok(&["chart", "--meter", "total_events", "--customer", "c1", "--theme", "dark", "--out", "c.png"]);
    assert!(std::fs::read(place.path("c.png")).unwrap().starts_with(b"\x89PNG"));
    for (args, reason) in [
        (&["chart", "--meter", "nothing", "--out", "c.svg"][..], "there is no meter `nothing`"),
        (&["chart", "--meter", "total_events", "--out", "c.gif"], ".svg or .png"),
        (&["chart", "--meter", "total_events", "--out", "c.svg", "--interval", "fortnight"], "`interval`"),
        (&["chart", "--meter", "total_events", "--out", "c.svg", "--width", "0"], "`width`"),
    ] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(reason), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn commands_that_only_look_make_nothing() {
    let place = Place::new();
    for args in [&["doctor"][..], &["backup", "copy.db"], &["chart", "--meter", "x", "--out", "c.svg"]] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("there is no Weir data in"), "{}", text(&output.stderr));
    }
    assert!(!place.path("data").exists());
}
