//! Events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use weir_core::error::Code;
use weir_core::event::{Event, EventInput};
use weir_core::time::Timestamp;
use weir_engine::model::{BatchRecorded, EventDetail, ListEvents, Page, Recorded, Summary};

use super::{id, operation};
use crate::context::Context;
use crate::error::{ApiError, ItemError, item};
use crate::operation::{self, Operation};
use crate::request;
use crate::with_id::{ById, WithId};

/// Most events of a batch.
pub const MAX_BATCH: usize = 1_000;

/// Events to record, all or none.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBatch {
    /// 1 to 1,000 events.
    #[schemars(length(min = 1, max = 1000))]
    pub events: Vec<EventInput>,
}

/// Whose events of which range to total.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summarised {
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// Why an event is voided.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidEvent {
    /// 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub reason: Option<String>,
}

operation! {
    /// Records an event; it is durable once answered.
    Record "events.record" Post "/events/record" Ingest Ingest 201,
    |ctx, req: EventInput| -> Recorded { Ok(ctx.engine().record(&ctx.actor, req).await?) }
}

operation! {
    /// Lists events, newest first.
    List "events.list" Get "/events" Read Read,
    |ctx, req: ListEvents| -> Page<Event> { Ok(ctx.engine().events(req).await?) }
}

operation! {
    /// Answers an event, and the meters and limits that it counts on.
    Get "events.get" Get "/events/{id}" Read Read,
    |ctx, req: ById| -> EventDetail { Ok(ctx.engine().event(id(&req.id, Code::EventNotFound, "event")?).await?) }
}

operation! {
    /// Voids an event, for ever: usage and limits are counted again without it.
    Void "events.void" Post "/events/{id}/void" Manage Change,
    |ctx, req: WithId<VoidEvent>| -> Event {
        let event = id(&req.id, Code::EventNotFound, "event")?;
        Ok(ctx.engine().void_event(&ctx.actor, event, req.rest.reason).await?)
    }
}

operation! {
    /// Totals events by type.
    Summarise "events.summary" Get "/events/summary" Read Read,
    |ctx, req: Summarised| -> Summary {
        Ok(ctx.engine().summary(req.customer_id.as_deref(), req.from, req.to).await?)
    }
}

/// Records up to 1,000 events, all or none.
pub struct Batch;

impl Operation for Batch {
    const NAME: &'static str = "events.batch";
    const METHOD: operation::Method = operation::Method::Post;
    const PATH: &'static str = "/events/batch";
    const SCOPE: weir_engine::model::Scope = weir_engine::model::Scope::Ingest;
    const KIND: operation::Kind = operation::Kind::Ingest;
    const STATUS: u16 = 201;
    const SUMMARY: &'static str = "Records up to 1,000 events, all or none; they are durable once answered.";
    type Req = EventBatch;
    type Res = BatchRecorded;

    async fn run(ctx: &Context, req: EventBatch) -> Result<BatchRecorded, ApiError> {
        check_size(req.events.len())?;
        let total = req.events.len();
        ctx.engine().record_batch(&ctx.actor, req.events).await.map_err(|error| match error {
            weir_engine::Error::Faults(faults) if !faults.is_empty() => {
                ApiError::of_items(faults.into_iter().map(|(index, fault)| item(index, fault)).collect(), total)
            }
            error => error.into(),
        })
    }

    fn faults(ctx: &Context, text: &str) -> Option<ApiError> {
        faults(text, ctx.engine().now())
    }
}

fn check_size(events: usize) -> Result<(), ApiError> {
    if (1..=MAX_BATCH).contains(&events) {
        return Ok(());
    }
    Err(ApiError::invalid("events", format_args!("must hold 1 to {MAX_BATCH} events, not {events}")))
}

/// The faults of a batch that could not be read as a whole, of each event by itself: first of reading it, then of its bounds.
fn faults(text: &str, now: Timestamp) -> Option<ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw<'a> {
        #[serde(borrow)]
        events: Vec<&'a RawValue>,
    }

    // What is wrong outside the events is said by the general rule.
    let raw: Raw<'_> = serde_json::from_str(text).ok()?;
    if let Err(error) = check_size(raw.events.len()) {
        return Some(error);
    }
    let fields = &crate::table::find(Record::NAME)?.fields;
    let refused = raw.events.iter().enumerate().filter_map(|(index, event)| {
        let event: EventInput = match request::read(event.get(), fields) {
            Ok(event) => event,
            Err(error) => return Some(at(index, error)),
        };
        event.validate(now).err().map(|fault| item(index, fault))
    });
    let errors: Vec<ItemError> = refused.collect();
    (!errors.is_empty()).then(|| ApiError::of_items(errors, raw.events.len()))
}

/// A fault of reading one event, its field seen from the request.
fn at(index: usize, error: ApiError) -> ItemError {
    let parent = format!("events[{index}]");
    let (field, message) = match error.details.field {
        None => (parent.clone(), error.message.replace("the request", &format!("`{parent}`"))),
        Some(field) => {
            let whole = format!("{parent}.{field}");
            (whole.clone(), error.message.replacen(&format!("`{field}`"), &format!("`{whole}`"), 1))
        }
    };
    ItemError { index, field: Some(field), code: error.code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_batch_is_listed_by_index() {
        let text = r#"{"events":[
            {"customerId":"a","eventType":"t","values":{"tokens":"x"}},
            {"customerId":"a","eventType":"t"},
            {"customerId":"a"},
            {"customerId":"a","eventType":"t","dimensions":{"a b":"1"}},
            {"customerId":"a","eventType":"t","colour":1},
            7
        ]}"#;
        let error = faults(text, Timestamp::from_micros(1_700_000_000_000_000)).unwrap();
        let listed: Vec<_> =
            error.details.errors.iter().map(|e| (e.index, e.code.as_str(), e.field.as_deref().unwrap())).collect();
        assert_eq!(
            listed,
            [
                (0, "invalid_field_value", "events[0].values.tokens"),
                (2, "missing_required_field", "events[2].eventType"),
                (3, "invalid_field_value", "events[3].dimensions.a b"),
                (4, "unknown_field", "events[4].colour"),
                (5, "invalid_request", "events[5]"),
            ]
        );
        assert!(error.message.starts_with("5 of 6 events cannot be recorded"), "{}", error.message);
        assert!(error.details.errors[0].message.starts_with("`events[0].values.tokens` must be a decimal number"));
    }

    #[test]
    fn a_batch_holds_one_to_a_thousand() {
        assert!(check_size(1).is_ok() && check_size(MAX_BATCH).is_ok());
        for size in [0, MAX_BATCH + 1] {
            assert_eq!(check_size(size).unwrap_err().details.field.as_deref(), Some("events"));
        }
    }
}
