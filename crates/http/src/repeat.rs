//! Repeats under an `Idempotency-Key`: the final answer to the first request is kept for a day and given again, byte for byte.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, Method, Uri};
use uuid::Uuid;
use weir_api::{Answered, ApiError, Context, Headers, Quantities};
use weir_core::error::Code;
use weir_core::event::hash_text;
use weir_core::text::{self, MAX_SHORT};
use weir_engine::Receipt;

const HEADER: &str = "idempotency-key";
/// Larger answers are not kept; none of an operation that writes is nearly as large.
const MAX_KEPT: usize = 256 << 10;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// Not kept: a repeat says what it says in its body alone.
    pub headers: Headers,
}

/// A request under a key.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Slot {
    credential: Uuid,
    route: String,
    key: String,
}

/// A request under a key, and what it asks.
pub struct Asked {
    slot: Slot,
    hash: [u8; 16],
}

/// The requests that are being worked on.
#[derive(Default)]
pub struct UnderWay(Mutex<HashMap<Slot, [u8; 16]>>);

/// A request's place among those being worked on, until it is answered or given up.
struct Claim<'a> {
    under_way: &'a UnderWay,
    slot: &'a Slot,
}

impl Asked {
    pub fn new(credential: Uuid, method: &Method, uri: &Uri, key: String, body: &[u8]) -> Self {
        let route = format!("{method} {}", uri.path());
        let request = format!("{}\n{}", uri.query().unwrap_or_default(), String::from_utf8_lossy(body));
        Asked { slot: Slot { credential, route, key }, hash: hash_text(&request) }
    }
}

/// The key that a request came with.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let key = value.to_str().map_err(|_| ApiError::invalid("Idempotency-Key", "must be plain text"))?;
    text::check("Idempotency-Key", key, 1, MAX_SHORT)?;
    Ok(Some(key.to_owned()))
}

/// Does what is asked, unless it was answered before.
pub async fn once(
    under_way: &UnderWay,
    ctx: &Context,
    asked: Asked,
    status: u16,
    request_id: &str,
    quantities: Quantities,
    doing: impl Future<Output = Result<Answered, ApiError>>,
) -> Result<Answer, ApiError> {
    let Asked { slot, hash } = &asked;
    let _claim = under_way.claim(slot, *hash)?;
    if let Some(receipt) = ctx.engine().receipt(slot.credential, &slot.route, &slot.key).await? {
        if receipt.request != *hash {
            return Err(other_body());
        }
        return Ok(Answer { status: receipt.status, body: receipt.answer, headers: Headers::new() });
    }
    let answer = match doing.await {
        Ok(Answered { body, headers }) => Answer { status, body, headers },
        Err(error) if is_final(&error) => {
            let body = error.body(request_id, quantities).into_bytes();
            Answer { status: error.status(), body, headers: Headers::new() }
        }
        Err(error) => return Err(error),
    };
    if answer.body.len() <= MAX_KEPT {
        let receipt = Receipt { request: *hash, status: answer.status, answer: answer.body.clone() };
        let kept = ctx.engine().keep_receipt(&ctx.actor, slot.credential, &slot.route, &slot.key, receipt).await;
        if let Err(error) = kept {
            // What was asked is done and answered; only a repeat will be judged anew.
            tracing::warn!(%error, "an answer could not be kept");
        }
    }
    Ok(answer)
}

/// Whether asking again would be answered alike.
fn is_final(error: &ApiError) -> bool {
    (400..500).contains(&error.status()) && error.status() != 429
}

fn other_body() -> ApiError {
    ApiError::new(Code::IdempotencyConflict, "the Idempotency-Key was used for another request")
}

impl UnderWay {
    fn claim<'a>(&'a self, slot: &'a Slot, hash: [u8; 16]) -> Result<Claim<'a>, ApiError> {
        match self.map().entry(slot.clone()) {
            Entry::Vacant(free) => {
                free.insert(hash);
                Ok(Claim { under_way: self, slot })
            }
            Entry::Occupied(taken) if *taken.get() != hash => Err(other_body()),
            Entry::Occupied(_) => {
                let message = "the first request with this Idempotency-Key is being worked on";
                Err(ApiError::new(Code::IdempotencyInProgress, message))
            }
        }
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<Slot, [u8; 16]>> {
        // Nothing that holds the lock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.under_way.map().remove(self.slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_once_and_given_back() {
        let under_way = UnderWay::default();
        let uri = Uri::from_static("/v1/customers");
        let asked = |body: &[u8]| Asked::new(Uuid::nil(), &Method::POST, &uri, "k".into(), body);
        let (first, other) = (asked(b"{}"), asked(b"{ }"));
        let claim = under_way.claim(&first.slot, first.hash).unwrap();
        let code = |asked: &Asked| under_way.claim(&asked.slot, asked.hash).map(drop).map_err(|error| error.code);
        assert_eq!(code(&first), Err(Code::IdempotencyInProgress));
        assert_eq!(code(&other), Err(Code::IdempotencyConflict));
        drop(claim);
        assert_eq!(code(&other), Ok(()));
    }
}
