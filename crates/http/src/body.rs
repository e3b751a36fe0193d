//! Bodies, bounded.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use weir_api::ApiError;
use weir_core::error::Code;

use crate::pace::TooSlow;

/// Largest body.
pub const MAX_BYTES: usize = 8 << 20;
/// How much of a body that is too large is read all the same: a client that is still sending would not see the answer.
const MAX_DRAINED: usize = 4 * MAX_BYTES;

/// Reads a body to its end; empty, or JSON of at most 8 MiB.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    if is_announced_too_large(headers) {
        // Who waits to be told to send it need not; who sends it already looks for an answer when it is through.
        if !headers.contains_key(header::EXPECT) {
            drain(body).await;
        }
        return Err(too_large());
    }
    let bytes = collect(body).await?;
    if !bytes.is_empty() && !is_json(headers) {
        return Err(ApiError::new(Code::UnsupportedMediaType, "send the body as `Content-Type: application/json`"));
    }
    Ok(bytes)
}

async fn collect(mut body: Body) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut all: Vec<u8> = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(broke_off)?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen > MAX_DRAINED {
            break;
        }
        if seen > MAX_BYTES {
            (first, all) = (Bytes::new(), Vec::new());
        } else if first.is_empty() && all.is_empty() {
            // Most bodies come in one piece, which is not copied.
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
    if seen > MAX_BYTES {
        return Err(too_large());
    }
    Ok(if all.is_empty() { first } else { Bytes::from(all) })
}

fn is_announced_too_large(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > MAX_BYTES as u64)
}

fn too_large() -> ApiError {
    ApiError::new(Code::PayloadTooLarge, "the body is larger than 8 MiB")
}

fn broke_off(error: axum::Error) -> ApiError {
    let error = error.into_inner();
    match error.downcast_ref::<TooSlow>() {
        Some(slow) => ApiError::new(Code::Timeout, format!("{slow}; nothing was done")),
        None => ApiError::new(Code::InvalidRequest, format!("the body broke off: {error}")),
    }
}

/// Reads what a client still sends before it looks for an answer, as far as that is bearable.
pub async fn drain(mut body: Body) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > MAX_DRAINED {
            return;
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let media = text.split(';').next().unwrap_or_default().trim();
    let (kind, form) = media.split_once('/').unwrap_or_default();
    kind.eq_ignore_ascii_case("application")
        && (form.eq_ignore_ascii_case("json") || form.to_ascii_lowercase().ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_its_media_type() {
        let json = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        for value in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(json(value), "{value}");
        }
        for value in ["", "text/plain", "application/x-www-form-urlencoded", "json", "application/jsonl"] {
            assert!(!json(value), "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
