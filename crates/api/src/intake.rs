//! Rows of a file on their way into an engine, in batches: read on a thread of its own while the last batch is recorded.
//!
//! Every row carries a key, so whatever breaks off half-way is run again and adds only what is missing.

use std::future::Future;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use weir_core::event::EventInput;
use weir_engine::model::BatchRecorded;
use weir_engine::{Actor, Engine};
use weir_import::Rows;

use crate::ops::events::MAX_BATCH;

/// Batches that are read ahead.
const AHEAD: usize = 3;
/// How often a batch is tried again when the engine is busy or its answer was lost, before giving up.
const MAX_TRIES: u32 = 60;

/// Where events go.
pub trait Sink: Sync {
    /// Records up to 1,000 events, all or none.
    fn record(&self, events: Vec<EventInput>) -> impl Future<Output = Result<BatchRecorded, SinkError>> + Send;
}

/// Why a batch was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkError {
    /// These events break a rule: index, code and reason of each.
    Refused(Vec<(usize, String, String)>),
    /// The batch breaks a rule, and it is not known which of its events does.
    Rejected {
        /// The rule.
        code: String,
        /// The reason.
        message: String,
    },
    /// Not now. Or it is not known whether it was recorded, and trying again is safe.
    Again(Duration),
    /// Not at all.
    Failed(String),
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows read.
    pub rows: u64,
    /// Events newly recorded.
    pub recorded: u64,
    /// Events that had been recorded before.
    pub duplicates: u64,
    /// Rows refused.
    pub refused: u64,
    /// Bytes of the file behind us.
    pub bytes: u64,
}

/// A row that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line of the file on which the row begins.
    pub line: u64,
    /// The rule.
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
}

/// Why an import ended before its file did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// It was told to stop.
    #[error("the import was cancelled")]
    Cancelled,
    /// The file could not be read to its end.
    #[error("the file could not be read to its end: {0}")]
    Unreadable(String),
    /// The events could not be recorded.
    #[error("{0}")]
    Failed(String),
}

/// What the reading thread hands over.
struct Piece {
    lines: Vec<u64>,
    events: Vec<EventInput>,
    refused: Vec<RefusedRow>,
    bytes: u64,
}

/// Records a file's rows. `observe` hears of every batch: how far it is by now, and which rows were refused in it.
pub async fn run<R: Read + Send + 'static>(
    rows: Rows<R>,
    sink: &impl Sink,
    stop: &AtomicBool,
    mut observe: impl FnMut(&Tally, Vec<RefusedRow>),
) -> Result<Tally, Ended> {
    let (pieces, mut next) = mpsc::channel(AHEAD);
    let reader = tokio::task::spawn_blocking(move || read(rows, &pieces));
    let mut tally = Tally::default();
    while let Some(piece) = next.recv().await {
        if stop.load(Ordering::Relaxed) {
            return Err(Ended::Cancelled);
        }
        tally.bytes = piece.bytes;
        tally.rows += piece.events.len() as u64 + piece.refused.len() as u64;
        let mut refused = piece.refused;
        let recorded = record(piece.lines, piece.events, sink, stop, &mut refused).await;
        if let Ok(recorded) = &recorded {
            tally.recorded += recorded.count;
            tally.duplicates += recorded.duplicates;
            tally.refused += refused.len() as u64;
        }
        observe(&tally, refused);
        recorded?;
    }
    match reader.await {
        Ok(Ok(())) => Ok(tally),
        Ok(Err(reason)) => Err(Ended::Unreadable(reason)),
        Err(broken) => Err(Ended::Failed(format!("reading the file broke off: {broken}"))),
    }
}

/// Reads to the end of the file, or until nobody listens any more.
fn read<R: Read>(mut rows: Rows<R>, pieces: &mpsc::Sender<Piece>) -> Result<(), String> {
    loop {
        let mut piece = Piece { lines: Vec::new(), events: Vec::new(), refused: Vec::new(), bytes: 0 };
        let mut over = false;
        while piece.events.len() + piece.refused.len() < MAX_BATCH {
            match rows.next() {
                Some(Ok(row)) => {
                    piece.lines.push(row.line);
                    piece.events.push(row.event);
                }
                Some(Err(error)) => piece.refused.push(RefusedRow {
                    line: error.line,
                    code: error.code.as_str().to_owned(),
                    message: error.message,
                }),
                None => {
                    over = true;
                    break;
                }
            }
        }
        piece.bytes = rows.bytes_read();
        if pieces.blocking_send(piece).is_err() || over {
            return rows.failure().map_or(Ok(()), |error| Err(error.to_string()));
        }
    }
}

/// Records one batch without the rows that break rules.
async fn record(
    lines: Vec<u64>,
    events: Vec<EventInput>,
    sink: &impl Sink,
    stop: &AtomicBool,
    refused: &mut Vec<RefusedRow>,
) -> Result<BatchRecorded, Ended> {
    let mut total = BatchRecorded { count: 0, duplicates: 0, overdrawn: 0 };
    let mut waiting = vec![(lines, events)];
    let mut tries = 0;
    while let Some((mut lines, mut events)) = waiting.pop() {
        if events.is_empty() {
            continue;
        }
        match sink.record(events.clone()).await {
            Ok(recorded) => {
                tries = 0;
                total.count += recorded.count;
                total.duplicates += recorded.duplicates;
                total.overdrawn += recorded.overdrawn;
            }
            Err(SinkError::Refused(faults)) if faults.iter().any(|(index, ..)| *index < events.len()) => {
                let mut wrong = vec![false; events.len()];
                for (index, code, message) in faults {
                    if let Some(wrong) = wrong.get_mut(index).filter(|wrong| !**wrong) {
                        *wrong = true;
                        refused.push(RefusedRow { line: lines[index], code, message: of_row(message, index) });
                    }
                }
                let mut keep = wrong.iter().map(|wrong| !wrong);
                lines.retain(|_| keep.next().unwrap_or(true));
                let mut keep = wrong.iter().map(|wrong| !wrong);
                events.retain(|_| keep.next().unwrap_or(true));
                waiting.push((lines, events));
            }
            Err(SinkError::Rejected { code, message }) if events.len() == 1 => {
                refused.push(RefusedRow { line: lines[0], code, message });
            }
            Err(SinkError::Rejected { .. }) => {
                let half = events.len() / 2;
                let rest = (lines.split_off(half), events.split_off(half));
                waiting.extend([rest, (lines, events)]);
            }
            Err(SinkError::Again(wait)) if tries < MAX_TRIES && !stop.load(Ordering::Relaxed) => {
                tries += 1;
                tokio::time::sleep(wait).await;
                waiting.push((lines, events));
            }
            Err(SinkError::Again(_)) => return Err(Ended::Failed("the engine stayed busy".to_owned())),
            Err(SinkError::Refused(_)) => {
                return Err(Ended::Failed("the engine refused a row without saying which".to_owned()));
            }
            Err(SinkError::Failed(reason)) => return Err(Ended::Failed(reason)),
        }
    }
    refused.sort_by_key(|row| row.line);
    Ok(total)
}

/// A message about an event of a batch, for the one who sees a row of a file.
fn of_row(message: String, index: usize) -> String {
    message.replace(&format!("`events[{index}]."), "`")
}

/// An engine in this process.
pub struct EngineSink<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// For whom.
    pub actor: &'a Actor,
}

impl Sink for EngineSink<'_> {
    async fn record(&self, events: Vec<EventInput>) -> Result<BatchRecorded, SinkError> {
        use weir_engine::Error;
        self.engine.record_batch(self.actor, events).await.map_err(|error| match error {
            Error::Faults(faults) => SinkError::Refused(
                faults
                    .into_iter()
                    .map(|(index, fault)| (index, fault.code.as_str().to_owned(), fault.message))
                    .collect(),
            ),
            Error::Fault(fault) => SinkError::Rejected { code: fault.code.as_str().to_owned(), message: fault.message },
            Error::Busy { retry_after_seconds, .. } | Error::TooManyCalls { retry_after_seconds, .. } => {
                SinkError::Again(Duration::from_secs(retry_after_seconds.into()))
            }
            Error::Unknown(_) => SinkError::Again(Duration::from_secs(1)),
            // Recording is never refused by a limit.
            Error::Closed | Error::Storage(_) | Error::Refused(_) => SinkError::Failed(error.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use weir_import::{Mapping, Source, TimeSource, UsageFile, ValueSource};

    use super::*;

    /// Refuses odd amounts by index, the amount 100 without saying which, and is busy the first time.
    #[derive(Default)]
    struct Picky {
        recorded: Mutex<Vec<String>>,
        calls: Mutex<u32>,
    }

    impl Sink for Picky {
        async fn record(&self, events: Vec<EventInput>) -> Result<BatchRecorded, SinkError> {
            *self.calls.lock().unwrap() += 1;
            if *self.calls.lock().unwrap() == 1 {
                return Err(SinkError::Again(Duration::ZERO));
            }
            let amount = |event: &EventInput| event.values["n"].to_string();
            let odd = |event: &EventInput| amount(event).ends_with(['1', '3', '5', '7', '9']);
            let refused: Vec<_> = (0..events.len())
                .filter(|index| odd(&events[*index]))
                .map(|index| (index, "invalid_field_value".to_owned(), format!("`events[{index}].values.n` is odd")))
                .collect();
            if !refused.is_empty() {
                return Err(SinkError::Refused(refused));
            }
            if events.iter().any(|event| amount(event) == "100") {
                return Err(SinkError::Rejected { code: "conflict".into(), message: "is 100".into() });
            }
            self.recorded.lock().unwrap().extend(events.iter().map(amount));
            Ok(BatchRecorded { count: events.len() as u64, duplicates: 0, overdrawn: 0 })
        }
    }

    fn rows(text: String) -> Rows<std::io::Cursor<String>> {
        let mapping = Mapping {
            customer: Source::Value("acme".into()),
            event_type: Source::Value("t".into()),
            timestamp: TimeSource { column: "at".into() },
            timezone: None,
            values: vec![ValueSource { name: "n".into(), columns: vec!["n".into()] }],
            dimensions: vec![],
            id_column: None,
        };
        UsageFile::open(std::io::Cursor::new(text), None).unwrap().rows(&mapping).unwrap()
    }

    fn numbers(numbers: impl Iterator<Item = u32>) -> String {
        let lines: String = numbers.map(|n| format!("2024-01-01T00:00:00Z,{n}\n")).collect();
        format!("at,n\n{lines}")
    }

    #[tokio::test]
    async fn good_rows_go_in_and_each_other_one_is_told_by_its_line() {
        let sink = Picky::default();
        let mut refused = Vec::new();
        let stop = AtomicBool::new(false);
        let text = numbers(0..2500) + "nonsense,1\n";
        let tally = run(rows(text), &sink, &stop, |_, more| refused.extend(more)).await.unwrap();
        assert_eq!((tally.rows, tally.recorded, tally.refused), (2501, 1249, 1252));
        assert!(!sink.recorded.lock().unwrap().contains(&"100".to_owned()));
        assert_eq!(
            refused[0],
            RefusedRow { line: 3, code: "invalid_field_value".into(), message: "`values.n` is odd".into() }
        );
        let hundred = refused.iter().find(|row| row.code == "conflict").unwrap();
        assert_eq!(hundred.line, 102);
        assert_eq!(refused.last().unwrap().line, 2502);
        assert!(refused.is_sorted_by_key(|row| row.line));
    }

    #[tokio::test]
    async fn it_stops_when_told_to() {
        let stop = AtomicBool::new(false);
        let sink = Picky::default();
        let ended = run(rows(numbers((0..9000).map(|n| n * 2 + 1000))), &sink, &stop, |_, _| {
            stop.store(true, Ordering::Relaxed)
        });
        assert_eq!(ended.await, Err(Ended::Cancelled));
    }

    struct Broken;

    impl Sink for Broken {
        async fn record(&self, _: Vec<EventInput>) -> Result<BatchRecorded, SinkError> {
            Err(SinkError::Failed("the disk is gone".into()))
        }
    }

    #[tokio::test]
    async fn a_failure_ends_it_with_its_reason() {
        let stop = AtomicBool::new(false);
        let ended = run(rows(numbers(0..10)), &Broken, &stop, |_, _| {}).await;
        assert_eq!(ended, Err(Ended::Failed("the disk is gone".into())));
    }
}
