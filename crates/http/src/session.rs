//! The console's session: a browser is signed in with a key once, and from then on known by a cookie that no page can read.
//!
//! Browsers add cookies by themselves, also where another page has them ask. So a request that comes with nothing else must be one
//! of this server's own page. And they keep one jar for all ports of a host, so the cookie is named after the port.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri, header};
use axum::routing::{MethodRouter, get};
use serde::Serialize;
use weir_api::ApiError;
use weir_core::error::Code;
use weir_core::time::Timestamp;
use weir_engine::Session;
use weir_engine::model::Scope;

use crate::line::Caller;
use crate::respond::{Refused, RequestId};
use crate::routes::{Host, Id};
use crate::{auth, host, respond};

/// Says which pages a request comes from, in browsers' own words.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Where a browser may send the cookie: with requests of pages of this host alone, and never into a page's hands.
const BOUNDS: &str = "Path=/; HttpOnly; SameSite=Strict";

/// What the console is told of its session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    key_name: &'a str,
    scope: Scope,
    expires_at: Timestamp,
}

/// The console's own doors: in, who is in, and out.
pub(crate) fn doors() -> MethodRouter<Arc<Host>> {
    get(shown).post(sign_in).delete(sign_out)
}

/// The session that a request came with.
pub fn of<'a>(uri: &Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let wanted = name(uri, headers);
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    pairs.flat_map(|cookies| cookies.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted).then_some(value)
    })
}

/// Whether a request with a cookie comes from this server's own page. A browser says so of every request that changes something.
pub fn guard(parts: &Parts) -> Result<(), ApiError> {
    let Parts { method, uri, headers, .. } = parts;
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (origin, site) = (text(header::ORIGIN), text(SITE));
    let own = host::named(uri, headers).unwrap_or_default();
    let fits = origin.is_none_or(|page| host::is_page_on(page, own))
        && site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if fits && (reads || origin.is_some() || site.is_some()) {
        return Ok(());
    }
    Err(ApiError::new(
        Code::InsufficientPermissions,
        "a session is for this server's own pages; programs send an API key as `Authorization: Bearer weir_sk_...`",
    ))
}

/// The cookie of a request that has nothing else to be known by.
pub struct Kept {
    name: String,
}

impl Kept {
    /// That of a request, if it is such a one.
    pub fn of(request: &Request) -> Option<Self> {
        let (uri, headers) = (request.uri(), request.headers());
        let alone = headers.contains_key(header::COOKIE) && !headers.contains_key(header::AUTHORIZATION);
        (alone && of(uri, headers).is_some()).then(|| Kept { name: name(uri, headers) })
    }

    /// Has the browser forget it, once it lets nobody in any more.
    pub fn forget_if_ended(self, response: &mut Response<Body>) {
        let refused = response.extensions().get::<Refused>().map(|refused| refused.code);
        if matches!(refused, Some(Code::InvalidApiKey | Code::ExpiredApiKey)) {
            set(response, &gone(&self.name));
        }
    }
}

async fn sign_in(State(host): State<Arc<Host>>, Extension(id): Id, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let signed_in = async { Ok::<_, ApiError>(host.app.engine.sign_in(auth::key(&parts.headers)?).await?) };
    match signed_in.await {
        Ok(new) => {
            let mut response = show(201, &new.session, &parts, &id);
            let seconds = new.session.expires_at.seconds_from(host.app.engine.now());
            let secure = if host.encrypts || is_encrypted_page(&parts.headers) { "; Secure" } else { "" };
            let (name, token) = (name(&parts.uri, &parts.headers), &new.token);
            set(&mut response, &format!("{name}={token}; Max-Age={seconds}; {BOUNDS}{secure}"));
            response
        }
        Err(error) => respond::refuse(&error, &id),
    }
}

async fn shown(State(host): State<Arc<Host>>, Extension(id): Id, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let session = async {
        let token = of(&parts.uri, &parts.headers)
            .ok_or_else(|| ApiError::new(Code::MissingApiKey, "nobody is signed in here"))?;
        guard(&parts)?;
        Ok::<_, ApiError>(host.app.engine.authenticate_session(token).await?)
    };
    match session.await {
        Ok(session) => show(200, &session, &parts, &id),
        Err(error) => respond::refuse(&error, &id),
    }
}

/// Ends the session, if there is one, and has the browser forget it.
async fn sign_out(State(host): State<Arc<Host>>, Extension(id): Id, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let ended = async {
        let Some(token) = of(&parts.uri, &parts.headers) else { return Ok::<_, ApiError>(()) };
        guard(&parts)?;
        Ok(host.app.engine.sign_out(token).await?)
    };
    match ended.await {
        Ok(()) => {
            let mut response = respond::answer(200, br#"{"success":true}"#.to_vec());
            set(&mut response, &gone(&name(&parts.uri, &parts.headers)));
            response
        }
        Err(error) => respond::refuse(&error, &id),
    }
}

fn show(status: u16, session: &Session, parts: &Parts, id: &RequestId) -> Response<Body> {
    let Session { caller, key_name, expires_at } = session;
    if let Some(line) = parts.extensions.get::<Caller>() {
        line.goes_by(&caller.actor);
    }
    match serde_json::to_vec(&Shown { key_name, scope: caller.scope, expires_at: *expires_at }) {
        Ok(body) => respond::answer(status, body),
        Err(error) => respond::refuse(&ApiError::new(Code::InternalError, error.to_string()), id),
    }
}

/// Whether the browser itself speaks TLS, if only with a proxy in front of this server.
fn is_encrypted_page(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// The cookie's name on the port that a request was sent to.
fn name(uri: &Uri, headers: &HeaderMap) -> String {
    match host::named(uri, headers).and_then(host::port) {
        Some(port) => format!("weir_session_{port}"),
        None => "weir_session".to_owned(),
    }
}

/// Takes the cookie of this name out of the browser.
fn gone(name: &str) -> String {
    format!("{name}=; Max-Age=0; {BOUNDS}")
}

fn set(response: &mut Response<Body>, cookie: &str) {
    // Made of digits and words of ours, it can stand in a header.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, headers: &[(HeaderName, &str)]) -> Parts {
        let mut request = axum::http::Request::builder().method(method).uri("/v1/status");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_session_is_found_among_cookies_by_the_port() {
        let found = |host: &str, cookies: &[&str]| {
            let mut headers = vec![(header::HOST, host)];
            headers.extend(cookies.iter().map(|cookies| (header::COOKIE, *cookies)));
            let asked = parts("GET", &headers);
            of(&asked.uri, &asked.headers).map(str::to_owned)
        };
        let ours = Some("weir_cs_1".to_owned());
        for cookies in [
            &["weir_session_80=weir_cs_1"][..],
            &["a=b; weir_session_80=weir_cs_1;c=d"],
            &["a=b", "weir_session_81=x;  weir_session_80=weir_cs_1 "],
            &["weir_session_80=weir_cs_1; weir_session_80=weir_cs_2"],
        ] {
            assert_eq!(found("127.0.0.1:80", cookies), ours, "{cookies:?}");
        }
        for cookies in [&["weir_session_81=x"][..], &["weir_session=x"], &["weir_session_80"], &["Weir_session_80=x"]] {
            assert_eq!(found("127.0.0.1:80", cookies), None, "{cookies:?}");
        }
        assert_eq!(found("meter.example", &["weir_session_80=x; weir_session=weir_cs_1"]), ours);
        assert_eq!(found("[::1]:80", &["weir_session_80=weir_cs_1"]), ours);
    }

    #[test]
    fn only_the_servers_own_page_asks_by_a_cookie() {
        const OWN: &str = "http://meter.example:80";
        let passes = |method: &str, origin: Option<&str>, site: Option<&str>| {
            let mut headers = vec![(header::HOST, "meter.example:80")];
            headers.extend(origin.map(|origin| (header::ORIGIN, origin)));
            headers.extend(site.map(|site| (SITE, site)));
            guard(&parts(method, &headers)).is_ok()
        };
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PURGE"] {
            for (origin, site) in [
                (Some(OWN), None),
                (Some("https://METER.example:80"), None),
                (None, Some("same-origin")),
                (None, Some("none")),
                (Some(OWN), Some("same-origin")),
            ] {
                assert!(passes(method, origin, site), "{method} {origin:?} {site:?}");
            }
            for (origin, site) in [
                (Some("http://meter.example"), None),
                (Some("http://meter.example:81"), None),
                (Some("http://localhost:80"), None),
                (Some("http://evil.example"), Some("same-origin")),
                (Some("null"), None),
                (Some(""), None),
                (None, Some("same-site")),
                (None, Some("cross-site")),
                (None, Some("")),
                (Some(OWN), Some("cross-site")),
                (Some(OWN), Some("same-site")),
            ] {
                assert!(!passes(method, origin, site), "{method} {origin:?} {site:?}");
            }
            assert_eq!(passes(method, None, None), matches!(method, "GET" | "HEAD"), "{method} that says nothing");
        }
    }
}
