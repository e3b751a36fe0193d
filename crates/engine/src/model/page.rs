//! Lists: newest first unless asked otherwise, walked by an opaque cursor that names the last row seen.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use weir_core::error::Fault;

/// One page of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The rows. A page may hold fewer than asked for although more follow.
    pub data: Vec<T>,
    /// Send this as `cursor` for the next page.
    pub next_cursor: Option<Cursor>,
    /// Whether more rows follow.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page with a cursor when more follow.
    pub fn new(data: Vec<T>, next: Option<Cursor>) -> Self {
        Page { data, has_more: next.is_some(), next_cursor: next }
    }

    /// Cuts rows fetched with one to spare down to `size`, and names the last one kept.
    pub fn cut(mut rows: Vec<T>, size: PageSize, cursor: impl FnOnce(&T) -> Cursor) -> Self {
        let more = rows.len() > size.rows();
        rows.truncate(size.rows());
        let next = if more { rows.last().map(cursor) } else { None };
        Page::new(rows, next)
    }
}

/// Rows on a page: 1 to 100, 50 when not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PageSize(u8);

impl PageSize {
    /// Largest page.
    pub const MAX: PageSize = PageSize(100);

    /// As a number of rows.
    pub fn rows(self) -> usize {
        self.0.into()
    }

    /// One row more than the page holds, to see whether more follow.
    pub fn probe(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl Default for PageSize {
    fn default() -> Self {
        PageSize(50)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            rows @ 1..=100 => Ok(PageSize(rows as u8)),
            _ => Err(de::Error::custom("must be a whole number from 1 to 100")),
        }
    }
}

impl JsonSchema for PageSize {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PageSize".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 })
    }
}

/// Where a page ended: opaque to callers, the sort keys of the last row to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Cursor(#[schemars(length(max = 4_096))] String);

impl Cursor {
    /// Names a row by its sort keys.
    pub fn of(keys: &[&str]) -> Self {
        let text = serde_json::to_string(keys).unwrap_or_default();
        Cursor(text.bytes().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The sort keys, if this is a cursor of a list with as many.
    pub fn keys<const N: usize>(&self) -> Option<[String; N]> {
        self.all_keys()?.try_into().ok()
    }

    fn all_keys(&self) -> Option<Vec<String>> {
        if self.0.len() > 4096 || !self.0.is_ascii() {
            return None;
        }
        let bytes: Option<Vec<u8>> = self
            .0
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        serde_json::from_slice(&bytes?).ok()
    }

    /// Names a row by the order that its list is in, and by its sort keys there.
    pub(crate) fn in_order(order: &str, keys: &[&str]) -> Self {
        Cursor::of(&[&[order], keys].concat())
    }

    /// The sort keys of a row that was named in this order: another order goes on elsewhere.
    pub(crate) fn keys_in<const N: usize>(&self, order: &str) -> Result<[String; N], Fault> {
        let keys = self.all_keys().unwrap_or_default();
        match keys.split_first() {
            Some((first, keys)) if first == order => keys.to_vec().try_into().map_err(|_| Cursor::foreign()),
            _ => Err(Cursor::foreign()),
        }
    }

    /// The number of the last row seen, in lists that are always by falling number: the page goes on below it.
    pub(crate) fn below(cursor: Option<&Cursor>) -> Result<i64, Fault> {
        let Some(cursor) = cursor else { return Ok(i64::MAX) };
        let number = cursor.keys().and_then(|[number]| number.parse().ok());
        number.ok_or_else(Cursor::foreign)
    }

    /// It does not belong to the list that it was sent to.
    pub(crate) fn foreign() -> Fault {
        Fault::invalid("cursor", "is not a cursor of this list")
    }
}

/// How a log is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogSort {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

impl LogSort {
    fn name(self) -> &'static str {
        match self {
            LogSort::Newest => "newest",
            LogSort::Oldest => "oldest",
        }
    }

    /// As SQL says it: how a row's number compares to that of a row before it, and the direction.
    pub(crate) fn sql(self) -> (&'static str, &'static str) {
        match self {
            LogSort::Newest => ("<", "DESC"),
            LogSort::Oldest => (">", "ASC"),
        }
    }

    /// Names a row by its number.
    pub(crate) fn cursor(self, number: i64) -> Cursor {
        Cursor::in_order(self.name(), &[&number.to_string()])
    }

    /// The number of the last row seen in this order: the page goes on past it.
    pub(crate) fn last(self, cursor: Option<&Cursor>) -> Result<i64, Fault> {
        match (cursor, self) {
            (Some(cursor), _) => {
                let [number] = cursor.keys_in(self.name())?;
                number.parse().map_err(|_| Cursor::foreign())
            }
            (None, LogSort::Newest) => Ok(i64::MAX),
            (None, LogSort::Oldest) => Ok(i64::MIN),
        }
    }
}

/// How a list of things with a name is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NamedSort {
    /// Newest first.
    #[default]
    Newest,
    /// By name, in any case, ascending.
    Name,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_back_its_keys_and_nothing_else() {
        let cursor = Cursor::of(&["é \"", "12"]);
        assert_eq!(cursor.keys::<2>(), Some(["é \"".to_owned(), "12".to_owned()]));
        assert_eq!(cursor.keys::<1>(), None);
        for text in ["", "zz", "5b", "é", "5", &"00".repeat(5000)] {
            assert_eq!(Cursor(text.to_owned()).keys::<1>(), None, "{text}");
        }
    }

    #[test]
    fn a_cursor_goes_on_in_its_own_order_alone() {
        for sort in [LogSort::Newest, LogSort::Oldest] {
            assert_eq!(sort.last(Some(&sort.cursor(7))).unwrap(), 7);
        }
        for foreign in [LogSort::Oldest.cursor(7), Cursor::of(&["7"]), Cursor::of(&["newest", "x"]), Cursor::of(&[])] {
            let fault = LogSort::Newest.last(Some(&foreign)).unwrap_err();
            assert_eq!(fault.field.as_deref(), Some("cursor"));
        }
        let named = Cursor::in_order("name", &["a", "1"]);
        assert_eq!(named.keys_in::<2>("name").unwrap(), ["a", "1"]);
        assert!(named.keys_in::<1>("name").is_err() && named.keys_in::<2>("newest").is_err());
    }
}
