//! Rate limits.

use weir_core::error::Code;
use weir_core::id::RateLimitId;
use weir_engine::model::{CheckRates, ListRateLimits, NewRateLimit, Page, RateLimit, RateLimitPatch, RatesAnswer};

use super::{Success, id, operation};
use crate::error::ApiError;
use crate::with_id::{ById, WithId};

fn rate_limit(text: &str) -> Result<RateLimitId, ApiError> {
    id(text, Code::RateLimitNotFound, "rate limit")
}

operation! {
    /// Creates a rate limit for one customer, or for every customer.
    Create "rate_limits.create" Post "/rate-limits" Manage Change 201,
    |ctx, req: NewRateLimit| -> RateLimit { Ok(ctx.engine().create_rate_limit(&ctx.actor, req).await?) }
}

operation! {
    /// Lists rate limits.
    List "rate_limits.list" Get "/rate-limits" Read Read,
    |ctx, req: ListRateLimits| -> Page<RateLimit> { Ok(ctx.engine().rate_limits(req).await?) }
}

operation! {
    /// Answers a rate limit.
    Get "rate_limits.get" Get "/rate-limits/{id}" Read Read,
    |ctx, req: ById| -> RateLimit { Ok(ctx.engine().rate_limit(rate_limit(&req.id)?).await?) }
}

operation! {
    /// Changes a rate limit's fields that are given, from the next call on.
    Update "rate_limits.update" Put "/rate-limits/{id}" Manage Change,
    |ctx, req: WithId<RateLimitPatch>| -> RateLimit {
        Ok(ctx.engine().update_rate_limit(&ctx.actor, rate_limit(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Archives a rate limit: it is as if absent.
    Archive "rate_limits.archive" Delete "/rate-limits/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().archive_rate_limit(&ctx.actor, rate_limit(&req.id)?).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Asks whether a customer may make a call now, as far as rate limits go; nothing is consumed.
    CheckRateLimits "rate_limits.check" Post "/rate-limits/check" Read Read,
    |ctx, req: CheckRates| -> RatesAnswer { Ok(ctx.engine().check_rates(&req)?) }
}
