//! Setting balances up, changing them, putting them away: on both sides.

use weir_core::error::Code;
use weir_core::ledger::{EntryKind, GrantSource, RecurringMode};
use weir_core::time::{CivilDate, Zone};
use weir_engine::model::{
    BalancePatch, CauseKind, Change, CustomerPatch, Enforcement, Metered, NewBalance, RecurringCredit, TopUp,
};

use crate::commands::{ANCHORS, BALANCES, CUSTOMERS, Rate, Recurring, Settings, ZONES, quantity};
use crate::common::actor;
use crate::plain::{Balance, DEFAULT_PRIORITY, Era, Steps, WHOLE};
use crate::watch::{Movement, Watch};
use crate::world::{Life, World, code};

impl World {
    fn metered(&self, rate: &Rate) -> Metered {
        let enforcement = if rate.soft { Enforcement::Soft } else { Enforcement::Hard };
        Metered { meter_id: self.meters[rate.meter], amount: quantity(rate.amount), per: rate.per, enforcement }
    }

    pub fn create(&mut self, who: usize, name: usize, initial: Option<Steps>, settings: Settings) {
        let new = NewBalance {
            customer_id: CUSTOMERS[who].to_owned(),
            name: BALANCES[name].to_owned(),
            unit: None,
            minimum_balance: quantity(settings.minimum),
            initial_balance: initial.map(quantity),
            low_balance_threshold: settings.low.map(quantity),
            top_up: settings.top_up.map(top_up),
            dimension_filters: settings.filters.clone(),
            priority: settings.priority,
            metered: settings.rate.as_ref().map(|rate| self.metered(rate)),
            recurring_credit: settings.recurring.as_ref().map(recurring_credit),
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.create_balance(&actor(), new));
        if self.plain.named(who, name).is_some() {
            assert_eq!(code(&answer), Some(Code::Conflict));
            return;
        }
        let (zone, anchor) = self.plain.owners[who];
        let mut balance = Balance {
            id: answer.expect("a balance").id,
            customer: who,
            name,
            minimum: settings.minimum,
            filters: settings.filters,
            priority: settings.priority,
            soft: settings.rate.as_ref().is_some_and(|rate| rate.soft),
            recurring: settings.recurring,
            next_recurring: None,
            archived: false,
            created: self.now,
            grants: Vec::new(),
            parts: Vec::new(),
            entries: Vec::new(),
            holds: Vec::new(),
            owed: Vec::new(),
            eras: Vec::new(),
            era: None,
            payments: Vec::new(),
            together: false,
            low: Watch::new(settings.low),
            top_up: Watch::new(settings.top_up),
        };
        balance.price_by(settings.rate.as_ref());
        balance.recut(self.now, zone, anchor);
        if let Some(initial) = initial {
            let entry = balance.book(EntryKind::Credit, initial, self.now, CauseKind::Initial);
            balance.income(entry, initial, (DEFAULT_PRIORITY, None, GrantSource::Paid));
        }
        self.plain.balances.push(balance);
    }

    pub fn edit(&mut self, which: usize, settings: Settings, fields: u8) {
        let given = |bit: u8| fields & (1 << bit) != 0;
        fn change<T>(given: bool, value: Option<T>) -> Change<T> {
            match (given, value) {
                (false, _) => Change::Keep,
                (true, None) => Change::Clear,
                (true, Some(value)) => Change::Set(value),
            }
        }
        let patch = BalancePatch {
            unit: Change::Keep,
            minimum_balance: given(0).then(|| quantity(settings.minimum)),
            low_balance_threshold: change(given(1), settings.low.map(quantity)),
            top_up: change(given(2), settings.top_up.map(top_up)),
            dimension_filters: given(3).then(|| settings.filters.clone()),
            priority: given(4).then_some(settings.priority),
            metered: change(given(5), settings.rate.as_ref().map(|rate| self.metered(rate))),
            recurring_credit: change(given(6), settings.recurring.as_ref().map(recurring_credit)),
        };
        let Life { engine, runtime } = &self.life;
        let balance = &mut self.plain.balances[which];
        let answer = runtime.block_on(engine.update_balance(&actor(), balance.id, patch));
        if balance.archived {
            assert_eq!(code(&answer), Some(Code::Conflict));
            return;
        }
        answer.expect("a change");
        if given(0) {
            balance.minimum = settings.minimum;
        }
        let current = balance.current();
        if given(1) {
            balance.low.set(settings.low, current);
        }
        if given(2) {
            balance.top_up.set(settings.top_up, current);
        }
        if given(3) {
            balance.filters = settings.filters;
        }
        if given(4) {
            balance.priority = settings.priority;
        }
        if given(5) {
            balance.price_by(settings.rate.as_ref());
            balance.soft = settings.rate.is_some_and(|rate| rate.soft);
        }
        if given(6) && balance.recurring != settings.recurring {
            let (zone, anchor) = self.plain.owners[balance.customer];
            balance.recurring = settings.recurring;
            balance.recut(self.now, zone, anchor);
        }
    }

    pub fn archive(&mut self, which: usize) {
        let Life { engine, runtime } = &self.life;
        let balance = &mut self.plain.balances[which];
        let answer = runtime.block_on(engine.archive_balance(&actor(), balance.id));
        if !balance.archived && balance.held() > 0 {
            assert_eq!(code(&answer), Some(Code::Conflict));
            return;
        }
        answer.expect("archived");
        if !balance.archived {
            balance.low.put_away();
            balance.top_up.put_away();
        }
        balance.archived = true;
    }

    pub fn restore(&mut self, which: usize) {
        let Life { engine, runtime } = &self.life;
        let (customer, name, was) = {
            let balance = &self.plain.balances[which];
            (balance.customer, balance.name, balance.archived)
        };
        let answer = runtime.block_on(engine.restore_balance(&actor(), self.plain.balances[which].id));
        if was && self.plain.named(customer, name).is_some() {
            assert_eq!(code(&answer), Some(Code::Conflict));
            return;
        }
        answer.expect("restored");
        if was {
            let (zone, anchor) = self.plain.owners[customer];
            let balance = &mut self.plain.balances[which];
            balance.archived = false;
            balance.recut(self.now, zone, anchor);
            balance.advance(self.now, zone, anchor);
            balance.judge(Movement::Spent);
        }
    }

    pub fn change_customer(&mut self, who: usize, zone: Option<usize>, anchor: Option<usize>) {
        let zone = zone.map(|number| Zone::parse(ZONES[number]).expect("a zone"));
        let patch = CustomerPatch {
            timezone: zone.map_or(Change::Keep, Change::Set),
            billing_cycle_start: anchor.map(|number| ANCHORS[number].to_owned()),
            ..CustomerPatch::default()
        };
        let Life { engine, runtime } = &self.life;
        runtime.block_on(engine.update_customer(&actor(), CUSTOMERS[who], patch)).expect("a change");
        let date = anchor.map(|number| ANCHORS[number].parse::<CivilDate>().expect("a date"));
        let before = self.plain.owners[who];
        let after = (zone.unwrap_or(before.0), date.unwrap_or(before.1));
        self.plain.owners[who] = after;
        for balance in self.plain.balances.iter_mut().filter(|one| one.customer == who && !one.archived) {
            balance.recut(self.now, after.0, after.1);
        }
    }
}

impl Balance {
    /// Another meter or rate begins anew.
    fn price_by(&mut self, rate: Option<&Rate>) {
        let Some(rate) = rate else {
            self.era = None;
            return;
        };
        let same = |era: &Era| (era.meter, era.amount, era.per) == (rate.meter, rate.amount, rate.per);
        if self.era.is_none_or(|era| !same(&self.eras[era])) {
            self.eras.push(Era { meter: rate.meter, amount: rate.amount, per: rate.per, counted: 0 });
            self.era = Some(self.eras.len() - 1);
        }
    }
}

fn top_up(below: Steps) -> TopUp {
    TopUp { below: quantity(below), amount: quantity(10 * WHOLE) }
}

fn recurring_credit(recurring: &Recurring) -> RecurringCredit {
    RecurringCredit {
        amount: quantity(recurring.amount),
        mode: if recurring.up_to { RecurringMode::UpTo } else { RecurringMode::Add },
        period: recurring.period,
        expires: recurring.expires,
        priority: recurring.priority,
        source: recurring.source,
    }
}
