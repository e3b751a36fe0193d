//! The sample data.

use super::operation;
use crate::sample::{SampleMade, make};
use crate::with_id::Nothing;

operation! {
    /// Imports the sample data with its meters and limits; repeating it adds nothing.
    Create "sample.create" Post "/sample" Manage Change 201,
    |ctx, _req: Nothing| -> SampleMade { make(ctx).await }
}
