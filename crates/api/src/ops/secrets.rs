//! Where the key of signing secrets is kept.

use weir_engine::model::{KeepSecrets, SecretsState};

use super::operation;
use crate::with_id::Nothing;

operation! {
    /// Says where the key that signing secrets derive from is kept.
    Get "secrets.get" Get "/secrets" Manage Read,
    |ctx, _req: Nothing| -> SecretsState { Ok(ctx.engine().secrets().await?) }
}

operation! {
    /// Keeps the key that signing secrets derive from in another place, and moves it there.
    Update "secrets.update" Put "/secrets" Manage Change,
    |ctx, req: KeepSecrets| -> SecretsState { Ok(ctx.engine().keep_secrets(&ctx.actor, req).await?) }
}
