//! The figures for a monitor, in the text form of Prometheus. None of them waits for the data file, so that they can be read when it
//! is in trouble.

use std::fmt::{Display, Write};

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use weir_engine::Engine;
use weir_engine::measures::Histogram;
use weir_engine::model::RefusalReason;

use crate::traffic::Traffic;

/// All figures, as text.
pub fn text(engine: &Engine, traffic: &Traffic) -> String {
    let mut page = Page::default();
    of_engine(&mut page, engine);
    of_server(&mut page, traffic);
    page.0
}

fn of_engine(page: &mut Page, engine: &Engine) {
    let (measures, waiting) = (engine.measures(), engine.waiting());
    let version = [("version", env!("CARGO_PKG_VERSION"), 1)];
    page.labelled("weir_build_info", GAUGE, "The version that runs.", version);
    page.one("weir_events_recorded_total", COUNTER, "Events recorded.", measures.events.get());
    page.one("weir_customers", GAUGE, "Customers known.", engine.customers_known());
    page.one("weir_data_bytes", GAUGE, "Size of the data file and its log.", engine.data_bytes());
    let help = "Time to write a group of events and movements to the disk.";
    page.histogram("weir_commit_duration_seconds", help, &measures.commits);
    page.histogram("weir_check_duration_seconds", "Time to decide a check.", &measures.checks);
    let refused = [
        ("customer_rate_limited", RefusalReason::CustomerRateLimited),
        ("limit_exceeded", RefusalReason::LimitExceeded),
        ("insufficient_balance", RefusalReason::InsufficientBalance),
    ];
    let refused = refused.map(|(word, reason)| ("reason", word, measures.refusals(reason).get()));
    page.labelled("weir_refusals_total", COUNTER, "Tracks and reservations refused for their customer.", refused);
    let attempts = [("delivered", &measures.webhooks_delivered), ("failed", &measures.webhooks_failed)];
    let attempts = attempts.map(|(word, count)| ("outcome", word, count.get()));
    page.labelled("weir_webhook_attempts_total", COUNTER, "Messages sent to endpoints.", attempts);
    let waiting_for = "Messages that wait to be delivered to endpoints.";
    page.one("weir_webhook_deliveries_waiting", GAUGE, waiting_for, measures.webhooks_waiting.get());
    page.one("weir_queue_bytes", GAUGE, "Memory of what waits to be written.", waiting.bytes);
    let help = "Memory that what waits may take; beyond it callers get 503.";
    page.one("weir_queue_limit_bytes", GAUGE, help, waiting.most_bytes);
    page.one("weir_queue_commands", GAUGE, "Commands that wait for the writer.", waiting.commands);
    page.one("weir_queue_limit_commands", GAUGE, "Commands that may wait for the writer.", waiting.most_commands);
}

fn of_server(page: &mut Page, traffic: &Traffic) {
    let answers = traffic.answers().map(|(class, count)| ("status", class, count));
    page.labelled("weir_http_requests_total", COUNTER, "Requests answered, by the class of their status.", answers);
    let refusals = traffic.refusals().map(|(code, count)| ("code", code, count));
    page.labelled("weir_http_errors_total", COUNTER, "Requests answered with an error, by its code.", refusals);
    let help = "Time until the head of an answer was there.";
    page.histogram("weir_http_request_duration_seconds", help, &traffic.time);
    page.one("weir_http_connections", GAUGE, "Connections open.", traffic.open_now());
    page.one("weir_http_limit_connections", GAUGE, "Connections that may be open.", traffic.most_open);
    let help = "Connections turned away because too many were open.";
    page.one("weir_http_connections_refused_total", COUNTER, help, traffic.turned_away.get());
}

const COUNTER: &str = "counter";
const GAUGE: &str = "gauge";

/// Figures as they are being written.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// A figure.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.line(format_args!("{name} {value}"));
    }

    /// A figure for each value of a label: its name, the value, and the figure.
    fn labelled<'a, V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (&'static str, &'a str, V)>,
    ) {
        self.family(name, kind, help);
        for (label, text, value) in samples {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.line(format_args!("{name}{{{label}=\"{text}\"}} {value}"));
        }
    }

    /// Durations, in seconds.
    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        // Read once, so that the last bucket and the count agree.
        let count = histogram.count();
        for (bound, below) in histogram.cumulated() {
            self.line(format_args!("{name}_bucket{{le=\"{}\"}} {}", bound.as_secs_f64(), below.min(count)));
        }
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {}", histogram.sum().as_secs_f64()));
        self.line(format_args!("{name}_count {count}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// The text as a response.
pub fn respond(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_would_break_a_line_is_escaped() {
        let mut page = Page::default();
        page.labelled("a_total", COUNTER, "One\\two\nthree \"four\".", [("l", "x\\y\"z\n", 1), ("l", "", 2)]);
        assert_eq!(
            page.0,
            "# HELP a_total One\\\\two\\nthree \"four\".\n# TYPE a_total counter\n\
             a_total{l=\"x\\\\y\\\"z\\n\"} 1\na_total{l=\"\"} 2\n"
        );
    }

    #[test]
    fn a_histogram_is_cumulated_and_in_seconds() {
        const BOUNDS: &[Duration] = &[Duration::from_micros(2), Duration::from_millis(1_500)];
        let histogram = Histogram::new(BOUNDS);
        for micros in [1, 2, 3, 2_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let mut page = Page::default();
        page.histogram("d_seconds", "Time.", &histogram);
        assert_eq!(
            page.0,
            "# HELP d_seconds Time.\n# TYPE d_seconds histogram\nd_seconds_bucket{le=\"0.000002\"} 2\n\
             d_seconds_bucket{le=\"1.5\"} 3\nd_seconds_bucket{le=\"+Inf\"} 4\nd_seconds_sum 2.000006\nd_seconds_count 4\n"
        );
    }
}
