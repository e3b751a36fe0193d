//! Balances, what moves them, and what is set aside.

use weir_core::error::Code;
use weir_core::id::{BalanceId, HoldId};
use weir_engine::model::{
    AdjustBalance, AskStatement, Balance, BalanceHold, BalancePatch, CaptureHold, CheckBalance, CheckedBalance,
    CreditBalance, CustomerBalances, DebitBalance, ExtendHold, Grant, Held, HoldBalance, ListBalances, ListGrants,
    ListHolds, ListTransactions, Moved, NewBalance, Page, Statement, Transaction,
};

use super::{Success, id, operation};
use crate::error::ApiError;
use crate::with_id::{ById, WithId};

fn balance(text: &str) -> Result<BalanceId, ApiError> {
    id(text, Code::BalanceNotFound, "balance")
}

fn hold(text: &str) -> Result<HoldId, ApiError> {
    id(text, Code::HoldNotFound, "hold")
}

operation! {
    /// Creates a balance of a customer.
    Create "balances.create" Post "/balances" Manage Change 201,
    |ctx, req: NewBalance| -> Balance { Ok(ctx.engine().create_balance(&ctx.actor, req).await?) }
}

operation! {
    /// Lists balances.
    List "balances.list" Get "/balances" Read Read,
    |ctx, req: ListBalances| -> Page<Balance> { Ok(ctx.engine().balances(req).await?) }
}

operation! {
    /// Answers a balance.
    Get "balances.get" Get "/balances/{id}" Read Read,
    |ctx, req: ById| -> Balance { Ok(ctx.engine().balance(balance(&req.id)?).await?) }
}

operation! {
    /// Changes a balance's settings that are given; null clears an optional one.
    Update "balances.update" Put "/balances/{id}" Manage Change,
    |ctx, req: WithId<BalancePatch>| -> Balance {
        Ok(ctx.engine().update_balance(&ctx.actor, balance(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Archives a balance: nothing moves it any more, and its ledger stays.
    Archive "balances.archive" Delete "/balances/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().archive_balance(&ctx.actor, balance(&req.id)?).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Takes a balance out of the archive.
    Restore "balances.restore" Post "/balances/{id}/restore" Manage Change,
    |ctx, req: ById| -> Balance { Ok(ctx.engine().restore_balance(&ctx.actor, balance(&req.id)?).await?) }
}

operation! {
    /// Lists the entries of a balance's ledger, newest first.
    Transactions "balances.transactions" Get "/balances/{id}/transactions" Read Read,
    |ctx, req: WithId<ListTransactions>| -> Page<Transaction> {
        Ok(ctx.engine().transactions(balance(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Sums up a range of a balance's ledger.
    Statements "balances.statement" Get "/balances/{id}/statement" Read Read,
    |ctx, req: WithId<AskStatement>| -> Statement { Ok(ctx.engine().statement(balance(&req.id)?, req.rest).await?) }
}

operation! {
    /// Lists the grants of a balance: those of which something is left in the order in which they are spent, then the others.
    Grants "balances.grants" Get "/balances/{id}/grants" Read Read,
    |ctx, req: WithId<ListGrants>| -> Page<Grant> { Ok(ctx.engine().grants(balance(&req.id)?, req.rest).await?) }
}

operation! {
    /// Lists the holds of a balance, newest first.
    Holds "balances.holds" Get "/balances/{id}/holds" Read Read,
    |ctx, req: WithId<ListHolds>| -> Page<BalanceHold> { Ok(ctx.engine().holds(balance(&req.id)?, req.rest).await?) }
}

operation! {
    /// Answers a customer's live balances.
    OfCustomer "customers.balances" Get "/customers/{id}/balances" Read Read,
    |ctx, req: ById| -> CustomerBalances { Ok(ctx.engine().customer_balances(&req.id).await?) }
}

operation! {
    /// Adds money to a balance.
    Credit "balances.credit" Post "/balances/credit" Manage Change,
    |ctx, req: CreditBalance| -> Moved { Ok(ctx.engine().credit_balance(&ctx.actor, req).await?) }
}

operation! {
    /// Takes money from a balance, if that much is available.
    Debit "balances.debit" Post "/balances/debit" Ingest Ingest,
    |ctx, req: DebitBalance| -> Moved { Ok(ctx.engine().debit_balance(&ctx.actor, req).await?) }
}

operation! {
    /// Corrects a balance, up or down, with a note.
    Adjust "balances.adjust" Post "/balances/adjust" Manage Change,
    |ctx, req: AdjustBalance| -> Moved { Ok(ctx.engine().adjust_balance(&ctx.actor, req).await?) }
}

operation! {
    /// Sets an amount of a balance aside, if that much is available.
    Hold "balances.hold" Post "/balances/hold" Ingest Ingest,
    |ctx, req: HoldBalance| -> Held { Ok(ctx.engine().hold_balance(&ctx.actor, req).await?) }
}

operation! {
    /// Books what a hold came to, less or more than held, and ends it.
    Capture "balances.capture" Post "/balances/holds/{id}/capture" Ingest Ingest,
    |ctx, req: WithId<CaptureHold>| -> Held { Ok(ctx.engine().capture_hold(&ctx.actor, hold(&req.id)?, req.rest).await?) }
}

operation! {
    /// Gives up what a hold holds.
    Release "balances.release" Post "/balances/holds/{id}/release" Ingest Ingest,
    |ctx, req: ById| -> Held { Ok(ctx.engine().release_hold(&ctx.actor, hold(&req.id)?).await?) }
}

operation! {
    /// Lets a live hold last longer.
    Extend "balances.extend" Post "/balances/holds/{id}/extend" Ingest Ingest,
    |ctx, req: WithId<ExtendHold>| -> Held { Ok(ctx.engine().extend_hold(&ctx.actor, hold(&req.id)?, req.rest).await?) }
}

operation! {
    /// Says whether an amount is available, and consumes nothing.
    CheckBalances "balances.check" Post "/balances/check" Read Read,
    |ctx, req: CheckBalance| -> CheckedBalance { Ok(ctx.engine().check_balance(req).await?) }
}
