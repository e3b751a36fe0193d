//! Customers.

use schemars::JsonSchema;
use serde::Serialize;
use weir_engine::model::{
    Cursor, Customer, CustomerPatch, CustomerStanding, CustomerUsage, ListCustomers, NewCustomer,
};

use super::project::Range;
use super::{Success, operation};
use crate::with_id::{ById, WithId};

/// One page of customers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerPage {
    /// The rows.
    pub data: Vec<Customer>,
    /// Send this as `cursor` for the next page.
    pub next_cursor: Option<Cursor>,
    /// Whether more rows follow.
    pub has_more: bool,
    /// How many customers match on all pages.
    pub total: u64,
}

operation! {
    /// Creates a customer.
    Create "customers.create" Post "/customers" Manage Change 201,
    |ctx, req: NewCustomer| -> Customer { Ok(ctx.engine().create_customer(&ctx.actor, req).await?) }
}

operation! {
    /// Lists customers.
    List "customers.list" Get "/customers" Read Read,
    |ctx, req: ListCustomers| -> CustomerPage {
        let (page, total) = ctx.engine().customers(req).await?;
        Ok(CustomerPage { data: page.data, next_cursor: page.next_cursor, has_more: page.has_more, total })
    }
}

operation! {
    /// Answers a customer, by external id or by internal id.
    Get "customers.get" Get "/customers/{id}" Read Read,
    |ctx, req: ById| -> Customer { Ok(ctx.engine().customer(&req.id).await?) }
}

operation! {
    /// Changes a customer's fields that are given; null clears an optional one.
    Update "customers.update" Put "/customers/{id}" Manage Change,
    |ctx, req: WithId<CustomerPatch>| -> Customer {
        Ok(ctx.engine().update_customer(&ctx.actor, &req.id, req.rest).await?)
    }
}

operation! {
    /// Archives a customer: hidden from lists, its history stays and its events still count.
    Archive "customers.archive" Delete "/customers/{id}" Manage Change,
    |ctx, req: ById| -> Success {
        ctx.engine().archive_customer(&ctx.actor, &req.id).await?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Takes a customer out of the archive.
    Restore "customers.restore" Post "/customers/{id}/restore" Manage Change,
    |ctx, req: ById| -> Customer { Ok(ctx.engine().restore_customer(&ctx.actor, &req.id).await?) }
}

operation! {
    /// Says where a customer stands with every limit that applies.
    Standing "customers.standing" Get "/customers/{id}/standing" Read Read,
    |ctx, req: ById| -> CustomerStanding { Ok(ctx.engine().customer_standing(&req.id).await?) }
}

operation! {
    /// Answers a customer's value on every live meter.
    Usage "customers.usage" Get "/customers/{id}/usage" Read Read,
    |ctx, req: WithId<Range>| -> CustomerUsage {
        Ok(ctx.engine().customer_usage(&req.id, req.rest.from, req.rest.to).await?)
    }
}
