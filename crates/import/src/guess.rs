//! A first mapping of a file nobody has described, from the names of its columns and a few rows.

use std::collections::BTreeSet;

use weir_core::quantity::Quantity;
use weir_core::text::{MAX_KEY, MAX_SHORT};
use weir_core::time::{Timestamp, Zone};

use crate::mapping::{DimensionSource, Mapping, Source, TimeSource, ValueSource};

/// What an event is called when no column says it.
const DEFAULT_TYPE: &str = "usage";
/// More dimensions than this are rather noise that the one who maps should choose from.
const MAX_DIMENSIONS: usize = 8;

const TIMES: &[&str] = &[
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "created_at",
    "occurred_at",
    "event_time",
    "ts",
    "date",
    "created",
    "at",
];
const CUSTOMERS: &[&str] = &[
    "customer_id",
    "customer",
    "external_id",
    "tenant_id",
    "tenant",
    "account_id",
    "account",
    "org_id",
    "organization",
    "user_id",
    "user",
    "client_id",
    "client",
];
const TYPES: &[&str] = &["event_type", "type", "event", "event_name", "action", "operation"];
const IDS: &[&str] = &["idempotency_key", "event_id", "request_id", "id", "uuid", "message_id", "transaction_id"];

impl Mapping {
    /// The likeliest mapping of these columns, given some rows. What cannot be told is left empty; see [`Mapping::problem`].
    pub fn guess(columns: &[String], rows: &[Vec<String>]) -> Mapping {
        let table = Table { columns, rows, keys: columns.iter().map(|column| key_of(column)).collect() };
        let time = table
            .named(TIMES, |index| table.all(index, is_time))
            // A number is not taken for a time by its size alone.
            .or_else(|| (0..columns.len()).find(|index| table.all(*index, is_time) && !table.all(*index, is_number)))
            .or_else(|| table.named(TIMES, |_| rows.is_empty()));
        let mut taken: Vec<usize> = time.into_iter().collect();
        let customer = table.named(CUSTOMERS, |index| !taken.contains(&index) && !table.is_blank(index));
        taken.extend(customer);
        let event_type = table
            .named(TYPES, |index| !taken.contains(&index) && !table.is_blank(index) && !table.all(index, is_number));
        taken.extend(event_type);
        let id = table.named(IDS, |index| !taken.contains(&index) && table.is_distinct(index));
        taken.extend(id);

        let mut values = Vec::new();
        let mut dimensions = Vec::new();
        let mut names = BTreeSet::new();
        for (index, column) in columns.iter().enumerate() {
            let name = &table.keys[index];
            if taken.contains(&index) || name.is_empty() || table.is_blank(index) || !names.insert(name.clone()) {
                continue;
            }
            if table.all(index, is_number) {
                values.push(ValueSource { name: name.clone(), columns: vec![column.clone()] });
            } else if table.is_low_cardinality(index) && dimensions.len() < MAX_DIMENSIONS {
                dimensions.push(DimensionSource::Column { name: name.clone(), column: column.clone() });
            }
        }
        let named = |index: Option<usize>| index.map(|index| columns[index].clone());
        Mapping {
            customer: named(customer).map_or_else(|| Source::Column(String::new()), Source::Column),
            event_type: named(event_type).map_or_else(|| Source::Value(DEFAULT_TYPE.to_owned()), Source::Column),
            timestamp: TimeSource { column: named(time).unwrap_or_default() },
            timezone: None,
            values,
            dimensions,
            id_column: named(id),
        }
    }
}

struct Table<'a> {
    columns: &'a [String],
    rows: &'a [Vec<String>],
    keys: Vec<String>,
}

impl Table<'_> {
    /// The cells of a column that hold something.
    fn cells(&self, index: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| row.get(index)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    }

    fn is_blank(&self, index: usize) -> bool {
        !self.rows.is_empty() && self.cells(index).next().is_none()
    }

    /// Whether a column has cells and each is of a kind.
    fn all(&self, index: usize, kind: impl Fn(&str) -> bool) -> bool {
        !self.is_blank(index) && !self.rows.is_empty() && self.cells(index).all(kind)
    }

    fn is_distinct(&self, index: usize) -> bool {
        let mut seen = BTreeSet::new();
        !self.rows.is_empty()
            && self.rows.iter().all(|row| row.get(index).is_some_and(|cell| !cell.is_empty() && seen.insert(cell)))
    }

    /// Whether a column's texts repeat, as those of a dimension do. A handful of rows says little, so short texts pass there.
    fn is_low_cardinality(&self, index: usize) -> bool {
        let texts: BTreeSet<&str> = self.cells(index).collect();
        let count = self.cells(index).count();
        texts.iter().all(|text| text.len() <= 64 && text.len() <= MAX_SHORT && !is_time(text))
            && !texts.is_empty()
            && (texts.len() * 2 <= count || (count <= 3 && texts.iter().all(|text| text.len() <= 24)))
    }

    /// The first column with one of these names, the names tried in their order.
    fn named(&self, names: &[&str], fits: impl Fn(usize) -> bool) -> Option<usize> {
        names.iter().find_map(|name| (0..self.columns.len()).find(|index| self.keys[*index] == *name && fits(*index)))
    }
}

fn is_number(text: &str) -> bool {
    Quantity::parse(text).is_ok()
}

fn is_time(text: &str) -> bool {
    Timestamp::parse_loose(text, Zone::UTC).is_ok()
}

/// A column's name as an event would write it: `ContextTokens` and `context tokens` are `context_tokens`.
fn key_of(column: &str) -> String {
    let mut key = String::new();
    let mut before = ' ';
    let mut letters = column.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_alphanumeric() {
            let next_is_lower = letters.peek().is_some_and(char::is_ascii_lowercase);
            let begins_word = letter.is_ascii_uppercase()
                && (before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && next_is_lower));
            if begins_word && !key.ends_with(['_', '.']) {
                key.push('_');
            }
            key.push(letter.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with(['_', '.']) {
            key.push(if letter == '.' { '.' } else { '_' });
        }
        before = letter;
    }
    key.truncate(MAX_KEY);
    key.trim_end_matches(['_', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(header: &str, rows: &[&str]) -> Mapping {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        Mapping::guess(&cells(header), &rows.iter().map(|row| cells(row)).collect::<Vec<_>>())
    }

    fn column(name: &str, column: &str) -> ValueSource {
        ValueSource { name: name.to_owned(), columns: vec![column.to_owned()] }
    }

    #[test]
    fn names_become_keys() {
        for (name, key) in [
            ("ContextTokens", "context_tokens"),
            ("TIMESTAMP", "timestamp"),
            ("HTTPStatus code", "http_status_code"),
            (" usage.totalTokens ", "usage.total_tokens"),
            ("gpt4Cost ($)", "gpt4_cost"),
            ("Größe", "gr_e"),
            ("日付", ""),
        ] {
            assert_eq!(key_of(name), key, "{name}");
        }
    }

    #[test]
    fn the_sample_data_is_understood_but_for_its_customer() {
        let mapping = guess(
            "TIMESTAMP,ContextTokens,GeneratedTokens",
            &["2023-11-16 18:15:46.6805900,374,44", "2023-11-16 18:15:50.9951690,396,109"],
        );
        assert_eq!(mapping.timestamp.column, "TIMESTAMP");
        assert_eq!(
            mapping.values,
            [column("context_tokens", "ContextTokens"), column("generated_tokens", "GeneratedTokens")]
        );
        assert_eq!((mapping.event_type.clone(), mapping.id_column.clone()), (Source::Value("usage".into()), None));
        let columns = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"].map(str::to_owned);
        assert_eq!(
            mapping.problem(&columns).unwrap(),
            "Choose the column that holds the customer, or give one customer for all rows."
        );
    }

    #[test]
    fn every_part_is_found() {
        let rows = [
            "r1,1700000000,acme,chat,12,gpt-4,a b c",
            "r2,1700000001,beta,chat,,gpt-4,d e f",
            "r3,1700000002,acme,chat,3.5,gpt-4,g",
            "r4,1700000003,acme,embed,1,o1,h",
        ];
        let mapping = guess("request_id,ts,tenant,type,Tokens,model,prompt", &rows);
        assert_eq!(mapping.customer, Source::Column("tenant".into()));
        assert_eq!(mapping.event_type, Source::Column("type".into()));
        assert_eq!(mapping.timestamp.column, "ts");
        assert_eq!(mapping.id_column.as_deref(), Some("request_id"));
        assert_eq!(mapping.values, [column("tokens", "Tokens")]);
        assert_eq!(mapping.dimensions, [DimensionSource::Column { name: "model".into(), column: "model".into() }]);
    }

    #[test]
    fn an_unnamed_time_is_found_and_a_table_without_rows_does_no_harm() {
        assert_eq!(guess("when,n", &["2024-01-01,5"]).timestamp.column, "when");
        assert_eq!(
            guess("n,m", &["1700000000,5"]).timestamp.column,
            "",
            "a number is not taken for a time by its size alone"
        );
        assert_eq!(guess("time,n", &[]).timestamp.column, "time");
        assert_eq!(guess("", &[]).timestamp.column, "");
    }
}
