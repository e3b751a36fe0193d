//! Balances beside a plain model of their own, written from `docs/balances.md` alone: answers, balances, grants, holds, entries and
//! alerts after every step.
//!
//! `PROPTEST_CASES` makes longer runs.

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod compare;
mod deeds;
mod paying;
mod plain;
mod settings;
mod usage;
mod watch;
mod world;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence};

use commands::{STARTS, steps};
use world::World;

fn config(cases: u32) -> Config {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: given.unwrap_or(cases),
        max_shrink_iters: 3_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/ledger/regressions.txt"))),
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(config(20))]

    #[test]
    fn the_ledger_answers_as_the_plain_model_does(start in select(STARTS.to_vec()), steps in steps(80)) {
        let mut world = World::new(start);
        for step in steps {
            world = world.take(step);
        }
        world.end();
    }
}
