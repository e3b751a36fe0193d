//! Rows of a CSV file, one at a time and bounded, however broken the file is.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::RowError;
use crate::input::Input;
use crate::{MAX_ROW, ROW_TOO_LONG};

/// What may stand between two fields, the likeliest first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
/// How many rows are looked at to tell the delimiter.
const SNIFFED_ROWS: usize = 20;

/// Reads rows into one buffer that is used again for each.
pub(crate) struct Delimited {
    core: Reader,
    /// The row as it stands in the file, so that reading can go on elsewhere when it turns out not to be one.
    raw: Vec<u8>,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// Line ends passed before the row at hand.
    lines: u64,
    /// Bytes from here on that were once read as part of a row that was too long.
    read_twice: usize,
}

/// What [`Delimited::advance`] came to.
pub(crate) enum Step {
    Row,
    Refused(RowError),
    End,
}

impl Delimited {
    pub(crate) fn new(delimiter: u8) -> Self {
        Delimited {
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            raw: Vec::new(),
            text: vec![0; 4 << 10],
            ends: vec![0; 64],
            fields: 0,
            lines: 0,
            read_twice: 0,
        }
    }

    /// Reads the next row. Blank lines are none.
    pub(crate) fn advance<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<Step> {
        self.lines += count_lines(&self.raw);
        self.raw.clear();
        let (mut written, mut ended) = (0, 0);
        loop {
            let chunk = input.fill()?;
            // One byte more than a row may have, so that it shows, wherever the file is cut into chunks.
            let chunk = &chunk[..chunk.len().min(MAX_ROW + 1 - self.raw.len())];
            let (result, taken, wrote, new_ends) =
                self.core.read_record(chunk, &mut self.text[written..], &mut self.ends[ended..]);
            self.raw.extend_from_slice(&chunk[..taken]);
            input.consume(taken);
            written += wrote;
            ended += new_ends;
            match result {
                ReadRecordResult::Record => {
                    self.fields = ended;
                    self.read_twice = self.read_twice.saturating_sub(self.raw.len());
                    return Ok(Step::Row);
                }
                ReadRecordResult::End => return Ok(Step::End),
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 4, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 4, 0),
                ReadRecordResult::InputEmpty if self.raw.len() <= MAX_ROW => {}
                ReadRecordResult::InputEmpty if self.raw.iter().all(|byte| is_line_end(*byte)) => {
                    self.lines += count_lines(&self.raw);
                    self.raw.clear();
                }
                ReadRecordResult::InputEmpty => return self.give_up(input),
            }
        }
    }

    /// Refuses the row at hand as too long and finds where to go on.
    ///
    /// Mostly a quote was opened and never closed, and each following line is a good row: so reading goes on at the second line.
    /// Were that repeated for each of them a crafted file could keep us for ever, so nothing is read a third time.
    fn give_up<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<Step> {
        let line = self.line();
        let start = self.raw.iter().position(|byte| !is_line_end(*byte)).unwrap_or(0);
        let second = self.raw[start..].iter().position(|byte| *byte == b'\n').map(|end| start + end + 1);
        match second {
            Some(second) if self.read_twice == 0 => {
                self.read_twice = self.raw.len() - second;
                input.put_back(&self.raw[second..]);
                self.raw.truncate(second);
            }
            _ => {
                self.read_twice = self.read_twice.saturating_sub(self.raw.len());
                if input.skip_line()? {
                    self.raw.push(b'\n');
                }
            }
        }
        self.core.reset();
        Ok(Step::Refused(RowError::unreadable(line, format!("{ROW_TOO_LONG}; a quote may not be closed"))))
    }

    /// The line on which the row at hand begins.
    pub(crate) fn line(&self) -> u64 {
        let blank = self.raw.iter().take_while(|byte| is_line_end(**byte)).filter(|byte| **byte == b'\n').count();
        self.lines + blank as u64 + 1
    }

    pub(crate) fn len(&self) -> usize {
        self.fields
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends[..self.fields].iter().map(move |end| &self.text[std::mem::replace(&mut start, *end)..*end])
    }

    pub(crate) fn field(&self, index: usize) -> Option<&[u8]> {
        let start = if index == 0 { 0 } else { *self.ends[..self.fields].get(index - 1)? };
        Some(&self.text[start..*self.ends[..self.fields].get(index)?])
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The delimiter under which the beginning of a file is most like a table: as many fields in each row, and many of them.
pub(crate) fn sniff_delimiter(ahead: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let widths = widths(ahead, delimiter);
        let even = widths.windows(2).filter(|pair| pair[0] == pair[1]).count() + 1 == widths.len();
        let first = widths.first().copied().unwrap_or(0);
        (first > 1 && even, first)
    };
    let mut best = DELIMITERS[0];
    for delimiter in DELIMITERS {
        if score(delimiter) > score(best) {
            best = delimiter;
        }
    }
    best
}

/// How many fields each of the first rows has. The last row may be cut, so it does not count unless it is the only one.
fn widths(ahead: &[u8], delimiter: u8) -> Vec<usize> {
    let mut core = ReaderBuilder::new().delimiter(delimiter).build();
    let (mut text, mut ends) = ([0; 1 << 10], [0; 64]);
    let (mut rest, mut widths, mut width) = (ahead, Vec::new(), 0);
    while widths.len() < SNIFFED_ROWS {
        let (result, taken, _, new_ends) = core.read_record(rest, &mut text, &mut ends);
        rest = &rest[taken..];
        width += new_ends;
        match result {
            ReadRecordResult::Record => widths.push(std::mem::take(&mut width)),
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
            // A single line without an end: reading on from nothing tells the reader that this is all.
            ReadRecordResult::InputEmpty if widths.is_empty() => {}
            ReadRecordResult::InputEmpty | ReadRecordResult::End => break,
        }
    }
    widths
}
