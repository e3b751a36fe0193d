//! Meters.

use weir_core::error::Code;
use weir_core::id::MeterId;
use weir_engine::model::{
    ListMeters, Meter, MeterPatch, NewMeter, Page, PreviewAnswer, PreviewMeter, QueryAnswer, QueryMeter,
};

use super::{Success, id, operation};
use crate::error::ApiError;
use crate::with_id::{ById, WithId};

fn meter(text: &str) -> Result<MeterId, ApiError> {
    id(text, Code::MeterNotFound, "meter")
}

operation! {
    /// Creates a meter, which counts all history.
    Create "meters.create" Post "/meters" Manage Change 201,
    |ctx, req: NewMeter| -> Meter { Ok(ctx.engine().create_meter(&ctx.actor, req).await?) }
}

operation! {
    /// Lists meters.
    List "meters.list" Get "/meters" Read Read,
    |ctx, req: ListMeters| -> Page<Meter> { Ok(ctx.engine().meters(req).await?) }
}

operation! {
    /// Answers a meter.
    Get "meters.get" Get "/meters/{id}" Read Read,
    |ctx, req: ById| -> Meter { Ok(ctx.engine().meter(meter(&req.id)?).await?) }
}

operation! {
    /// Changes a meter's fields that are given; a changed definition counts all history anew.
    Update "meters.update" Put "/meters/{id}" Manage Change,
    |ctx, req: WithId<MeterPatch>| -> Meter {
        Ok(ctx.engine().update_meter(&ctx.actor, meter(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Archives a meter that no limit uses.
    Archive "meters.archive" Delete "/meters/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().archive_meter(&ctx.actor, meter(&req.id)?).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Takes a meter out of the archive.
    Restore "meters.restore" Post "/meters/{id}/restore" Manage Change,
    |ctx, req: ById| -> Meter { Ok(ctx.engine().restore_meter(&ctx.actor, meter(&req.id)?).await?) }
}

operation! {
    /// Answers a meter's value over a range, per interval and broken down.
    Query "meters.query" Post "/meters/{id}/query" Read Read,
    |ctx, req: WithId<QueryMeter>| -> QueryAnswer { Ok(ctx.engine().query_meter(meter(&req.id)?, req.rest).await?) }
}

operation! {
    /// Answers what a meter that does not exist yet would have counted.
    Preview "meters.preview" Post "/meters/preview" Read Read,
    |ctx, req: PreviewMeter| -> PreviewAnswer { Ok(ctx.engine().preview_meter(req).await?) }
}
