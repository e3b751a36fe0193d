//! Which codes an operation may refuse with: what its description lists. Tests hold every refusal of a running server against it.

use weir_core::error::Code;

use crate::operation::Row;

/// What any request may be refused with before its operation is asked.
const ALWAYS: [Code; 14] = [
    Code::InvalidRequest,
    Code::InvalidFieldValue,
    Code::UnknownField,
    Code::MissingApiKey,
    Code::InvalidApiKey,
    Code::ExpiredApiKey,
    // Also where the `Host` or `Origin` is not this server's.
    Code::InsufficientPermissions,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::RateLimitExceeded,
    Code::InternalError,
    Code::Busy,
    Code::Timeout,
    Code::MissingRequiredField,
];

/// Every code that an operation may refuse with, by status. `can_lack` tells whether a request, or a part of it, has a member that
/// it must have.
pub(crate) fn codes(row: &Row, can_lack: bool) -> Vec<Code> {
    let mut codes: Vec<Code> = ALWAYS.to_vec();
    codes.retain(|code| can_lack || *code != Code::MissingRequiredField);
    codes.extend(own(row.name));
    if row.keeps_answers() {
        codes.extend([Code::IdempotencyConflict, Code::IdempotencyInProgress]);
    }
    codes.sort_by_key(|code| (code.status(), code.as_str()));
    codes.dedup();
    codes
}

/// What an operation refuses with for reasons of its own.
fn own(name: &str) -> Vec<Code> {
    use Code::*;
    let codes: &[Code] = match name {
        "alerts.acknowledge" | "alerts.get" => &[AlertNotFound],
        "alerts.acknowledge_all" => &[AlertNotFound, LimitNotFound],
        "balances.create" | "rate_limits.create" | "meters.create" | "customers.create" => &[Conflict],
        "balances.get"
        | "balances.grants"
        | "balances.holds"
        | "balances.statement"
        | "balances.transactions"
        | "balances.check" => &[BalanceNotFound],
        "balances.archive" | "balances.restore" | "balances.update" => &[BalanceNotFound, Conflict],
        "balances.adjust" | "balances.credit" | "balances.debit" | "balances.hold" => {
            &[BalanceNotFound, Conflict, IdempotencyConflict]
        }
        "balances.capture" | "balances.extend" | "balances.release" => &[HoldNotFound, Conflict],
        "charts.render" | "meters.query" => &[CustomerNotFound, MeterNotFound],
        "customers.archive" | "customers.balances" | "customers.get" | "customers.restore" | "customers.standing"
        | "customers.update" | "customers.usage" | "events.list" | "events.summary" | "meters.preview" => {
            &[CustomerNotFound]
        }
        "events.batch" | "events.record" => &[IdempotencyConflict],
        "events.get" => &[EventNotFound],
        "events.track" => &[CustomerRateLimited, IdempotencyConflict, LimitExceeded],
        "events.void" => &[Conflict, EventNotFound],
        "imports.create" | "sample.create" => &[Conflict],
        "imports.cancel" | "imports.get" | "imports.report" => &[ImportNotFound],
        "imports.preview" | "imports.start" | "imports.upload" => &[Conflict, ImportNotFound],
        "keys.revoke" => &[KeyNotFound],
        "keys.rotate" | "keys.update" => &[Conflict, KeyNotFound],
        "limits.create" => &[Conflict, MeterNotFound],
        "limits.archive" | "limits.get" => &[LimitNotFound],
        // `effective` needs to be told of whom.
        "limits.list" => &[MissingRequiredField],
        "limits.restore" | "limits.update" => &[Conflict, LimitNotFound, MeterNotFound],
        "limits.end_raise" | "limits.raise" | "limits.reset" => &[Conflict, CustomerNotFound, LimitNotFound],
        "meters.get" => &[MeterNotFound],
        "meters.archive" | "meters.restore" | "meters.update" => &[Conflict, MeterNotFound],
        "rate_limits.archive" | "rate_limits.get" => &[RateLimitNotFound],
        "rate_limits.update" => &[Conflict, RateLimitNotFound],
        "reservations.create" => &[Conflict, CustomerRateLimited, LimitExceeded],
        "reservations.get" => &[ReservationNotFound],
        "reservations.commit" => &[Conflict, IdempotencyConflict, ReservationNotFound],
        "reservations.extend" | "reservations.release" => &[Conflict, ReservationNotFound],
        "client.record" => &[IdempotencyConflict],
        "client.summary" => &[CustomerNotFound],
        "client_tokens.get" | "client_tokens.introspect" | "client_tokens.revoke" => &[ClientTokenNotFound],
        "client_tokens.create" => &[Conflict],
        "secrets.update" | "webhooks.create" => &[Conflict, KeyringUnavailable],
        "webhooks.archive" | "webhooks.deliveries" => &[WebhookNotFound],
        "webhooks.enable" | "webhooks.test" | "webhooks.update" => &[Conflict, WebhookNotFound],
        "webhooks.get" | "webhooks.rotate" => &[Conflict, KeyringUnavailable, WebhookNotFound],
        "webhooks.redeliver" => &[Conflict, DeliveryNotFound, WebhookNotFound],
        _ => &[],
    };
    codes.to_vec()
}

/// What a code means, in a sentence for people.
pub(crate) fn meaning(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest => "The request as a whole makes no sense: it is not JSON, not UTF-8, or too deep.",
        Code::MissingRequiredField => "A required field is missing; `details.field` names it.",
        Code::InvalidFieldValue => "A field's value is out of bounds or of the wrong type; `details.field` names it.",
        Code::UnknownField => {
            "A field or parameter that does not exist; `details.nearest` is the likeliest that was meant."
        }
        Code::MissingApiKey => "No API key was sent.",
        Code::InvalidApiKey => "The API key is not one of this server's, or was revoked.",
        Code::ExpiredApiKey => "The API key is past its date.",
        Code::InsufficientPermissions => {
            "The key's scope does not reach this, or the request is not for this server by its `Host` or `Origin`."
        }
        Code::NotFound => "There is no such route.",
        Code::CustomerNotFound => "There is no such customer.",
        Code::EventNotFound => "There is no such event.",
        Code::MeterNotFound => "There is no such meter, or it is archived where a live one is needed.",
        Code::LimitNotFound => "There is no such limit.",
        Code::RateLimitNotFound => "There is no such rate limit.",
        Code::ReservationNotFound => "There is no such reservation.",
        Code::BalanceNotFound => "There is no such balance.",
        Code::HoldNotFound => "There is no such hold.",
        Code::AlertNotFound => "There is no such alert.",
        Code::KeyNotFound => "There is no such API key.",
        Code::ClientTokenNotFound => "There is no such client token.",
        Code::WebhookNotFound => "There is no such endpoint.",
        Code::DeliveryNotFound => "There is no such delivery to this endpoint.",
        Code::ImportNotFound => "There is no such import.",
        Code::MethodNotAllowed => "The route exists for another method; the header `Allow` says which.",
        Code::Conflict => "What is asked contradicts what exists; the message says what to do.",
        Code::KeyringUnavailable => "The keyring of the system, which has the key of signing secrets, does not answer.",
        Code::IdempotencyConflict => "The idempotency key was used for another request.",
        Code::IdempotencyInProgress => "The first request with this `Idempotency-Key` is being worked on.",
        Code::PayloadTooLarge => "The body is larger than 8 MiB.",
        Code::UnsupportedMediaType => "The body is not sent as JSON.",
        Code::RateLimitExceeded => "The API key calls too often; `Retry-After` says when to come back.",
        Code::CustomerRateLimited => "A rate limit of the customer refuses; nothing was recorded.",
        Code::LimitExceeded => "A limit or a balance of the customer refuses; nothing was recorded.",
        Code::InternalError => "The server's fault. Its log says more, under the same request id.",
        Code::Busy => {
            "Too much waits already, or a meter is still counting history; nothing was done. `Retry-After` says when to come back."
        }
        Code::DataUnavailable => "The data folder cannot be opened; the message says why and what to do.",
        Code::Timeout => "There was no answer in time; what was asked may still be done.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas::path_ids;
    use crate::table::TABLE;

    #[test]
    fn whatever_is_named_in_a_path_may_be_missing() {
        for row in TABLE {
            let missing = own(row.name).iter().any(|code| code.status() == 404);
            assert!(
                missing || path_ids(row).is_empty(),
                "say in `own` what {} answers when there is no such thing",
                row.name
            );
        }
    }

    #[test]
    fn every_operation_that_is_named_is_one() {
        // The arms of `own` cannot be listed, so the other way round: what it knows, the table has.
        let known = TABLE.iter().filter(|row| !own(row.name).is_empty()).count();
        let source = include_str!("codes.rs");
        let body = &source[source.find("fn own").unwrap()..source.find("codes.to_vec()").unwrap()];
        assert_eq!(body.matches('"').count() / 2, known);
    }
}
