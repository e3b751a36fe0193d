//! The bytes of a file, whatever it is wrapped in: gzip undone, a byte order mark dropped, a look ahead for sniffing.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

/// How much is looked at before the first row is read.
const LOOK_AHEAD: u64 = 1 << 20;
const BUFFER: usize = 128 << 10;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Counts what was taken from the file as it lies on disk, for a progress bar.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The file with its first bytes, which were looked at, put back.
type Raw<R> = Chain<Cursor<Vec<u8>>, Counted<R>>;

enum Packing<R: Read> {
    Plain(Raw<R>),
    Gzip(MultiGzDecoder<Raw<R>>),
}

impl<R: Read> Read for Packing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Packing::Plain(raw) => raw.read(into),
            Packing::Gzip(decoder) => decoder.read(into),
        }
    }
}

/// Unpacked bytes. What was looked at, or read too far, is put back in front.
pub(crate) struct Input<R: Read> {
    front: Vec<u8>,
    at: usize,
    rest: BufReader<Packing<R>>,
    taken: Arc<AtomicU64>,
    gzip: bool,
}

impl<R: Read> Input<R> {
    /// Unwraps `inner`, and looks far enough ahead to tell what is in it.
    pub(crate) fn open(inner: R) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut counted = Counted { inner, taken: Arc::clone(&taken) };
        // A pipe may hand over its first byte alone, so read until both are there.
        let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
        (&mut counted).take(GZIP_MAGIC.len() as u64).read_to_end(&mut magic)?;
        let gzip = magic == GZIP_MAGIC;
        let raw = Cursor::new(magic).chain(counted);
        let mut packing = if gzip { Packing::Gzip(MultiGzDecoder::new(raw)) } else { Packing::Plain(raw) };
        let mut front = Vec::new();
        (&mut packing).take(LOOK_AHEAD).read_to_end(&mut front)?;
        let at = if front.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Ok(Input { front, at, rest: BufReader::with_capacity(BUFFER, packing), taken, gzip })
    }

    /// What was looked at ahead: the whole file when it is short.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.front[self.at..]
    }

    /// What was looked at ahead, without a last line that may be cut.
    pub(crate) fn ahead_lines(&self) -> &[u8] {
        let ahead = self.ahead();
        if (self.front.len() as u64) < LOOK_AHEAD {
            return ahead;
        }
        let end = ahead.iter().rposition(|byte| *byte == b'\n').map_or(ahead.len(), |end| end + 1);
        &ahead[..end]
    }

    pub(crate) fn gzip(&self) -> bool {
        self.gzip
    }

    /// Bytes taken so far from the file as it lies on disk.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Puts bytes back, to be read again before all others.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        let mut front = bytes.to_vec();
        front.extend_from_slice(self.ahead());
        self.front = front;
        self.at = 0;
    }

    /// Reads past the next line end. Returns whether there was one.
    pub(crate) fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Ok(false);
            }
            match chunk.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    self.consume(end + 1);
                    return Ok(true);
                }
                None => {
                    let all = chunk.len();
                    self.consume(all);
                }
            }
        }
    }

    /// The bytes at hand, at least one unless the file is at its end.
    pub(crate) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.at < self.front.len() {
            return Ok(&self.front[self.at..]);
        }
        if !self.front.is_empty() {
            self.front = Vec::new();
            self.at = 0;
        }
        self.rest.fill_buf()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        if self.at < self.front.len() {
            self.at += count;
        } else {
            self.rest.consume(count);
        }
    }
}

impl Input<io::Empty> {
    /// Bytes that are already unpacked and few.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let taken = Arc::default();
        let raw = Cursor::new(Vec::new()).chain(Counted { inner: io::empty(), taken: Arc::clone(&taken) });
        Input {
            front: bytes.to_vec(),
            at: 0,
            rest: BufReader::with_capacity(0, Packing::Plain(raw)),
            taken,
            gzip: false,
        }
    }
}
