//! Error codes: a closed list, each with its HTTP status. Programs match codes; messages are for people.

use std::fmt;

/// What went wrong, in the words of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// 400: the request as a whole makes no sense (not JSON, too deep).
    InvalidRequest,
    /// 400: a required field is missing.
    MissingRequiredField,
    /// 400: a field's value is out of bounds or of the wrong type.
    InvalidFieldValue,
    /// 400: a field or parameter that does not exist.
    UnknownField,
    /// 401: no key was sent.
    MissingApiKey,
    /// 401: the key is not one of ours, or was revoked.
    InvalidApiKey,
    /// 401: the key is past its date.
    ExpiredApiKey,
    /// 403: the key's scope does not reach this.
    InsufficientPermissions,
    /// 404: there is no such route.
    NotFound,
    /// 404: no such customer.
    CustomerNotFound,
    /// 404: no such event.
    EventNotFound,
    /// 404: no such meter.
    MeterNotFound,
    /// 404: no such limit.
    LimitNotFound,
    /// 404: no such rate limit.
    RateLimitNotFound,
    /// 404: no such reservation.
    ReservationNotFound,
    /// 404: no such balance.
    BalanceNotFound,
    /// 404: no such hold.
    HoldNotFound,
    /// 404: no such alert.
    AlertNotFound,
    /// 404: no such key.
    KeyNotFound,
    /// 404: no such client token.
    ClientTokenNotFound,
    /// 404: no such webhook.
    WebhookNotFound,
    /// 404: no such delivery.
    DeliveryNotFound,
    /// 404: no such import.
    ImportNotFound,
    /// 405: the route exists, for another method.
    MethodNotAllowed,
    /// 409: the change contradicts what exists.
    Conflict,
    /// 409: the keyring of the system, which has the key of signing secrets, does not answer.
    KeyringUnavailable,
    /// 409: the idempotency key was used for another body.
    IdempotencyConflict,
    /// 409: a request with the same idempotency key is being worked on.
    IdempotencyInProgress,
    /// 413: the body is over its bound.
    PayloadTooLarge,
    /// 415: the body is not JSON.
    UnsupportedMediaType,
    /// 429: the caller's own key is over its rate.
    RateLimitExceeded,
    /// 429: a rate limit of the customer refuses; nothing was recorded.
    CustomerRateLimited,
    /// 429: a limit of the customer refuses; nothing was recorded.
    LimitExceeded,
    /// 500: our fault.
    InternalError,
    /// 503: too much waits already, or a meter is being built; nothing was done.
    Busy,
    /// 503: the data folder cannot be opened; the message says why and what to do.
    DataUnavailable,
    /// 504: the answer took too long.
    Timeout,
}

impl Code {
    /// Every code there is.
    pub const ALL: [Code; 37] = [
        Code::InvalidRequest,
        Code::MissingRequiredField,
        Code::InvalidFieldValue,
        Code::UnknownField,
        Code::MissingApiKey,
        Code::InvalidApiKey,
        Code::ExpiredApiKey,
        Code::InsufficientPermissions,
        Code::NotFound,
        Code::CustomerNotFound,
        Code::EventNotFound,
        Code::MeterNotFound,
        Code::LimitNotFound,
        Code::RateLimitNotFound,
        Code::ReservationNotFound,
        Code::BalanceNotFound,
        Code::HoldNotFound,
        Code::AlertNotFound,
        Code::KeyNotFound,
        Code::ClientTokenNotFound,
        Code::WebhookNotFound,
        Code::DeliveryNotFound,
        Code::ImportNotFound,
        Code::MethodNotAllowed,
        Code::Conflict,
        Code::KeyringUnavailable,
        Code::IdempotencyConflict,
        Code::IdempotencyInProgress,
        Code::PayloadTooLarge,
        Code::UnsupportedMediaType,
        Code::RateLimitExceeded,
        Code::CustomerRateLimited,
        Code::LimitExceeded,
        Code::InternalError,
        Code::Busy,
        Code::DataUnavailable,
        Code::Timeout,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::InvalidRequest => "invalid_request",
            Code::MissingRequiredField => "missing_required_field",
            Code::InvalidFieldValue => "invalid_field_value",
            Code::UnknownField => "unknown_field",
            Code::MissingApiKey => "missing_api_key",
            Code::InvalidApiKey => "invalid_api_key",
            Code::ExpiredApiKey => "expired_api_key",
            Code::InsufficientPermissions => "insufficient_permissions",
            Code::NotFound => "not_found",
            Code::CustomerNotFound => "customer_not_found",
            Code::EventNotFound => "event_not_found",
            Code::MeterNotFound => "meter_not_found",
            Code::LimitNotFound => "limit_not_found",
            Code::RateLimitNotFound => "rate_limit_not_found",
            Code::ReservationNotFound => "reservation_not_found",
            Code::BalanceNotFound => "balance_not_found",
            Code::HoldNotFound => "hold_not_found",
            Code::AlertNotFound => "alert_not_found",
            Code::KeyNotFound => "key_not_found",
            Code::ClientTokenNotFound => "client_token_not_found",
            Code::WebhookNotFound => "webhook_not_found",
            Code::DeliveryNotFound => "delivery_not_found",
            Code::ImportNotFound => "import_not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::Conflict => "conflict",
            Code::KeyringUnavailable => "keyring_unavailable",
            Code::IdempotencyConflict => "idempotency_conflict",
            Code::IdempotencyInProgress => "idempotency_in_progress",
            Code::PayloadTooLarge => "payload_too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::RateLimitExceeded => "rate_limit_exceeded",
            Code::CustomerRateLimited => "customer_rate_limited",
            Code::LimitExceeded => "limit_exceeded",
            Code::InternalError => "internal_error",
            Code::Busy => "busy",
            Code::DataUnavailable => "data_unavailable",
            Code::Timeout => "timeout",
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Code::InvalidRequest | Code::MissingRequiredField | Code::InvalidFieldValue | Code::UnknownField => 400,
            Code::MissingApiKey | Code::InvalidApiKey | Code::ExpiredApiKey => 401,
            Code::InsufficientPermissions => 403,
            Code::NotFound
            | Code::CustomerNotFound
            | Code::EventNotFound
            | Code::MeterNotFound
            | Code::LimitNotFound
            | Code::RateLimitNotFound
            | Code::ReservationNotFound
            | Code::BalanceNotFound
            | Code::HoldNotFound
            | Code::AlertNotFound
            | Code::KeyNotFound
            | Code::ClientTokenNotFound
            | Code::WebhookNotFound
            | Code::DeliveryNotFound
            | Code::ImportNotFound => 404,
            Code::MethodNotAllowed => 405,
            Code::Conflict | Code::KeyringUnavailable | Code::IdempotencyConflict | Code::IdempotencyInProgress => 409,
            Code::PayloadTooLarge => 413,
            Code::UnsupportedMediaType => 415,
            Code::RateLimitExceeded | Code::CustomerRateLimited | Code::LimitExceeded => 429,
            Code::InternalError => 500,
            Code::Busy | Code::DataUnavailable => 503,
            Code::Timeout => 504,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused input: which rule, which field (a path such as `events[3].values.tokens`), and what to do, for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The rule.
    pub code: Code,
    /// The field at fault, when there is one.
    pub field: Option<String>,
    /// What is wrong, in a sentence that names the field.
    pub message: String,
}

impl Fault {
    /// A field whose value is out of bounds: the message reads "`field` reason".
    pub fn invalid(field: impl Into<String>, reason: impl fmt::Display) -> Self {
        let field = field.into();
        Fault { code: Code::InvalidFieldValue, message: format!("`{field}` {reason}"), field: Some(field) }
    }

    /// A required field that is not there.
    pub fn missing(field: impl Into<String>) -> Self {
        let field = field.into();
        Fault { code: Code::MissingRequiredField, message: format!("`{field}` is required"), field: Some(field) }
    }

    /// A fault of the request as a whole.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Fault { code, field: None, message: message.into() }
    }

    /// The same fault, seen from the thing that holds the field.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        if let Some(field) = &mut self.field {
            let inner = field.clone();
            *field = if inner.starts_with('[') { format!("{parent}{inner}") } else { format!("{parent}.{inner}") };
            self.message = self.message.replacen(&format!("`{inner}`"), &format!("`{field}`"), 1);
        }
        self
    }
}
