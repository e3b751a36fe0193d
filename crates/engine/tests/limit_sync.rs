//! A list of limits put into force as a whole.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, check, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::period::Period;
use weir_engine::model::{
    Enforcement, ListAudit, ListLimits, PageSize, StatedLimit, SyncAction, SyncAnswer, SyncLimits,
};
use weir_engine::{Error, Result};

fn stated(name: &str, customer: Option<&str>, value: &str) -> StatedLimit {
    StatedLimit {
        name: name.to_owned(),
        meter: Some("tokens".to_owned()),
        meter_id: None,
        limit_value: quantity(value),
        period: Period::AllTime,
        customer_id: customer.map(str::to_owned),
        dimension_filters: BTreeMap::new(),
        alert_thresholds: Vec::new(),
        enforcement: Enforcement::Hard,
        enabled: true,
    }
}

async fn bench() -> Bench {
    let bench = Bench::open().await;
    bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench
}

async fn sync(bench: &Bench, limits: &[StatedLimit], preview: bool, archive_missing: bool) -> Result<SyncAnswer> {
    let sync = SyncLimits { limits: limits.to_vec(), preview, archive_missing };
    bench.engine.sync_limits(&actor(), sync).await
}

fn counts(answer: &SyncAnswer) -> [u64; 4] {
    [answer.created, answer.updated, answer.unchanged, answer.archived]
}

/// How many audit facts there are, and the newest ones' operations.
async fn audit(bench: &Bench) -> Vec<String> {
    let list = ListAudit { limit: PageSize::MAX, ..ListAudit::default() };
    bench.engine.audit(list).await.unwrap().data.into_iter().map(|fact| fact.operation).collect()
}

#[tokio::test]
async fn what_differs_is_changed_and_twice_changes_nothing() {
    let bench = bench().await;
    bench.engine.record(&actor(), event("acme", "7")).await.unwrap();
    let list = [stated("all", None, "10"), stated("own", Some("acme"), "0.1"), stated("own", Some("newcomer"), "3")];
    let before = audit(&bench).await.len();
    let plan = sync(&bench, &list, true, false).await.unwrap();
    assert_eq!((plan.applied, counts(&plan)), (false, [3, 0, 0, 0]));
    assert_eq!(audit(&bench).await.len(), before, "a preview changes nothing");
    assert!(bench.engine.customer("newcomer").await.is_err());

    let done = sync(&bench, &list, false, false).await.unwrap();
    assert_eq!((done.applied, &done.changes), (true, &plan.changes), "what was said before is what is done");
    assert_eq!(audit(&bench).await[..3], ["limits.create"; 3]);
    assert!(!bench.engine.check(check("acme")).await.unwrap().allowed, "7 of 0.1 tokens are used");
    assert!(bench.engine.check(check("newcomer")).await.unwrap().allowed);

    let facts = audit(&bench).await.len();
    let again = sync(&bench, &list, false, true).await.unwrap();
    assert_eq!((counts(&again), again.changes.len()), ([0, 0, 3, 0], 0));
    assert_eq!(audit(&bench).await.len(), facts);

    // One is raised, one is stated by the meter's id, one is not named any more.
    let mut by_id = stated("all", None, "10");
    (by_id.meter, by_id.meter_id) =
        (None, bench.engine.limits(ListLimits::default()).await.unwrap().data.first().map(|limit| limit.meter_id));
    let next = [stated("own", Some("acme"), "8"), by_id];
    assert_eq!(counts(&sync(&bench, &next, false, false).await.unwrap()), [0, 1, 1, 0], "what is not named stays");
    let last = sync(&bench, &next, false, true).await.unwrap();
    assert_eq!(counts(&last), [0, 0, 2, 1]);
    assert_eq!(
        (last.changes[0].action, last.changes[0].customer_id.as_deref()),
        (SyncAction::Archive, Some("newcomer"))
    );
    assert_eq!(audit(&bench).await[..2], ["limits.archive", "limits.update"]);
    assert!(bench.engine.check(check("acme")).await.unwrap().allowed, "7 of 8 tokens are used");
    let limits = bench.engine.limits(ListLimits::default()).await.unwrap().data;
    let versions: Vec<_> = limits.iter().map(|limit| (limit.name.as_str(), limit.version)).collect();
    assert_eq!(versions, [("own", 2), ("all", 1)]);

    // As it decides now, it decides after opening the file again.
    let standing = bench.engine.customer_standing("acme").await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.customer_standing("acme").await.unwrap(), standing);
    let stated = bench.engine.stated_limits().await.unwrap();
    assert_eq!(
        counts(&sync(&bench, &stated, false, true).await.unwrap()),
        [0, 0, 2, 0],
        "what is written reads as it stands"
    );
}

#[tokio::test]
async fn every_fault_is_listed_and_nothing_is_done() {
    let bench = bench().await;
    bench.meter("average", Aggregation::Avg, "values.tokens").await;
    let mut wrong = stated("", Some(""), "1");
    wrong.alert_thresholds = vec![0];
    let mut average = stated("b", None, "1");
    average.meter = Some("average".to_owned());
    let mut nowhere = stated("c", None, "1");
    nowhere.meter = None;
    let list = [stated("a", None, "1"), wrong, average, nowhere, stated("a", None, "2"), stated("a", Some("x"), "2")];
    let Err(Error::Faults(faults)) = sync(&bench, &list, false, true).await else { panic!("accepted") };
    let found: Vec<_> = faults.iter().map(|(index, fault)| (*index, fault.field.as_deref().unwrap())).collect();
    assert_eq!(
        found,
        [(1, "name"), (1, "customerId"), (1, "alertThresholds[0]"), (2, "meter"), (3, "meter"), (4, "name")]
    );
    assert!(bench.engine.limits(ListLimits::default()).await.unwrap().data.is_empty());
    assert!(bench.engine.customer("x").await.is_err());
    let list = vec![stated("a", None, "1"); 10_001];
    assert_eq!(sync(&bench, &list, false, false).await.unwrap_err().code(), Code::InvalidFieldValue);
}

#[tokio::test]
async fn an_empty_list_states_that_there_is_no_limit() {
    let bench = bench().await;
    sync(&bench, &[stated("a", None, "1"), stated("b", Some("x"), "1")], false, false).await.unwrap();
    assert_eq!(counts(&sync(&bench, &[], false, false).await.unwrap()), [0, 0, 0, 0]);
    assert_eq!(counts(&sync(&bench, &[], true, true).await.unwrap()), [0, 0, 0, 2], "a preview");
    assert_eq!(bench.engine.limits(ListLimits::default()).await.unwrap().data.len(), 2);
    assert_eq!(counts(&sync(&bench, &[], false, true).await.unwrap()), [0, 0, 0, 2]);
    assert!(bench.engine.limits(ListLimits::default()).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn many_customers_change_in_one_go() {
    const MANY: u64 = 10_000;
    let bench = bench().await;
    let meter = bench.engine.meters(Default::default()).await.unwrap().data[0].id;
    bench.engine.create_limit(&actor(), limit("all", meter, "5", Period::Day)).await.unwrap();
    let events: Vec<_> = (0..MANY).map(|n| event(&format!("c{n}"), "2")).collect();
    for some in events.chunks(1_000) {
        bench.engine.record_batch(&actor(), some.to_vec()).await.unwrap();
    }
    let list = |value: &str| -> Vec<_> { (0..MANY).map(|n| stated("own", Some(&format!("c{n}")), value)).collect() };
    for (value, expected) in [("1", [MANY, 0, 0, 0]), ("3", [0, MANY, 0, 0]), ("3", [0, 0, MANY, 0])] {
        let began = std::time::Instant::now();
        let done = sync(&bench, &list(value), false, false).await.unwrap();
        println!("{:?} in {:?}", expected, began.elapsed());
        assert_eq!(counts(&done), expected);
        for customer in ["c0", "c9999"] {
            assert_eq!(bench.engine.check(check(customer)).await.unwrap().allowed, value == "3");
        }
    }
    let facts =
        bench.engine.audit(ListAudit { operation: Some("limits.update".to_owned()), ..ListAudit::default() }).await;
    assert!(facts.unwrap().data.windows(2).all(|pair| pair[0].at == pair[1].at), "one transaction");
}
