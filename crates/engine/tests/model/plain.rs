//! The plain model: everything is worked out from the list of accepted events, each time anew, with no state that grows.

use std::collections::{BTreeMap, BTreeSet};

use weir_core::aggregate::Aggregation;
use weir_core::forecast::{Basis, Forecast, Outlook};
use weir_core::id::{EventId, LimitId, MeterId, ReservationId};
use weir_core::period::{Period, Window};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp, Zone};
use weir_engine::model::{Check, CheckedLimit, Enforcement, LimitStanding, ReservationState, RunningRaise, Source};

use crate::alerts::PlainAlert;

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

    pub fn has(&self, wanted: &Texts) -> bool {
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
    pub thresholds: Vec<u16>,
    /// Counts what arms alerts anew.
    pub arming: u32,
}

/// A limit's higher value for a customer until an instant: the newest of a limit and customer counts.
#[derive(Clone, Debug)]
pub struct Raised {
    pub limit: usize,
    pub customer: String,
    pub value: Quantity,
    pub until: Timestamp,
    /// Whether its end has been judged.
    pub ended: bool,
}

/// A goodwill reset: only events from this place of the list on count.
#[derive(Clone, Debug)]
pub struct Forgiven {
    pub limit: usize,
    pub customer: String,
    pub from: usize,
    pub at: Timestamp,
}

/// A share that is held, or was.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: ReservationId,
    /// The event that may come.
    pub event: Happened,
    pub expires_at: Timestamp,
    pub state: ReservationState,
}

/// What an event adds to a meter.
#[derive(Clone, Debug)]
pub enum Part {
    One,
    Amount(i128),
    Member(String),
}

impl Definition {
    pub fn part_of(&self, event: &Happened) -> Option<Part> {
        if self.field == "*" {
            return Some(Part::One);
        }
        match self.field.split_once('.') {
            Some(("values", name)) => event.values.get(name).map(|value| Part::Amount(value.steps())),
            Some(("dimensions", name)) => event.dimension(name).map(|value| Part::Member(value.to_owned())),
            _ => None,
        }
    }

    pub fn matches(&self, event: &Happened) -> bool {
        self.event_type.is_none_or(|wanted| wanted == event.event_type) && event.has(&self.dimensions)
    }

    /// The meter's value over parts with their ids and times.
    fn value(&self, parts: &[(EventId, Timestamp, Part)]) -> Option<Quantity> {
        let amounts = || {
            parts.iter().filter_map(|(id, at, part)| match part {
                Part::Amount(steps) => Some(((*at, *id), *steps)),
                _ => None,
            })
        };
        let whole = |count: usize| Some(count as i128 * 1_000_000_000);
        let steps = match self.aggregation {
            Aggregation::Sum => Some(amounts().map(|(_, steps)| steps).sum()),
            Aggregation::Count => whole(parts.len()),
            Aggregation::Max => amounts().map(|(_, steps)| steps).max(),
            Aggregation::Min => amounts().map(|(_, steps)| steps).min(),
            Aggregation::Latest => amounts().max_by_key(|(at, _)| *at).map(|(_, steps)| steps),
            Aggregation::Avg => {
                let total: i128 = amounts().map(|(_, steps)| steps).sum();
                return Quantity::from_steps(total).divide(parts.len() as u64);
            }
            Aggregation::Unique => {
                let members: BTreeSet<_> = parts
                    .iter()
                    .filter_map(|(_, _, part)| match part {
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
    pub raises: Vec<Raised>,
    pub resets: Vec<Forgiven>,
    pub holds: Vec<Held>,
    pub alerts: Vec<PlainAlert>,
}

/// One limit as it applies to a customer.
pub struct Applying<'a> {
    pub index: usize,
    pub limit: &'a Limit,
    pub meter: &'a Meter,
    pub window: Window,
    pub source: Source,
    /// The limit's own value, or what it was raised to.
    pub value: Quantity,
    pub used: Quantity,
    pub held: Quantity,
    /// What counts, with what is held.
    pub taken: Vec<(EventId, Timestamp, Part)>,
    pub reset_at: Option<Timestamp>,
    pub refuses: bool,
}

impl Applying<'_> {
    fn remaining(&self) -> Quantity {
        Quantity::from_steps((self.value.steps() - self.used.steps() - self.held.steps()).max(0))
    }

    fn exceeded(&self) -> bool {
        self.used.steps() + self.held.steps() >= self.value.steps()
    }

    /// Whether a hard limit refuses an event that counts on it, as tracking does.
    pub fn refuses(&self, event: &Happened) -> bool {
        let definition = &self.meter.definition;
        let Some(part) = definition.part_of(event) else { return false };
        let value = |parts: &[_]| definition.value(parts).unwrap_or(Quantity::ZERO);
        let mut with = self.taken.clone();
        with.push((event.id, event.at, part));
        let (before, after) = (value(&self.taken), value(&with));
        self.limit.enforcement == Enforcement::Hard && after > self.value && after > before
    }

    pub fn checked(&self) -> CheckedLimit {
        CheckedLimit {
            id: self.limit.id,
            name: self.limit.name.clone(),
            meter_id: self.meter.id,
            period: self.limit.period,
            limit: self.value,
            used: self.used,
            held: self.held,
            remaining: self.remaining(),
            exceeded: self.exceeded(),
            reset: self.reset(),
        }
    }

    fn reset(&self) -> Option<i64> {
        self.window.end.map(|end| end.as_micros().div_euclid(1_000_000) + i64::from(end.as_micros() % 1_000_000 != 0))
    }
}

impl Held {
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == ReservationState::Live && now < self.expires_at
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

    /// The newest reset of a limit for a customer.
    fn reset(&self, limit: usize, customer: &str) -> Option<&Forgiven> {
        self.resets.iter().rev().find(|reset| reset.limit == limit && reset.customer == customer)
    }

    /// The newest raise of a limit for a customer, with its number from 1, and whether it is in force.
    pub fn raise(&self, limit: usize, customer: &str, now: Timestamp) -> Option<(usize, &Raised, bool)> {
        let numbered = self.raises.iter().enumerate().rev();
        let mut mine = numbered.filter(|(_, raise)| raise.limit == limit && raise.customer == customer);
        let in_force = |raise: &Raised| now < raise.until && raise.value > self.limits[limit].value;
        mine.next().map(|(number, raise)| (number + 1, raise, in_force(raise)))
    }

    /// The parts of a customer's events in a limit over a window; for `latest`, also those from before it.
    pub fn parts(&self, index: usize, customer: &str, window: Window) -> Vec<(EventId, Timestamp, Part)> {
        let limit = &self.limits[index];
        let definition = &self.meters[limit.meter].definition;
        let carries = definition.aggregation == Aggregation::Latest;
        let from = self.reset(index, customer).map_or(0, |reset| reset.from);
        self.events[from..]
            .iter()
            .filter(|event| event.voided.is_none())
            .filter(|event| event.customer == customer && event.has(&limit.filters) && definition.matches(event))
            .filter(|event| {
                window.contains(event.at) || (carries && window.start.is_some_and(|start| event.at < start))
            })
            .filter_map(|event| Some((event.id, event.at, definition.part_of(event)?)))
            .collect()
    }

    /// The limits that apply to a customer, own ones first.
    pub fn applying(&self, customer: &str, now: Timestamp) -> Vec<Applying<'_>> {
        self.applying_at(customer, now, now)
    }

    /// The same in the windows of an instant.
    pub fn applying_at(&self, customer: &str, at: Timestamp, now: Timestamp) -> Vec<Applying<'_>> {
        let all = self.limits.iter().enumerate();
        let in_force = all.filter(|(_, limit)| limit.enabled && !limit.archived);
        let (own, others): (Vec<_>, Vec<_>) =
            in_force.partition(|(_, limit)| limit.customer.as_deref() == Some(customer));
        let replaced = |limit: &Limit| {
            own.iter()
                .any(|(_, own)| own.meter == limit.meter && own.period == limit.period && own.filters == limit.filters)
        };
        let defaults = others.into_iter().filter(|(_, limit)| limit.customer.is_none() && !replaced(limit));
        let defaults = defaults.map(|(index, limit)| (index, limit, Source::Default));
        let all = own.iter().map(|(index, limit)| (*index, *limit, Source::Own)).chain(defaults);
        all.map(|(index, limit, source)| {
            let meter = &self.meters[limit.meter];
            let window = self.window(customer, limit.period, at);
            let parts = self.parts(index, customer, window);
            let value_of = |parts: &[_]| meter.definition.value(parts).unwrap_or(Quantity::ZERO);
            let used = value_of(&parts);
            let mut taken = parts;
            let live = self.holds.iter().filter(|hold| {
                let reached = window.start.is_none_or(|start| start < hold.expires_at);
                hold.is_live(now) && reached && window.end.is_none_or(|end| now < end)
            });
            for hold in live.filter(|hold| {
                let event = &hold.event;
                event.customer == customer && event.has(&limit.filters) && meter.definition.matches(event)
            }) {
                // It takes and never gives.
                let Some(part) = meter.definition.part_of(&hold.event) else { continue };
                let mut with = taken.clone();
                with.push((EventId::new(hold.id.uuid()), now, part));
                if value_of(&with) > value_of(&taken) {
                    taken = with;
                }
            }
            let held = Quantity::from_steps(value_of(&taken).steps() - used.steps());
            let value = match self.raise(index, customer, window.start.map_or(now, |start| start.max(now))) {
                Some((_, raise, true)) => raise.value,
                _ => limit.value,
            };
            let reset_at = self.reset(index, customer).map(|reset| reset.at).filter(|at| window.contains(*at));
            let refuses = limit.enforcement == Enforcement::Hard && used.steps() + held.steps() >= value.steps();
            Applying { index, limit, meter, window, source, value, used, held, taken, reset_at, refuses }
        })
        .collect()
    }

    /// Refusing limits first, then the least remaining share, then id.
    pub fn sorted(mut applying: Vec<Applying<'_>>) -> Vec<Applying<'_>> {
        applying.sort_by(|a, b| {
            let left = a.remaining().steps() * b.value.steps();
            let right = b.remaining().steps() * a.value.steps();
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
            limit: applying.value,
            used: applying.used,
            held: applying.held,
            remaining: applying.remaining(),
            exceeded: applying.exceeded(),
            reset: applying.reset(),
            window_start: applying.window.start,
            window_end: applying.window.end,
            enforcement: applying.limit.enforcement,
            source: applying.source,
            dimension_filters: applying.limit.filters.clone(),
            utilisation: percent(applying.used, applying.value),
            forecast: self.forecast(applying, customer, now),
            raised: (applying.value > applying.limit.value).then(|| RunningRaise {
                own_value: applying.limit.value,
                until: self.raises[self.raise(applying.index, customer, now).map_or(0, |(number, ..)| number - 1)]
                    .until,
                note: "raised".to_owned(),
            }),
            reset_at: applying.reset_at,
        };
        Self::sorted(self.applying(customer, now)).iter().map(shown).collect()
    }

    /// When a limit runs out, by plain arithmetic: numbers here are small.
    fn forecast(&self, applying: &Applying<'_>, customer: &str, now: Timestamp) -> Forecast {
        let none = |outlook| Forecast { outlook, runs_out_at: None, basis: None };
        let aggregation = applying.meter.definition.aggregation;
        if aggregation != Aggregation::Sum && aggregation != Aggregation::Count {
            return none(Outlook::NoRate);
        }
        let events = self.events.iter().filter(|event| event.voided.is_none() && event.customer == customer);
        let start = applying.reset_at.or(applying.window.start);
        let Some(from) = start.or_else(|| events.map(|event| event.at).min()) else {
            return none(Outlook::TooEarly);
        };
        let hour = 3_600_000_000_i128;
        let micros = |from: Timestamp, to: Timestamp| i128::from(to.as_micros()) - i128::from(from.as_micros());
        let passed = micros(from, now);
        let least = applying.window.end.map_or(hour, |end| (micros(from, end) / 100).max(60_000_000));
        let (used, left) = (applying.used.steps(), applying.remaining().steps());
        let taking = |left: i128| if used > 0 { (left * passed + used - 1).div_euclid(used) } else { 0 };
        let mut ahead = taking(left);
        if let Some((_, raise, true)) = self.raise(applying.index, customer, now)
            && ahead > micros(now, raise.until)
        {
            let own_left = applying.limit.value.steps() - used - applying.held.steps();
            ahead = taking(own_left.max(0)).max(micros(now, raise.until));
        }
        let until = applying.window.end.map_or(36_525 * 24 * hour, |end| micros(now, end));
        let outlook = match () {
            () if applying.exceeded() => Outlook::UsedUp,
            () if passed < least => Outlook::TooEarly,
            () if used <= 0 => Outlook::NotGrowing,
            () if ahead < until => Outlook::RunsOut,
            () => Outlook::Lasts,
        };
        let basis = (passed >= least).then(|| Basis {
            from,
            to: now,
            used: applying.used,
            per_hour: Some(Quantity::from_steps(used * hour / passed)),
        });
        let runs_out_at = (outlook == Outlook::RunsOut).then(|| Timestamp::from_micros(now.as_micros() + ahead as i64));
        Forecast { outlook, runs_out_at, basis }
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
            voided: None,
        };
        let mut applying = self.applying(&check.customer_id, now);
        if about_event {
            applying.retain(|applying| counts_on(applying, check, &candidate));
        }
        if check.values.is_some() {
            for applying in &mut applying {
                // A dimension that is not said is one that it does not have.
                let counts = candidate.has(&applying.meter.definition.dimensions);
                applying.refuses = counts && applying.refuses(&candidate);
            }
        }
        let sorted = Self::sorted(applying);
        let limits = sorted.iter().map(Applying::checked).collect();
        (!sorted.iter().any(|applying| applying.refuses), limits)
    }

    /// The limits on which an event counts, in its own windows, with what the customer holds.
    pub fn counting_on(&self, event: &Happened, now: Timestamp) -> Vec<Applying<'_>> {
        let mut applying = self.applying_at(&event.customer, event.at, now);
        applying.retain(|one| event.has(&one.limit.filters) && one.meter.definition.matches(event));
        applying
    }

    /// A meter's value over all of a customer's events.
    pub fn usage(&self, meter: &Meter, customer: &str) -> Option<Quantity> {
        let parts: Vec<_> = self
            .counting()
            .filter(|event| event.customer == customer && meter.definition.matches(event))
            .filter_map(|event| Some((event.id, event.at, meter.definition.part_of(event)?)))
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
