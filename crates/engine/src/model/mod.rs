//! What the engine takes and answers: the wire shapes of every door, in camelCase JSON.

mod audit;
mod customer;
mod key;
mod limit;
mod limit_sync;
mod meter;
mod page;
mod patch;
mod project;
mod rate_limit;
mod track;
mod usage;

pub use audit::{AuditActor, AuditFact, ListAudit, Snapshot};
pub use customer::{Customer, CustomerPatch, CustomerSort, ListCustomers, NewCustomer};
pub use key::{Key, NewKey, NewKeyAnswer, Scope};
pub use limit::{
    Check, CheckAnswer, CheckedLimit, CustomerStanding, Enforcement, Limit, LimitPatch, LimitStanding, ListLimits,
    ListStandings, NewLimit, Source, StandingRow,
};
pub use limit_sync::{StatedLimit, SyncAction, SyncAnswer, SyncChange, SyncLimits};
pub use meter::{ListMeters, Meter, MeterPatch, MeterState, NewMeter, Progress};
pub use page::{Cursor, Page, PageSize};
pub use patch::Change;
pub use project::{Project, ProjectPatch, Status};
pub use rate_limit::{CheckRates, ListRateLimits, NewRateLimit, RateLimit, RateLimitPatch, RatesAnswer};
pub use track::{ListRefusals, RateStanding, Refusal, RefusalReason, Refused, RefusedCall, Tracked};
pub use usage::{
    BatchRecorded, CountedLimit, CountedMeter, CustomerUsage, EventDetail, Group, ListEvents, MeterUsage, Point,
    PreviewAnswer, PreviewMeter, QueryAnswer, QueryMeter, Recorded, Summary, TypeSummary, UsageTotals,
};
