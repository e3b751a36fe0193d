//! The table: every operation there is.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::operation::{Bound, Row, row};
use crate::ops::{
    alerts, audit, backup, balances, charts, client, client_tokens, customers, events, imports, keys, limits, meters,
    project, rate_limits, reservations, sample, secrets, server, track, webhooks,
};

/// Every operation, in the order in which descriptions list them.
pub static TABLE: &[Row] = &[
    row::<project::Get>(),
    row::<project::Update>(),
    row::<project::Status>(),
    row::<project::Usage>(),
    row::<audit::List>(),
    row::<customers::Create>(),
    row::<customers::List>(),
    row::<customers::Get>(),
    row::<customers::Update>(),
    row::<customers::Archive>(),
    row::<customers::Restore>(),
    row::<customers::Standing>(),
    row::<customers::Usage>(),
    row::<balances::OfCustomer>(),
    row::<events::Record>(),
    row::<events::Batch>(),
    row::<track::Track>(),
    row::<reservations::Create>(),
    row::<reservations::List>(),
    row::<reservations::Get>(),
    row::<reservations::Commit>(),
    row::<reservations::Release>(),
    row::<reservations::Extend>(),
    row::<events::List>(),
    row::<events::Get>(),
    row::<events::Void>(),
    row::<events::Summarise>(),
    row::<meters::Create>(),
    row::<meters::List>(),
    row::<meters::Get>(),
    row::<meters::Update>(),
    row::<meters::Archive>(),
    row::<meters::Restore>(),
    row::<meters::Query>(),
    row::<meters::Preview>(),
    row::<limits::Create>(),
    row::<limits::List>(),
    row::<limits::Get>(),
    row::<limits::Update>(),
    row::<limits::Archive>(),
    row::<limits::Restore>(),
    row::<limits::Raises>(),
    row::<limits::EndRaises>(),
    row::<limits::Reset>(),
    row::<limits::Sync>(),
    row::<limits::File>(),
    row::<limits::Apply>(),
    row::<limits::CheckLimits>(),
    row::<limits::Explain>(),
    row::<limits::Standings>(),
    row::<rate_limits::Create>(),
    row::<rate_limits::List>(),
    row::<rate_limits::Get>(),
    row::<rate_limits::Update>(),
    row::<rate_limits::Archive>(),
    row::<rate_limits::CheckRateLimits>(),
    row::<balances::Create>(),
    row::<balances::List>(),
    row::<balances::Get>(),
    row::<balances::Update>(),
    row::<balances::Archive>(),
    row::<balances::Restore>(),
    row::<balances::Transactions>(),
    row::<balances::Statements>(),
    row::<balances::Grants>(),
    row::<balances::Holds>(),
    row::<balances::Credit>(),
    row::<balances::Debit>(),
    row::<balances::Adjust>(),
    row::<balances::Hold>(),
    row::<balances::Capture>(),
    row::<balances::Release>(),
    row::<balances::Extend>(),
    row::<balances::CheckBalances>(),
    row::<track::Refusals>(),
    row::<track::RefusalSeries>(),
    row::<alerts::List>(),
    row::<alerts::Get>(),
    row::<alerts::Acknowledge>(),
    row::<alerts::AllAcknowledge>(),
    row::<keys::Create>(),
    row::<keys::List>(),
    row::<keys::Update>(),
    row::<keys::Rotate>(),
    row::<keys::Revoke>(),
    row::<client_tokens::Create>(),
    row::<client_tokens::List>(),
    row::<client_tokens::Get>(),
    row::<client_tokens::Revoke>(),
    row::<client_tokens::Introspect>(),
    row::<client::Token>(),
    row::<client::CheckLimits>(),
    row::<client::Record>(),
    row::<client::Summarise>(),
    row::<webhooks::Create>(),
    row::<webhooks::List>(),
    row::<webhooks::Get>(),
    row::<webhooks::Update>(),
    row::<webhooks::Archive>(),
    row::<webhooks::Enable>(),
    row::<webhooks::Test>(),
    row::<webhooks::Rotate>(),
    row::<webhooks::Deliveries>(),
    row::<webhooks::Again>(),
    row::<secrets::Get>(),
    row::<secrets::Update>(),
    row::<server::Get>(),
    row::<server::Update>(),
    row::<imports::Create>(),
    row::<imports::Upload>(),
    row::<imports::PreviewImport>(),
    row::<imports::Start>(),
    row::<imports::Get>(),
    row::<imports::Cancel>(),
    row::<imports::Refusals>(),
    row::<sample::Create>(),
    row::<charts::Render>(),
    row::<backup::Create>(),
];

/// Every operation, ready to be called.
pub fn operations() -> &'static [Bound] {
    static BOUND: OnceLock<Vec<Bound>> = OnceLock::new();
    BOUND.get_or_init(|| TABLE.iter().map(Bound::new).collect())
}

/// An operation by its name.
pub fn find(name: &str) -> Option<&'static Bound> {
    static BY_NAME: OnceLock<HashMap<&'static str, &'static Bound>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| operations().iter().map(|bound| (bound.row.name, bound)).collect());
    by_name.get(name).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use weir_engine::model::Scope;

    use super::*;
    use crate::operation::{Kind, Method};

    #[test]
    fn names_and_routes_are_unique() {
        let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        let routes: BTreeSet<_> = TABLE.iter().map(|row| (row.method, row.path)).collect();
        assert_eq!((names.len(), routes.len()), (TABLE.len(), TABLE.len()));
    }

    #[test]
    fn ids_of_the_path_are_fields_of_the_request() {
        for bound in operations() {
            for id in bound.row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                assert!(bound.fields.top().any(|field| field == id), "{} has no field {id}", bound.row.name);
            }
        }
    }

    #[test]
    fn scope_and_method_fit_what_an_operation_does() {
        for row in TABLE {
            let least = match row.kind {
                Kind::Read => Scope::Read,
                Kind::Ingest => Scope::Ingest,
                Kind::Change => Scope::Manage,
            };
            assert!(row.scope >= least, "{} may be done by {:?}", row.name, row.scope);
            assert!(row.method != Method::Get || row.kind == Kind::Read, "{} changes by GET", row.name);
            assert!(matches!(row.status, 200 | 201), "{}", row.name);
            assert!(row.summary.ends_with('.'), "{}", row.name);
        }
    }
}
