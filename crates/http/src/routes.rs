//! The public routes, made from the table.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use axum::{Extension, Router};
use tokio::sync::watch;
use weir_api::{ApiError, App, Bound, Input, Method, Quantities, Reach, operations};
use weir_core::error::Code;
use weir_engine::Engine;

use crate::auth::{self, Auth};
use crate::host::Names;
use crate::line::{Caller, Line};
use crate::repeat::{Answer, Asked, UnderWay};
use crate::respond::RequestId;
use crate::server::Running;
use crate::traffic::Traffic;
use crate::{body, changes, console, cors, docs, metrics, query, repeat, respond, session};

/// After so long a request is answered with `timeout`.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// What every route works on.
pub(crate) struct Host {
    pub app: Arc<App>,
    pub auth: Auth,
    pub stopping: watch::Receiver<bool>,
    pub under_way: UnderWay,
    pub traffic: Arc<Traffic>,
    /// Whether the server encrypts.
    pub encrypts: bool,
}

impl Host {
    pub(crate) fn shared(app: App, auth: Auth, running: Running) -> Arc<Self> {
        let Running { stopping, traffic, encrypts } = running;
        Arc::new(Host { app: Arc::new(app), auth, stopping, under_way: UnderWay::default(), traffic, encrypts })
    }
}

pub(crate) type Id = Extension<RequestId>;
type Params = Result<RawPathParams, RawPathParamsRejection>;

/// The public API and the console, on a server.
pub fn public(app: App, running: Running) -> Router {
    let host = Host::shared(app, Auth::Keys, running);
    let mut paths: BTreeMap<String, MethodRouter<Arc<Host>>> = BTreeMap::new();
    for operation in operations() {
        let path = operation.row.path;
        let at = match operation.row.reach {
            Reach::Public => vec![format!("/v1{path}")],
            Reach::Client => vec![path.to_owned(), format!("/v1{path}")],
            Reach::Local => continue,
        };
        let handler = move |State(host): State<Arc<Host>>, Extension(id): Id, params: Params, request: Request| async move {
            respond_to(&host, operation, id, params, request).await
        };
        for path in at {
            let routes = paths.remove(&path).unwrap_or_default();
            paths.insert(path, routes.on(filter(operation.row.method), handler));
        }
    }
    let mut router = Router::new();
    for (path, routes) in paths {
        router = router.route(&path, routes.fallback(method_not_allowed));
    }
    let only_get = |routes: MethodRouter<Arc<Host>>| routes.fallback(method_not_allowed);
    router
        .route("/v1/changes", only_get(get(listen)))
        .route("/v1/openapi.json", only_get(get(openapi)))
        .route("/docs", only_get(get(pages)))
        .route("/docs/{page}", only_get(get(pages)))
        .route("/healthz", only_get(get(healthy)))
        .route("/readyz", only_get(get(ready)))
        .route("/metrics", only_get(get(metrics)))
        .route("/console/session", session::doors().fallback(method_not_allowed))
        .fallback(elsewhere)
        .with_state(host)
}

/// Puts routes behind what every request passes: a name of its own, the guard against DNS rebinding, a bound on time, and the
/// headers that every answer carries. `names` are host names allowed besides addresses and `localhost`; pages of the engine's project
/// may call what is made for front ends.
pub fn guarded(router: Router, engine: &Engine, names: impl IntoIterator<Item = String>) -> Router {
    behind(router, Gate { names: Names::new(names), patience: TIMEOUT, pages: Some(engine.clone()) })
}

/// The same for the private channel, where work such as a backup may take as long as it needs.
pub(crate) fn guarded_patiently(router: Router) -> Router {
    behind(router, Gate { names: Names::new([]), patience: Duration::MAX, pages: None })
}

/// What stands before every route.
struct Gate {
    names: Names,
    patience: Duration,
    /// Says whose pages may call what is made for front ends.
    pages: Option<Engine>,
}

fn behind(router: Router, gate: Gate) -> Router {
    router.layer(from_fn_with_state(Arc::new(gate), pass))
}

async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response<Body> {
    let id = RequestId::of(request.headers());
    let line = Line::begin(&id, &mut request);
    let session = session::Kept::of(&request);
    let for_pages = gate.pages.as_ref().zip(cors::route(request.uri().path()));
    let (response, page) = match let_in(&gate.names, for_pages.map(|(engine, _)| engine), &request) {
        Ok(page) => {
            let asked = for_pages.filter(|_| page.is_some() && cors::is_preflight(request.method(), request.headers()));
            let response = match asked {
                Some((_, row)) => cors::preflight(row, request.headers()),
                None => tokio::time::timeout(gate.patience, next.run(request)).await.map_err(|_| timed_out()),
            };
            (response.unwrap_or_else(|error| respond::refuse(&error, &id)), page)
        }
        Err(error) => (respond::refuse(&error, &id), None),
    };
    line.end(&response);
    let mut response = respond::finish(response, &id);
    if let Some(session) = session {
        session.forget_if_ended(&mut response);
    }
    if for_pages.is_some() {
        cors::mark(&mut response, page);
    }
    response
}

/// Whether a request may pass, and the page of another site that it comes from.
fn let_in(names: &Names, for_pages: Option<&Engine>, request: &Request) -> Result<Option<HeaderValue>, ApiError> {
    let (uri, headers) = (request.uri(), request.headers());
    match for_pages {
        Some(engine) => cors::page(engine, names.host(uri, headers)?, headers),
        None => names.check(uri, headers).map(|()| None),
    }
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        // Both change the fields that are given.
        Method::Put => MethodFilter::PUT.or(MethodFilter::PATCH),
        Method::Delete => MethodFilter::DELETE,
    }
}

async fn respond_to(
    host: &Host,
    operation: &'static Bound,
    id: RequestId,
    params: Params,
    request: Request,
) -> Response<Body> {
    let quantities = quantities(request.headers());
    match answer(host, operation, params, request, id.as_str(), quantities).await {
        Ok(answer) => {
            let mut response = respond::answer(answer.status, answer.content.body);
            respond::add(&mut response, &answer.content.headers);
            response
        }
        Err(error) => respond::refuse_in(&error, &id, quantities),
    }
}

fn timed_out() -> ApiError {
    let seconds = TIMEOUT.as_secs();
    ApiError::new(Code::Timeout, format!("there was no answer within {seconds} s; what was asked may still be done"))
}

async fn answer(
    host: &Host,
    operation: &'static Bound,
    params: Params,
    request: Request,
    id: &str,
    quantities: Quantities,
) -> Result<Answer, ApiError> {
    let (parts, body) = request.into_parts();
    let ctx = match operation.row.reach {
        Reach::Client => auth::client(&host.app, &parts.headers).await?,
        Reach::Public | Reach::Local => host.auth.context(&host.app, &parts).await?,
    };
    if let Some(caller) = parts.extensions.get::<Caller>() {
        caller.is(&ctx);
    }
    operation.authorise(&ctx)?;
    let params = params.map_err(|_| ApiError::new(Code::InvalidRequest, "the path is not UTF-8"))?;
    let path: Vec<(String, String)> = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let query = query::parse(parts.uri.query())?;
    let body = body::read(&parts.headers, body).await?;
    let doing = operation.call(&ctx, Input { path: &path, query: &query, body: &body }, quantities);
    match (repeat::key(&parts.headers)?, ctx.credential) {
        (Some(key), Some(credential)) if operation.row.keeps_answers() => {
            let asked = Asked::new(credential, &parts.method, &parts.uri, key, &body);
            // On the heap: few requests come this way, and all would carry its state along.
            Box::pin(repeat::once(&host.under_way, &ctx, asked, operation.row, id, quantities, doing)).await
        }
        _ => Ok(Answer { status: operation.row.status, content: doing.await? }),
    }
}

/// Strings, if the caller's `Accept` asks for them by a parameter.
fn quantities(headers: &HeaderMap) -> Quantities {
    let asked = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        text.split([',', ';']).any(|part| {
            let (name, value) = part.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("quantities")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("string")
        })
    };
    if headers.get_all(header::ACCEPT).iter().any(asked) { Quantities::Strings } else { Quantities::Numbers }
}

async fn method_not_allowed(Extension(id): Id) -> Response<Body> {
    respond::refuse(&ApiError::new(Code::MethodNotAllowed, "this route exists for another method"), &id)
}

async fn elsewhere(Extension(id): Id, request: Request) -> Response<Body> {
    console::serve(&request).unwrap_or_else(|| {
        let path: String = request.uri().path().chars().take(100).collect();
        respond::refuse(&ApiError::new(Code::NotFound, format!("there is no route `{path}`")), &id)
    })
}

async fn listen(State(host): State<Arc<Host>>, Extension(id): Id, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    changes::stream(&host, &parts).await.unwrap_or_else(|error| respond::refuse(&error, &id))
}

async fn openapi() -> Response<Body> {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| weir_api::openapi().to_string());
    respond::answer(200, document.as_bytes().to_vec())
}

/// The description to read. Its index has no name.
async fn pages(Extension(id): Id, params: Params) -> Response<Body> {
    let page = params.ok().and_then(|params| docs::serve(params.iter().next().map_or("", |(_, name)| name)));
    page.unwrap_or_else(|| respond::refuse(&ApiError::new(Code::NotFound, "there is no such page of the docs"), &id))
}

async fn healthy() -> Response<Body> {
    respond::answer(200, br#"{"status":"ok"}"#.to_vec())
}

async fn ready(State(host): State<Arc<Host>>, Extension(id): Id) -> Response<Body> {
    if *host.stopping.borrow() {
        return respond::refuse(&ApiError::new(Code::Busy, "Weir is closing"), &id);
    }
    match host.app.engine.project().await {
        Ok(_) => respond::answer(200, br#"{"status":"ready"}"#.to_vec()),
        Err(error) => respond::refuse(&error.into(), &id),
    }
}

/// Counts for a monitor, in the text form of Prometheus.
async fn metrics(State(host): State<Arc<Host>>, Extension(id): Id, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    match host.auth.context(&host.app, &parts).await {
        Ok(_) => metrics::respond(metrics::text(&host.app.engine, &host.traffic)),
        Err(error) => respond::refuse(&error, &id),
    }
}

/// The private channel's routes: every operation by its name, and changes.
pub(crate) fn private(host: Arc<Host>) -> Router {
    Router::new().route("/rpc/{name}", on(MethodFilter::POST, rpc)).route("/changes", get(listen)).with_state(host)
}

async fn rpc(State(host): State<Arc<Host>>, Extension(id): Id, params: Params, request: Request) -> Response<Body> {
    match rpc_answer(&host, params, request).await {
        Ok(text) => respond::answer(200, text.into_bytes()),
        Err(error) => respond::refuse_in(&error, &id, Quantities::Strings),
    }
}

async fn rpc_answer(host: &Host, params: Params, request: Request) -> Result<String, ApiError> {
    let (parts, body) = request.into_parts();
    let ctx = host.auth.context(&host.app, &parts).await?;
    let params = params.map_err(|_| ApiError::new(Code::InvalidRequest, "the path is not UTF-8"))?;
    let name = params.iter().next().map(|(_, name)| name.to_owned()).unwrap_or_default();
    let body = body::read(&parts.headers, body).await?;
    weir_api::call(&ctx, &name, &body).await
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_not_take_long_and_a_stream_may() {
        let slow = TIMEOUT * 2;
        let streams = move || async move {
            let parts = stream::unfold(0, move |n| async move {
                tokio::time::sleep(slow).await;
                (n < 3).then_some((Ok::<_, Infallible>("part;"), n + 1))
            });
            Response::new(Body::from_stream(parts))
        };
        let sleeps = move || async move { tokio::time::sleep(slow).await };
        let gate = Gate { names: Names::new([]), patience: TIMEOUT, pages: None };
        let router = behind(Router::new().route("/stream", get(streams)).route("/sleep", get(sleeps)), gate);
        let ask = |path: &str| {
            let request = Request::builder().uri(path).header(header::HOST, "localhost").body(Body::empty()).unwrap();
            router.clone().oneshot(request)
        };
        let late = ask("/sleep").await.unwrap();
        assert_eq!(late.status().as_u16(), 504);
        let text = late.into_body().collect().await.unwrap().to_bytes();
        assert!(text.starts_with(br#"{"error":{"code":"timeout","#), "{text:?}");
        let streamed = ask("/stream").await.unwrap();
        assert_eq!(streamed.into_body().collect().await.unwrap().to_bytes(), "part;part;part;");
    }

    #[test]
    fn strings_are_asked_for_by_a_parameter() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, value.parse().unwrap());
            quantities(&headers) == Quantities::Strings
        };
        for value in ["application/json; quantities=string", "text/html, application/json;Quantities=\"string\";q=0.9"]
        {
            assert!(asked(value), "{value}");
        }
        for value in ["application/json", "application/json; quantities=number", "*/*", ""] {
            assert!(!asked(value), "{value}");
        }
    }
}
