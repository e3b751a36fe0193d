//! An operation, and the row that every door is made from.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use weir_core::error::Code;
use weir_engine::model::Scope;
use weir_engine::{Answered, Headers};

use crate::answer::{Quantities, to_bytes};
use crate::context::Context;
use crate::error::ApiError;
use crate::request::{self, Fields, Input};

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads; everything asked stands in the path and the query.
    Get,
    /// Creates, records or asks with a body.
    Post,
    /// Changes the fields that are given.
    Put,
    /// Archives.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// What an operation does to the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Read,
    /// Configuration changes.
    Change,
    /// Usage is recorded.
    Ingest,
}

/// Who may reach an operation at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every door, within the caller's scope.
    Public,
    /// Only a customer's own front end, with a client token. Its path stands beside `/v1` as well as under it.
    Client,
    /// Only who sits at the machine that holds the data: it names files there.
    Local,
}

/// One thing that an operator or a program can do.
pub trait Operation: 'static {
    /// Its name, such as `customers.create`.
    const NAME: &'static str;
    /// How it is reached over HTTP.
    const METHOD: Method;
    /// Where it is reached over HTTP, under `/v1`, such as `/customers/{id}`.
    const PATH: &'static str;
    /// What a caller needs to be allowed.
    const SCOPE: Scope;
    /// What it does to the facts.
    const KIND: Kind;
    /// The HTTP status of its answer.
    const STATUS: u16 = 200;
    /// Who may reach it at all.
    const REACH: Reach = Reach::Public;
    /// Whether its answer holds a secret, which is never kept.
    const SECRET: bool = false;
    /// What it is for, in a sentence.
    const SUMMARY: &'static str;
    /// What it takes.
    type Req: DeserializeOwned + JsonSchema + Send;
    /// What it answers.
    type Res: Serialize + JsonSchema + Send + 'static;

    /// What of an answer also stands in headers, where callers look for it without reading the body.
    fn headers(_answer: &Self::Res) -> Headers {
        Headers::new()
    }

    /// Does it.
    fn run(ctx: &Context, req: Self::Req) -> impl Future<Output = Result<Self::Res, ApiError>> + Send;

    /// Why a request that cannot be read is refused, where there is more to say than its first fault.
    fn faults(_ctx: &Context, _text: &str) -> Option<ApiError> {
        None
    }
}

type Call = for<'a> fn(
    &'a Context,
    Input<'a>,
    &'a Fields,
    Quantities,
) -> Pin<Box<dyn Future<Output = Result<Answered, ApiError>> + Send + 'a>>;

impl Row {
    /// Where it is described: under `/v1`, but for what front ends may do, which stands there as well.
    pub fn served_at(&self) -> String {
        let under = if self.reach == Reach::Client { "" } else { "/v1" };
        format!("{under}{}", self.path)
    }

    /// Whether a repeat under the same `Idempotency-Key` answers as the first did.
    pub fn keeps_answers(&self) -> bool {
        self.method == Method::Post && self.kind != Kind::Read && !self.secret
    }
}

/// An operation as a value: what doors, descriptions and tests are made from.
pub struct Row {
    /// See [`Operation::NAME`].
    pub name: &'static str,
    /// See [`Operation::METHOD`].
    pub method: Method,
    /// See [`Operation::PATH`].
    pub path: &'static str,
    /// See [`Operation::SCOPE`].
    pub scope: Scope,
    /// See [`Operation::KIND`].
    pub kind: Kind,
    /// See [`Operation::STATUS`].
    pub status: u16,
    /// See [`Operation::REACH`].
    pub reach: Reach,
    /// See [`Operation::SECRET`].
    pub secret: bool,
    /// See [`Operation::SUMMARY`].
    pub summary: &'static str,
    /// The request's schema.
    pub request: fn(&mut SchemaGenerator) -> Schema,
    /// The answer's schema.
    pub answer: fn(&mut SchemaGenerator) -> Schema,
    /// Writes a value as the answer's body, if it is an answer of this operation.
    pub write: fn(&dyn Any, Quantities) -> Option<Answered>,
    call: Call,
}

/// Captures an operation in a row.
pub const fn row<O: Operation>() -> Row {
    Row {
        name: O::NAME,
        method: O::METHOD,
        path: O::PATH,
        scope: O::SCOPE,
        kind: O::KIND,
        status: O::STATUS,
        reach: O::REACH,
        secret: O::SECRET,
        summary: O::SUMMARY,
        request: |generator| generator.subschema_for::<O::Req>(),
        answer: |generator| generator.subschema_for::<O::Res>(),
        write: |value, quantities| written::<O>(value.downcast_ref()?, quantities).ok(),
        call: |ctx, input, fields, quantities| Box::pin(call::<O>(ctx, input, fields, quantities)),
    }
}

async fn call<O: Operation>(
    ctx: &Context,
    input: Input<'_>,
    fields: &Fields,
    quantities: Quantities,
) -> Result<Answered, ApiError> {
    let req = {
        let text = request::text(&input, fields)?;
        match serde_json::from_str::<O::Req>(&text) {
            Ok(req) => req,
            Err(error) => {
                return Err(O::faults(ctx, &text).unwrap_or_else(|| request::explain::<O::Req>(&text, &error, fields)));
            }
        }
    };
    let res = O::run(ctx, req).await?;
    written::<O>(&res, quantities).map_err(|error| {
        tracing::error!(operation = O::NAME, %error, "an answer could not be written");
        ApiError::new(Code::InternalError, "the answer could not be written")
    })
}

/// An answer, ready to be sent.
fn written<O: Operation>(res: &O::Res, quantities: Quantities) -> serde_json::Result<Answered> {
    Ok(Answered { body: to_bytes(res, quantities)?, headers: O::headers(res) })
}

/// A row with the fields of its request looked up.
pub struct Bound {
    /// The row.
    pub row: &'static Row,
    /// The fields of its request.
    pub fields: Fields,
}

impl Bound {
    /// Looks up the fields of a row's request.
    pub fn new(row: &'static Row) -> Self {
        let mut generator = SchemaGenerator::default();
        let schema = (row.request)(&mut generator).to_value();
        Bound { row, fields: Fields::of(&schema, generator.definitions()) }
    }

    /// Does the operation for a caller who may: the one place where that is decided.
    pub async fn call(&self, ctx: &Context, input: Input<'_>, quantities: Quantities) -> Result<Answered, ApiError> {
        self.authorise(ctx)?;
        (self.row.call)(ctx, input, &self.fields, quantities).await
    }

    /// Whether the caller may.
    pub fn authorise(&self, ctx: &Context) -> Result<(), ApiError> {
        let row = self.row;
        if (row.reach == Reach::Client) != ctx.client.is_some() {
            let message = match ctx.client {
                Some(_) => format!("{} is not for client tokens", row.name),
                None => format!("{} is for client tokens alone", row.name),
            };
            return Err(ApiError::new(Code::InsufficientPermissions, message));
        }
        if ctx.scope < row.scope {
            let (has, needs) = (ctx.scope.as_str(), row.scope.as_str());
            let message = format!("the key's scope is `{has}`; {} needs `{needs}`", row.name);
            return Err(ApiError::new(Code::InsufficientPermissions, message));
        }
        if row.reach == Reach::Local && !ctx.local {
            let message = format!("{} is only possible on the machine that holds the data", row.name);
            return Err(ApiError::new(Code::InsufficientPermissions, message));
        }
        Ok(())
    }
}
