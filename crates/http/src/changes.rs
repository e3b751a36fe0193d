//! Live changes as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::timeout;
use weir_api::{ApiError, Changes};
use weir_engine::Topics;

use crate::routes::Host;

/// After so long without a change a comment is sent, so that both ends see that the other one is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Stream {
    host: Arc<Host>,
    headers: HeaderMap,
    changes: Changes,
    stopping: watch::Receiver<bool>,
    begun: bool,
}

/// Streams changes until the server stops, the caller goes away, or the caller's key is taken back.
pub(crate) fn stream(host: &Arc<Host>, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    host.auth.context(&host.app, headers)?;
    let mut kept = HeaderMap::new();
    if let Some(token) = headers.get(header::AUTHORIZATION) {
        kept.insert(header::AUTHORIZATION, token.clone());
    }
    let (changes, stopping) = (Changes::of(&host.app.engine), host.stopping.clone());
    let state = Stream { host: host.clone(), headers: kept, changes, stopping, begun: false };
    let events = stream::unfold(state, |mut state| async move {
        let text = state.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), state))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}

impl Stream {
    async fn next(&mut self) -> Option<String> {
        if !self.begun {
            self.begun = true;
            return Some(": listening\n\n".to_owned());
        }
        let stopped = async {
            // The sender being gone means the same.
            let _ = self.stopping.wait_for(|stopping| *stopping).await;
        };
        let topics = tokio::select! {
            () = stopped => return None,
            topics = timeout(KEEP_ALIVE, self.changes.next()) => topics,
        };
        match topics {
            Err(_) => Some(": still here\n\n".to_owned()),
            Ok(None) => None,
            Ok(Some(topics)) => {
                // A key may have been revoked, which ends what it opened.
                if topics | Topics::KEYS == topics && self.host.auth.context(&self.host.app, &self.headers).is_err() {
                    return None;
                }
                let names = serde_json::to_string(&topics).ok()?;
                Some(format!("event: change\ndata: {{\"topics\":{names}}}\n\n"))
            }
        }
    }
}
