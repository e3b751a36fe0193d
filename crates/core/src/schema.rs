//! What descriptions say of fields whose bounds their types do not show. The checks themselves stand where the fields are read;
//! a generator of requests holds the two against each other.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::event::MAX_ENTRIES;
use crate::quantity::Quantity;
use crate::text::{MAX_LONG, MAX_SHORT};

/// No control characters, as `char::is_control` has them.
const PLAIN: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";
/// The name of a value or dimension.
const KEY: &str = "^[A-Za-z0-9_.-]{1,64}$";

fn text(min: usize, max: usize) -> Schema {
    json_schema!({ "type": "string", "minLength": min, "maxLength": max, "pattern": PLAIN })
}

fn map(member: Schema) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": MAX_ENTRIES,
        "propertyNames": { "pattern": KEY },
        "additionalProperties": member,
    })
}

macro_rules! schemas {
    ($($(#[$doc:meta])* $name:ident = |$generator:ident| $schema:expr;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

schemas! {
    /// A text of 1 to 256 characters.
    Short = |_generator| text(1, MAX_SHORT);
    /// A text of up to 256 characters.
    MaybeShort = |_generator| text(0, MAX_SHORT);
    /// A text of 1 to 2,000 characters.
    Note = |_generator| text(1, MAX_LONG);
    /// A text of up to 2,000 characters.
    Long = |_generator| text(0, MAX_LONG);
    /// A text of up to 64 characters.
    Unit = |_generator| text(0, 64);
    /// Where an endpoint lies.
    EndpointUrl = |_generator| json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_LONG,
        "pattern": "^https?://",
        "examples": ["https://example.com/hooks/weir"],
    });
    /// The name of a value or dimension.
    Key = |_generator| json_schema!({ "type": "string", "pattern": KEY });
    /// What a meter looks at.
    Field = |_generator| json_schema!({
        "type": "string",
        "pattern": r"^(\*|(values|dimensions)\.[A-Za-z0-9_.-]{1,64})$",
    });
    /// A local date, or an instant.
    DateOrInstant = |_generator| json_schema!({
        "type": "string",
        "maxLength": 64,
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "examples": ["2026-01-31"],
    });
    /// Named texts.
    Dimensions = |_generator| map(text(0, MAX_SHORT));
    /// Named texts that may be long.
    Metadata = |_generator| map(text(0, MAX_LONG));
    /// Named quantities.
    Values = |generator| map(generator.subschema_for::<Quantity>());
}
