//! Alerts.

use weir_core::error::Code;
use weir_core::id::AlertId;
use weir_engine::model::{AcknowledgeAll, Acknowledged, Alert, ListAlerts, Page};

use super::{id, operation};
use crate::error::ApiError;
use crate::with_id::ById;

fn alert(text: &str) -> Result<AlertId, ApiError> {
    id(text, Code::AlertNotFound, "alert")
}

operation! {
    /// Lists alerts.
    List "alerts.list" Get "/alerts" Read Read,
    |ctx, req: ListAlerts| -> Page<Alert> { Ok(ctx.engine().alerts(req).await?) }
}

operation! {
    /// Answers an alert.
    Get "alerts.get" Get "/alerts/{id}" Read Read,
    |ctx, req: ById| -> Alert { Ok(ctx.engine().alert(alert(&req.id)?).await?) }
}

operation! {
    /// Acknowledges an alert.
    Acknowledge "alerts.acknowledge" Post "/alerts/{id}/acknowledge" Manage Change,
    |ctx, req: ById| -> Alert { Ok(ctx.engine().acknowledge(&ctx.actor, alert(&req.id)?).await?) }
}

operation! {
    /// Acknowledges every open alert up to one.
    AllAcknowledge "alerts.acknowledge_all" Post "/alerts/acknowledge" Manage Change,
    |ctx, req: AcknowledgeAll| -> Acknowledged { Ok(ctx.engine().acknowledge_all(&ctx.actor, req).await?) }
}
