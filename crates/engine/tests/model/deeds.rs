//! Carrying commands out on both sides, and holding the engine's answer to what the model expects of it.

use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::id::EventId;
use weir_core::time::{CivilDate, Timestamp, Zone};
use weir_engine::Error;
use weir_engine::model::{
    Change, Check, CustomerPatch, LimitPatch, ListEvents, MeterPatch, NewCustomer, NewLimit, NewMeter, PageSize,
};

use crate::commands::{
    ANCHORS, CUSTOMERS, Command, KNOWN, LIMIT_NAMES, LimitSketch, METER_NAMES, Question, Sketch, Step, When, ZONES,
    amounts, event_type, feature, region, user,
};
use crate::common::actor;
use crate::plain::{Definition, Happened, Limit, Meter, Owner, Texts};
use crate::world::{Life, Sent, World};

const MINUTES_AHEAD: i64 = 300_000_000;

fn zone(number: usize) -> Zone {
    Zone::parse(ZONES[number]).expect("a zone")
}

fn anchor(number: usize) -> CivilDate {
    ANCHORS[number].parse().expect("a date")
}

fn code<T>(answer: Result<T, Error>) -> Option<Code> {
    answer.err().map(|error| error.code())
}

impl Definition {
    fn filter(&self) -> EventFilter {
        EventFilter { event_type: self.event_type.map(str::to_owned), dimensions: self.dimensions.clone() }
    }

    fn groups(&self) -> Vec<String> {
        self.group_by.iter().map(|name| (*name).to_owned()).collect()
    }
}

impl World {
    pub fn take(self, step: Step) -> Self {
        let world = self.act(step.command);
        world.look(step.look);
        world
    }

    fn act(mut self, command: Command) -> Self {
        match command {
            Command::Record(sketch) => self.record(self.input(&sketch)),
            Command::Batch(sketches) => {
                let inputs = sketches.iter().map(|sketch| self.input(sketch)).collect();
                self.record_batch(inputs);
            }
            Command::Repeat(which, beside) => self.repeat(which, beside),
            Command::Void(which, reason) if !self.plain.events.is_empty() => {
                let reason = reason.map(|number| format!("reason {number}"));
                self.void(which.index(self.plain.events.len()), reason);
            }
            Command::Void(..) => {}
            Command::Track(sketch) => self.track(self.input(&sketch)),
            Command::Reserve(sketch, ttl) => self.reserve(&sketch, ttl),
            Command::Commit(which, values) if !self.plain.holds.is_empty() => {
                self.commit(which.index(self.plain.holds.len()), values);
            }
            Command::Release(which) if !self.plain.holds.is_empty() => {
                self.release(which.index(self.plain.holds.len()));
            }
            Command::Extend(which, ttl) if !self.plain.holds.is_empty() => {
                self.extend(which.index(self.plain.holds.len()), ttl);
            }
            Command::Commit(..) | Command::Release(_) | Command::Extend(..) => {}
            Command::Raise { which, who, value, seconds } if !self.plain.limits.is_empty() => {
                self.raise(which.index(self.plain.limits.len()), who, value, seconds);
            }
            Command::EndRaise { which, who } if !self.plain.limits.is_empty() => {
                self.end_raise(which.index(self.plain.limits.len()), who);
            }
            Command::Reset { which, who } if !self.plain.limits.is_empty() => {
                self.forgive(which.index(self.plain.limits.len()), who);
            }
            Command::Raise { .. } | Command::EndRaise { .. } | Command::Reset { .. } => {}
            Command::Check(who, question) => self.check(asked(CUSTOMERS[who], &question)),
            Command::Clock(seconds) => {
                use weir_engine::Clock;
                let to = self.clock.now().saturating_add_micros(seconds * 1_000_000);
                self.move_clock(to.max(Timestamp::EPOCH));
            }
            Command::ClockToEdge { who, period, micros } => {
                if let Some(end) = self.plain.window(CUSTOMERS[who], period, self.now).end {
                    self.move_clock(end.saturating_add_micros(micros));
                }
            }
            Command::NewCustomer { who, zone, anchor } => self.new_customer(CUSTOMERS[who], zone, anchor),
            Command::ChangeCustomer { who, zone, anchor } => self.change_customer(CUSTOMERS[who], zone, anchor),
            Command::ArchiveCustomer { who, archived } => self.archive_customer(CUSTOMERS[who], archived),
            Command::ProjectZone(number) => self.put_project_in(zone(number)),
            Command::NewLimit { who, limit } => self.new_limit(who.map(|who| CUSTOMERS[who]), limit),
            Command::ChangeLimit { which, limit, fields } if !self.plain.limits.is_empty() => {
                self.change_limit(which.index(self.plain.limits.len()), limit, fields);
            }
            Command::ArchiveLimit { which, archived } if !self.plain.limits.is_empty() => {
                self.archive_limit(which.index(self.plain.limits.len()), archived);
            }
            Command::ChangeLimit { .. } | Command::ArchiveLimit { .. } => {}
            Command::NewMeter { name, definition } => self.new_meter(METER_NAMES[name], definition),
            Command::ChangeMeter { which, name, definition } => {
                let which = which.index(self.plain.meters.len());
                self.change_meter(which, name.map(|name| METER_NAMES[name]), definition);
            }
            Command::ArchiveMeter { which, archived } => {
                self.archive_meter(which.index(self.plain.meters.len()), archived);
            }
            Command::Reopen => return self.reopen(),
            Command::Crash => return self.crash(),
            Command::Lists => self.lists(),
        }
        self
    }

    pub fn input(&self, sketch: &Sketch) -> EventInput {
        let customer = CUSTOMERS[sketch.who];
        let last = self.now.saturating_add_micros(MINUTES_AHEAD);
        let timestamp = match sketch.when {
            When::Unsaid => None,
            When::Ago(seconds) => Some(self.now.saturating_add_micros(-seconds * 1_000_000).max(Timestamp::EPOCH)),
            When::Edge { period, end, micros } => {
                let window = self.plain.window(customer, period, self.now);
                let end = window.end.filter(|edge| end && edge.saturating_add_micros(micros) <= last);
                let edge = end.or(window.start).unwrap_or(self.now);
                Some(edge.saturating_add_micros(micros).max(Timestamp::EPOCH))
            }
            When::TooFar => Some(last.saturating_add_micros(1)),
        };
        EventInput {
            customer_id: customer.to_owned(),
            event_type: if sketch.broken { String::new() } else { event_type(sketch.login) },
            values: sketch.values(),
            dimensions: sketch.dimensions(),
            timestamp,
            idempotency_key: sketch.key.map(|key| format!("k{key}")),
            ..EventInput::default()
        }
    }

    pub fn is_valid(&self, input: &EventInput) -> bool {
        let last = self.now.saturating_add_micros(MINUTES_AHEAD);
        !input.event_type.is_empty() && input.timestamp.is_none_or(|at| at <= last)
    }

    /// The event sent under this key before, by this customer.
    pub fn earlier(&self, input: &EventInput) -> Option<&Sent> {
        self.keys.get(&(input.customer_id.clone(), input.idempotency_key.clone()?))
    }

    pub fn accept(&mut self, input: EventInput, id: EventId) {
        assert!(self.last_id < Some(id), "ids ascend");
        self.last_id = Some(id);
        let at = input.timestamp.unwrap_or(self.now);
        self.recorded = Some(self.now);
        let owner = self.plain.owner(&input.customer_id, self.now);
        self.plain.customers.entry(input.customer_id.clone()).or_insert(owner);
        self.plain.events.push(Happened {
            id,
            customer: input.customer_id.clone(),
            event_type: input.event_type.clone(),
            values: input.values.clone(),
            dimensions: input.dimensions.clone(),
            at,
            voided: None,
        });
        let event = self.plain.events.last().expect("the event").clone();
        self.plain.judge_event(&event, self.now);
        if let Some(key) = &input.idempotency_key {
            self.keys.insert(
                (input.customer_id.clone(), key.clone()),
                Sent { input: input.clone(), id: None, tracked: None },
            );
        }
    }

    fn record(&mut self, input: EventInput) {
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.record(&actor(), input.clone()));
        if !self.is_valid(&input) {
            assert_eq!(code(answer), Some(Code::InvalidFieldValue), "{input:?}");
            return;
        }
        match self.earlier(&input) {
            Some(sent) if !is_same(&sent.input, &input) => {
                assert_eq!(code(answer), Some(Code::IdempotencyConflict), "{input:?}");
            }
            Some(sent) => {
                let id = answer.expect("a repeat").id;
                assert!(sent.id.is_none_or(|first| first == id), "a repeat answers as the first did");
            }
            None => {
                self.accept_keyed(input, answer.expect("a new event").id);
            }
        }
    }

    /// An event that was recorded alone.
    pub fn accept_keyed(&mut self, input: EventInput, id: EventId) -> Option<&mut Sent> {
        let key = input.idempotency_key.clone().map(|key| (input.customer_id.clone(), key));
        self.accept(input, id);
        let sent = self.keys.get_mut(&key?)?;
        sent.id = Some(id);
        Some(sent)
    }

    fn record_batch(&mut self, inputs: Vec<EventInput>) {
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.record_batch(&actor(), inputs.clone()));
        let faulty =
            |is_bad: &dyn Fn(usize) -> bool| (0..inputs.len()).filter(|index| is_bad(*index)).collect::<Vec<_>>();
        let invalid = faulty(&|index| !self.is_valid(&inputs[index]));
        let contradicting = faulty(&|index| {
            let input = &inputs[index];
            let key = |other: &&EventInput| {
                other.customer_id == input.customer_id && other.idempotency_key == input.idempotency_key
            };
            let within = inputs[..index].iter().filter(|_| input.idempotency_key.is_some()).find(key);
            let first = self.earlier(input).map(|sent| &sent.input).or(within);
            first.is_some_and(|first| !is_same(first, input))
        });
        let (faults, expected) = match (invalid.is_empty(), contradicting.is_empty()) {
            (false, _) => (invalid, Code::InvalidFieldValue),
            (true, false) => (contradicting, Code::IdempotencyConflict),
            (true, true) => {
                let answer = answer.expect("a batch");
                let mut duplicates = 0;
                let mut ids = self.newest(answer.count as usize).into_iter();
                for input in inputs.iter().cloned() {
                    match self.earlier(&input) {
                        Some(_) => duplicates += 1,
                        None => self.accept(input, ids.next().expect("as many as are new")),
                    }
                }
                assert_eq!((answer.count, answer.duplicates), (inputs.len() as u64 - duplicates, duplicates));
                return;
            }
        };
        let Err(Error::Faults(found)) = answer else { panic!("expected {expected:?} at {faults:?}, got {answer:?}") };
        let found: Vec<_> = found.iter().map(|(index, fault)| (*index, fault.code)).collect();
        assert_eq!(found, faults.into_iter().map(|index| (index, expected)).collect::<Vec<_>>());
    }

    /// The last events recorded, in order.
    fn newest(&self, count: usize) -> Vec<EventId> {
        let Life { engine, runtime } = &self.life;
        let list = ListEvents { include_voided: true, limit: PageSize::MAX, ..ListEvents::default() };
        let listed = runtime.block_on(engine.events(list)).expect("events").data;
        listed.iter().take(count).rev().map(|event| event.id).collect()
    }

    fn void(&mut self, which: usize, reason: Option<String>) {
        let Life { engine, runtime } = &self.life;
        let event = &mut self.plain.events[which];
        let answer = runtime.block_on(engine.void_event(&actor(), event.id, reason.clone())).expect("a void");
        let first = event.voided.is_none();
        // The first time stands.
        let (at, reason) = event.voided.get_or_insert((self.now, reason)).clone();
        assert_eq!((answer.id, answer.voided_at, answer.void_reason), (event.id, Some(at), reason));
        let detail = runtime.block_on(engine.event(event.id)).expect("an event");
        assert_eq!(detail.event.voided_at, Some(at));
        assert!(detail.meters.is_empty() && detail.limits.is_empty(), "it counts on nothing");
        let customer = event.customer.clone();
        if first {
            self.plain.judge_customer(&customer, self.now);
        }
    }

    fn repeat(&mut self, which: proptest::sample::Index, beside: Option<Sketch>) {
        if self.keys.is_empty() {
            return;
        }
        let sent = self.keys.values().nth(which.index(self.keys.len())).map(|sent| sent.input.clone());
        let repeated = sent.expect("one of them");
        match beside {
            None => {
                self.record(repeated.clone());
                self.track(repeated);
            }
            Some(sketch) => {
                let other = self.input(&sketch);
                self.record_batch(vec![repeated.clone(), other, repeated]);
            }
        }
    }

    fn new_customer(&mut self, who: &str, zone_number: Option<usize>, anchor_number: Option<usize>) {
        let new = NewCustomer {
            external_id: who.to_owned(),
            timezone: zone_number.map(zone),
            billing_cycle_start: anchor_number.map(|number| ANCHORS[number].to_owned()),
            ..NewCustomer::default()
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.create_customer(&actor(), new));
        if self.plain.customers.contains_key(who) {
            assert_eq!(code(answer), Some(Code::Conflict));
            return;
        }
        answer.expect("a customer");
        let today = CivilDate::of(self.now, zone_number.map_or(self.plain.zone, zone));
        let owner = Owner { zone: zone_number.map(zone), anchor: anchor_number.map_or(today, anchor), archived: false };
        self.plain.customers.insert(who.to_owned(), owner);
    }

    fn change_customer(&mut self, who: &str, new_zone: Option<Option<usize>>, new_anchor: Option<usize>) {
        let patch = CustomerPatch {
            timezone: match new_zone {
                None => Change::Keep,
                Some(None) => Change::Clear,
                Some(Some(number)) => Change::Set(zone(number)),
            },
            billing_cycle_start: new_anchor.map(|number| ANCHORS[number].to_owned()),
            ..CustomerPatch::default()
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.update_customer(&actor(), who, patch));
        match self.plain.customers.get_mut(who) {
            None => assert_eq!(code(answer), Some(Code::CustomerNotFound)),
            Some(owner) => {
                answer.expect("a change");
                let before = (owner.zone, owner.anchor);
                owner.zone = new_zone.map_or(owner.zone, |new| new.map(zone));
                owner.anchor = new_anchor.map_or(owner.anchor, anchor);
                if before != (owner.zone, owner.anchor) {
                    self.plain.judge_customer(who, self.now);
                }
            }
        }
    }

    fn archive_customer(&mut self, who: &str, archived: bool) {
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(async {
            match archived {
                true => engine.archive_customer(&actor(), who).await,
                false => engine.restore_customer(&actor(), who).await.map(|_| ()),
            }
        });
        match self.plain.customers.get_mut(who) {
            None => assert_eq!(code(answer), Some(Code::CustomerNotFound)),
            Some(owner) => {
                answer.expect("a change");
                owner.archived = archived;
            }
        }
    }

    /// Why a meter cannot be limited.
    fn unlimitable(&self, meter: usize) -> Option<Code> {
        let meter = &self.plain.meters[meter];
        match (meter.archived, meter.definition.aggregation.can_be_limited()) {
            (true, _) => Some(Code::MeterNotFound),
            (false, false) => Some(Code::InvalidFieldValue),
            (false, true) => None,
        }
    }

    fn new_limit(&mut self, who: Option<&str>, sketch: LimitSketch) {
        let (name, meter) = (LIMIT_NAMES[sketch.name], sketch.meter.index(self.plain.meters.len()));
        let new = NewLimit {
            name: name.to_owned(),
            meter_id: self.plain.meters[meter].id,
            limit_value: sketch.value,
            period: sketch.period,
            customer_id: who.map(str::to_owned),
            dimension_filters: sketch.filters.clone(),
            alert_thresholds: sketch.thresholds.clone(),
            enforcement: sketch.enforcement,
            enabled: sketch.enabled,
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.create_limit(&actor(), new));
        let taken = self.plain.is_taken(name, who, None).then_some(Code::Conflict);
        if let Some(expected) = self.unlimitable(meter).or(taken) {
            assert_eq!(code(answer), Some(expected));
            return;
        }
        if let Some(who) = who {
            let owner = self.plain.owner(who, self.now);
            self.plain.customers.entry(who.to_owned()).or_insert(owner);
        }
        self.plain.limits.push(Limit {
            id: answer.expect("a limit").id,
            name: name.to_owned(),
            meter,
            value: sketch.value,
            period: sketch.period,
            customer: who.map(str::to_owned),
            filters: sketch.filters,
            enforcement: sketch.enforcement,
            enabled: sketch.enabled,
            archived: false,
            version: 1,
            thresholds: sketch.thresholds,
            arming: 1,
        });
        self.limit_changed(self.plain.limits.len() - 1);
    }

    /// After a limit changed: its customer is judged at once, everyone in the background.
    fn limit_changed(&mut self, which: usize) {
        match self.plain.limits[which].customer.clone() {
            Some(customer) => self.plain.judge_customer(&customer, self.now),
            None => self.change_everyone(),
        }
    }

    fn change_limit(&mut self, which: usize, sketch: LimitSketch, fields: u8) {
        let before = &self.plain.limits[which];
        let meter = sketch.meter.index(self.plain.meters.len());
        let given = |bit: u8| fields & (1 << bit) != 0;
        let patch = LimitPatch {
            name: given(0).then(|| LIMIT_NAMES[sketch.name].to_owned()),
            meter_id: given(1).then(|| self.plain.meters[meter].id),
            limit_value: given(2).then_some(sketch.value),
            period: given(3).then_some(sketch.period),
            dimension_filters: given(4).then(|| sketch.filters.clone()),
            alert_thresholds: given(7).then(|| sketch.thresholds.clone()),
            enforcement: given(5).then_some(sketch.enforcement),
            enabled: given(6).then_some(sketch.enabled),
        };
        let after = Limit {
            name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
            meter: if given(1) { meter } else { before.meter },
            value: patch.limit_value.unwrap_or(before.value),
            period: patch.period.unwrap_or(before.period),
            filters: patch.dimension_filters.clone().unwrap_or_else(|| before.filters.clone()),
            enforcement: patch.enforcement.unwrap_or(before.enforcement),
            enabled: patch.enabled.unwrap_or(before.enabled),
            thresholds: patch.alert_thresholds.clone().unwrap_or_else(|| before.thresholds.clone()),
            ..before.clone()
        };
        let counted =
            |limit: &Limit| (limit.meter, limit.value, limit.period, limit.filters.clone(), limit.thresholds.clone());
        let arming = before.arming + u32::from(counted(&after) != counted(before));
        let changes = Limit { version: 0, ..after.clone() } != Limit { version: 0, ..before.clone() };
        let taken = !before.archived
            && after.name != before.name
            && self.plain.is_taken(&after.name, before.customer.as_deref(), Some(which));
        let expected = match changes {
            true => self.unlimitable(after.meter).or(taken.then_some(Code::Conflict)),
            false => None,
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.update_limit(&actor(), before.id, patch));
        if expected.is_some() {
            assert_eq!(code(answer), expected);
            return;
        }
        let version = before.version + u32::from(changes);
        let answer = answer.expect("a change");
        assert_eq!((answer.version, answer.limit_value), (version, after.value));
        self.plain.limits[which] = Limit { version, arming, ..after };
        if changes {
            self.limit_changed(which);
        }
    }

    fn archive_limit(&mut self, which: usize, archived: bool) {
        let before = &self.plain.limits[which];
        let expected = match archived || !before.archived {
            true => None,
            false => {
                let taken = self.plain.is_taken(&before.name, before.customer.as_deref(), Some(which));
                self.unlimitable(before.meter).or(taken.then_some(Code::Conflict))
            }
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(async {
            match archived {
                true => engine.archive_limit(&actor(), before.id).await,
                false => engine.restore_limit(&actor(), before.id).await.map(|_| ()),
            }
        });
        assert_eq!(code(answer), expected);
        if expected.is_none() {
            let limit = &mut self.plain.limits[which];
            let changes = limit.archived != archived;
            limit.version += u32::from(changes);
            limit.archived = archived;
            if changes {
                self.limit_changed(which);
            }
        }
    }

    fn is_meter_taken(&self, name: &str, but: Option<usize>) -> bool {
        let mut meters = self.plain.meters.iter().enumerate();
        meters.any(|(index, meter)| Some(index) != but && !meter.archived && meter.name == name)
    }

    fn new_meter(&mut self, name: &str, definition: Definition) {
        let new = NewMeter {
            name: name.to_owned(),
            description: None,
            aggregation: definition.aggregation,
            field: definition.field.to_owned(),
            event_filter: definition.filter(),
            group_by: definition.groups(),
            unit: None,
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.create_meter(&actor(), new));
        if self.is_meter_taken(name, None) {
            assert_eq!(code(answer), Some(Code::Conflict));
            return;
        }
        let id = answer.expect("a meter").id;
        self.plain.meters.push(Meter {
            id,
            name: name.to_owned(),
            unit: None,
            definition,
            archived: false,
            built_in: false,
        });
    }

    fn change_meter(&mut self, which: usize, name: Option<&str>, definition: Option<Definition>) {
        let before = &self.plain.meters[which];
        let after = definition.clone().unwrap_or_else(|| before.definition.clone());
        let new_name = name.unwrap_or(&before.name);
        let patch = MeterPatch {
            name: name.map(str::to_owned),
            aggregation: definition.as_ref().map(|new| new.aggregation),
            field: definition.as_ref().map(|new| new.field.to_owned()),
            event_filter: definition.as_ref().map(Definition::filter),
            group_by: definition.as_ref().map(Definition::groups),
            ..MeterPatch::default()
        };
        let refused = before.built_in
            || (!before.archived && self.is_meter_taken(new_name, Some(which)))
            || (!after.aggregation.can_be_limited() && self.plain.is_limited(which));
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.update_meter(&actor(), before.id, patch));
        if refused {
            assert_eq!(code(answer), Some(Code::Conflict));
            return;
        }
        answer.expect("a change");
        let new_name = new_name.to_owned();
        let meter = &mut self.plain.meters[which];
        let counts_anew = meter.definition != after && !meter.archived;
        (meter.name, meter.definition) = (new_name, after);
        if counts_anew {
            self.change_everyone();
        }
    }

    fn archive_meter(&mut self, which: usize, archived: bool) {
        let before = &self.plain.meters[which];
        let refused = match archived {
            true => before.built_in || (!before.archived && self.plain.is_limited(which)),
            false => before.archived && self.is_meter_taken(&before.name, Some(which)),
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(async {
            match archived {
                true => engine.archive_meter(&actor(), before.id).await,
                false => engine.restore_meter(&actor(), before.id).await.map(|_| ()),
            }
        });
        assert_eq!(code(answer), refused.then_some(Code::Conflict));
        if !refused {
            self.plain.meters[which].archived = archived;
        }
    }
}

impl Sent {
    /// Whether an event under its key is the same event.
    pub fn is_same(&self, input: &EventInput) -> bool {
        is_same(&self.input, input)
    }
}

/// Whether two events under one key are the same event.
fn is_same(a: &EventInput, b: &EventInput) -> bool {
    (&a.event_type, &a.values, &a.dimensions, a.timestamp) == (&b.event_type, &b.values, &b.dimensions, b.timestamp)
}

fn asked(customer: &str, question: &Question) -> Check {
    let mut check = Check { customer_id: customer.to_owned(), ..Check::default() };
    match question {
        Question::Bare => {}
        Question::Event { feature: given, region: second, login } => {
            check.dimensions = given.map(|given| given.map(feature).into_iter().chain(second.map(region)).collect());
            check.event_type = login.map(event_type);
        }
        Question::Values { feature: given, login, tokens, seats, user: number } => {
            let dimensions: Texts = given.map(feature).into_iter().chain(number.map(user)).collect();
            check.dimensions = (!dimensions.is_empty()).then_some(dimensions);
            check.event_type = login.map(event_type);
            check.values = Some(amounts(*tokens, *seats));
        }
    }
    check
}

const _: () = assert!(KNOWN < CUSTOMERS.len());
