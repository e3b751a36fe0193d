//! The engine beside a plain model that works everything out anew from the list of accepted events.
//!
//! `PROPTEST_CASES` makes longer runs.

#[path = "../common/mod.rs"]
mod common;

mod alerts;
mod commands;
mod deeds;
mod plain;
mod shares;
mod world;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence};

use weir_core::time::Zone;

use commands::{STARTS, steps};
use world::World;

fn config(cases: u32) -> Config {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: given.unwrap_or(cases),
        max_shrink_iters: 3_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/model/regressions.txt"))),
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(config(25))]

    #[test]
    fn the_engine_answers_as_the_plain_model_does(start in select(STARTS.to_vec()), steps in steps(60)) {
        let mut world = World::new(start);
        if start.starts_with("1971") {
            // Where days begin off the quarter hour.
            world.put_project_in(Zone::parse("Africa/Monrovia").unwrap());
        }
        for step in steps {
            world = world.take(step);
        }
        world.end();
    }
}
