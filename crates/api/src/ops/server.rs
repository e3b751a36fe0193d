//! The local server.

use weir_engine::model::Scope;

use super::operation;
use crate::context::Context;
use crate::error::ApiError;
use crate::operation::{Kind, Method, Operation, Reach};
use crate::server::{ServerPatch, ServerState};
use crate::with_id::Nothing;

operation! {
    /// Says where programs reach the API.
    Get "server.get" Get "/server" Manage Read,
    |ctx, _req: Nothing| -> ServerState { Ok(ctx.app.server.state(ctx.engine())) }
}

/// Turns the local server on or off, or says who may reach it.
pub struct Update;

impl Operation for Update {
    const NAME: &'static str = "server.update";
    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/server";
    const SCOPE: Scope = Scope::Manage;
    const KIND: Kind = Kind::Change;
    const REACH: Reach = Reach::Local;
    const SUMMARY: &'static str = "Turns the local server on or off, or says who may reach it.";
    type Req = ServerPatch;
    type Res = ServerState;

    async fn run(ctx: &Context, req: ServerPatch) -> Result<ServerState, ApiError> {
        let before = ctx.app.server.state(ctx.engine());
        let after = ctx.app.server.change(ctx.engine(), req).await?;
        if after != before {
            ctx.engine().remember(&ctx.actor, Self::NAME, "server", before, after.clone()).await?;
        }
        Ok(after)
    }
}
