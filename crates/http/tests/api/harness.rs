//! A server on a free port, and a client that knows the table of operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;
use weir_api::{App, Reach, Row, TABLE};
use weir_engine::model::{Change, NewKey, Scope, SecretsPlace};
use weir_engine::secrets::{Keyring, KeyringError, SecretKey};
use weir_engine::{Actor, Clock, Engine, OpenOptions, SystemClock};
use weir_http::{Limits, Server, guarded, public};

/// Nothing in these tests takes as long.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Host {
    pub app: App,
    pub base: String,
    pub key: String,
    pub client: Client,
    server: Option<Server>,
    called: Mutex<BTreeSet<&'static str>>,
    _dir: TempDir,
}

/// A keyring in memory.
#[derive(Debug, Default)]
pub struct Ring(Mutex<BTreeMap<String, SecretKey>>);

impl Keyring for Ring {
    fn load(&self, project: &str) -> Result<Option<SecretKey>, KeyringError> {
        Ok(self.0.lock().unwrap().get(project).cloned())
    }

    fn save(&self, project: &str, key: &SecretKey) -> Result<(), KeyringError> {
        self.0.lock().unwrap().insert(project.to_owned(), key.clone());
        Ok(())
    }

    fn remove(&self, project: &str) -> Result<(), KeyringError> {
        self.0.lock().unwrap().remove(project);
        Ok(())
    }
}

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The error's code and the field it names.
    pub fn refusal(&self) -> (String, String) {
        let error = &self.json()["error"];
        assert_eq!(error["status"], self.status.as_u16(), "{}", self.text);
        assert!(error["requestId"].as_str().unwrap().starts_with("req_"), "{}", self.text);
        assert!(!error["message"].as_str().unwrap().is_empty());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&error["code"]), text(&error["details"]["field"]))
    }
}

impl Host {
    pub async fn start() -> Self {
        Host::within(Limits::default()).await
    }

    pub async fn within(limits: Limits) -> Self {
        Host::of(limits, SystemClock, |_| ()).await
    }

    pub async fn with(clock: impl Clock) -> Self {
        Host::of(Limits::default(), clock, |_| ()).await
    }

    /// Within bounds, on an engine with other settings than usual.
    pub async fn of(limits: Limits, clock: impl Clock, settings: impl FnOnce(&mut OpenOptions)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = OpenOptions::new(dir.path().join("data"));
        options.secrets.unless_chosen = Some(SecretsPlace::File);
        options.secrets.keyring = Some(Arc::new(Ring::default()));
        settings(&mut options);
        let engine = Engine::open(options, clock).await.unwrap();
        let app = App::new(engine).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Server::within(limits, None, listener, |running| guarded(public(app.clone(), running), &app.engine, []))
                .unwrap();
        let base = format!("http://{}", server.address());
        let client = Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        let key = key(&app, Scope::Manage).await;
        Host { app, base, key, client, server: Some(server), called: Mutex::default(), _dir: dir }
    }

    pub async fn stop(mut self) {
        self.server.take().unwrap().stop().await;
        self.app.close().await;
    }

    pub async fn stop_server(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    pub fn row(name: &str) -> &'static Row {
        TABLE.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no operation {name}"))
    }

    /// Which operations were called so far.
    pub fn called(&self) -> BTreeSet<&'static str> {
        self.called.lock().unwrap().clone()
    }

    /// Does an operation and expects its answer.
    pub async fn ok(&self, name: &str, request: Value) -> Value {
        let reply = self.call(name, request).await;
        assert_eq!(reply.status.as_u16(), Host::row(name).status, "{name}: {}", reply.text);
        reply.json()
    }

    /// Does an operation and expects a refusal: its code and field.
    pub async fn refused(&self, name: &str, request: Value) -> (String, String) {
        self.call(name, request).await.refusal()
    }

    /// Does an operation as REST has it: ids into the path, the rest into the query or the body.
    ///
    /// Whatever comes back, the description says that it may.
    pub async fn call(&self, name: &str, request: Value) -> Reply {
        let row = Host::row(name);
        let reply = self.call_row(row, request).await;
        described(row, &reply);
        reply
    }

    async fn call_row(&self, row: &'static Row, request: Value) -> Reply {
        self.called.lock().unwrap().insert(row.name);
        let mut members = request.as_object().cloned().unwrap_or_default();
        let mut path = row.path.to_owned();
        for id in row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let value = members.remove(id).unwrap_or_else(|| panic!("{} needs {id}", row.name));
            path = path.replace(&format!("{{{id}}}"), &escape(value.as_str().unwrap()));
        }
        let method: Method = row.method.as_str().parse().unwrap();
        if matches!(method, Method::GET | Method::DELETE) {
            let query: Vec<String> = members
                .iter()
                .flat_map(|(name, value)| match value {
                    Value::Object(parts) => parts
                        .iter()
                        .map(|(key, part)| format!("{}={}", escape(&format!("{name}[{key}]")), escape(&text(part))))
                        .collect(),
                    value => vec![format!("{}={}", escape(name), escape(&text(value)))],
                })
                .collect();
            return self.send(self.request(method, &format!("/v1{path}?{}", query.join("&")))).await;
        }
        let body = Value::Object(members).to_string();
        self.post(method, &format!("/v1{path}"), body).await
    }

    /// Sends a body as it stands.
    pub async fn post(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        self.send(self.request(method, path).header("content-type", "application/json").body(body)).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key)
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Reply { status, headers, text: response.text().await.unwrap() }
    }

    /// Asks until an answer is as wanted.
    pub async fn until(&self, name: &str, request: Value, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = self.ok(name, request.clone()).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{name} stayed {answer}");
        }
    }
}

/// The description, as the server has it.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(weir_api::openapi)
}

/// Holds an answer against the description: its status, its code and its headers.
fn described(row: &Row, reply: &Reply) {
    if row.reach == Reach::Local {
        return;
    }
    let (name, document, status) = (row.name, document(), reply.status.as_u16());
    let method = row.method.as_str().to_ascii_lowercase();
    let mut response = &document["paths"][row.served_at()][method]["responses"][status.to_string()];
    if let Some(reference) = response["$ref"].as_str() {
        response = document.pointer(&reference[1..]).unwrap();
    }
    assert!(response.is_object(), "{name} is not said to answer {status}: {}", reply.text);
    if status >= 400 {
        let code = reply.refusal().0;
        assert!(
            response["content"]["application/json"]["examples"][&code].is_object(),
            "{name} is not said to answer {code}"
        );
    }
    for header in ["x-request-id", "www-authenticate", "retry-after", "x-ratelimit-limit", "x-quota-period"] {
        let known = response["headers"].as_object().unwrap().keys().any(|known| known.eq_ignore_ascii_case(header));
        assert!(known || !reply.headers.contains_key(header), "{name} is not said to answer {status} with {header}");
    }
}

/// Makes a key of a scope.
pub async fn key(app: &App, scope: Scope) -> String {
    let new =
        NewKey { name: "test".to_owned(), scope, expires_at: None, per_minute: Change::Clear, per_day: Change::Clear };
    app.engine.create_key(&Actor::cli(), new).await.unwrap().key
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
