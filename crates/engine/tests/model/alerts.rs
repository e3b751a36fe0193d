//! The plain model of alerts: what was told, judged by the same rules from everything that happened.

use weir_core::aggregate::Aggregation;
use weir_core::period::Window;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::model::{Alert, AlertState};

use crate::plain::{Happened, Plain};

/// The limit's changes, the number of the newest raise, and whether that is in force.
type Arming = (u32, usize, bool);

/// A threshold that was told to be crossed.
#[derive(Clone, Debug)]
pub struct PlainAlert {
    customer: String,
    limit: usize,
    threshold: u16,
    arming: Arming,
    window: Window,
    value: Quantity,
    used: Quantity,
    created_at: Timestamp,
    resolved_at: Option<Timestamp>,
    /// A later one of the same threshold, window and arming has taken its place.
    replaced: bool,
}

/// What an alert is compared by.
pub type Shown = (String, String, u16, Quantity, Quantity, Timestamp, Option<Timestamp>, Option<Timestamp>);

impl PlainAlert {
    fn is_over(&self, now: Timestamp) -> bool {
        self.window.end.is_some_and(|end| end <= now)
    }
}

pub fn shown(alert: &Alert) -> Shown {
    assert_eq!(alert.state == AlertState::Resolved, alert.resolved_at.is_some());
    let limit = alert.limit.as_ref().expect("the alert of a limit");
    (
        alert.customer_id.clone(),
        limit.id.to_string(),
        limit.threshold,
        limit.value,
        limit.used,
        alert.created_at,
        limit.window_end,
        alert.resolved_at,
    )
}

impl Plain {
    /// Every alert, in the order in which they were told.
    pub fn told(&self, now: Timestamp) -> Vec<Shown> {
        let shown = |alert: &PlainAlert| {
            (
                alert.customer.clone(),
                self.limits[alert.limit].id.to_string(),
                alert.threshold,
                alert.value,
                alert.used,
                alert.created_at,
                alert.window.end,
                alert.resolved_at.or(alert.window.end.filter(|_| alert.is_over(now))),
            )
        };
        self.alerts.iter().map(shown).collect()
    }

    fn arming(&self, limit: usize, customer: &str, now: Timestamp) -> Arming {
        let (number, in_force) = self.raise(limit, customer, now).map_or((0, false), |(n, _, force)| (n, force));
        (self.limits[limit].arming, number, in_force)
    }

    /// After an event: the limits on which it counts.
    pub fn judge_event(&mut self, event: &Happened, now: Timestamp) {
        let counts: Vec<usize> = self
            .counting_on(event, now)
            .iter()
            .filter(|one| one.meter.definition.part_of(event).is_some() && !one.limit.thresholds.is_empty())
            .map(|one| one.index)
            .collect();
        for limit in counts {
            self.judge(limit, &event.customer.clone(), now);
        }
    }

    /// After a change: every limit of a customer.
    pub fn judge_customer(&mut self, customer: &str, now: Timestamp) {
        let applying: Vec<usize> = self.applying(customer, now).iter().map(|one| one.index).collect();
        for limit in &applying {
            self.judge(*limit, customer, now);
        }
        for alert in &mut self.alerts {
            if alert.customer == customer && !applying.contains(&alert.limit) && !alert.is_over(now) {
                alert.resolved_at.get_or_insert(now);
            }
        }
    }

    pub fn judge_everyone(&mut self, now: Timestamp) {
        for customer in self.customers.keys().cloned().collect::<Vec<_>>() {
            self.judge_customer(&customer, now);
        }
    }

    fn judge(&mut self, limit: usize, customer: &str, now: Timestamp) {
        let arming = self.arming(limit, customer, now);
        let period = self.limits[limit].period;
        let mine: Vec<usize> = (0..self.alerts.len())
            .filter(|index| {
                let alert = &self.alerts[*index];
                alert.limit == limit && alert.customer == customer && !alert.is_over(now) && !alert.replaced
            })
            .collect();
        let mut stand: Vec<usize> = Vec::new();
        for index in mine {
            let alert = &self.alerts[index];
            let window = self.window(customer, period, alert.window.start.map_or(now, |start| start.max(now)));
            let same = |other: &usize| {
                self.alerts[*other].threshold == alert.threshold && self.alerts[*other].window == window
            };
            if alert.arming != arming || stand.iter().any(same) {
                self.alerts[index].resolved_at.get_or_insert(now);
                self.alerts[index].replaced = true;
            } else {
                self.alerts[index].window = window;
                stand.push(index);
            }
        }
        // The current window, and those ahead that hold something.
        let current = self.window(customer, period, now);
        let mut windows = vec![current];
        let ahead = self.applying_ahead(limit, customer, now);
        let told = stand.iter().map(|index| self.alerts[*index].window);
        for window in ahead.into_iter().chain(told).collect::<Vec<_>>() {
            if !windows.contains(&window) {
                windows.push(window);
            }
        }
        windows.sort_unstable();
        for window in windows {
            let at = window.start.map_or(now, |start| start.max(now));
            let Some((value, used, falls)) = self
                .applying_at(customer, at, now)
                .iter()
                .find(|one| one.index == limit)
                .map(|one| (one.value, one.used, one.meter.definition.aggregation == Aggregation::Latest))
            else {
                continue;
            };
            for threshold in self.limits[limit].thresholds.clone() {
                let is_over = used.steps() * 100 >= value.steps() * i128::from(threshold);
                let known = stand
                    .iter()
                    .copied()
                    .find(|index| self.alerts[*index].threshold == threshold && self.alerts[*index].window == window);
                let is_up = known.map(|index| self.alerts[index].resolved_at.is_none());
                match (is_over, known, is_up) {
                    (true, Some(index), Some(false)) if !falls => self.alerts[index].resolved_at = None,
                    (true, _, None | Some(false)) => {
                        if let Some(index) = known {
                            self.alerts[index].replaced = true;
                        }
                        let (customer, created_at) = (customer.to_owned(), now);
                        self.alerts.push(PlainAlert {
                            customer,
                            limit,
                            threshold,
                            arming,
                            window,
                            value,
                            used,
                            created_at,
                            resolved_at: None,
                            replaced: false,
                        });
                        stand.retain(|index| Some(*index) != known);
                        stand.push(self.alerts.len() - 1);
                    }
                    (false, Some(index), Some(true)) => self.alerts[index].resolved_at = Some(now),
                    _ => {}
                }
            }
        }
    }

    /// The windows ahead in which something counts on a limit already.
    fn applying_ahead(&self, limit: usize, customer: &str, now: Timestamp) -> Vec<Window> {
        let parts = self.parts(limit, customer, Window { start: Some(now), end: None });
        let ahead = parts.into_iter().filter(|(_, at, _)| *at >= now);
        ahead.map(|(_, at, _)| self.window(customer, self.limits[limit].period, at)).collect()
    }

    /// What happens by itself up to now.
    pub fn do_due(&mut self, now: Timestamp) {
        use weir_engine::model::ReservationState;
        for hold in &mut self.holds {
            if hold.state == ReservationState::Live && hold.expires_at <= now {
                hold.state = ReservationState::Expired;
            }
        }
        let ending: Vec<usize> = (0..self.raises.len())
            .filter(|index| !self.raises[*index].ended && self.raises[*index].until <= now)
            .collect();
        let mut whose: Vec<String> = ending.iter().map(|index| self.raises[*index].customer.clone()).collect();
        whose.sort();
        whose.dedup();
        for index in ending {
            self.raises[index].ended = true;
        }
        for customer in whose {
            self.judge_customer(&customer, now);
        }
        for alert in &mut self.alerts {
            if let (None, Some(end)) = (alert.resolved_at, alert.window.end)
                && end <= now
            {
                alert.resolved_at = Some(end);
            }
        }
    }
}
