//! The door of programs on the same machine: an operation's name and a request in, an answer out, all of it JSON text.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use weir_core::error::Code;

use crate::answer::Quantities;
use crate::context::Context;
use crate::error::ApiError;
use crate::request::Input;
use crate::request::nearest::nearest;
use crate::table;

/// Does an operation by its name. Quantities are answered as strings; a failure is the text of `{"error": {...}}`.
pub async fn rpc(ctx: &Context, name: &str, request: &[u8]) -> Result<String, String> {
    call(ctx, name, request).await.map_err(|error| error.body(&request_id(), Quantities::Strings))
}

/// Does an operation by its name. Quantities are answered as strings.
pub async fn call(ctx: &Context, name: &str, request: &[u8]) -> Result<String, ApiError> {
    let Some(operation) = table::find(name) else {
        let near = nearest(name, table::TABLE.iter().map(|row| row.name));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let shown: String = name.chars().take(64).collect();
        return Err(ApiError::new(Code::NotFound, format!("there is no operation `{shown}`{hint}")));
    };
    let answered = operation.call(ctx, Input::body(request), Quantities::Strings).await?;
    String::from_utf8(answered.body).map_err(|_| ApiError::new(Code::InternalError, "the answer could not be written"))
}

/// A new name for a request, by which its answer, its log lines and a question to the operator can be brought together.
pub fn request_id() -> String {
    static START: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Without randomness the count alone still tells the requests of this process apart.
    let start = START.get_or_init(|| getrandom::u64().unwrap_or_default());
    format!("req_{:016x}", start.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed)))
}
