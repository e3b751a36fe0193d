//! Tracking: decided and recorded in one step.

use weir_core::event::EventInput;
use weir_engine::Headers;
use weir_engine::model::{CountRefusals, ListRefusals, Page, Refusal, RefusalCounts, Tracked};

use super::operation;
use crate::context::Context;
use crate::error::{ApiError, rate_headers};
use crate::operation::{Kind, Method, Operation};

/// Records an event if neither a rate limit nor a limit refuses it.
pub struct Track;

impl Operation for Track {
    const NAME: &'static str = "events.track";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/track";
    const SCOPE: weir_engine::model::Scope = weir_engine::model::Scope::Ingest;
    const KIND: Kind = Kind::Ingest;
    const STATUS: u16 = 201;
    const SUMMARY: &'static str =
        "Records an event if neither a rate limit nor a limit refuses it: decided and recorded in one step.";
    type Req = EventInput;
    type Res = Tracked;

    async fn run(ctx: &Context, req: EventInput) -> Result<Tracked, ApiError> {
        Ok(ctx.engine().track(&ctx.actor, req).await?)
    }

    fn headers(tracked: &Tracked) -> Headers {
        tracked.rate_limits.first().map(rate_headers).unwrap_or_default()
    }
}

operation! {
    /// Lists refused calls.
    Refusals "refusals.list" Get "/refusals" Read Read,
    |ctx, req: ListRefusals| -> Page<Refusal> { Ok(ctx.engine().refusals(req).await?) }
}

operation! {
    /// Counts refused calls over a range and per interval, as far back as they are kept.
    RefusalSeries "refusals.series" Get "/refusals/series" Read Read,
    |ctx, req: CountRefusals| -> RefusalCounts { Ok(ctx.engine().count_refusals(req).await?) }
}
