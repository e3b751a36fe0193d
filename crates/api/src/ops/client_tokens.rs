//! Client tokens: what a customer's own front end calls with.

use weir_core::error::Code;
use weir_core::id::ClientTokenId;
use weir_engine::model::{
    ClientToken, IntrospectToken, IntrospectedToken, ListClientTokens, NewClientToken, NewClientTokenAnswer, Page,
};

use super::{Success, id, operation};
use crate::error::ApiError;
use crate::with_id::ById;

fn token(text: &str) -> Result<ClientTokenId, ApiError> {
    id(text, Code::ClientTokenNotFound, "client token")
}

operation! {
    /// Makes a client token for a customer's own front end; it is shown this once.
    Create "client_tokens.create" Post "/client-tokens" Manage Change 201 secret,
    |ctx, req: NewClientToken| -> NewClientTokenAnswer { Ok(ctx.engine().create_client_token(&ctx.actor, req).await?) }
}

operation! {
    /// Lists client tokens, newest first; those past their date are kept for a day.
    List "client_tokens.list" Get "/client-tokens" Manage Read,
    |ctx, req: ListClientTokens| -> Page<ClientToken> { Ok(ctx.engine().client_tokens(req).await?) }
}

operation! {
    /// Answers a client token, with what was kept with it.
    Get "client_tokens.get" Get "/client-tokens/{id}" Manage Read,
    |ctx, req: ById| -> ClientToken { Ok(ctx.engine().client_token(token(&req.id)?).await?) }
}

operation! {
    /// Revokes a client token at once.
    Revoke "client_tokens.revoke" Delete "/client-tokens/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().revoke_client_token(&ctx.actor, token(&req.id)?).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Says what a token is, and whether it would be let in now.
    Introspect "client_tokens.introspect" Post "/client-tokens/introspect" Manage Read,
    |ctx, req: IntrospectToken| -> IntrospectedToken { Ok(ctx.engine().introspect_client_token(req).await?) }
}
