//! How far an import is, shown on a terminal and nowhere else.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use weir_api::intake::Tally;

/// A bar on standard error.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// A bar that is full at `size` bytes; where the size is not known, a sign of life.
    pub fn new(size: Option<u64>) -> Self {
        let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = match size {
            Some(_) => "{bar:30} {percent:>3}%  {msg}  {eta} left",
            None => "{spinner}  {msg}  {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar, began: Instant::now() }
    }

    /// Shows how far it is by now.
    pub fn advance(&self, tally: &Tally) {
        let rate = tally.rows as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        self.bar.set_position(tally.bytes);
        self.bar.set_message(format!("{} rows, {rate:.0} a second", tally.rows));
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
