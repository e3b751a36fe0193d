//! What the engine takes and answers: the wire shapes of every door, in camelCase JSON.

mod alert;
mod audit;
mod balance;
mod client_token;
mod customer;
mod exception;
mod explain;
mod key;
mod ledger;
mod limit;
mod limit_sync;
mod meter;
mod movement;
mod page;
mod patch;
mod project;
mod rate_limit;
mod refused;
mod reservation;
mod secrets;
mod track;
mod usage;
mod webhook;

pub use alert::{AcknowledgeAll, Acknowledged, Alert, AlertKind, AlertState, AlertedLimit, ListAlerts};
pub use audit::{AuditActor, AuditFact, ListAudit, Snapshot};
pub(crate) use balance::default_priority;
pub use balance::{
    AlertedBalance, Balance, BalancePatch, BalanceSort, Burn, CustomerBalances, ListBalances, MAX_PRIORITY, Metered,
    NewBalance, NextExpiry, RecurringCredit, TopUp,
};
pub use client_token::{
    ClientToken, IntrospectToken, IntrospectedToken, ListClientTokens, NewClientToken, NewClientTokenAnswer, OwnToken,
};
pub use customer::{Customer, CustomerPatch, CustomerSort, ListCustomers, NewCustomer};
pub use exception::{EndRaise, NewRaise, Raise, ResetUsage};
pub use explain::{
    ExplainedBalance, ExplainedLimit, ExplainedRate, Explanation, FilterOwner, LimitStatus, Mismatch, NamedLimit,
    Share, TrackDecision, Verdict, WeighingEvent, WindowUsage,
};
pub use key::{Key, KeyPatch, NewKey, NewKeyAnswer, RotateKey, Scope};
pub use ledger::{
    AskStatement, BalanceHold, Cause, CauseKind, Grant, GrantState, GrantTerms, HoldState, ListGrants, ListHolds,
    ListTransactions, Paid, Statement, Transaction,
};
pub(crate) use limit::said_type;
pub use limit::{
    Check, CheckAnswer, CheckedLimit, CustomerStanding, Enforcement, Limit, LimitPatch, LimitSort, LimitStanding,
    ListLimits, ListStandings, NewLimit, RunningRaise, Source, StandingRow,
};
pub use limit_sync::{StatedLimit, SyncAction, SyncAnswer, SyncChange, SyncLimits};
pub use meter::{ListMeters, Meter, MeterPatch, MeterState, NewMeter, Progress};
pub use movement::{
    AdjustBalance, CaptureHold, Charged, CheckBalance, CheckedBalance, CreditBalance, DebitBalance, ExtendHold, Held,
    HoldBalance, Insufficient, MAX_HOLD_TTL, Moved,
};
pub use page::{Cursor, LogSort, NamedSort, Page, PageSize};
pub use patch::Change;
pub use project::{Project, ProjectPatch, Status};
pub use rate_limit::{CheckRates, ListRateLimits, NewRateLimit, RateLimit, RateLimitPatch, RatesAnswer};
pub use refused::{CountRefusals, RefusalCounts};
pub use reservation::{
    CommitReservation, ExtendReservation, ListReservations, MAX_TTL, NewReservation, Reservation, ReservationState,
    Reserved,
};
pub use secrets::{KeepSecrets, SecretsChoice, SecretsPlace, SecretsState};
pub use track::{ListRefusals, RateStanding, Refusal, RefusalReason, Refused, RefusedCall, Tracked};
pub use usage::{
    BatchRecorded, CountedLimit, CountedMeter, CustomerUsage, EventDetail, Group, ListEvents, MeterUsage, Point,
    PreviewAnswer, PreviewMeter, QueryAnswer, QueryMeter, Recorded, Summary, TypeSummary, UsageTotals,
};
pub use webhook::{
    Delivery, DeliveryAttempt, DeliveryState, ListDeliveries, ListWebhooks, NewWebhook, Redeliver, RotateWebhook,
    Webhook, WebhookAttempt, WebhookEventType, WebhookPatch, WebhookWithSecret,
};
