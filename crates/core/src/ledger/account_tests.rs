use proptest::prelude::*;

use super::*;
use crate::ledger::{GrantSource, Told};

fn q(value: i64) -> Quantity {
    Quantity::from_int(value)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn terms(priority: u16, expires: Option<i64>) -> Terms {
    Terms { priority, expires_at: expires.map(at), source: GrantSource::Paid }
}

fn entries(journal: &Journal) -> Vec<(EntryKind, Quantity, Quantity)> {
    let postings = journal.movements.iter().filter_map(|(_, movement)| match movement {
        Movement::Posted(posting) => Some((posting.kind, posting.amount, posting.after)),
        _ => None,
    });
    postings.collect()
}

#[test]
fn grants_are_spent_by_priority_then_date_then_age() {
    let (mut account, mut journal) = (Account::new(1, q(0)), Journal::after(0));
    for (priority, expires) in [(100, None), (100, Some(90)), (1, None), (100, Some(50)), (100, Some(50))] {
        account.credit(q(10), terms(priority, expires), at(0), &mut journal);
    }
    account.debit(q(45), &[], at(1), &mut journal);
    let Some((_, Movement::Posted(posting))) =
        journal.movements.iter().rev().find(|(_, movement)| matches!(movement, Movement::Posted(_)))
    else {
        panic!("a debit");
    };
    let from: Vec<_> = posting.parts.iter().map(|Part(grant, amount)| (grant.unwrap(), *amount)).collect();
    assert_eq!(from, [(3, q(10)), (4, q(10)), (5, q(10)), (2, q(10)), (1, q(5))]);
}

#[test]
fn the_date_of_a_grant_leaves_what_is_held_until_the_hold_ends() {
    let (mut account, mut journal) = (Account::new(1, q(0)), Journal::after(0));
    account.credit(q(10), terms(100, Some(60)), at(0), &mut journal);
    account.hold(1, q(4), at(100));
    account.advance(at(60), &mut journal);
    assert_eq!((account.current, account.available()), (q(4), q(0)));
    account.capture(1, q(3), at(70), &mut journal);
    assert_eq!(
        entries(&journal)[1..],
        [(EntryKind::Expiry, q(6), q(4)), (EntryKind::Debit, q(3), q(1)), (EntryKind::Expiry, q(1), q(0))]
    );
}

#[test]
fn new_money_pays_what_is_owed_first() {
    let (mut account, mut journal) = (Account::new(1, q(-100)), Journal::after(0));
    account.debit(q(30), &[], at(0), &mut journal);
    account.debit(q(20), &[], at(1), &mut journal);
    account.credit(q(40), terms(100, None), at(2), &mut journal);
    assert_eq!(account.debts, [Debt { entry: 2, left: q(10) }]);
    let repaid = journal.movements.iter().filter(|(_, movement)| matches!(movement, Movement::Repaid { .. }));
    assert_eq!((account.current, account.grants.len(), repaid.count()), (q(-10), 0, 2));
}

#[test]
fn what_is_given_back_past_its_date_expires_at_once() {
    let (mut account, mut journal) = (Account::new(1, q(0)), Journal::after(0));
    account.credit(q(10), terms(100, Some(60)), at(0), &mut journal);
    account.debit(q(10), &[], at(1), &mut journal);
    account.give_back(q(6), &[Back::Grant(1, terms(100, Some(60)), q(10))], at(70), &mut journal);
    assert_eq!(entries(&journal)[2..], [(EntryKind::Adjustment, q(6), q(6)), (EntryKind::Expiry, q(6), q(0))]);
}

#[test]
fn windows_that_passed_are_made_up_for_each_at_its_own_time() {
    let utc = (Zone::UTC, "2023-01-31".parse().unwrap());
    let (mut account, mut journal) = (Account::new(1, q(0)), Journal::after(0));
    let since = "2023-01-31T12:00:00Z".parse().unwrap();
    account.recurring = Some(Recurring {
        amount: q(10),
        mode: RecurringMode::Add,
        period: Period::Month,
        expires: true,
        terms: terms(5, None),
        since,
        cut: utc,
    });
    account.advance("2023-04-30T00:00:00Z".parse().unwrap(), &mut journal);
    let posted: Vec<_> = journal
        .movements
        .iter()
        .filter_map(|(_, movement)| match movement {
            Movement::Posted(posting) => {
                Some(format!("{} {} {}", &posting.at.to_string()[..10], posting.kind.as_str(), posting.after))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        posted,
        [
            "2023-02-28 credit 10",
            "2023-03-31 expiry 0",
            "2023-03-31 credit 10",
            "2023-04-30 expiry 0",
            "2023-04-30 credit 10"
        ]
    );
}

#[test]
fn an_alert_is_told_once_for_each_fall() {
    let (mut account, mut journal) = (Account::new(1, q(0)), Journal::after(0));
    account.start_watching(Level::Low, Some(q(5)));
    account.credit(q(10), terms(100, None), at(0), &mut journal);
    for second in 1..=3 {
        account.debit(q(3), &[], at(second), &mut journal);
    }
    account.credit(q(10), terms(100, None), at(4), &mut journal);
    account.watch(Level::Low, Some(q(50)), at(5), &mut journal);
    let told: Vec<_> = journal
        .movements
        .iter()
        .filter_map(|(_, movement)| match movement {
            Movement::Told { told, count, current, .. } => Some((*told, *count, *current)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(Told::Fire, 1, q(4)), (Told::Resolve, 1, q(11)), (Told::Fire, 2, q(11))]);
}

#[test]
fn what_expires_as_the_next_credit_comes_is_no_fall() {
    let (mut account, mut journal) = (Account::new(1, q(0)), Journal::after(0));
    account.recurring = Some(Recurring {
        amount: q(10),
        mode: RecurringMode::Add,
        period: Period::Day,
        expires: true,
        terms: terms(5, None),
        since: at(0),
        cut: (Zone::UTC, "2023-01-31".parse().unwrap()),
    });
    account.start_watching(Level::Low, Some(q(5)));
    account.advance(at(5 * 86_400), &mut journal);
    let told = journal.movements.iter().filter(|(_, movement)| matches!(movement, Movement::Told { .. }));
    assert_eq!((told.count(), account.current), (0, q(10)));
}

#[derive(Clone, Debug)]
enum Deed {
    Credit(i64, u16, Option<i64>),
    Debit(i64),
    Hold(i64, i64),
    Capture(usize, i64),
    Release(usize),
    Adjust(i64),
    Wait(i64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        (1_i64..50, 0_u16..3, prop::option::of(0_i64..60)).prop_map(|(a, p, e)| Deed::Credit(a, p, e)),
        (1_i64..60).prop_map(Deed::Debit),
        (1_i64..40, 1_i64..40).prop_map(|(a, ttl)| Deed::Hold(a, ttl)),
        (0_usize..4, 1_i64..50).prop_map(|(h, a)| Deed::Capture(h, a)),
        (0_usize..4).prop_map(Deed::Release),
        (-30_i64..30).prop_filter("not zero", |a| *a != 0).prop_map(Deed::Adjust),
        (0_i64..30).prop_map(Deed::Wait),
    ];
    prop::collection::vec(deed, 1..60)
}

proptest! {
    #[test]
    fn the_balance_is_its_ledger_and_its_grants_less_its_debt(deeds in deeds(), minimum in -40_i64..20) {
        let (mut account, mut journal) = (Account::new(1, q(minimum)), Journal::after(0));
        let (mut now, mut holds) = (at(0), 0);
        for deed in deeds {
            if let Deed::Wait(seconds) = deed {
                now = now.saturating_add_micros(seconds * 1_000_000);
            }
            account.advance(now, &mut journal);
            let ends = |seconds: i64| now.saturating_add_micros(seconds * 1_000_000);
            let before = account.available();
            match deed {
                Deed::Wait(_) => {}
                Deed::Credit(amount, priority, expires) => {
                    let expires_at = expires.map(|after| ends(after + 1));
                    account.credit(q(amount), Terms { priority, expires_at, source: GrantSource::Paid }, now, &mut journal);
                }
                Deed::Debit(amount) if q(amount) <= before => {
                    account.debit(q(amount), &[], now, &mut journal);
                    prop_assert_eq!(account.available(), minus(before, q(amount)), "a debit takes what it says");
                }
                Deed::Hold(amount, ttl) if q(amount) <= before => {
                    holds += 1;
                    account.hold(holds, q(amount), ends(ttl));
                    prop_assert_eq!(account.available(), minus(before, q(amount)), "a hold takes what it says");
                }
                Deed::Capture(which, amount) => {
                    if let Some(hold) = account.holds.get(which).cloned() && minus(q(amount), hold.amount) <= before {
                        account.capture(hold.number, q(amount), now, &mut journal);
                    }
                }
                Deed::Release(which) => {
                    if let Some(number) = account.holds.get(which).map(|hold| hold.number) {
                        account.release(number, now, &mut journal);
                    }
                }
                Deed::Adjust(amount) => {
                    account.adjust(q(amount), now, &mut journal);
                }
                Deed::Debit(_) | Deed::Hold(..) => {}
            }
            let left = account.grants.iter().fold(q(0), |sum, grant| plus(sum, grant.left));
            let owed = account.debts.iter().fold(q(0), |sum, debt| plus(sum, debt.left));
            prop_assert_eq!(account.current, minus(left, owed));
            let free = account.grants.iter().any(|grant| grant.free().is_positive());
            prop_assert!(!free || account.debts.is_empty(), "free money and debt never stand side by side");
            for grant in &account.grants {
                let held = account.holds.iter().flat_map(|hold| &hold.parts).filter(|(entry, _)| *entry == grant.entry);
                prop_assert_eq!(grant.held, held.fold(q(0), |sum, (_, part)| plus(sum, *part)));
                prop_assert!(grant.held <= grant.left);
                prop_assert!(!grant.is_past(now) || !grant.free().is_positive());
            }
            prop_assert!(account.grants.is_sorted_by_key(Grant::rank));
            let (mut sum, mut last) = (q(0), 0);
            for (kind, amount, after) in entries(&journal) {
                sum = if matches!(kind, EntryKind::Credit | EntryKind::Adjustment) { plus(sum, amount) } else { minus(sum, amount) };
                prop_assert_eq!(sum, after);
                last += 1;
            }
            prop_assert_eq!((sum, last), (account.current, journal.last));
        }
    }
}
