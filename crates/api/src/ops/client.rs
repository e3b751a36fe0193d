//! What a customer's own front end may do with a client token, for its customer alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::error::{Code, Fault};
use weir_core::event::{EventInput, check_not_negative};
use weir_core::properties::Properties;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::ClientCaller;
use weir_engine::model::{Check, CheckAnswer, OwnToken, Recorded, Summary};

use super::operation;
use crate::context::Context;
use crate::error::ApiError;
use crate::with_id::Nothing;

/// The question whether the customer may go on, or whether an event may happen. Nothing is consumed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientCheck {
    /// The token's customer; it need not be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The event's dimensions; given even as `{}`, the question is about one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// The event's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The event's values, none of them negative; given, the event's own share is part of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<BTreeMap<String, Quantity>>,
}

/// An event of the customer, which happens now.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientEvent {
    /// The token's customer; it need not be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// What happened, such as `llm.completion`.
    pub event_type: String,
    /// Named quantities, none of them negative.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Quantity>,
    /// Named texts to filter and group by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// Anything else worth keeping; its texts become dimensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// A key under which a repeat is recognised, unique among the events that the customer's front ends record.
    #[serde(default, alias = "id", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Short for the dimension `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Short for the dimension `provider`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Short for the value `input_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<Quantity>,
    /// Short for the value `output_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<Quantity>,
    /// Short for the value `tokens`; input plus output tokens when those two are given and this is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<Quantity>,
    /// Short for the value `cost_cents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_cents: Option<Quantity>,
    /// Short for the value `latency_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Quantity>,
}

/// Which range of the customer's events to total.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientRange {
    /// The token's customer; it need not be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

fn caller(ctx: &Context) -> Result<&ClientCaller, ApiError> {
    ctx.client.as_deref().ok_or_else(|| ApiError::new(Code::InvalidApiKey, "only client tokens lead here"))
}

/// The token's customer, who is the only one that may be named.
fn customer(ctx: &Context, named: Option<String>) -> Result<String, ApiError> {
    let own = &caller(ctx)?.customer_id;
    if named.is_some_and(|named| named != *own) {
        let message = "the client token is for another customer than `customerId` names".to_owned();
        return Err(Fault { code: Code::InsufficientPermissions, field: Some("customerId".to_owned()), message }.into());
    }
    Ok(own.clone())
}

operation! {
    /// Says what the front end may know of its token.
    Token "client.token" Get "/client/token" Read Read 200 client,
    |ctx, _req: Nothing| -> OwnToken { Ok(caller(ctx)?.own.clone()) }
}

operation! {
    /// Asks whether the token's customer may go on, or whether an event may happen; nothing is consumed.
    CheckLimits "client.check" Post "/client/limits/check" Read Read 200 client,
    |ctx, req: ClientCheck| -> CheckAnswer {
        let customer_id = customer(ctx, req.customer_id)?;
        for (name, value) in req.values.iter().flatten() {
            check_not_negative(format!("values.{name}"), *value)?;
        }
        let (dimensions, event_type, values) = (req.dimensions, req.event_type, req.values);
        Ok(ctx.engine().check(Check { customer_id, dimensions, event_type, values }).await?)
    }
}

operation! {
    /// Records an event of the token's customer; it is durable once answered.
    Record "client.record" Post "/client/events/record" Ingest Ingest 201 client,
    |ctx, req: ClientEvent| -> Recorded {
        let event = EventInput {
            customer_id: customer(ctx, req.customer_id)?,
            event_type: req.event_type,
            values: req.values,
            dimensions: req.dimensions,
            properties: req.properties,
            timestamp: None,
            idempotency_key: req.idempotency_key,
            model: req.model,
            provider: req.provider,
            input_tokens: req.input_tokens,
            output_tokens: req.output_tokens,
            total_tokens: req.total_tokens,
            cost_cents: req.cost_cents,
            latency_ms: req.latency_ms,
        };
        Ok(ctx.engine().record_from_client(&ctx.actor, event).await?)
    }
}

operation! {
    /// Totals the events of the token's customer by type.
    Summarise "client.summary" Get "/client/events/summary" Read Read 200 client,
    |ctx, req: ClientRange| -> Summary {
        let customer = customer(ctx, req.customer_id)?;
        Ok(ctx.engine().summary_of_client(&customer, req.from, req.to).await?)
    }
}
