//! Sending one message, once.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, timeout};
use weir_core::network::is_public;
use weir_core::time::Timestamp;
use weir_engine::{Attempt, Outgoing};

use crate::names::{Guard, Lookup, SystemNames};
use crate::sign::signature;

/// How much of an answer is read.
const MAX_ANSWER: usize = 64 << 10;

/// How messages are sent.
pub struct Setup {
    /// Where names are looked up.
    pub names: Arc<dyn Lookup>,
    /// How long an exchange may take, from the connection to the end of the answer.
    pub patience: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Setup { names: Arc::new(SystemNames), patience: Duration::from_secs(15) }
    }
}

/// Sends messages.
#[derive(Clone)]
pub(crate) struct Sender {
    /// To the public internet alone.
    public: Client,
    /// Anywhere.
    anywhere: Client,
    patience: Duration,
}

/// An answer, as far as it was read.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Sender {
    pub(crate) fn new(setup: &Setup) -> reqwest::Result<Self> {
        let client = |allow_private| {
            Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .dns_resolver(Arc::new(Guard::new(setup.names.clone(), allow_private)))
                .user_agent(concat!("Weir/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Sender { public: client(false)?, anywhere: client(true)?, patience: setup.patience })
    }

    /// Sends a message and says what came of it.
    pub(crate) async fn send(&self, outgoing: &Outgoing, at: Timestamp) -> Attempt {
        let begun = Instant::now();
        let request = headers(outgoing, at);
        // Whatever cuts it off, what came until then is kept.
        let mut answer = None;
        let fault = match timeout(self.patience, self.exchange(outgoing, &request, &mut answer)).await {
            Ok(sent) => sent.err(),
            Err(_) => {
                let fault = if answer.is_none() { "there was no answer" } else { "the answer did not end" };
                Some(format!("{fault} within {} s", self.patience.as_secs_f32()))
            }
        };
        let took = i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX);
        let status = answer.as_ref().map(|answer| answer.status);
        let error = status.and_then(fault_of).or(fault);
        let response = answer.map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
        Attempt { at, took, status, error, request, response }
    }

    async fn exchange(
        &self,
        outgoing: &Outgoing,
        headers: &BTreeMap<String, String>,
        answer: &mut Option<Answer>,
    ) -> Result<(), String> {
        if let Some(reason) = &outgoing.unsigned {
            return Err(reason.clone());
        }
        let url = Url::parse(&outgoing.url).map_err(|error| error.to_string())?;
        if let Some(address) = address_of(&url).filter(|address| !outgoing.allow_private && !is_public(*address)) {
            return Err(format!(
                "{address} lies on this machine or in a private network, which the endpoint does not allow"
            ));
        }
        let client = if outgoing.allow_private { &self.anywhere } else { &self.public };
        let mut request = client.post(url).body(outgoing.body.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(reason)?;
        let answer = answer.insert(Answer { status: response.status().as_u16(), body: Vec::new() });
        let read = beginning(response, &mut answer.body).await;
        read.map_err(|error| format!("the answer broke off: {}", reason(error)))
    }
}

/// The address in an endpoint's URL, which nobody looks up.
fn address_of(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// What is sent beside the body; nothing where there is nothing to sign with, for then nothing is sent.
fn headers(outgoing: &Outgoing, at: Timestamp) -> BTreeMap<String, String> {
    let (id, seconds) = (outgoing.message.to_string(), at.unix_seconds());
    let signed = outgoing.secrets.iter().map(|secret| signature(secret.bytes(), &id, seconds, &outgoing.body));
    let signatures: Vec<String> = signed.collect();
    if signatures.is_empty() {
        return BTreeMap::new();
    }
    BTreeMap::from([
        ("content-type".to_owned(), "application/json".to_owned()),
        ("webhook-id".to_owned(), id),
        ("webhook-timestamp".to_owned(), seconds.to_string()),
        ("webhook-signature".to_owned(), signatures.join(" ")),
    ])
}

fn fault_of(status: u16) -> Option<String> {
    match status {
        200..=299 => None,
        300..=399 => Some(format!("it answered {status}, and redirects are not followed")),
        _ => Some(format!("it answered {status}")),
    }
}

/// The beginning of an answer's body. The rest is not read: a receiver that never ends costs no more than others.
async fn beginning(mut response: Response, body: &mut Vec<u8>) -> reqwest::Result<()> {
    while body.len() < MAX_ANSWER
        && let Some(part) = response.chunk().await?
    {
        body.extend_from_slice(&part[..part.len().min(MAX_ANSWER - body.len())]);
    }
    Ok(())
}

/// What went wrong: in plain words where there are some, then to its root. The outermost error only says that something did, and
/// is left out where there is more to say.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let (mut reasons, mut plain): (Vec<String>, _) = (Vec::new(), None);
    let mut source = error.source();
    while let Some(inner) = source {
        let text = inner.to_string();
        if !reasons.iter().any(|known| known.contains(&text)) {
            reasons.push(text);
        }
        plain = plain.or_else(|| plainly(inner.downcast_ref::<io::Error>()?.kind()));
        source = inner.source();
    }
    // What the client says of itself comes before what happened.
    reasons.retain(|text| !text.starts_with("client error"));
    let root = if reasons.is_empty() { error.to_string() } else { reasons.join(": ") };
    plain.map_or(root.clone(), |plain| format!("{plain} ({root})"))
}

/// What an operator makes of an error of the system.
fn plainly(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("nothing listens there"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Some("the receiver cut the connection")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("no network leads there"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use weir_engine::model::NewWebhook;
    use weir_engine::secrets::{SecretKey, Secrets};
    use weir_engine::{Actor, Engine, ManualClock, OpenOptions};

    use super::*;

    /// A message on its way to somewhere public.
    async fn outgoing() -> Outgoing {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Timestamp::from_unix_seconds(1_773_144_000));
        let secrets = Secrets { environment: Some(SecretKey::new([7; 32])), ..Secrets::default() };
        let options = OpenOptions { secrets, ..OpenOptions::new(dir.path()) };
        let engine = Engine::open(options, clock).await.unwrap();
        let url = "https://hooks.example.com".to_owned();
        let new = NewWebhook { url, description: None, event_types: None, allow_private: false, enabled: true };
        let made = engine.create_webhook(&Actor::operator(), new).await.unwrap();
        engine.test_webhook(&Actor::operator(), made.webhook.id).await.unwrap();
        let due = engine.outbox(&[]).await.unwrap().due.remove(0);
        engine.close().await;
        due
    }

    #[tokio::test]
    async fn an_address_in_a_private_network_is_not_reached_however_it_is_written() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sender = Sender::new(&Setup { patience: Duration::from_millis(300), ..Setup::default() }).unwrap();
        let mut outgoing = outgoing().await;
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[0:0:0:0:0:0:0:1]",
            "[2002:7f00:1::]",
            "0.0.0.0",
            "0",
            "[::]",
            "10.1.2.3",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ] {
            outgoing.url = format!("http://{host}:{port}/");
            let attempt = sender.send(&outgoing, Timestamp::from_micros(0)).await;
            let said = attempt.error.unwrap();
            assert!(said.contains("lies on this machine or in a private network"), "{host}: {said}");
            assert_eq!(attempt.status, None);
        }
        outgoing.allow_private = true;
        outgoing.url = format!("http://0x7f.1:{port}/");
        let (attempt, _) = tokio::join!(sender.send(&outgoing, Timestamp::from_micros(0)), listener.accept());
        assert!(attempt.error.unwrap().contains("no answer within 0.3 s"), "the first to be connected to");
    }

    #[tokio::test]
    async fn where_nothing_listens_is_said_in_plain_words() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let outgoing = Outgoing { url, allow_private: true, ..outgoing().await };
        let sender = Sender::new(&Setup::default()).unwrap();
        let said = sender.send(&outgoing, Timestamp::from_micros(0)).await.error.unwrap();
        assert!(said.starts_with("nothing listens there (") && said.contains("refused"), "{said}");
    }

    #[test]
    fn only_successes_count() {
        for status in [200, 201, 204, 299] {
            assert_eq!(fault_of(status), None);
        }
        for status in [100, 199, 300, 301, 308, 400, 404, 410, 500, 503] {
            assert!(fault_of(status).is_some(), "{status}");
        }
    }

    #[test]
    fn an_address_is_seen_however_it_is_written() {
        for (url, address) in [
            ("http://127.0.0.1/", Some("127.0.0.1")),
            ("http://0x7f.1/", Some("127.0.0.1")),
            ("http://2130706433:80/", Some("127.0.0.1")),
            ("http://[::1]:8080/", Some("::1")),
            ("http://example.com/", None),
        ] {
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(address_of(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
