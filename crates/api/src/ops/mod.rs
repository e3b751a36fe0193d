//! The operations, by what they are about.

pub mod alerts;
pub mod audit;
pub mod backup;
pub mod balances;
pub mod charts;
pub mod client;
pub mod client_tokens;
pub mod customers;
pub mod events;
pub mod imports;
pub mod keys;
pub mod limits;
pub mod meters;
pub mod project;
pub mod rate_limits;
pub mod reservations;
pub mod sample;
pub mod secrets;
pub mod server;
pub mod track;
pub mod webhooks;

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use weir_core::error::Code;

use crate::error::ApiError;

/// It is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Success {
    /// Always true.
    pub success: bool,
}

impl Success {
    const DONE: Success = Success { success: true };
}

/// An id from the path. A text that is no id is the id of nothing.
fn id<T: FromStr>(text: &str, code: Code, thing: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::not_found(code, thing, text))
}

/// Declares an operation: how it is reached, what it takes and answers, and what it does.
macro_rules! operation {
    (@secret) => { const SECRET: bool = true; };
    (@client) => { const REACH: crate::operation::Reach = crate::operation::Reach::Client; };
    (
        $(#[doc = $doc:literal])+
        $op:ident $name:literal $method:ident $path:literal $scope:ident $kind:ident $($status:literal)? $($more:ident)?,
        |$ctx:ident, $req:ident: $req_type:ty| -> $res:ty $body:block
    ) => {
        $(#[doc = $doc])+
        pub struct $op;

        impl crate::operation::Operation for $op {
            const NAME: &'static str = $name;
            const METHOD: crate::operation::Method = crate::operation::Method::$method;
            const PATH: &'static str = $path;
            const SCOPE: weir_engine::model::Scope = weir_engine::model::Scope::$scope;
            const KIND: crate::operation::Kind = crate::operation::Kind::$kind;
            $(const STATUS: u16 = $status;)?
            $(crate::ops::operation!(@$more);)?
            const SUMMARY: &'static str = concat!($($doc),+).trim_ascii();
            type Req = $req_type;
            type Res = $res;

            async fn run($ctx: &crate::context::Context, $req: $req_type) -> Result<$res, crate::error::ApiError> $body
        }
    };
}
use operation;
