//! What a server takes from those who call it: how many, how much, and how slowly.

use std::time::Duration;

/// The bounds of a server. The defaults are for one that faces a network; together with what the engine opens they stay below the
/// 1,024 files that a process may usually have open.
///
/// A head that breaks a bound, or HTTP itself, is answered by 431 or 400 without a body: it is not known yet what is asked. Of
/// headers, a request may have 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections that are served at a time. A further one is answered 503 `busy` and closed.
    pub connections: usize,
    /// Connections that are turned away at a time. Further ones wait to be accepted.
    pub turned_away: usize,
    /// How long turning away may take: whoever sends nothing meanwhile gets no answer.
    pub turning_away: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// Largest head of a request, in bytes.
    pub head: usize,
    /// How long a request's head may take, and a connection may stay idle between two requests.
    pub head_time: Duration,
    /// How long a body may make no progress; then the request is answered 504 `timeout`.
    pub body_pause: Duration,
    /// How long a whole body may take.
    pub body_time: Duration,
    /// How long a client may take nothing of what is sent to it; then the connection is dropped, streams included.
    pub write_pause: Duration,
    /// How long requests under way may take to end once the server is stopped.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 768,
            turned_away: 64,
            turning_away: Duration::from_secs(5),
            handshake: Duration::from_secs(10),
            head: 64 << 10,
            head_time: Duration::from_secs(30),
            body_pause: Duration::from_secs(10),
            body_time: Duration::from_secs(45),
            write_pause: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The defaults of the private channel, whose few callers are of the same user on this machine.
    pub(crate) fn private() -> Self {
        Limits { connections: 64, turned_away: 4, ..Limits::default() }
    }
}

#[cfg(test)]
mod tests {
    use weir_engine::OpenOptions;

    use super::*;

    /// What operators are told.
    const PAGE: &str = include_str!("../../../docs/self-hosting.md");

    #[test]
    fn operators_are_told_the_bounds_as_they_are() {
        let limits = Limits::default();
        let seconds = |time: Duration| format!("{} s", time.as_secs());
        for (what, bound) in [
            ("connections served at a time", limits.connections.to_string()),
            (
                "connections being turned away at a time",
                format!("{}, {} each", limits.turned_away, seconds(limits.turning_away)),
            ),
            ("TLS handshake", seconds(limits.handshake)),
            ("head of a request", format!("{} KiB, 100 headers", limits.head >> 10)),
            ("time for a head, and idle between requests", seconds(limits.head_time)),
            ("body of a request", format!("{} MiB", crate::body::MAX_BYTES >> 20)),
            ("pause within a body", seconds(limits.body_pause)),
            ("time for a whole body", seconds(limits.body_time)),
            ("time for an answer", seconds(crate::routes::TIMEOUT)),
            ("client that takes nothing of an answer or a stream", seconds(limits.write_pause)),
            ("requests under way when it is stopped", seconds(limits.drain)),
            ("what waits to be written", format!("{} MiB or 65,536 commands", OpenOptions::new("").queue_mib)),
        ] {
            assert!(PAGE.contains(&format!("\n| {what} | {bound} | ")), "{what} | {bound}");
        }
    }
}
