//! The doctor: recomputes from the facts all that follows from them, and reports where the data file says otherwise. It only
//! reads, and works beside a running owner.

mod facts;
mod ledger;
mod recount;
mod standings;

use std::fmt;
use std::path::Path;

use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::error::{Error, OpenError, Result};
use crate::query::Applied;
use crate::store::{APPLICATION_ID, DATA_FILE, SCHEMA, reader_options};

/// Most differences that are reported one by one.
const MAX_DIFFERENCES: usize = 1_000;

/// What the doctor looked at, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was checked, and how many of each.
    pub checked: Vec<(String, u64)>,
    /// Each way in which the file is not as the facts say; empty when all is well. At most 1,000, and a line that says so.
    pub differences: Vec<String>,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}

/// The report as it grows.
#[derive(Default)]
struct Findings {
    report: Report,
    left_out: u64,
}

impl Findings {
    fn checked(&mut self, what: &str, count: u64) {
        self.report.checked.push((what.to_owned(), count));
    }

    fn differs(&mut self, line: impl fmt::Display) {
        if self.report.differences.len() < MAX_DIFFERENCES {
            self.report.differences.push(line.to_string());
        } else {
            self.left_out += 1;
        }
    }

    fn finish(mut self) -> Report {
        if self.left_out > 0 {
            self.report.differences.push(format!("{} more differences are not listed", self.left_out));
        }
        self.report
    }
}

/// Examines a data folder's file, in one view of it.
pub async fn examine(data_dir: &Path) -> Result<Report, OpenError> {
    let path = data_dir.join(DATA_FILE);
    let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
    std::fs::metadata(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
    let mut conn = reader_options(data_dir).connect().await.map_err(|source| OpenError::of_sqlite(&path, source))?;
    let ours: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut conn)
        .await
        .map_err(|source| OpenError::of_sqlite(&path, source))?;
    if ours != APPLICATION_ID {
        return Err(OpenError::Foreign { path });
    }
    let mut view = conn.begin().await.map_err(sqlite)?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *view).await.map_err(sqlite)?;
    if found > SCHEMA {
        return Err(OpenError::Newer { path, found, known: SCHEMA });
    }
    let mut findings = Findings::default();
    if found < SCHEMA {
        findings.differs(format_args!(
            "the schema is {found} and this Weir's is {SCHEMA}: open the file once to bring it up to date"
        ));
        return Ok(findings.finish());
    }
    match look(&mut view, &mut findings).await {
        Ok(()) => {}
        // Damage that stops the examination is itself what was looked for.
        Err(Error::Storage(detail)) => findings.differs(format_args!("the examination could not go on: {detail}")),
        Err(source) => return Err(OpenError::Load { path, source: Box::new(source) }),
    }
    view.rollback().await.map_err(sqlite)?;
    conn.close().await.map_err(sqlite)?;
    Ok(findings.finish())
}

async fn look(view: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
    let applied = Applied::load(view).await?;
    facts::check_file(view, findings).await?;
    facts::check_events(view, &applied, findings).await?;
    facts::check_voids(view, findings).await?;
    facts::check_references(view, findings).await?;
    recount::check(view, &applied, findings).await?;
    standings::check(view, &applied, findings).await?;
    ledger::check(view, findings).await
}

/// A customer as a person knows it.
async fn who(view: &mut SqliteConnection, customer: i64) -> Result<String> {
    if customer == crate::rollup::ALL_CUSTOMERS {
        return Ok("all customers".to_owned());
    }
    let known: Option<String> = sqlx::query_scalar("SELECT external_id FROM customer WHERE id = ?1")
        .bind(customer)
        .fetch_optional(view)
        .await?;
    Ok(known.map_or_else(
        || format!("customer number {customer}, which does not exist"),
        |external| format!("customer `{external}`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_report_is_cut_and_says_so() {
        let mut findings = Findings::default();
        (0..MAX_DIFFERENCES + 5).for_each(|number| findings.differs(number));
        let report = findings.finish();
        assert_eq!(report.differences.len(), MAX_DIFFERENCES + 1);
        assert_eq!(report.differences.last().map(String::as_str), Some("5 more differences are not listed"));
    }
}
