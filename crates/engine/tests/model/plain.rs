//! The plain model: everything is worked out from the list of accepted events, each time anew, with no state that grows.

use std::collections::{BTreeMap, BTreeSet};

use weir_core::aggregate::Aggregation;
use weir_core::id::{EventId, LimitId, MeterId};
use weir_core::period::{Period, Window};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp, Zone};
use weir_engine::model::{Check, CheckedLimit, Enforcement, LimitStanding, Source};

pub type Texts = BTreeMap<String, String>;

/// An event that was accepted. Its place in the list is its place among the ids.
#[derive(Clone, Debug)]
pub struct Happened {
    pub id: EventId,
    pub customer: String,
    pub event_type: String,
    pub values: BTreeMap<String, Quantity>,
    pub dimensions: Texts,
    pub at: Timestamp,
    /// Recorded before it happened, so that a later window may hold it before that begins.
    pub ahead: bool,
    /// When and why it was voided.
    pub voided: Option<(Timestamp, Option<String>)>,
}

impl Happened {
    fn dimension(&self, name: &str) -> Option<&str> {
        match name {
            "customer_id" => Some(&self.customer),
            "event_type" => Some(&self.event_type),
            name => self.dimensions.get(name).map(String::as_str),
        }
    }

    fn has(&self, wanted: &Texts) -> bool {
        wanted.iter().all(|(name, value)| self.dimension(name) == Some(value))
    }
}

#[derive(Clone, Debug)]
pub struct Owner {
    pub zone: Option<Zone>,
    pub anchor: CivilDate,
    pub archived: bool,
}

/// What a meter counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub aggregation: Aggregation,
    pub field: &'static str,
    pub event_type: Option<&'static str>,
    pub dimensions: Texts,
    pub group_by: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Meter {
    pub id: MeterId,
    pub name: String,
    pub unit: Option<String>,
    pub definition: Definition,
    pub archived: bool,
    pub built_in: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    pub id: LimitId,
    pub name: String,
    pub meter: usize,
    pub value: Quantity,
    pub period: Period,
    pub customer: Option<String>,
    pub filters: Texts,
    pub enforcement: Enforcement,
    pub enabled: bool,
    pub archived: bool,
    pub version: u32,
}

/// What an event adds to a meter.
#[derive(Clone, Debug)]
enum Part {
    One,
    Amount(i128),
    Member(String),
}

impl Definition {
    fn part_of(&self, event: &Happened) -> Option<Part> {
        if self.field == "*" {
            return Some(Part::One);
        }
        match self.field.split_once('.') {
            Some(("values", name)) => event.values.get(name).map(|value| Part::Amount(value.steps())),
            Some(("dimensions", name)) => event.dimension(name).map(|value| Part::Member(value.to_owned())),
            _ => None,
        }
    }

    fn matches(&self, event: &Happened) -> bool {
        self.event_type.is_none_or(|wanted| wanted == event.event_type) && event.has(&self.dimensions)
    }

    /// The meter's value over parts with their times, in the order of their ids.
    fn value(&self, parts: &[(Timestamp, Part)]) -> Option<Quantity> {
        let amounts = || {
            parts.iter().filter_map(|(at, part)| match part {
                Part::Amount(steps) => Some((*at, *steps)),
                _ => None,
            })
        };
        let whole = |count: usize| Some(count as i128 * 1_000_000_000);
        let steps = match self.aggregation {
            Aggregation::Sum => Some(amounts().map(|(_, steps)| steps).sum()),
            Aggregation::Count => whole(parts.len()),
            Aggregation::Max => amounts().map(|(_, steps)| steps).max(),
            Aggregation::Min => amounts().map(|(_, steps)| steps).min(),
            // Of several at one instant, `max_by_key` gives the last: the one with the greatest id.
            Aggregation::Latest => amounts().max_by_key(|(at, _)| *at).map(|(_, steps)| steps),
            Aggregation::Avg => {
                let total: i128 = amounts().map(|(_, steps)| steps).sum();
                return Quantity::from_steps(total).divide(parts.len() as u64);
            }
            Aggregation::Unique => {
                let members: BTreeSet<_> = parts
                    .iter()
                    .filter_map(|(_, part)| match part {
                        Part::Member(member) => Some(member),
                        _ => None,
                    })
                    .collect();
                whole(members.len())
            }
        };
        steps.map(Quantity::from_steps)
    }
}

/// Everything that is known.
#[derive(Clone, Debug)]
pub struct Plain {
    pub events: Vec<Happened>,
    pub customers: BTreeMap<String, Owner>,
    pub meters: Vec<Meter>,
    pub limits: Vec<Limit>,
    pub zone: Zone,
}

/// One limit as it applies to a customer.
struct Applying<'a> {
    limit: &'a Limit,
    meter: &'a Meter,
    window: Window,
    source: Source,
    used: Quantity,
    refuses: bool,
}

impl Applying<'_> {
    fn remaining(&self) -> Quantity {
        Quantity::from_steps((self.limit.value.steps() - self.used.steps()).max(0))
    }

    fn exceeded(&self) -> bool {
        self.used >= self.limit.value
    }

    fn reset(&self) -> Option<i64> {
        self.window.end.map(|end| end.as_micros().div_euclid(1_000_000) + i64::from(end.as_micros() % 1_000_000 != 0))
    }
}

impl Plain {
    /// The events that count.
    pub fn counting(&self) -> impl Iterator<Item = &Happened> {
        self.events.iter().filter(|event| event.voided.is_none())
    }

    /// A customer, or one as if created now.
    pub fn owner(&self, customer: &str, now: Timestamp) -> Owner {
        let new = || Owner { zone: None, anchor: CivilDate::of(now, self.zone), archived: false };
        self.customers.get(customer).cloned().unwrap_or_else(new)
    }

    pub fn window(&self, customer: &str, period: Period, now: Timestamp) -> Window {
        let owner = self.owner(customer, now);
        period.window(owner.zone.unwrap_or(self.zone), owner.anchor, now)
    }

    /// The parts of a customer's events in a limit over a window; for `latest`, also those from before it.
    fn parts(&self, limit: &Limit, customer: &str, window: Window) -> Vec<(Timestamp, Part)> {
        let definition = &self.meters[limit.meter].definition;
        let carries = definition.aggregation == Aggregation::Latest;
        self.counting()
            .filter(|event| event.customer == customer && event.has(&limit.filters) && definition.matches(event))
            .filter(|event| {
                window.contains(event.at) || (carries && window.start.is_some_and(|start| event.at < start))
            })
            .filter_map(|event| Some((event.at, definition.part_of(event)?)))
            .collect()
    }

    /// The limits that apply to a customer, own ones first.
    fn applying(&self, customer: &str, now: Timestamp) -> Vec<Applying<'_>> {
        let in_force = |limit: &&Limit| limit.enabled && !limit.archived;
        let own: Vec<_> =
            self.limits.iter().filter(in_force).filter(|limit| limit.customer.as_deref() == Some(customer)).collect();
        let defaults = self.limits.iter().filter(in_force).filter(|limit| limit.customer.is_none());
        let replaced = |limit: &Limit| {
            own.iter().any(|own| own.meter == limit.meter && own.period == limit.period && own.filters == limit.filters)
        };
        let defaults = defaults.filter(|limit| !replaced(limit)).map(|limit| (limit, Source::Default));
        let all = own.iter().map(|limit| (*limit, Source::Own)).chain(defaults);
        all.map(|(limit, source)| {
            let meter = &self.meters[limit.meter];
            let window = self.window(customer, limit.period, now);
            let used = meter.definition.value(&self.parts(limit, customer, window)).unwrap_or(Quantity::ZERO);
            let refuses = limit.enforcement == Enforcement::Hard && used >= limit.value;
            Applying { limit, meter, window, source, used, refuses }
        })
        .collect()
    }

    /// Refusing limits first, then the least remaining share, then id.
    fn sorted(mut applying: Vec<Applying<'_>>) -> Vec<Applying<'_>> {
        applying.sort_by(|a, b| {
            let left = a.remaining().steps() * b.limit.value.steps();
            let right = b.remaining().steps() * a.limit.value.steps();
            (!a.refuses, left, a.limit.id).cmp(&(!b.refuses, right, b.limit.id))
        });
        applying
    }

    pub fn standing(&self, customer: &str, now: Timestamp) -> Vec<LimitStanding> {
        let shown = |applying: &Applying<'_>| LimitStanding {
            limit_id: applying.limit.id,
            name: applying.limit.name.clone(),
            meter_id: applying.meter.id,
            meter_name: applying.meter.name.clone(),
            unit: applying.meter.unit.clone(),
            aggregation: applying.meter.definition.aggregation,
            period: applying.limit.period,
            limit: applying.limit.value,
            used: applying.used,
            held: Quantity::ZERO,
            remaining: applying.remaining(),
            exceeded: applying.exceeded(),
            reset: applying.reset(),
            window_start: applying.window.start,
            window_end: applying.window.end,
            enforcement: applying.limit.enforcement,
            source: applying.source,
            dimension_filters: applying.limit.filters.clone(),
            utilisation: percent(applying.used, applying.limit.value),
        };
        Self::sorted(self.applying(customer, now)).iter().map(shown).collect()
    }

    /// Whether a check lets a customer through, and the limits it answers.
    pub fn check(&self, check: &Check, now: Timestamp) -> (bool, Vec<CheckedLimit>) {
        let about_event = check.dimensions.is_some() || check.event_type.is_some() || check.values.is_some();
        let candidate = Happened {
            id: EventId::new(uuid::Uuid::max()),
            customer: check.customer_id.clone(),
            event_type: check.event_type.clone().unwrap_or_default(),
            values: check.values.clone().unwrap_or_default(),
            dimensions: check.dimensions.clone().unwrap_or_default(),
            at: now,
            ahead: false,
            voided: None,
        };
        let mut applying = self.applying(&check.customer_id, now);
        if about_event {
            applying.retain(|applying| counts_on(applying, check, &candidate));
        }
        if check.values.is_some() {
            for applying in &mut applying {
                let definition = &applying.meter.definition;
                let mut parts = self.parts(applying.limit, &check.customer_id, applying.window);
                let part = definition.part_of(&candidate);
                let contributes = part.is_some();
                parts.extend(part.map(|part| (now, part)));
                let after = definition.value(&parts).unwrap_or(Quantity::ZERO);
                applying.refuses = applying.limit.enforcement == Enforcement::Hard
                    && contributes
                    && after > applying.limit.value
                    && after > applying.used;
            }
        }
        let sorted = Self::sorted(applying);
        let checked = |applying: &Applying<'_>| CheckedLimit {
            id: applying.limit.id,
            name: applying.limit.name.clone(),
            meter_id: applying.meter.id,
            period: applying.limit.period,
            limit: applying.limit.value,
            used: applying.used,
            held: Quantity::ZERO,
            remaining: applying.remaining(),
            exceeded: applying.exceeded(),
            reset: applying.reset(),
        };
        (!sorted.iter().any(|applying| applying.refuses), sorted.iter().map(checked).collect())
    }

    /// A meter's value over all of a customer's events.
    pub fn usage(&self, meter: &Meter, customer: &str) -> Option<Quantity> {
        let parts: Vec<_> = self
            .counting()
            .filter(|event| event.customer == customer && meter.definition.matches(event))
            .filter_map(|event| Some((event.at, meter.definition.part_of(event)?)))
            .collect();
        meter.definition.value(&parts)
    }

    pub fn is_limited(&self, meter: usize) -> bool {
        self.limits.iter().any(|limit| limit.meter == meter && !limit.archived)
    }

    /// Whether another live limit of the same customer, or among the defaults, has the name.
    pub fn is_taken(&self, name: &str, customer: Option<&str>, but: Option<usize>) -> bool {
        let mut limits = self.limits.iter().enumerate();
        limits.any(|(index, limit)| {
            Some(index) != but && !limit.archived && limit.name == name && limit.customer.as_deref() == customer
        })
    }
}

/// Whether an event like the candidate would count on a limit, as far as the check says what it is like.
fn counts_on(applying: &Applying<'_>, check: &Check, candidate: &Happened) -> bool {
    let definition = &applying.meter.definition;
    let right_type = match (check.event_type.as_deref(), definition.event_type) {
        (Some(given), Some(wanted)) => given == wanted,
        _ => true,
    };
    let given = |name: &str| candidate.dimension(name).filter(|_| name != "event_type" || check.event_type.is_some());
    let contradicted =
        definition.dimensions.iter().any(|(name, wanted)| given(name).is_some_and(|given| given != wanted));
    let within = applying.limit.filters.iter().all(|(name, wanted)| given(name) == Some(wanted));
    right_type && !contradicted && within
}

/// Used as a percentage of the limit, cut to two digits.
pub fn percent(used: Quantity, limit: Quantity) -> Quantity {
    Quantity::from_steps(used.steps() * 10_000 / limit.steps() * 10_000_000)
}
