//! Counts for a monitor.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use weir_engine::model::Status;

/// Requests answered, by the first digit of their status.
#[derive(Default)]
pub struct Counts([AtomicU64; 6]);

impl Counts {
    /// Counts an answer.
    pub fn count(&self, status: StatusCode) {
        if let Some(count) = self.0.get(usize::from(status.as_u16() / 100)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The counts as Prometheus reads them.
pub fn text(status: &Status, counts: &Counts) -> String {
    let mut out = String::new();
    let mut put = |name: &str, kind: &str, help: &str, values: &[(&str, String)]| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    put("weir_events", "gauge", "Events recorded.", &[("", status.events.to_string())]);
    put("weir_customers", "gauge", "Customers known.", &[("", status.customers.to_string())]);
    put("weir_data_bytes", "gauge", "Size of the data file and its log.", &[("", status.data_bytes.to_string())]);
    let rate = status.events_per_second.to_string();
    put("weir_events_per_second", "gauge", "Events recorded per second over the last ten seconds.", &[("", rate)]);
    let read = |class: usize| counts.0[class].load(Ordering::Relaxed).to_string();
    let classes = [("{status=\"2xx\"}", read(2)), ("{status=\"4xx\"}", read(4)), ("{status=\"5xx\"}", read(5))];
    put("weir_http_requests_total", "counter", "Operations answered over HTTP.", &classes);
    out
}

/// The text as a response.
pub fn respond(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}
