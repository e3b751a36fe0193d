//! The configuration that decisions are taken by, as the writer last committed it: one immutable value, swapped whole.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use weir_core::aggregate::{Aggregation, Contribution, Field};
use weir_core::event::Facts;
use weir_core::filter::{EventFilter, within};
use weir_core::id::{KeyId, LimitId, MeterId, RateLimitId, WebhookId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::rate::{RateCount, RateSpan};
use weir_core::time::Timestamp;

use crate::error::Result;
use crate::model::{Enforcement, Project, Scope, Source, WebhookEventType};
use crate::scan::{from_json, to_json};

/// Everything but customers and their own limits, which live with each customer.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub project: Project,
    /// Live meters by their number.
    pub meters: BTreeMap<i64, Arc<MeterRule>>,
    /// Live and enabled limits for every customer.
    pub defaults: Vec<Arc<LimitRule>>,
    /// Live and enabled rate limits: those for every customer under 0, others under the customer's number.
    pub rates: FxHashMap<i64, Vec<Arc<RateRule>>>,
    /// Keys by the hash of their secret, and of the one before it while that is good. Revoked ones are left out.
    pub keys: FxHashMap<[u8; 32], KeySecret>,
    /// Endpoints that are told something.
    pub webhooks: Vec<Arc<WebhookRule>>,
}

impl Config {
    /// The meter of a limit that is in force. A meter that a limit uses cannot be archived, so it is there.
    pub(crate) fn meter_of(&self, rule: &LimitRule) -> Option<&Arc<MeterRule>> {
        self.meters.get(&rule.meter)
    }

    /// The name of a key by its id.
    pub(crate) fn key_name(&self, id: &str) -> Option<String> {
        let id: KeyId = id.parse().ok()?;
        self.keys.values().find(|secret| secret.rule.id == id).map(|secret| secret.rule.name.clone())
    }

    /// The rate limits of a customer, whatever they filter.
    pub(crate) fn rates_of(&self, customer: i64) -> impl Iterator<Item = &Arc<RateRule>> {
        let own = if customer == EVERYONE { None } else { self.rates.get(&customer) };
        self.rates.get(&EVERYONE).into_iter().chain(own).flatten()
    }
}

/// Stands for every customer among rate limits.
pub(crate) const EVERYONE: i64 = 0;

/// A live meter.
#[derive(Clone, Debug)]
pub(crate) struct MeterRule {
    pub key: i64,
    pub id: MeterId,
    pub name: String,
    pub unit: Option<String>,
    pub aggregation: Aggregation,
    pub field: Field,
    pub filter: EventFilter,
    pub group_by: Vec<String>,
    /// The generation of roll-ups that answers for it.
    pub series: i64,
    /// Whether that generation has counted all history.
    pub ready: bool,
}

impl MeterRule {
    /// An event's part in this meter, if it has one.
    pub(crate) fn contribution(&self, event: &Facts<'_>) -> Option<Contribution> {
        if self.filter.matches(event) { self.field.of(event) } else { None }
    }
}

/// A live and enabled limit.
#[derive(Clone, Debug)]
pub(crate) struct LimitRule {
    pub key: i64,
    pub id: LimitId,
    pub name: String,
    /// The number of its meter.
    pub meter: i64,
    pub value: Quantity,
    pub period: Period,
    pub filters: BTreeMap<String, String>,
    pub enforcement: Enforcement,
    /// Percentages at which to tell, ascending.
    pub thresholds: Arc<[u16]>,
    /// Counts what makes alerts due again.
    pub arming: i64,
    /// Names what is counted: a new number whenever meter, period or filters change, so that older counters no longer match.
    pub counting: u64,
}

impl LimitRule {
    /// An event's part in this limit, if it has one.
    pub(crate) fn contribution(&self, meter: &MeterRule, event: &Facts<'_>) -> Option<Contribution> {
        if within(&self.filters, event) { meter.contribution(event) } else { None }
    }

    /// Whether it counts the same: a customer's own limit then replaces a default.
    pub(crate) fn counts_like(&self, other: &LimitRule) -> bool {
        self.meter == other.meter && self.period == other.period && self.filters == other.filters
    }
}

/// A live and enabled rate limit.
#[derive(Clone, Debug)]
pub(crate) struct RateRule {
    pub key: i64,
    pub id: RateLimitId,
    pub name: String,
    pub span: RateSpan,
    /// Calls.
    pub value: u64,
    pub filters: BTreeMap<String, String>,
}

/// An endpoint that is told something.
#[derive(Clone, Debug)]
pub(crate) struct WebhookRule {
    pub key: i64,
    pub id: WebhookId,
    /// What it is told; none: everything.
    pub types: Option<Vec<WebhookEventType>>,
}

/// A secret that opens a key.
#[derive(Clone, Debug)]
pub(crate) struct KeySecret {
    pub rule: Arc<KeyRule>,
    /// Until when it is good, of a secret that was rotated.
    pub until: Option<Timestamp>,
}

/// A key that has not been revoked.
#[derive(Clone, Debug)]
pub(crate) struct KeyRule {
    pub key: i64,
    pub id: KeyId,
    pub name: String,
    pub scope: Scope,
    pub expires_at: Option<Timestamp>,
    /// Most calls within any minute and any day.
    pub limits: [Option<u32>; 2],
    pub used: Arc<KeyUse>,
}

/// The windows of a key's own rate limits.
pub(crate) const KEY_SPANS: [RateSpan; 2] = [RateSpan::Minute, RateSpan::Day];

/// How a key is used.
#[derive(Debug, Default)]
pub(crate) struct KeyUse {
    /// When it was last used, in microseconds; 0 before its first use since the engine opened.
    pub last: AtomicI64,
    /// Calls by minute and by day.
    pub calls: Mutex<[RateCount; 2]>,
}

impl KeyUse {
    /// A key that has made the calls that were written down.
    pub(crate) fn read(calls: Option<&str>) -> Result<Self> {
        let mut counts = <[RateCount; 2]>::default();
        let written: [Vec<(i64, u64)>; 2] = calls.map(from_json).transpose()?.unwrap_or_default();
        for (count, slots) in counts.iter_mut().zip(written) {
            slots.into_iter().for_each(|(slot, calls)| count.put(slot, calls));
        }
        Ok(KeyUse { last: AtomicI64::new(0), calls: Mutex::new(counts) })
    }

    /// Its calls, to be written down.
    pub(crate) fn written(&self) -> Result<String> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let slots: [Vec<(i64, u64)>; 2] = std::array::from_fn(|which| calls[which].slots().collect());
        drop(calls);
        to_json(&slots)
    }
}

/// The limits that apply to a customer: the customer's own, and the defaults that none of them replaces.
pub(crate) fn effective<'a>(
    config: &'a Config,
    own: &'a [Arc<LimitRule>],
) -> impl Iterator<Item = (&'a Arc<LimitRule>, Source)> {
    let defaults = config.defaults.iter().filter(|rule| !own.iter().any(|own| own.counts_like(rule)));
    own.iter().map(|rule| (rule, Source::Own)).chain(defaults.map(|rule| (rule, Source::Default)))
}
