//! Rows of a JSON Lines file: each line an object, its members columns, members of members dotted paths.

use std::fmt;
use std::io::{self, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::delimited::Step;
use crate::error::RowError;
use crate::input::Input;
use crate::{MAX_ROW, ROW_TOO_LONG};

/// Deepest nesting that is looked into.
const MAX_DEPTH: usize = 16;

/// A member of a line's object that is no object itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    Text(String),
    /// With the digits it was written with.
    Number(String),
    Flag(bool),
    Null,
    List,
}

/// Reads lines into one buffer that is used again for each.
#[derive(Default)]
pub(crate) struct JsonLines {
    raw: Vec<u8>,
    members: Vec<(String, Leaf)>,
    line: u64,
}

impl JsonLines {
    /// Reads the next line that is not blank.
    pub(crate) fn advance<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<Step> {
        loop {
            if !self.read_line(input)? {
                return Ok(Step::End);
            }
            if self.raw.len() > MAX_ROW {
                input.skip_line()?;
                return Ok(Step::Refused(RowError::unreadable(self.line, ROW_TOO_LONG)));
            }
            if !self.content().is_empty() {
                break;
            }
        }
        let refused = |reason| Ok(Step::Refused(RowError::unreadable(self.line, reason)));
        let Ok(text) = str::from_utf8(self.raw.trim_ascii()) else {
            return refused("the row is not UTF-8 text".to_owned());
        };
        match flatten(text) {
            Ok(members) => {
                self.members = members;
                Ok(Step::Row)
            }
            Err(reason) => refused(reason),
        }
    }

    /// Takes in one line, or of a long one a little more than a row may have. False at the end.
    fn read_line<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<bool> {
        self.raw.clear();
        self.line += 1;
        loop {
            let chunk = input.fill()?;
            if chunk.is_empty() {
                return Ok(!self.raw.is_empty());
            }
            let chunk = &chunk[..chunk.len().min(MAX_ROW + 1 - self.raw.len())];
            let end = chunk.iter().position(|byte| *byte == b'\n');
            self.raw.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            let taken = end.map_or(chunk.len(), |end| end + 1);
            input.consume(taken);
            if end.is_some() || self.raw.len() > MAX_ROW {
                return Ok(true);
            }
        }
    }

    /// The line's content, whatever surrounds it.
    pub(crate) fn content(&self) -> &[u8] {
        self.raw.trim_ascii()
    }

    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn members(&self) -> &[(String, Leaf)] {
        &self.members
    }

    pub(crate) fn member(&self, path: &str) -> Option<&Leaf> {
        self.members.iter().find(|(name, _)| name == path).map(|(_, leaf)| leaf)
    }
}

/// All members of an object that are no objects themselves, by path.
fn flatten(text: &str) -> Result<Vec<(String, Leaf)>, String> {
    let mut leaves = Vec::new();
    let mut path = String::new();
    push_members(text, &mut path, 0, &mut leaves)?;
    // Two members of one path leave open which is meant; JSON itself does not say.
    let mut names: Vec<&str> = leaves.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("column `{}` is given twice", pair[0])),
        None => Ok(leaves),
    }
}

fn push_members(text: &str, path: &mut String, depth: usize, leaves: &mut Vec<(String, Leaf)>) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("the row is nested deeper than {MAX_DEPTH} levels"));
    }
    let members: Members = serde_json::from_str(text).map_err(|error| not_an_object(&error))?;
    let parent = path.len();
    for (name, value) in members.0 {
        if parent > 0 {
            path.push('.');
        }
        path.push_str(&name);
        let raw = value.get();
        let leaf = match raw.as_bytes().first() {
            Some(b'{') => None,
            Some(b'"') => Some(Leaf::Text(serde_json::from_str(raw).map_err(|error| not_an_object(&error))?)),
            Some(b'[') => Some(Leaf::List),
            Some(b't') => Some(Leaf::Flag(true)),
            Some(b'f') => Some(Leaf::Flag(false)),
            Some(b'n') | None => Some(Leaf::Null),
            Some(_) => Some(Leaf::Number(raw.to_owned())),
        };
        match leaf {
            Some(leaf) => leaves.push((path.clone(), leaf)),
            None => push_members(raw, path, depth + 1, leaves)?,
        }
        path.truncate(parent);
    }
    Ok(())
}

/// The parser's line is always 1 here and its column counts within a part, so neither would help.
fn not_an_object(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    format!("the row is not a JSON object: {reason}")
}

/// An object's members in their order, values untouched so that no number passes through a float.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Collect).map(Members)
    }
}
