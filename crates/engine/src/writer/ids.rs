//! New ids: UUIDv7 that ascend strictly, across restarts too.

use uuid::Uuid;
use weir_core::id::next_uuid;
use weir_core::time::Timestamp;

use crate::error::{Error, Result};

/// Random bytes drawn from the system in one go.
const POOL: usize = 4_000;
/// Random bytes in a UUIDv7.
const ENTROPY: usize = 10;

/// Where new ids come from.
pub(crate) struct Ids {
    last: Uuid,
    pool: Vec<u8>,
}

impl Ids {
    /// Goes on after the highest id there is.
    pub(crate) fn after(last: Uuid) -> Self {
        Ids { last, pool: Vec::new() }
    }

    /// The next id.
    pub(crate) fn next(&mut self, now: Timestamp) -> Result<Uuid> {
        if self.pool.len() < ENTROPY {
            self.pool.resize(POOL, 0);
            getrandom::fill(&mut self.pool).map_err(|error| Error::Storage(format!("no randomness: {error}")))?;
        }
        let mut entropy = [0; ENTROPY];
        let from = self.pool.len() - ENTROPY;
        entropy.copy_from_slice(&self.pool[from..]);
        self.pool.truncate(from);
        self.last = next_uuid(self.last, now, entropy);
        Ok(self.last)
    }
}
