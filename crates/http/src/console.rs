//! The console's files, from within the binary.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

/// Path and content of each file of the console; none when it was not built.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/console.rs"));

const INDEX: &str = "index.html";
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Weir</title>\
<p>This Weir was built without its console. Run <code>npm run build</code> in <code>ui</code> and build Weir again. \
The API is at <code>/v1</code>, its description at <a href=\"/v1/openapi.json\">/v1/openapi.json</a>.</html>";

/// Scripts, styles and requests of this server alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A file of the console, if that is what is asked for.
pub fn serve(request: &Request) -> Option<Response<Body>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let name = request.uri().path().strip_prefix('/')?;
    let name = if name.is_empty() { INDEX } else { name };
    match FILES.iter().find(|(file, _)| *file == name) {
        Some((file, content)) => Some(respond(file, content)),
        None if name == INDEX => {
            let mut response = respond(INDEX, NOT_BUILT.as_bytes());
            *response.status_mut() = StatusCode::NOT_FOUND;
            Some(response)
        }
        None => None,
    }
}

fn respond(name: &str, content: &'static [u8]) -> Response<Body> {
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type(name));
    // Assets carry a hash of their content in their name; everything else is asked for anew.
    let caching = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn content_type(name: &str) -> HeaderValue {
    let text = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    HeaderValue::from_static(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Option<Response<Body>> {
        serve(&Request::get(path).body(Body::empty()).unwrap())
    }

    #[test]
    fn the_page_is_never_kept_and_may_load_only_from_here() {
        let page = get("/").unwrap();
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
        assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("connect-src 'self'"));
        assert_eq!(page.status() == StatusCode::OK, !FILES.is_empty());
    }

    #[test]
    fn assets_are_kept_and_nothing_else_is_served() {
        if let Some((asset, _)) = FILES.iter().find(|(file, _)| file.starts_with("assets/") && file.ends_with(".js")) {
            let asset = get(&format!("/{asset}")).unwrap();
            assert!(asset.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
            assert_eq!(asset.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        }
        for path in ["/nothing", "/../Cargo.toml", "/assets/", "/v1/nothing", "//index.html"] {
            assert!(get(path).is_none(), "{path}");
        }
        assert!(serve(&Request::post("/").body(Body::empty()).unwrap()).is_none());
    }
}
