//! Repeats under an `Idempotency-Key`: the final answer to the first request is kept for a day and given again, byte for byte, its headers included.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, Method, Uri};
use uuid::Uuid;
use weir_api::{ApiError, Context, Quantities, Row};
use weir_core::error::Code;
use weir_core::event::hash_text;
use weir_core::text::{self, MAX_SHORT};
use weir_engine::{Answered, Headers, Keeping, ReceiptKey};

const HEADER: &str = "idempotency-key";

/// An answer.
pub struct Answer {
    pub status: u16,
    pub content: Answered,
}

/// A request under a key, and what it asks.
pub struct Asked {
    under: ReceiptKey,
    hash: [u8; 16],
}

/// The requests that are being worked on.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Mutex<HashMap<ReceiptKey, [u8; 16]>>>);

/// A request's place among those being worked on, until nobody works on it any more. Who asked may have gone long before.
struct Claim {
    under_way: UnderWay,
    under: ReceiptKey,
}

impl Asked {
    pub fn new(credential: Uuid, method: &Method, uri: &Uri, key: String, body: &[u8]) -> Self {
        let route = format!("{method} {}", uri.path());
        let request = format!("{}\n{}", uri.query().unwrap_or_default(), String::from_utf8_lossy(body));
        Asked { under: ReceiptKey { credential, route, key }, hash: hash_text(&request) }
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
    row: &'static Row,
    request_id: &str,
    quantities: Quantities,
    doing: impl Future<Output = Result<Answered, ApiError>>,
) -> Result<Answer, ApiError> {
    let Asked { under, hash } = asked;
    let claim = under_way.claim(&under, hash)?;
    if let Some(receipt) = ctx.engine().receipt(&under).await? {
        if receipt.request != hash {
            return Err(other_body());
        }
        return Ok(Answer { status: receipt.status, content: receipt.answer });
    }
    let keeping = Keeping::new(under, hash, row.status, move |value| (row.write)(value, quantities), claim);
    let answer = match keeping.during(doing).await {
        Ok(answer) => match keeping.answer() {
            Some(kept) => return Ok(Answer { status: row.status, content: kept.clone() }),
            None => Answer { status: row.status, content: answer },
        },
        Err(error) if is_final(&error) => {
            let body = error.body(request_id, quantities).into_bytes();
            Answer { status: error.status(), content: Answered { body, headers: Headers::new() } }
        }
        Err(error) => return Err(error),
    };
    if let Err(error) = ctx.engine().keep_answer(&ctx.actor, &keeping, answer.status, answer.content.clone()).await {
        // Nothing in the data file was changed; only a repeat will be judged anew.
        tracing::warn!(%error, "an answer could not be kept");
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
    fn claim(&self, under: &ReceiptKey, hash: [u8; 16]) -> Result<Claim, ApiError> {
        match self.map().entry(under.clone()) {
            Entry::Vacant(free) => {
                free.insert(hash);
                Ok(Claim { under_way: self.clone(), under: under.clone() })
            }
            Entry::Occupied(taken) if *taken.get() != hash => Err(other_body()),
            Entry::Occupied(_) => {
                let message = "the first request with this Idempotency-Key is being worked on";
                Err(ApiError::new(Code::IdempotencyInProgress, message))
            }
        }
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<ReceiptKey, [u8; 16]>> {
        // Nothing that holds the lock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.under_way.map().remove(&self.under);
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
        let claim = under_way.claim(&first.under, first.hash).unwrap();
        let code = |asked: &Asked| under_way.claim(&asked.under, asked.hash).map(drop).map_err(|error| error.code);
        assert_eq!(code(&first), Err(Code::IdempotencyInProgress));
        assert_eq!(code(&other), Err(Code::IdempotencyConflict));
        drop(claim);
        assert_eq!(code(&other), Ok(()));
    }
}
