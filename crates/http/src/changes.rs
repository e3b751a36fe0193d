//! Live changes as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::timeout;
use weir_api::{ApiError, Changes};
use weir_core::time::Timestamp;
use weir_engine::Topics;

use crate::auth::Credential;
use crate::routes::Host;

/// After so long without a change a comment is sent, so that both ends see that the other one is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Stream {
    host: Arc<Host>,
    credential: Credential,
    /// When that ends by itself, if it does.
    until: Option<Timestamp>,
    changes: Changes,
    stopping: watch::Receiver<bool>,
    begun: bool,
}

/// Streams changes until the server stops, the caller goes away, or what the caller came with ends.
pub(crate) async fn stream(host: &Arc<Host>, parts: &Parts) -> Result<Response<Body>, ApiError> {
    let credential = host.auth.credential(parts)?;
    let (changes, stopping) = (Changes::of(&host.app.engine), host.stopping.clone());
    let until = host.auth.admit(&host.app, &credential).await?.until;
    let state = Stream { host: host.clone(), credential, until, changes, stopping, begun: false };
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
        if self.until.is_some_and(|until| until <= self.host.app.engine.now()) {
            return None;
        }
        match topics {
            Err(_) => Some(": still here\n\n".to_owned()),
            Ok(None) => None,
            Ok(Some(topics)) => {
                // A key may have been revoked or a session ended, which ends what it opened.
                if topics | Topics::KEYS == topics {
                    self.until = self.host.auth.admit(&self.host.app, &self.credential).await.ok()?.until;
                }
                let names = serde_json::to_string(&topics).ok()?;
                Some(format!("event: change\ndata: {{\"topics\":{names}}}\n\n"))
            }
        }
    }
}
