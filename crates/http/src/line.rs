//! A line in the log for every request, found by the request's id. Never a secret: no query, body or header, and of a path only the
//! pattern that it matched, as anything may have been put into it by mistake.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, Response};
use weir_api::Context;
use weir_core::error::Code;
use weir_engine::Actor;

use crate::respond::{Refused, RequestId};

/// Whose key or client token a request came with, by its id, once that is known.
#[derive(Clone, Debug, Default)]
pub struct Caller(Arc<OnceLock<String>>);

impl Caller {
    /// Remembers who came with one.
    pub fn is(&self, ctx: &Context) {
        if ctx.credential.is_some() {
            self.goes_by(&ctx.actor);
        }
    }

    /// Remembers who is signed in.
    pub fn goes_by(&self, actor: &Actor) {
        // A request has one caller.
        self.0.get_or_init(|| actor.name.clone());
    }
}

/// The line of a request that is being answered. Let go before that, it says that the caller went away.
pub struct Line {
    id: RequestId,
    method: &'static str,
    route: Option<MatchedPath>,
    caller: Caller,
    began: Instant,
    ended: bool,
}

/// Writes a line, at a level that has to be known when this is compiled.
macro_rules! write_line {
    ($level:ident, $line:expr, $status:expr, $code:expr, $error:expr, $text:literal) => {
        tracing::$level!(
            request_id = $line.id.as_str(),
            method = $line.method,
            route = $line.route.as_ref().map_or("none", MatchedPath::as_str),
            status = $status,
            code = $code.map(Code::as_str),
            duration_ms = $line.began.elapsed().as_micros() as f64 / 1e3,
            key = $line.caller.0.get().map(tracing::field::display),
            error = $error,
            $text
        )
    };
}

impl Line {
    /// Begins the line of a request, which learns its id and is to learn its caller.
    pub fn begin(id: &RequestId, request: &mut Request) -> Self {
        let caller = Caller::default();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let extensions = request.extensions_mut();
        extensions.insert(id.clone());
        extensions.insert(caller.clone());
        Line { id: id.clone(), method: word(request.method()), route, caller, began: Instant::now(), ended: false }
    }

    /// Writes the line. That there was no room is told, as the operator may want to make some; every other failure is a warning.
    pub fn end(mut self, response: &Response<Body>) {
        self.ended = true;
        let status = response.status();
        let refused = response.extensions().get::<Refused>();
        let code = refused.map(|refused| refused.code);
        let error = refused.and_then(|refused| refused.failure.as_deref());
        match code {
            Some(Code::Busy) => {
                write_line!(info, self, status.as_u16(), code, error, "there was no room for a request")
            }
            _ if status.is_server_error() => write_line!(warn, self, status.as_u16(), code, error, "a request failed"),
            _ => write_line!(debug, self, status.as_u16(), code, error, "answered"),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.ended {
            write_line!(debug, self, None::<u16>, None::<Code>, None::<&str>, "the caller went away");
        }
    }
}

/// A method as a word of ours: callers may make up others.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
