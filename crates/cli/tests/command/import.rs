//! `weir import`.

use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{Place, import_args, rows, text};

fn events(place: &Place) -> u64 {
    let key = place.key("read");
    place.serve().get("/v1/status", &key)["events"].as_u64().unwrap()
}

#[test]
fn twice_adds_nothing_and_a_grown_file_adds_its_new_rows() {
    let place = Place::new();
    place.write("u.csv", rows(2_500));
    let (status, said) = place.import("u.csv", &[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("2500 recorded, 0 already there, 0 refused"), "{said}");
    assert!(place.import("u.csv", &[]).1.contains("0 recorded, 2500 already there"));
    place.write("u.csv", rows(2_600));
    assert!(place.import("u.csv", &[]).1.contains("100 recorded, 2500 already there"));
    assert!(!place.path("u.csv.refused.csv").exists());
    place.doctor();
    assert_eq!(events(&place), 2_600);
}

#[test]
fn true_repeats_within_a_file_count() {
    let place = Place::new();
    let row = "2024-01-01T00:00:00Z,acme,1\n";
    place.write("u.csv", format!("at,who,n\n{}", row.repeat(3)));
    assert!(place.import("u.csv", &[]).1.contains("3 recorded"));
    assert!(place.import("u.csv", &[]).1.contains("0 recorded, 3 already there"));
    place.write("u.csv", format!("at,who,n\n{}", row.repeat(4)));
    assert!(place.import("u.csv", &[]).1.contains("1 recorded, 3 already there"));
}

#[test]
fn it_works_beside_a_server_and_through_it_the_same_rows_are_known() {
    let place = Place::new();
    let key = place.key("read");
    place.write("u.csv", rows(1_500) + "2024-01-01T00:00:00Z,,1\n");
    assert_eq!(place.import("u.csv", &[]).0, 2);
    let serving = place.serve();
    place.write("u.csv", rows(3_500) + "never,c1,1\n");
    let (status, said) = place.import("u.csv", &[]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("2000 recorded, 1500 already there, 1 refused"), "{said}");
    assert_eq!(serving.get("/v1/status", &key)["events"], 3_500);
}

#[test]
fn refused_rows_are_listed_with_line_and_reason() {
    let place = Place::new();
    let content = "at,who,n\n\
        2024-01-01T00:00:00Z,acme,1\n\
        yesterday,acme,1\n\
        2024-01-01T00:00:00Z,,1\n\
        2024-01-01T00:00:00Z,acme,many\n\
        1960-01-01T00:00:00Z,acme,1\n\
        2999-01-01T00:00:00Z,acme,1\n\
        2024-01-01T00:00:00Z,acme\n\
        2024-01-01T00:00:01Z,\"ac\nme\",1\n\
        2024-01-01T00:00:02Z,acme,2\n";
    place.write("u.csv", content);
    let (status, said) = place.import("u.csv", &[]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("9 rows") && said.contains("2 recorded, 0 already there, 7 refused"), "{said}");
    assert!(said.contains("u.csv.refused.csv"), "{said}");
    let report = std::fs::read_to_string(place.path("u.csv.refused.csv")).unwrap();
    let lines: Vec<(&str, &str)> = report.lines().skip(1).map(|line| line.split_once(',').unwrap()).collect();
    let numbers: Vec<&str> = lines.iter().map(|(line, _)| *line).collect();
    assert_eq!(numbers, ["3", "4", "5", "6", "7", "8", "9"], "{report}");
    for (line, reason) in
        [("3", "at"), ("4", "who"), ("5", "n"), ("6", "before 1970"), ("7", "ahead"), ("8", "fields"), ("9", "control")]
    {
        let (_, said) = lines.iter().find(|(number, _)| *number == line).unwrap();
        assert!(said.contains(reason), "{line}: {said}");
    }
    let (_, said) = place.import("u.csv", &["--report", "elsewhere.csv"]);
    assert!(said.contains("elsewhere.csv") && place.path("elsewhere.csv").exists(), "{said}");
}

#[test]
fn gzip_json_lines_and_standard_input_are_read() {
    let place = Place::new();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(rows(10).as_bytes()).unwrap();
    place.write("u.csv.gz", packed.finish().unwrap());
    assert!(place.import("u.csv.gz", &[]).1.contains("10 recorded"));
    place.write(
        "u.jsonl",
        "{\"at\":\"2024-02-01\",\"who\":\"acme\",\"n\":0.1}\n{\"at\":\"2024-02-02\",\"who\":\"acme\",\"n\":1e2}\n",
    );
    assert!(place.import("u.jsonl", &[]).1.contains("2 recorded"));
    let mut child = place.weir(&import_args("-")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all((rows(12) + "x,y,z\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stdout).contains("2 recorded, 10 already there, 1 refused"),
        "the rows of the packed file are known"
    );
    assert!(place.path("weir-import-report.csv").exists());
}

#[test]
fn an_id_column_identifies_a_row_whatever_else_it_says() {
    let place = Place::new();
    place.write("u.csv", "at,who,n,id\n2024-01-01T00:00:00Z,acme,1,a\n2024-01-01T00:00:00Z,acme,1,b\n");
    assert!(place.import("u.csv", &["--id-column", "id"]).1.contains("2 recorded"));
    place.write(
        "u.csv",
        "at,who,n,id\n2024-01-01T00:00:00Z,acme,1,a\n2024-01-01T00:00:00Z,acme,9,b\n2024-01-01T00:00:00Z,acme,1,c\n",
    );
    let (status, said) = place.import("u.csv", &["--id-column", "id"]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("1 recorded, 1 already there, 1 refused"), "{said}");
    assert!(std::fs::read_to_string(place.path("u.csv.refused.csv")).unwrap().contains("idempotency_conflict"));
}

#[test]
fn what_cannot_be_imported_at_all_is_said_and_nothing_is_made() {
    let place = Place::new();
    place.write("u.csv", rows(3));
    place.write("empty.csv", "");
    place.write("utf16.csv", b"\xff\xfea\0t\0");
    for (file, more, reason) in [
        ("missing.csv", &[][..], "missing.csv"),
        ("empty.csv", &[], "empty"),
        ("utf16.csv", &[], "UTF-16"),
        (".", &[], "folder"),
        ("u.csv", &["--dimension", "model=model"], "no column `model`"),
        ("u.csv", &["--dimension", "model"], "NAME=COLUMN"),
        ("u.csv", &["--timezone", "Mars/Olympus"], "Mars/Olympus"),
        ("u.csv", &["--value", "n=at"], "two values `n`"),
    ] {
        let (status, said) = place.import(file, more);
        assert_eq!(status, 1, "{file} {more:?}: {said}");
        assert!(said.contains(reason), "{file} {more:?}: {said}");
    }
    assert!(!place.path("data").exists());
}

#[test]
fn a_file_cut_off_half_way_fails_and_goes_on_later() {
    let place = Place::new();
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    // Larger than what is looked at before the first row.
    let pad = "x".repeat(1_000);
    let lines: String = (0..3_000).map(|n| format!("2024-01-01T00:00:00Z,acme,{n},{pad}\n")).collect();
    packed.write_all(format!("at,who,n,pad\n{lines}").as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    place.write("u.csv.gz", &packed[..packed.len() / 2]);
    let (status, said) = place.import("u.csv.gz", &[]);
    assert_eq!(status, 1, "{said}");
    place.write("u.csv.gz", &packed);
    let (status, said) = place.import("u.csv.gz", &[]);
    assert!(status == 0 && said.contains("0 refused") && !said.contains(" 0 already there"), "{said}");
    assert_eq!(events(&place), 3_000);
}
