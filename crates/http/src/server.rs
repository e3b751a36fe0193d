//! Listening, with bounds on connections, heads, bodies and time, and an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;
use weir_api::ApiError;
use weir_core::error::Code;

use crate::limits::Limits;
use crate::pace::{Paced, PacedBody};
use crate::respond::RequestId;
use crate::tls::Tls;
use crate::traffic::Traffic;
use crate::{body, respond};

/// hyper wants at least so large a buffer.
const MIN_BUFFER: usize = 8 << 10;
/// A pause after the system could not accept a connection.
const BREATH: Duration = Duration::from_millis(50);

/// A server at work.
pub struct Server {
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// What routes know of the server that they are served by.
#[derive(Clone)]
pub struct Running {
    /// Turns true when streams are to end.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Counts of what it serves.
    pub(crate) traffic: Arc<Traffic>,
    /// Whether it encrypts.
    pub(crate) encrypts: bool,
}

impl Server {
    /// Serves routes on a listener, within the usual bounds.
    pub fn start(listener: TcpListener, routes: impl FnOnce(Running) -> Router) -> std::io::Result<Self> {
        Server::within(Limits::default(), None, listener, routes)
    }

    /// Serves routes on a listener, within bounds, and over TLS if there is a certificate.
    pub fn within(
        limits: Limits,
        tls: Option<Arc<Tls>>,
        listener: TcpListener,
        routes: impl FnOnce(Running) -> Router,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let stopping = watch::Sender::new(false);
        let running = Running {
            stopping: stopping.subscribe(),
            traffic: Arc::new(Traffic::new(&limits)),
            encrypts: tls.is_some(),
        };
        let house = Arc::new(House { limits, tls, router: routes(running.clone()), running });
        let accepting = tokio::spawn(house.accept(listener));
        Ok(Server { address, stopping, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets requests under way end, and ends streams.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the server broke off");
        }
    }
}

/// What every connection is served by.
struct House {
    limits: Limits,
    tls: Option<Arc<Tls>>,
    router: Router,
    running: Running,
}

/// The places of connections.
struct Places {
    served: Arc<Semaphore>,
    turned_away: Arc<Semaphore>,
    /// Whether the last one was turned away.
    full: bool,
}

/// A connection's place, free again when it is let go.
struct Place {
    served: bool,
    _held: OwnedSemaphorePermit,
}

impl Places {
    fn new(limits: &Limits) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Places { served: places(limits.connections), turned_away: places(limits.turned_away), full: false }
    }

    /// Waits until there is one of either kind.
    async fn any(&self) {
        // Neither is ever closed, and only who waits here takes any.
        tokio::select! {
            biased;
            _ = self.served.acquire() => {}
            _ = self.turned_away.acquire() => {}
        }
    }

    fn take(&mut self) -> Option<Place> {
        if let Ok(held) = Arc::clone(&self.served).try_acquire_owned() {
            self.full = false;
            return Some(Place { served: true, _held: held });
        }
        if !std::mem::replace(&mut self.full, true) {
            tracing::warn!("no more connections can be served; further ones are told to come back");
        }
        let held = Arc::clone(&self.turned_away).try_acquire_owned().ok()?;
        Some(Place { served: false, _held: held })
    }
}

/// A connection, in the clear or not.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl House {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut stopping = self.running.stopping.clone();
        let mut places = Places::new(&self.limits);
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                places.any().await;
                listener.accept().await
            };
            let accepted = tokio::select! {
                next = next => next,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                _ = stopping.wait_for(|stopping| *stopping) => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let Some(place) = places.take() else { continue };
                    connections.spawn(Arc::clone(&self).meet(stream, place));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        drop(listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.limits.drain, drained).await.is_err() {
            tracing::warn!(left = connections.len(), "requests did not end in time");
            connections.shutdown().await;
        }
    }

    async fn meet(self: Arc<Self>, stream: TcpStream, place: Place) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let stream = Paced::new(stream, self.limits.write_pause);
        let Some(tls) = &self.tls else { return self.attend(stream, place).await };
        match tokio::time::timeout(self.limits.handshake, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => self.attend(stream, place).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake did not end in time"),
        }
    }

    async fn attend(&self, stream: impl Stream, place: Place) {
        if place.served {
            let _open = self.running.traffic.open();
            self.serve(stream).await;
        } else {
            self.running.traffic.turned_away.add(1);
            // Whoever sends nothing in that time is not told why.
            let _ = tokio::time::timeout(self.limits.turning_away, self.turn_away(stream)).await;
        }
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time)
            .max_header_size(self.limits.head)
            .max_buf_size(self.limits.head.max(MIN_BUFFER));
        http
    }

    async fn serve(&self, stream: impl Stream) {
        let service = hyper::service::service_fn(|request: Request<Incoming>| async {
            let Limits { body_pause, body_time, .. } = self.limits;
            let request = request.map(|body| Body::new(PacedBody::new(body, body_pause, body_time)));
            let began = Instant::now();
            let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
            self.running.traffic.count(&response, began.elapsed());
            Ok::<Response<Body>, Infallible>(response)
        });
        let mut stopping = self.running.stopping.clone();
        let mut connection = pin!(self.http().serve_connection(TokioIo::new(stream), service));
        let mut told = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke off");
                    }
                    return;
                }
                _ = stopping.wait_for(|stopping| *stopping), if !told => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// Answers one request that there is no room for it.
    async fn turn_away(&self, stream: impl Stream) {
        let service = hyper::service::service_fn(|request: Request<Incoming>| async {
            // A client that is still sending would not see the answer.
            body::drain(Body::new(request.into_body())).await;
            let id = RequestId::new();
            let mut error = ApiError::new(Code::Busy, "too many connections are open; try again in 1 s");
            error.details.retry_after_seconds = Some(1);
            let mut response = respond::finish(respond::refuse(&error, &id), &id);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            Ok::<Response<Body>, Infallible>(response)
        });
        let mut http = self.http();
        if let Err(error) = http.keep_alive(false).serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "a connection that was turned away broke off");
        }
    }
}
