//! Bounds on text. "Characters" are Unicode scalars; control characters are refused; nothing is normalised.

use crate::error::Fault;

/// Longest external id, name, event type, idempotency key and dimension value, in characters.
pub const MAX_SHORT: usize = 256;
/// Longest description or note, in characters.
pub const MAX_LONG: usize = 2_000;
/// Longest key of a value or dimension, in characters.
pub const MAX_KEY: usize = 64;

/// Checks that a text has `min` to `max` characters, none of them a control character.
pub fn check(field: &str, text: &str, min: usize, max: usize) -> Result<(), Fault> {
    // Bytes bound characters from above, so most texts are judged without counting.
    if text.len() < min || (text.len() > max && text.chars().count() > max) {
        return Err(Fault::invalid(field, format_args!("must have {min} to {max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::invalid(field, "must not hold control characters"));
    }
    Ok(())
}

/// Whether a text may name a value or dimension: `[A-Za-z0-9_.-]{1,64}`.
pub fn is_key(text: &str) -> bool {
    (1..=MAX_KEY).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Checks a name of a value or dimension.
pub fn check_key(field: &str, key: &str) -> Result<(), Fault> {
    if is_key(key) {
        return Ok(());
    }
    Err(Fault::invalid(field, "must be named with 1 to 64 of the characters A-Z a-z 0-9 _ . -"))
}

/// Checks a customer's external id, which must not look like an internal one.
pub fn check_external_id(field: &str, text: &str) -> Result<(), Fault> {
    check(field, text, 1, MAX_SHORT)?;
    if text.parse::<crate::id::CustomerId>().is_ok() {
        return Err(Fault::invalid(field, "must be your own id of the customer, not an internal one (cus_...)"));
    }
    Ok(())
}
