//! The project, and how the engine is doing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::time::Timestamp;
use weir_engine::model::{self, Project, ProjectPatch, UsageTotals};

use super::operation;
use crate::with_id::Nothing;

/// A range of time.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Range {
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

operation! {
    /// Answers the project.
    Get "project.get" Get "/project" Read Read,
    |ctx, _req: Nothing| -> Project { Ok(ctx.engine().project().await?) }
}

operation! {
    /// Changes the project's fields that are given.
    Update "project.update" Put "/project" Manage Change,
    |ctx, req: ProjectPatch| -> Project { Ok(ctx.engine().update_project(&ctx.actor, req).await?) }
}

operation! {
    /// Says how the engine is doing.
    Status "status.get" Get "/status" Read Read,
    |ctx, _req: Nothing| -> model::Status { Ok(ctx.engine().status().await?) }
}

operation! {
    /// Counts events and active customers of a range.
    Usage "usage.get" Get "/usage" Read Read,
    |ctx, req: Range| -> UsageTotals { Ok(ctx.engine().usage_totals(req.from, req.to).await?) }
}
