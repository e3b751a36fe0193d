//! A receiver written by hand, which answers as it is told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// What arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

/// What the receiver does with a request.
#[derive(Clone)]
pub enum Act {
    /// Answers a status.
    Answer(u16),
    /// Says this and closes.
    Say(Vec<u8>),
    /// Says this, and nothing more, without closing.
    Hang(Vec<u8>),
    /// Says this and then that, over and over.
    Forever(Vec<u8>, Vec<u8>),
    /// Says this and then a byte now and then.
    Drip(Vec<u8>),
    /// Resets the connection.
    Reset,
    /// Answers 200 once it is let.
    Hold(watch::Receiver<bool>),
}

/// A receiver on a port of its own.
pub struct Receiver {
    pub url: String,
    pub port: u16,
    arrivals: UnboundedReceiver<Request>,
    count: Arc<AtomicUsize>,
}

impl Receiver {
    /// One that does with the `n`th request, from 0, what `act` says.
    pub async fn start(act: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", act).await
    }

    pub async fn start_at(address: &str, act: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let (port, host) = (listener.local_addr().unwrap().port(), listener.local_addr().unwrap().ip());
        let (tell, arrivals) = unbounded_channel();
        let (count, act) = (Arc::new(AtomicUsize::new(0)), Arc::new(act));
        let counted = count.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (act, tell, counted) = (act.clone(), tell.clone(), counted.clone());
                tokio::spawn(async move { serve(stream, &*act, &tell, &counted).await });
            }
        });
        Receiver { url: format!("http://{host}:{port}/hooks"), port, arrivals, count }
    }

    pub async fn good() -> Self {
        Self::start(|_| Act::Answer(200)).await
    }

    /// The next request to arrive.
    pub async fn next(&mut self) -> Request {
        super::bench::soon(self.arrivals.recv()).await.expect("a request")
    }

    /// How many have arrived.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Those that have arrived and were not looked at.
    pub fn rest(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    act: &(dyn Fn(usize) -> Act + Send + Sync),
    tell: &UnboundedSender<Request>,
    count: &AtomicUsize,
) {
    let Some(request) = read(&mut stream).await else { return };
    let number = count.fetch_add(1, Ordering::SeqCst);
    let act = act(number);
    // The test may have ended.
    let _ = tell.send(request);
    // Writing fails when the courier has had enough.
    let _ = answer(&mut stream, act).await;
}

async fn answer(stream: &mut TcpStream, act: Act) -> std::io::Result<()> {
    match act {
        Act::Answer(status) => stream.write_all(&plain(status, "thank you")).await,
        Act::Say(bytes) => stream.write_all(&bytes).await,
        Act::Hang(bytes) => {
            stream.write_all(&bytes).await?;
            // Until the other side closes.
            stream.read_u8().await.map(|_| ())
        }
        Act::Forever(head, part) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(&part).await?;
            }
        }
        Act::Drip(head) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(b"x").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Act::Reset => stream.set_zero_linger(),
        Act::Hold(mut let_go) => {
            let _ = let_go.wait_for(|go| *go).await;
            stream.write_all(&plain(200, "at last")).await
        }
    }
}

pub fn plain(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Some words\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let (line, rest) = head.split_once("\r\n")?;
    let headers: BTreeMap<_, _> = rest
        .split("\r\n")
        .filter_map(|header| header.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().ok()?;
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { line: line.to_owned(), headers, body: String::from_utf8(body).ok()? })
}
