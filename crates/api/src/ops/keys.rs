//! API keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::error::Code;
use weir_core::id::KeyId;
use weir_engine::model::{Cursor, Key, KeyPatch, NewKey, NewKeyAnswer, Page, PageSize, RotateKey};

use super::{Success, id, operation};
use crate::error::ApiError;
use crate::with_id::{ById, WithId};

fn key(text: &str) -> Result<KeyId, ApiError> {
    id(text, Code::KeyNotFound, "key")
}

/// Which keys to list, newest first.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListKeys {
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

operation! {
    /// Makes an API key; its secret is shown this once.
    Create "keys.create" Post "/keys" Manage Change 201 secret,
    |ctx, req: NewKey| -> NewKeyAnswer { Ok(ctx.engine().create_key(&ctx.actor, req).await?) }
}

operation! {
    /// Lists API keys, without their secrets.
    List "keys.list" Get "/keys" Manage Read,
    |ctx, req: ListKeys| -> Page<Key> {
        let mut keys = ctx.engine().keys().await?;
        keys.sort_by_key(|key| std::cmp::Reverse(key.id));
        if let Some(cursor) = req.cursor {
            let last: Option<KeyId> = cursor.keys::<1>().and_then(|[id]| id.parse().ok());
            let last = last.ok_or_else(|| ApiError::invalid("cursor", "is not from this list"))?;
            keys.retain(|key| key.id < last);
        }
        Ok(Page::cut(keys, req.limit, |key| Cursor::of(&[&key.id.to_string()])))
    }
}

operation! {
    /// Changes a key's name, date or rate limits.
    Update "keys.update" Put "/keys/{id}" Manage Change,
    |ctx, req: WithId<KeyPatch>| -> Key { Ok(ctx.engine().update_key(&ctx.actor, key(&req.id)?, req.rest).await?) }
}

operation! {
    /// Gives a key a new secret, shown this once; the one until now stays good for a while beside it.
    Rotate "keys.rotate" Post "/keys/{id}/rotate" Manage Change 200 secret,
    |ctx, req: WithId<RotateKey>| -> NewKeyAnswer {
        Ok(ctx.engine().rotate_key(&ctx.actor, key(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Revokes an API key at once.
    Revoke "keys.revoke" Delete "/keys/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().revoke_key(&ctx.actor, key(&req.id)?).await?;
        Ok(Success::DONE)
    }
}
