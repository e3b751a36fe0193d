//! Holding all that the engine shows to the plain model.

use weir_core::id::{HoldId, ReservationId, TransactionId};
use weir_core::ledger::{EntryKind, GrantSource};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::model::{
    Alert, AlertKind, AlertState, AskStatement, BalanceHold, CauseKind, Cursor, Grant, GrantState, HoldState,
    ListAlerts, ListGrants, ListHolds, ListTransactions, Page, PageSize, Transaction,
};

use crate::commands::quantity;
use crate::plain::Balance;
use crate::watch::Watch;
use crate::world::{Life, World};

/// Every page of a list.
macro_rules! all {
    ($life:expr, $list:ty, |$one:ident, $engine:ident| $page:expr) => {{
        let Life { engine: $engine, runtime } = $life;
        let mut $one = <$list>::default();
        $one.limit = PageSize::MAX;
        let mut rows = Vec::new();
        loop {
            let page: Page<_> = runtime.block_on($page).expect("a page");
            rows.extend(page.data);
            let next: Option<Cursor> = page.next_cursor;
            if next.is_none() {
                break rows;
            }
            $one.cursor = next;
        }
    }};
}

/// What an entry is compared by.
type Line = (EntryKind, Quantity, Quantity, Timestamp, CauseKind);
/// What a grant is compared by.
type GrantLine =
    (TransactionId, Quantity, Quantity, Quantity, Option<Timestamp>, u16, GrantSource, GrantState, Timestamp);
/// What a hold is compared by.
type HoldLine = (Quantity, HoldState, Timestamp, Option<ReservationId>, Option<Quantity>, Option<TransactionId>);

impl World {
    pub fn compare(&mut self, after: &str) {
        for number in 0..self.plain.balances.len() {
            let context = format!("balance {number} after {after} at {}", self.now);
            self.plain.balances[number].audit();
            let ids = self.compare_entries(number, &context);
            self.compare_grants(number, &ids, &context);
            let holds = self.compare_holds(number, &ids, &context);
            for (hold, id) in self.plain.balances[number].holds.iter_mut().zip(holds) {
                assert!(hold.id.is_none_or(|known| known == id), "{context}");
                hold.id = Some(id);
            }
            self.compare_balance(number, &context);
            self.compare_alerts(number, &context);
        }
    }

    fn compare_balance(&self, number: usize, context: &str) {
        let Life { engine, runtime } = &self.life;
        let plain = &self.plain.balances[number];
        let shown = runtime.block_on(engine.balance(plain.id)).expect("a balance");
        assert_eq!(
            (shown.current_balance, shown.held_balance, shown.available_balance, shown.minimum_balance),
            (quantity(plain.current()), quantity(plain.held()), quantity(plain.available()), quantity(plain.minimum)),
            "current, held, available and minimum of {context}"
        );
        let low = plain.low.threshold.is_some_and(|threshold| plain.current() <= threshold);
        assert_eq!(shown.low, low, "low of {context}");
        assert_eq!(shown.archived_at.is_some(), plain.archived, "{context}");
        let (from, spent) = plain.burn(self.now);
        assert_eq!((shown.burn.from, shown.burn.spent), (from, quantity(spent)), "what was spent of late of {context}");
        if !plain.archived {
            let next = shown.next_expiry.map(|next| (next.at, next.amount));
            let expected = plain.next_expiry(self.now).map(|(at, amount)| (at, quantity(amount)));
            assert_eq!(next, expected, "the next expiry of {context}");
            assert_eq!(shown.next_recurring_at, plain.next_recurring, "the next recurring credit of {context}");
        }
    }

    fn transactions(&self, plain: &Balance) -> Vec<Transaction> {
        let mut rows = all!(&self.life, ListTransactions, |list, engine| engine.transactions(plain.id, list.clone()));
        rows.reverse();
        rows
    }

    fn compare_entries(&self, number: usize, context: &str) -> Vec<TransactionId> {
        let plain = &self.plain.balances[number];
        let rows = self.transactions(plain);
        let line =
            |row: &Transaction| -> Line { (row.kind, row.amount, row.balance_after, row.created_at, row.cause.kind) };
        let expected = plain.entries.iter().map(|entry| -> Line {
            (entry.kind, quantity(entry.amount), quantity(entry.after), entry.at, entry.cause)
        });
        assert_eq!(rows.iter().map(line).collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "entries of {context}");
        let ids: Vec<TransactionId> = rows.iter().map(|row| row.id).collect();
        let number_of = |id: TransactionId| ids.iter().position(|one| *one == id).expect("an entry");
        for (entry, row) in rows.iter().enumerate() {
            let grant_of = |id: Option<TransactionId>| {
                let came_in = id.map(number_of);
                came_in.map(|came_in| plain.grants.iter().position(|grant| grant.entry == came_in).expect("a grant"))
            };
            let mut paid: Vec<_> = row.paid_by.iter().map(|one| (grant_of(one.grant_id), one.amount.steps())).collect();
            paid.sort_unstable();
            assert_eq!(paid, plain.paid_by(entry), "who paid for {row:?}, of {context}");
        }
        assert!(rows.windows(2).all(|pair| pair[0].created_at <= pair[1].created_at), "times fall: {context}");
        for (_, entry, id) in self.named.iter().filter(|(balance, ..)| *balance == number) {
            assert_eq!(ids[*entry], *id, "an answer named another entry: {context}");
        }
        ids
    }

    fn compare_grants(&self, number: usize, ids: &[TransactionId], context: &str) {
        let plain = &self.plain.balances[number];
        let rows = all!(&self.life, ListGrants, |list, engine| engine.grants(plain.id, list.clone()));
        let line = |row: &Grant| -> GrantLine {
            let amounts = (row.amount, row.remaining, row.held);
            let (amount, remaining, held) = amounts;
            (row.id, amount, remaining, held, row.expires_at, row.priority, row.source, row.state, row.created_at)
        };
        let left = plain.order().into_iter().filter(|grant| plain.left_of(*grant) > 0);
        let gone = (0..plain.grants.len()).rev().filter(|grant| plain.left_of(*grant) == 0);
        let expected = left.chain(gone).map(|number| -> GrantLine {
            let grant = &plain.grants[number];
            let (amount, remaining) = (quantity(grant.amount), quantity(plain.left_of(number)));
            let (held, state) = (quantity(plain.reserved_of(number)), plain.state_of(number));
            let at = plain.entries[grant.entry].at;
            (ids[grant.entry], amount, remaining, held, grant.expires_at, grant.priority, grant.source, state, at)
        });
        assert_eq!(rows.iter().map(line).collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "grants of {context}");
        // What the engine itself says: what is left of all grants, less all that is owed, is the sum of all entries.
        let left: i128 = rows.iter().map(|row| row.remaining.steps()).sum();
        let entries = self.transactions(plain);
        let owed = entries.iter().filter(|row| signed(row) < 0).flat_map(|row| &row.paid_by);
        let owed: i128 = owed.filter(|paid| paid.grant_id.is_none()).map(|paid| paid.amount.steps()).sum();
        let moved: i128 = entries.iter().map(signed).sum();
        assert_eq!(left - owed, moved, "money was made or lost: {context}");
    }

    fn compare_holds(&self, number: usize, ids: &[TransactionId], context: &str) -> Vec<HoldId> {
        let plain = &self.plain.balances[number];
        let mut rows = all!(&self.life, ListHolds, |list, engine| engine.holds(plain.id, list.clone()));
        rows.reverse();
        let line = |row: &BalanceHold| -> HoldLine {
            (row.amount, row.state, row.expires_at, row.reservation_id, row.captured, row.transaction_id)
        };
        let expected = plain.holds.iter().map(|hold| -> HoldLine {
            let (captured, by) =
                (hold.captured.map(|(amount, _)| quantity(amount)), hold.captured.map(|(_, by)| ids[by]));
            (quantity(hold.amount), hold.state, hold.expires_at, hold.reservation, captured, by)
        });
        assert_eq!(rows.iter().map(line).collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "holds of {context}");
        rows.iter().map(|row| row.id).collect()
    }

    fn compare_alerts(&self, number: usize, context: &str) {
        let plain = &self.plain.balances[number];
        let id = plain.id;
        let mut rows = all!(&self.life, ListAlerts, |list, engine| engine
            .alerts(ListAlerts { balance_id: Some(id), ..list.clone() }));
        rows.reverse();
        let of = |kind: AlertKind| -> Vec<(Quantity, Quantity, bool)> {
            let those = rows.iter().filter(|row: &&Alert| row.kind == kind);
            those
                .map(|row| {
                    let about = row.balance.as_ref().expect("a balance's");
                    assert!(about.id == id && row.limit.is_none());
                    (about.threshold, about.current_balance, row.state != AlertState::Resolved)
                })
                .collect()
        };
        let told = |watch: &Watch| -> Vec<(Quantity, Quantity, bool)> {
            watch.told.iter().map(|told| (quantity(told.threshold), quantity(told.was), told.open)).collect()
        };
        assert_eq!(of(AlertKind::BalanceLow), told(&plain.low), "alerts of {context}");
        assert_eq!(of(AlertKind::BalanceTopUp), told(&plain.top_up), "alerts of top-ups of {context}");
    }

    /// What was, what moved and what is then adds up, of all and of any part.
    pub fn statements(&self) {
        for plain in &self.plain.balances {
            let times: Vec<_> = plain.entries.iter().map(|entry| Some(entry.at)).collect();
            let middle = times.get(times.len() / 2).copied().flatten();
            for (from, to) in
                [(None, None), (None, middle), (middle, None), (middle, middle.map(|at| at.saturating_add_micros(1)))]
            {
                let Life { engine, runtime } = &self.life;
                let shown =
                    runtime.block_on(engine.statement(plain.id, AskStatement { from, to })).expect("a statement");
                let before = plain.entries.iter().rfind(|entry| from.is_some_and(|from| entry.at < from));
                let within: Vec<_> = plain
                    .entries
                    .iter()
                    .filter(|entry| from.is_none_or(|from| entry.at >= from) && to.is_none_or(|to| entry.at < to))
                    .collect();
                let sum = |kind| {
                    let those = within.iter().filter(|entry| entry.kind == kind);
                    quantity(those.map(|entry| entry.amount).sum())
                };
                let opening = before.map_or(0, |entry| entry.after);
                let closing = within.last().map_or(opening, |entry| entry.after);
                assert_eq!(
                    (shown.opening_balance, shown.closing_balance, shown.entries),
                    (quantity(opening), quantity(closing), within.len() as u64),
                    "the statement from {from:?} to {to:?}"
                );
                assert_eq!(
                    (shown.credited, shown.debited, shown.expired, shown.adjusted),
                    (sum(EntryKind::Credit), sum(EntryKind::Debit), sum(EntryKind::Expiry), sum(EntryKind::Adjustment))
                );
            }
        }
    }
}

/// What an entry adds to the balance.
fn signed(row: &Transaction) -> i128 {
    match row.kind {
        EntryKind::Credit | EntryKind::Adjustment => row.amount.steps(),
        EntryKind::Debit | EntryKind::Expiry => -row.amount.steps(),
    }
}
