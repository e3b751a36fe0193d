//! The dependency law: arrows point down, and each outside world is known to one room only.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each package and the packages of this workspace that it may stand on.
const STANDS_ON: &[(&str, &[&str])] = &[
    ("weir-core", &[]),
    ("weir-import", &["weir-core"]),
    ("weir-report", &["weir-core"]),
    ("weir-engine", &["weir-core"]),
    ("weir-webhooks", &["weir-core", "weir-engine"]),
    ("weir-secrets", &["weir-engine"]),
    ("weir-api", &["weir-core", "weir-engine", "weir-import", "weir-report"]),
    ("weir-http", &["weir-core", "weir-engine", "weir-api"]),
    (
        "weir-cli",
        &[
            "weir-core",
            "weir-engine",
            "weir-api",
            "weir-http",
            "weir-import",
            "weir-report",
            "weir-secrets",
            "weir-webhooks",
        ],
    ),
    ("weir-desktop", &["weir-core", "weir-engine", "weir-api", "weir-http", "weir-secrets", "weir-webhooks"]),
    (BENCHES, &["weir-core", "weir-engine", "weir-api", "weir-http"]),
];

/// Stands beside the house like a test: it holds rooms against the bare libraries they are made of.
const BENCHES: &str = "weir-benches";

/// What only one package may know: the start of a dependency's name, and that package.
const KNOWN_TO: &[(&str, &str)] = &[
    ("tauri", "weir-desktop"),
    ("notify-rust", "weir-desktop"),
    ("axum", "weir-http"),
    ("tower", "weir-http"),
    ("tokio-rustls", "weir-http"),
    ("sqlx", "weir-engine"),
    ("plotters", "weir-report"),
    ("keyring", "weir-secrets"),
    ("zbus", "weir-secrets"),
    ("apple-native-keyring", "weir-secrets"),
    ("windows-native-keyring", "weir-secrets"),
    ("clap", "weir-cli"),
    ("indicatif", "weir-cli"),
];

/// With these a crate could reach files, the network, a clock or other threads.
const NOT_PURE: &[&str] = &["tokio", "sqlx", "axum", "reqwest", "tempfile", "getrandom", "rustix", "tracing"];

#[test]
fn arrows_point_down() {
    let law: BTreeMap<&str, &[&str]> = STANDS_ON.iter().copied().collect();
    let packages = packages();
    assert_eq!(names(&packages), law.keys().map(|name| (*name).to_owned()).collect(), "a room is missing in the law");
    for (package, dependencies) in &packages {
        let allowed = law[package.as_str()];
        for dependency in dependencies.iter().filter(|d| packages.contains_key(&d.name) && !d.only_for_tests) {
            assert!(allowed.contains(&dependency.name.as_str()), "{package} must not stand on {}", dependency.name);
        }
    }
}

#[test]
fn each_outside_world_is_known_to_one_room() {
    for (package, dependencies) in packages().iter().filter(|(package, _)| *package != BENCHES) {
        for dependency in dependencies.iter().filter(|d| !d.only_for_tests) {
            for (prefix, owner) in KNOWN_TO {
                assert!(
                    !dependency.name.starts_with(prefix) || package == owner,
                    "{package} must not know {}: that is {owner}'s",
                    dependency.name
                );
            }
        }
    }
}

#[test]
fn the_rules_are_pure() {
    let packages = packages();
    let clock = BTreeSet::from(["clock".to_owned(), "now".to_owned()]);
    for dependency in packages["weir-core"].iter().filter(|d| !d.only_for_tests) {
        assert!(!NOT_PURE.contains(&dependency.name.as_str()), "weir-core must not know {}", dependency.name);
        assert!(
            dependency.name != "chrono" || dependency.features.is_disjoint(&clock),
            "weir-core must not be able to read the clock"
        );
    }
}

#[test]
fn the_engine_and_its_doors_build_without_a_web_view() {
    for dependency in packages()["weir-desktop"].iter().filter(|d| d.name.starts_with("tauri")) {
        assert!(dependency.optional, "{} must only come with the feature `desktop`", dependency.name);
    }
}

struct Dependency {
    name: String,
    optional: bool,
    only_for_tests: bool,
    features: BTreeSet<String>,
}

type Packages = BTreeMap<String, Vec<Dependency>>;

fn names(packages: &Packages) -> BTreeSet<String> {
    packages.keys().cloned().collect()
}

fn packages() -> Packages {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (text(&package["name"]), dependencies(package))).collect()
}

fn dependencies(package: &Value) -> Vec<Dependency> {
    let all = package["dependencies"].as_array().expect("dependencies");
    all.iter()
        .map(|dependency| Dependency {
            name: text(&dependency["name"]),
            optional: dependency["optional"].as_bool().expect("optional"),
            only_for_tests: dependency["kind"] == "dev",
            features: dependency["features"].as_array().expect("features").iter().map(text).collect(),
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
