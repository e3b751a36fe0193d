//! The audit.

use weir_engine::model::{AuditFact, ListAudit, Page};

use super::operation;

operation! {
    /// Lists changes of the configuration: who, what, before and after.
    List "audit.list" Get "/audit" Read Read,
    |ctx, req: ListAudit| -> Page<AuditFact> { Ok(ctx.engine().audit(req).await?) }
}
