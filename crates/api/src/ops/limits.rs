//! Limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::error::Code;
use weir_core::id::LimitId;
use weir_engine::model::{
    Check, CheckAnswer, EndRaise, Explanation, Limit, LimitPatch, LimitStanding, ListLimits, ListStandings, NewLimit,
    NewRaise, Page, Raise, ResetUsage, Scope, StandingRow, SyncAnswer, SyncLimits,
};

use super::{Success, id, operation};
use crate::context::Context;
use crate::error::ApiError;
use crate::limit_file::{self, Format};
use crate::operation::{Kind, Method, Operation};
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
    /// Raises a limit for one customer until an instant; after it the limit's own value is back by itself.
    Raises "limits.raise" Post "/limits/{id}/overrides" Manage Change 201,
    |ctx, req: WithId<NewRaise>| -> Raise {
        Ok(ctx.engine().raise_limit(&ctx.actor, limit(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Takes a customer's raise of a limit back before it ends.
    EndRaises "limits.end_raise" Delete "/limits/{id}/overrides" Manage Change,
    |ctx, req: WithId<EndRaise>| -> Success {
        ctx.engine().end_raise(&ctx.actor, limit(&req.id)?, req.rest.customer_id).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Resets what a customer has used of a limit, for goodwill: only events that arrive from now on count; the window stays as it is.
    Reset "limits.reset" Post "/limits/{id}/reset" Manage Change,
    |ctx, req: WithId<ResetUsage>| -> LimitStanding {
        Ok(ctx.engine().reset_usage(&ctx.actor, limit(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Asks whether a customer may go on, or whether an event may happen; nothing is consumed.
    CheckLimits "limits.check" Post "/limits/check" Read Read,
    |ctx, req: Check| -> CheckAnswer { Ok(ctx.engine().check(req).await?) }
}

operation! {
    /// Says what a request would be answered and why, limit by limit; nothing is consumed, and it agrees with `limits.check`.
    Explain "limits.explain" Post "/limits/explain" Read Read,
    |ctx, req: Check| -> Explanation { Ok(ctx.engine().explain(req).await?) }
}

operation! {
    /// Lists where customers stand with their limits, closest to a limit first.
    Standings "limits.standings" Get "/limits/standings" Read Read,
    |ctx, req: ListStandings| -> Page<StandingRow> { Ok(ctx.engine().standings(req).await?) }
}

/// Puts a list of limits into force, all or none.
pub struct Sync;

impl Operation for Sync {
    const NAME: &'static str = "limits.sync";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/limits/sync";
    const SCOPE: Scope = Scope::Manage;
    const KIND: Kind = Kind::Change;
    const SUMMARY: &'static str = "Puts a list of limits into force, all or none, or says what that would change; doing it twice changes nothing more.";
    type Req = SyncLimits;
    type Res = SyncAnswer;

    async fn run(ctx: &Context, req: SyncLimits) -> Result<SyncAnswer, ApiError> {
        ctx.engine().sync_limits(&ctx.actor, req).await.map_err(limit_file::of_engine)
    }

    fn faults(ctx: &Context, text: &str) -> Option<ApiError> {
        limit_file::faults(ctx.engine(), text)
    }
}

/// Which file of limits to write.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedFile {
    /// TOML when not given.
    #[serde(default)]
    pub format: Format,
}

/// Every live limit as a file.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LimitFile {
    /// How it is written.
    pub format: Format,
    /// How many limits it holds.
    pub limits: u64,
    /// The file.
    pub text: String,
}

operation! {
    /// Writes every live limit as a file that `limits.apply` takes.
    File "limits.file" Get "/limits/file" Read Read,
    |ctx, req: AskedFile| -> LimitFile {
        let limits = ctx.engine().stated_limits().await?;
        let text = limit_file::write(req.format, &limits)?;
        Ok(LimitFile { format: req.format, limits: limits.len() as u64, text })
    }
}

/// A file of limits to put into force.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplyFile {
    /// The file.
    #[schemars(length(max = 8_388_608))]
    pub text: String,
    /// TOML when not given.
    #[serde(default)]
    pub format: Format,
    /// Only say what would change.
    #[serde(default)]
    pub preview: bool,
    /// Also archive every live limit that the file does not name.
    #[serde(default)]
    pub archive_missing: bool,
}

operation! {
    /// Puts a file of limits into force, all or none, or says what that would change; doing it twice changes nothing more.
    Apply "limits.apply" Post "/limits/file" Manage Change,
    |ctx, req: ApplyFile| -> SyncAnswer {
        let limits = limit_file::read(ctx.engine(), req.format, &req.text)?;
        let sync = SyncLimits { limits, preview: req.preview, archive_missing: req.archive_missing };
        ctx.engine().sync_limits(&ctx.actor, sync).await.map_err(limit_file::of_engine)
    }
}
