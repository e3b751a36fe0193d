//! Webhooks: endpoints, and what they were told.

use weir_core::error::Code;
use weir_core::id::{DeliveryId, WebhookId};
use weir_engine::model::{
    Delivery, ListDeliveries, ListWebhooks, NewWebhook, Page, Redeliver, RotateWebhook, Webhook, WebhookPatch,
    WebhookWithSecret,
};

use super::{Success, id, operation};
use crate::error::ApiError;
use crate::with_id::{ById, WithId};

fn webhook(text: &str) -> Result<WebhookId, ApiError> {
    id(text, Code::WebhookNotFound, "webhook")
}

operation! {
    /// Makes an endpoint that is told what happens.
    Create "webhooks.create" Post "/webhooks" Manage Change 201 secret,
    |ctx, req: NewWebhook| -> WebhookWithSecret { Ok(ctx.engine().create_webhook(&ctx.actor, req).await?) }
}

operation! {
    /// Lists endpoints, without their secrets.
    List "webhooks.list" Get "/webhooks" Manage Read,
    |ctx, req: ListWebhooks| -> Page<Webhook> { Ok(ctx.engine().webhooks(req).await?) }
}

operation! {
    /// Reads an endpoint and its secret.
    Get "webhooks.get" Get "/webhooks/{id}" Manage Read,
    |ctx, req: ById| -> WebhookWithSecret { Ok(ctx.engine().webhook(webhook(&req.id)?).await?) }
}

operation! {
    /// Changes where, what or whether an endpoint is told.
    Update "webhooks.update" Put "/webhooks/{id}" Manage Change,
    |ctx, req: WithId<WebhookPatch>| -> Webhook {
        Ok(ctx.engine().update_webhook(&ctx.actor, webhook(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Archives an endpoint: it is told nothing more.
    Archive "webhooks.archive" Delete "/webhooks/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().archive_webhook(&ctx.actor, webhook(&req.id)?).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Has a disabled endpoint told again, beginning with what waits.
    Enable "webhooks.enable" Post "/webhooks/{id}/enable" Manage Change,
    |ctx, req: ById| -> Webhook { Ok(ctx.engine().enable_webhook(&ctx.actor, webhook(&req.id)?).await?) }
}

operation! {
    /// Sends an endpoint a ping.
    Test "webhooks.test" Post "/webhooks/{id}/test" Manage Change,
    |ctx, req: ById| -> Delivery { Ok(ctx.engine().test_webhook(&ctx.actor, webhook(&req.id)?).await?) }
}

operation! {
    /// Gives an endpoint a new secret; the one until now signs beside it for a while.
    Rotate "webhooks.rotate" Post "/webhooks/{id}/rotate" Manage Change 200 secret,
    |ctx, req: WithId<RotateWebhook>| -> WebhookWithSecret {
        Ok(ctx.engine().rotate_webhook(&ctx.actor, webhook(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Lists what an endpoint was told, with every attempt.
    Deliveries "webhooks.deliveries" Get "/webhooks/{id}/deliveries" Manage Read,
    |ctx, req: WithId<ListDeliveries>| -> Page<Delivery> {
        Ok(ctx.engine().deliveries(webhook(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Delivers a message once more.
    Again "webhooks.redeliver" Post "/webhooks/{id}/deliveries/{deliveryId}/redeliver" Manage Change,
    |ctx, req: WithId<Redeliver>| -> Delivery {
        let delivery: DeliveryId = id(&req.rest.delivery_id, Code::DeliveryNotFound, "delivery")?;
        Ok(ctx.engine().redeliver(&ctx.actor, webhook(&req.id)?, delivery).await?)
    }
}
