//! Live state: every customer resident, with the counters of the limits that apply, as of the last commit.

use std::hash::BuildHasher;
use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::{FxBuildHasher, FxHashMap};
use weir_core::aggregate::{Aggregate, Aggregation, Contribution};
use weir_core::id::{CustomerId, ReservationId};
use weir_core::period::Window;
use weir_core::quantity::{Overflow, Quantity};
use weir_core::rate::RateCount;
use weir_core::time::{CivilDate, Timestamp, Zone};

use crate::accounts::Accounts;
use crate::config::{Config, LimitRule, MeterRule};
use crate::extras::Extras;

/// A customer as decisions see one.
#[derive(Clone, Debug)]
pub(crate) struct LiveCustomer {
    pub key: i64,
    pub id: CustomerId,
    pub external: Arc<str>,
    pub zone: Option<Zone>,
    pub anchor: CivilDate,
    /// The customer's own live and enabled limits.
    pub own: Arc<[Arc<LimitRule>]>,
    /// Counters of limits, loaded when first needed.
    pub counters: Vec<Counter>,
    /// Calls within the windows of rate limits, by the limit's number.
    pub rates: Vec<(i64, RateCount)>,
    /// What only a few have.
    pub extras: Option<Arc<Extras>>,
    /// The customer's balances.
    pub accounts: Accounts,
}

/// What a customer has used of a limit, in the window it was loaded in and those after.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    pub limit: i64,
    pub counting: u64,
    /// The generation of the meter that is counted.
    pub series: i64,
    /// The zone in which the windows are cut. The project's may change before the customer is loaded anew.
    pub zone: Zone,
    /// Ascending, without the windows in which nothing happened.
    pub windows: Vec<WindowCount>,
}

/// The meter over one window.
#[derive(Clone, Debug)]
pub(crate) struct WindowCount {
    pub window: Window,
    pub total: Aggregate,
}

impl LiveCustomer {
    /// The zone in which the customer's windows are cut.
    pub(crate) fn zone(&self, config: &Config) -> Zone {
        self.zone.unwrap_or(config.project.timezone)
    }

    /// What the customer has beside limits.
    pub(crate) fn extras(&self) -> &Extras {
        self.extras.as_deref().unwrap_or(Extras::NONE)
    }

    /// The same, to change it.
    pub(crate) fn extras_mut(&mut self) -> &mut Extras {
        Arc::make_mut(self.extras.get_or_insert_default())
    }

    /// Ends a reservation, if there is one.
    pub(crate) fn let_go(&mut self, id: ReservationId) {
        if self.extras().holds.iter().any(|hold| hold.id == id) {
            self.extras_mut().holds.retain(|hold| hold.id != id);
        }
    }

    /// What live reservations would add to a limit in a window that is not over, if they came to what they hold.
    pub(crate) fn held<'a>(
        &'a self,
        rule: &'a LimitRule,
        meter: &'a MeterRule,
        window: Window,
        now: Timestamp,
    ) -> impl Iterator<Item = Contribution> + 'a {
        let from = window.start.map_or(now, |start| start.max(now));
        let live = self.extras().holds.iter().filter(move |hold| from < hold.expires_at);
        live.filter_map(move |hold| rule.contribution(meter, &hold.facts(&self.external, now)))
    }

    /// A limit's value for the customer.
    pub(crate) fn value_of(&self, rule: &LimitRule, now: Timestamp) -> Quantity {
        self.extras().raise(rule, now).map_or(rule.value, |raise| raise.value)
    }

    /// The calls within the window of a rate limit.
    pub(crate) fn calls(&self, rate_limit: i64) -> Option<&RateCount> {
        self.rates.iter().find(|(key, _)| *key == rate_limit).map(|(_, count)| count)
    }

    /// The calls within the window of a rate limit, to count one more.
    pub(crate) fn calls_mut(&mut self, rate_limit: i64) -> &mut RateCount {
        let place = self.rates.iter().position(|(key, _)| *key == rate_limit).unwrap_or_else(|| {
            self.rates.push((rate_limit, RateCount::default()));
            self.rates.len() - 1
        });
        &mut self.rates[place].1
    }

    /// The counter of a limit, if it is loaded for this configuration.
    pub(crate) fn counter(&self, config: &Config, rule: &LimitRule, meter: &MeterRule) -> Option<&Counter> {
        let zone = self.zone(config);
        self.counters.iter().find(|counter| counter.is_of(rule, meter, zone))
    }

    /// Counts an event on a limit's counter, if that is loaded.
    pub(crate) fn count(
        &mut self,
        rule: &LimitRule,
        meter: &MeterRule,
        zone: Zone,
        event: &Contribution,
    ) -> Result<(), Overflow> {
        let anchor = self.anchor;
        let Some(counter) = self.counters.iter_mut().find(|counter| counter.is_of(rule, meter, zone)) else {
            return Ok(());
        };
        // Most events fall into the window that the last one fell into.
        if let Some(count) = counter.windows.iter_mut().rev().find(|count| count.window.contains(event.at)) {
            return count.total.add(event);
        }
        let window = rule.period.window(zone, anchor, event.at);
        match counter.windows.first_mut() {
            // Of a time already over: only `latest` looks back, and carries the newest value from before into the first window.
            Some(first) if window < first.window => match &first.total {
                Aggregate::Latest(_) => first.total.add(event),
                _ => Ok(()),
            },
            _ => {
                let mut total = Aggregate::empty(meter.aggregation);
                total.add(event)?;
                let place = counter.windows.partition_point(|count| count.window < window);
                // Most customers only ever have one or two.
                counter.windows.reserve_exact(1);
                counter.windows.insert(place, WindowCount { window, total });
                Ok(())
            }
        }
    }

    /// When the customer turns into a window that holds something already: an event may lie minutes ahead.
    pub(crate) fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        let ahead = self.counters.iter().flat_map(|counter| &counter.windows).filter(|count| !count.total.is_empty());
        ahead.filter_map(|count| count.window.start).filter(|start| *start > now).min()
    }

    /// Forgets windows that are over. The last of them stays where nothing has happened in the current one yet: the first window
    /// marks from when on events are counted, and the next may already hold one that lies minutes ahead.
    pub(crate) fn forget_windows_before(&mut self, now: Timestamp) {
        for counter in &mut self.counters {
            let over =
                counter.windows.iter().take_while(|count| count.window.end.is_some_and(|end| end <= now)).count();
            let is_current_there = counter.windows.get(over).is_some_and(|count| count.window.contains(now));
            let forget = if is_current_there { over } else { over.saturating_sub(1) };
            if forget == 0 {
                continue;
            }
            let carried = counter.windows[..=forget].iter().find_map(|count| match &count.total {
                Aggregate::Latest(_) => Some(Aggregate::empty(Aggregation::Latest)),
                _ => None,
            });
            if let Some(mut newest) = carried {
                for count in &counter.windows[..=forget] {
                    // Merging the newest values cannot overflow.
                    let _ = newest.merge(&count.total);
                }
                counter.windows[forget].total = newest;
            }
            counter.windows.drain(..forget);
        }
    }
}

impl Counter {
    fn is_of(&self, rule: &LimitRule, meter: &MeterRule, zone: Zone) -> bool {
        self.limit == rule.key && self.counting == rule.counting && self.series == meter.series && self.zone == zone
    }

    /// Whether a window is among those counted, happened anything in it or not.
    pub(crate) fn covers(&self, window: Window) -> bool {
        self.windows.first().is_some_and(|first| first.window <= window)
    }

    /// The meter over a window not before the one that was loaded. `latest` carries the newest value from before it.
    pub(crate) fn total(&self, aggregation: Aggregation, window: Window) -> Aggregate {
        if aggregation == Aggregation::Latest {
            let mut newest = Aggregate::empty(Aggregation::Latest);
            for count in self.windows.iter().filter(|count| count.window <= window) {
                // Merging the newest values cannot overflow.
                let _ = newest.merge(&count.total);
            }
            return newest;
        }
        let count = self.windows.iter().find(|count| count.window == window);
        count.map_or_else(|| Aggregate::empty(aggregation), |count| count.total.clone())
    }
}

/// All customers by external id, shared between the writer that swaps and everyone who reads.
#[derive(Debug)]
pub(crate) struct Customers {
    shards: Box<[Shard]>,
}

type Shard = RwLock<FxHashMap<Arc<str>, Arc<LiveCustomer>>>;

const SHARDS: usize = 64;

impl Default for Customers {
    fn default() -> Self {
        Customers { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }
}

impl Customers {
    fn shard(&self, external: &str) -> &Shard {
        &self.shards[(FxBuildHasher.hash_one(external) >> 58) as usize % SHARDS]
    }

    pub(crate) fn get(&self, external: &str) -> Option<Arc<LiveCustomer>> {
        self.shard(external).read().unwrap_or_else(PoisonError::into_inner).get(external).cloned()
    }

    /// Swaps a customer in. There may be very many, so that none keeps room it does not use.
    pub(crate) fn put(&self, mut customer: LiveCustomer) -> Arc<LiveCustomer> {
        customer.counters.shrink_to_fit();
        customer.rates.shrink_to_fit();
        customer.extras.take_if(|extras| extras.is_empty());
        customer.accounts.tidy();
        let customer = Arc::new(customer);
        let mut shard = self.shard(&customer.external).write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(customer.external.clone(), customer.clone());
        customer
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Changes every customer, a shard at a time.
    pub(crate) fn update_all(&self, change: impl Fn(&mut LiveCustomer)) {
        for shard in &self.shards {
            for customer in shard.write().unwrap_or_else(PoisonError::into_inner).values_mut() {
                change(Arc::make_mut(customer));
            }
        }
    }
}
