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
use weir_api::{Answered, ApiError, App, Bound, Input, Method, Quantities, Reach, operations};
use weir_core::error::Code;

use crate::auth::Auth;
use crate::host::Names;
use crate::metrics::Counts;
use crate::repeat::{Answer, Asked, UnderWay};
use crate::respond::RequestId;
use crate::{body, changes, console, metrics, query, repeat, respond};

/// After so long a request is answered with `timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What every route works on.
pub(crate) struct Host {
    pub app: Arc<App>,
    pub auth: Auth,
    pub stopping: watch::Receiver<bool>,
    pub under_way: UnderWay,
    pub counts: Counts,
}

impl Host {
    pub(crate) fn shared(app: App, auth: Auth, stopping: watch::Receiver<bool>) -> Arc<Self> {
        let app = Arc::new(app);
        Arc::new(Host { app, auth, stopping, under_way: UnderWay::default(), counts: Counts::default() })
    }
}

type Id = Extension<RequestId>;
type Params = Result<RawPathParams, RawPathParamsRejection>;

/// The public API and the console. `stopping` turns true when streams are to end.
pub fn public(app: App, stopping: watch::Receiver<bool>) -> Router {
    let host = Host::shared(app, Auth::Keys, stopping);
    let mut paths: BTreeMap<&str, MethodRouter<Arc<Host>>> = BTreeMap::new();
    for operation in operations().iter().filter(|operation| operation.row.reach == Reach::Public) {
        let handler = move |State(host): State<Arc<Host>>, Extension(id): Id, params: Params, request: Request| async move {
            respond_to(&host, operation, id, params, request).await
        };
        let routes = paths.remove(operation.row.path).unwrap_or_default();
        paths.insert(operation.row.path, routes.on(filter(operation.row.method), handler));
    }
    let mut router = Router::new();
    for (path, routes) in paths {
        router = router.route(&format!("/v1{path}"), routes.fallback(method_not_allowed));
    }
    let only_get = |routes: MethodRouter<Arc<Host>>| routes.fallback(method_not_allowed);
    router
        .route("/v1/changes", only_get(get(listen)))
        .route("/v1/openapi.json", only_get(get(openapi)))
        .route("/healthz", only_get(get(healthy)))
        .route("/readyz", only_get(get(ready)))
        .route("/metrics", only_get(get(metrics)))
        .fallback(elsewhere)
        .with_state(host)
}

/// Puts routes behind what every request passes: a name of its own, the guard against DNS rebinding, a bound on time, and the
/// headers that every answer carries. `names` are host names allowed besides addresses and `localhost`.
pub fn guarded(router: Router, names: impl IntoIterator<Item = String>) -> Router {
    behind(router, Gate { names: Names::new(names), patience: TIMEOUT })
}

/// The same for the private channel, where work such as a backup may take as long as it needs.
pub(crate) fn guarded_patiently(router: Router) -> Router {
    behind(router, Gate { names: Names::new([]), patience: Duration::MAX })
}

/// What stands before every route.
struct Gate {
    names: Names,
    patience: Duration,
}

fn behind(router: Router, gate: Gate) -> Router {
    router.layer(from_fn_with_state(Arc::new(gate), pass))
}

async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response<Body> {
    let id = RequestId::new();
    request.extensions_mut().insert(id.clone());
    let response = match gate.names.check(request.uri(), request.headers()) {
        Ok(()) => match tokio::time::timeout(gate.patience, next.run(request)).await {
            Ok(response) => response,
            Err(_) => respond::refuse(&timed_out(), &id),
        },
        Err(error) => respond::refuse(&error, &id),
    };
    respond::finish(response, &id)
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
    let response = match answer(host, operation, params, request, id.as_str(), quantities).await {
        Ok(answer) => {
            let mut response = respond::answer(answer.status, answer.body);
            respond::add(&mut response, &answer.headers);
            response
        }
        Err(error) => respond::refuse_in(&error, &id, quantities),
    };
    host.counts.count(response.status());
    response
}

fn timed_out() -> ApiError {
    let seconds = TIMEOUT.as_secs();
    ApiError::new(Code::Timeout, format!("there was no answer within {seconds} s; what was asked may still be done"))
}

async fn answer(
    host: &Host,
    operation: &Bound,
    params: Params,
    request: Request,
    id: &str,
    quantities: Quantities,
) -> Result<Answer, ApiError> {
    let (parts, body) = request.into_parts();
    let ctx = host.auth.context(&host.app, &parts.headers)?;
    operation.authorise(&ctx)?;
    let params = params.map_err(|_| ApiError::new(Code::InvalidRequest, "the path is not UTF-8"))?;
    let path: Vec<(String, String)> = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let query = query::parse(parts.uri.query())?;
    let body = body::read(&parts.headers, body).await?;
    let doing = operation.call(&ctx, Input { path: &path, query: &query, body: &body }, quantities);
    let status = operation.row.status;
    match (repeat::key(&parts.headers)?, ctx.key) {
        (Some(key), Some(credential)) if operation.row.keeps_answers() => {
            let asked = Asked::new(credential, &parts.method, &parts.uri, key, &body);
            // On the heap: few requests come this way, and all would carry its state along.
            Box::pin(repeat::once(&host.under_way, &ctx, asked, status, id, quantities, doing)).await
        }
        _ => {
            let Answered { body, headers } = doing.await?;
            Ok(Answer { status, body, headers })
        }
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
    changes::stream(&host, request.headers()).unwrap_or_else(|error| respond::refuse(&error, &id))
}

async fn openapi() -> Response<Body> {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| weir_api::openapi().to_string());
    respond::answer(200, document.as_bytes().to_vec())
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
    let allowed = host.auth.context(&host.app, request.headers());
    drop(request);
    let told = async {
        allowed?;
        Ok::<_, ApiError>(metrics::text(&host.app.engine.status().await?, &host.counts))
    };
    match told.await {
        Ok(text) => metrics::respond(text),
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
    let ctx = host.auth.context(&host.app, &parts.headers)?;
    let params = params.map_err(|_| ApiError::new(Code::InvalidRequest, "the path is not UTF-8"))?;
    let name = params.iter().next().map(|(_, name)| name.to_owned()).unwrap_or_default();
    let body = body::read(&parts.headers, body).await?;
    weir_api::call(&ctx, &name, &body).await
}

#[cfg(test)]
mod tests {
    use super::*;

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
