//! One look at a body before anything reads it: how deep it nests, and whether a key stands twice in one object. Readers of
//! JSON take the last of two equal keys in silence, and a list of its fields for an object; here both are refused.
//!
//! Whether the text is JSON at all is left to the reader that follows: on anything else this only has to end.

use std::borrow::Cow;

use weir_core::error::Code;

use super::fields::Fields;
use crate::error::{ApiError, Details};

/// Deepest nesting of a request. An event's properties are bounded more tightly, and an event stands three levels deep.
const MAX_DEPTH: usize = 64;

/// Checks depth, keys and where lists stand.
pub fn check(json: &str, fields: &Fields) -> Result<(), ApiError> {
    let mut scan = Scan { fields, keys: Vec::new(), frames: Vec::new() };
    scan.run(json)
}

struct Scan<'a> {
    fields: &'a Fields,
    /// The keys of all objects that are open, outermost first.
    keys: Vec<Cow<'a, str>>,
    frames: Vec<Frame>,
}

enum Frame {
    /// An object: where its keys begin, and whether a key is what comes next.
    Object { first_key: usize, key_next: bool },
    /// A list, and which element is being read.
    List { index: usize },
}

impl<'a> Scan<'a> {
    fn run(&mut self, json: &'a str) -> Result<(), ApiError> {
        let bytes = json.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    let end = end_of_string(bytes, at + 1);
                    if let Some(Frame::Object { key_next: key_next @ true, .. }) = self.frames.last_mut() {
                        *key_next = false;
                        self.keys.push(unescaped(&json[at + 1..end]));
                    }
                    at = end;
                }
                b'{' => self.open(Frame::Object { first_key: self.keys.len(), key_next: true })?,
                b'[' => {
                    self.check_list()?;
                    self.open(Frame::List { index: 0 })?;
                }
                b',' => match self.frames.last_mut() {
                    Some(Frame::Object { key_next, .. }) => *key_next = true,
                    Some(Frame::List { index }) => *index += 1,
                    None => {}
                },
                b'}' | b']' => self.close()?,
                _ => {}
            }
            at += 1;
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame) -> Result<(), ApiError> {
        if self.frames.len() == MAX_DEPTH {
            let top = self.frames.first().and_then(|_| self.open_key(0)).map(|key| key.to_string());
            return Err(ApiError {
                code: Code::InvalidRequest,
                message: format!("the request must not be nested deeper than {MAX_DEPTH}"),
                details: Details { field: top, ..Details::default() },
            });
        }
        self.frames.push(frame);
        Ok(())
    }

    /// A list belongs into a field of lists, or anywhere within a free one.
    fn check_list(&self) -> Result<(), ApiError> {
        let fits = match self.frames.last() {
            Some(Frame::Object { .. }) => self.keys.last().is_some_and(|key| self.fields.is_list(key)),
            _ => false,
        };
        if fits || self.open_keys().any(|key| self.fields.is_free(key) || !self.fields.is_known(key)) {
            // What there is no field for is refused as such by the reader that follows.
            return Ok(());
        }
        Err(ApiError::invalid(self.path(), "must not be a list"))
    }

    fn close(&mut self) -> Result<(), ApiError> {
        let Some(Frame::Object { first_key, .. }) = self.frames.pop() else { return Ok(()) };
        let keys = &mut self.keys[first_key..];
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            let twice = pair[0].to_string();
            self.keys.truncate(first_key);
            let mut path = self.path();
            push(&mut path, &twice);
            return Err(ApiError::invalid(path, "is given twice"));
        }
        self.keys.truncate(first_key);
        Ok(())
    }

    /// The key that each open object is at: the last one before the next object's keys begin.
    fn open_keys(&self) -> impl Iterator<Item = &Cow<'a, str>> {
        (0..self.frames.len()).filter_map(|depth| self.open_key(depth))
    }

    fn open_key(&self, depth: usize) -> Option<&Cow<'a, str>> {
        let first_key = |frame: &Frame| match frame {
            Frame::Object { first_key, .. } => Some(*first_key),
            Frame::List { .. } => None,
        };
        let start = first_key(&self.frames[depth])?;
        let end = self.frames[depth + 1..].iter().find_map(first_key).unwrap_or(self.keys.len());
        self.keys[start..end].last()
    }

    /// The path of what is being read.
    fn path(&self) -> String {
        let mut path = String::new();
        for (depth, frame) in self.frames.iter().enumerate() {
            match frame {
                Frame::Object { .. } => {
                    if let Some(key) = self.open_key(depth) {
                        push(&mut path, key);
                    }
                }
                Frame::List { index } => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

fn push(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// Where the closing quote stands, or where the text ends.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn unescaped(key: &str) -> Cow<'_, str> {
    if !key.contains('\\') {
        return Cow::Borrowed(key);
    }
    // What is no string is refused by the reader that follows; until then it stands for itself.
    serde_json::from_str(&format!("\"{key}\"")).map_or(Cow::Borrowed(key), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(json: &str) -> Result<(), ApiError> {
        let array = serde_json::json!({ "type": "array" });
        let schema = serde_json::json!({ "properties": {
            "events": array, "k": array, "b": array,
            "a": { "type": "object", "additionalProperties": true }, "c": { "type": "string" },
        }});
        super::check(json, &Fields::of(&schema, &serde_json::Map::new()))
    }

    fn field(json: &str) -> Option<String> {
        check(json).expect_err("refused").details.field
    }

    #[test]
    fn a_key_given_twice_is_named_by_its_path() {
        assert_eq!(field(r#"{"a":1,"b":2,"a":3}"#).unwrap(), "a");
        assert_eq!(field(r#"{"x":{"q":1},"values":{"t":1,"t":2}}"#).unwrap(), "values.t");
        assert_eq!(field(r#"{"events":[{"a":1},{"v":{"k":[1,{"z":0,"z":0}]}}]}"#).unwrap(), "events[1].v.k[1].z");
        assert_eq!(field(r#"{"a":1,"\u0061":2}"#).unwrap(), "a");
        assert_eq!(field(r#"{"a\"":1,"a\"":2}"#).unwrap(), "a\"");
    }

    #[test]
    fn equal_words_elsewhere_are_fine() {
        for json in
            [r#"{"a":{"a":{"a":"a"}},"b":["a","a"],"c":"a"}"#, r#"{"b":[{"a":1},{"a":1}]}"#, r#"{"a":"x\",\"a\":\"y"}"#]
        {
            assert!(check(json).is_ok(), "{json}");
        }
    }

    #[test]
    fn a_list_in_the_place_of_an_object_is_refused() {
        assert_eq!(field(r#"{"c":[]}"#).unwrap(), "c");
        assert!(check(r#"{"nobody knows":[]}"#).is_ok(), "an unknown field is refused as such, by the reader");
        assert_eq!(field(r#"{"events":[{"x":1},["acme"]]}"#).unwrap(), "events[1]");
        assert!(check(r#"{"events":[{"a":{"x":[[1],[2]]}}]}"#).is_ok(), "anything goes within a free field");
    }

    #[test]
    fn depth_is_bounded_whatever_the_brackets() {
        let nested =
            |open: &str, close: &str, depth| format!("{{\"a\":{}{}}}", open.repeat(depth), close.repeat(depth));
        assert!(check(&nested("[", "]", MAX_DEPTH - 1)).is_ok());
        assert_eq!(field(&nested("[", "]", MAX_DEPTH)).unwrap(), "a");
        let later = format!("{{\"b\":1,\"a\":{}}}", "[".repeat(MAX_DEPTH));
        assert_eq!(field(&later).unwrap(), "a");
        assert!(check(&"[".repeat(1_000_000)).is_err());
        assert!(check(&"{\"a\":".repeat(1_000_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[\\[\\]{}\",:\\\\a-c0-9 é]{0,60}") {
            let _ = check(&text);
        }
    }
}
