//! Forecasts, as standings tell them.

mod common;

use common::{Bench, actor, at, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::forecast::{Forecast, Outlook};
use weir_core::period::Period;
use weir_core::time::Zone;
use weir_engine::Engine;
use weir_engine::model::{ListStandings, NewCustomer};

/// What each limit's forecast is, by name, the same on both ways to ask.
async fn forecasts(engine: &Engine) -> Vec<(String, Forecast)> {
    let standing = engine.customer_standing("acme").await.unwrap().limits;
    let rows = engine.standings(ListStandings::default()).await.unwrap().data;
    for limit in &standing {
        let row = rows.iter().find(|row| row.standing.limit_id == limit.limit_id).expect("a row for each limit");
        assert_eq!(row.standing, *limit);
    }
    let mut told: Vec<_> = standing.into_iter().map(|limit| (limit.name, limit.forecast)).collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    told
}

fn outlooks(told: &[(String, Forecast)]) -> Vec<(&str, Outlook)> {
    told.iter().map(|(name, forecast)| (name.as_str(), forecast.outlook)).collect()
}

#[tokio::test]
async fn a_limit_runs_out_as_its_window_has_been_used_so_far() {
    let bench = Bench::open_at("2026-03-10T01:00:00Z").await;
    let zone = Some(Zone::parse("Asia/Kathmandu").unwrap());
    let new = NewCustomer { external_id: "acme".to_owned(), timezone: zone, ..NewCustomer::default() };
    bench.engine.create_customer(&actor(), new).await.unwrap();
    let sum = bench.meter("sum", Aggregation::Sum, "values.tokens").await;
    let max = bench.meter("max", Aggregation::Max, "values.tokens").await;
    for new in [
        limit("all", sum, "1000", Period::AllTime),
        limit("day", sum, "100", Period::Day),
        limit("hour", sum, "100", Period::Hour),
        limit("max", max, "100", Period::Day),
        limit("month", sum, "100", Period::Month),
    ] {
        bench.engine.create_limit(&actor(), new).await.unwrap();
    }
    bench.engine.record(&actor(), event("acme", "40")).await.unwrap();
    let told = forecasts(&bench.engine).await;
    assert_eq!(
        outlooks(&told),
        [
            ("all", Outlook::TooEarly),
            // Midnight in Kathmandu was at 18:15, 6 hours and 45 minutes ago.
            ("day", Outlook::RunsOut),
            ("hour", Outlook::TooEarly),
            ("max", Outlook::NoRate),
            ("month", Outlook::TooEarly),
        ]
    );
    let day = &told[1].1;
    let basis = day.basis.as_ref().unwrap();
    assert_eq!(
        (basis.from, basis.to, basis.used),
        (at("2026-03-09T18:15:00Z"), at("2026-03-10T01:00:00Z"), quantity("40"))
    );
    assert_eq!(basis.per_hour, Some(quantity("5.925925925")));
    assert_eq!(day.runs_out_at, Some(at("2026-03-10T11:07:30Z")));

    bench.clock.set(at("2026-03-10T13:00:00Z"));
    bench.engine.record(&actor(), event("acme", "10")).await.unwrap();
    let told = forecasts(&bench.engine).await;
    let expected = [
        ("all", Outlook::RunsOut),
        ("day", Outlook::Lasts),
        ("hour", Outlook::TooEarly),
        ("max", Outlook::NoRate),
        ("month", Outlook::RunsOut),
    ];
    assert_eq!(outlooks(&told), expected, "half of a day's in 18 hours and 45 minutes lasts the day");
    // 50 in the 12 hours since the first event, 950 to go.
    assert_eq!(told[0].1.runs_out_at, Some(at("2026-03-20T01:00:00Z")));

    // The first event is another one now.
    let earlier = EventInput { timestamp: Some(at("2026-03-09T13:00:00Z")), ..event("acme", "0") };
    let earlier = bench.engine.record(&actor(), earlier).await.unwrap().id;
    assert_eq!(forecasts(&bench.engine).await[0].1.runs_out_at, Some(at("2026-03-29T13:00:00Z")));
    bench.engine.void_event(&actor(), earlier, None).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(forecasts(&bench.engine).await[0].1.runs_out_at, Some(at("2026-03-20T01:00:00Z")));

    bench.engine.record(&actor(), event("acme", "60")).await.unwrap();
    let told = forecasts(&bench.engine).await;
    assert_eq!((told[1].1.outlook, told[1].1.runs_out_at), (Outlook::UsedUp, None));
}
