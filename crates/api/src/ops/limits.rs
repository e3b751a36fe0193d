//! Limits.

use weir_core::error::Code;
use weir_core::id::LimitId;
use weir_engine::model::{
    Check, CheckAnswer, Limit, LimitPatch, ListLimits, ListStandings, NewLimit, Page, StandingRow,
};

use super::{Success, id, operation};
use crate::error::ApiError;
use crate::with_id::{ById, WithId};

fn limit(text: &str) -> Result<LimitId, ApiError> {
    id(text, Code::LimitNotFound, "limit")
}

operation! {
    /// Creates a limit for one customer, or a default for every customer.
    Create "limits.create" Post "/limits" Manage Change 201,
    |ctx, req: NewLimit| -> Limit { Ok(ctx.engine().create_limit(&ctx.actor, req).await?) }
}

operation! {
    /// Lists limits.
    List "limits.list" Get "/limits" Read Read,
    |ctx, req: ListLimits| -> Page<Limit> { Ok(ctx.engine().limits(req).await?) }
}

operation! {
    /// Answers a limit.
    Get "limits.get" Get "/limits/{id}" Read Read,
    |ctx, req: ById| -> Limit { Ok(ctx.engine().limit(limit(&req.id)?).await?) }
}

operation! {
    /// Changes a limit's fields that are given; every customer is judged anew at once.
    Update "limits.update" Put "/limits/{id}" Manage Change,
    |ctx, req: WithId<LimitPatch>| -> Limit {
        Ok(ctx.engine().update_limit(&ctx.actor, limit(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Archives a limit: it is as if absent.
    Archive "limits.archive" Delete "/limits/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().archive_limit(&ctx.actor, limit(&req.id)?).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Takes a limit out of the archive.
    Restore "limits.restore" Post "/limits/{id}/restore" Manage Change,
    |ctx, req: ById| -> Limit { Ok(ctx.engine().restore_limit(&ctx.actor, limit(&req.id)?).await?) }
}

operation! {
    /// Asks whether a customer may go on, or whether an event may happen; nothing is consumed.
    CheckLimits "limits.check" Post "/limits/check" Read Read,
    |ctx, req: Check| -> CheckAnswer { Ok(ctx.engine().check(req).await?) }
}

operation! {
    /// Lists where customers stand with their limits, closest to a limit first.
    Standings "limits.standings" Get "/limits/standings" Read Read,
    |ctx, req: ListStandings| -> Page<StandingRow> { Ok(ctx.engine().standings(req).await?) }
}
