//! Files on their way in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_import::{Mapping, Preview};

use super::{Success, operation};
use crate::error::ApiError;
use crate::imports::{Import, ImportReport};
use crate::with_id::{ById, WithId};

/// A file to import.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewImport {
    /// 1 to 256 characters.
    #[schemars(with = "weir_core::schema::Short")]
    pub file_name: String,
    /// In bytes, at most 4 GiB.
    #[schemars(range(max = 4_294_967_296_u64))]
    pub size: u64,
}

/// A piece of a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Where it begins: as many bytes as have been uploaded.
    #[schemars(range(max = 4_294_967_296_u64))]
    pub offset: u64,
    /// At most 4 MiB, in base64.
    #[schemars(length(max = 5_592_408), extend("format" = "byte"))]
    pub data: String,
}

/// How to read a file, for a look at it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// How its rows become events; guessed when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
}

/// How to read a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// How its rows become events.
    pub mapping: Mapping,
}

operation! {
    /// Makes room for a file that is sent in pieces.
    Create "imports.create" Post "/imports" Ingest Ingest 201,
    |ctx, req: NewImport| -> Import { ctx.app.imports.create(req.file_name, req.size) }
}

operation! {
    /// Adds a piece to a file.
    Upload "imports.upload" Post "/imports/{id}/upload" Ingest Ingest,
    |ctx, req: WithId<Piece>| -> Import {
        let piece = STANDARD.decode(&req.rest.data).map_err(|_| ApiError::invalid("data", "must be base64"))?;
        ctx.app.imports.upload(&req.id, req.rest.offset, piece).await
    }
}

operation! {
    /// Shows a file's first rows, as they stand and as they would be recorded.
    PreviewImport "imports.preview" Post "/imports/{id}/preview" Ingest Read,
    |ctx, req: WithId<Look>| -> Preview { ctx.app.imports.preview(&req.id, req.rest.mapping).await }
}

operation! {
    /// Begins to record a file's rows, in the background.
    Start "imports.start" Post "/imports/{id}/start" Ingest Ingest,
    |ctx, req: WithId<Begin>| -> Import {
        ctx.app.imports.start(&req.id, req.rest.mapping, ctx.actor.clone()).await
    }
}

operation! {
    /// Says how far an import is.
    Get "imports.get" Get "/imports/{id}" Ingest Read,
    |ctx, req: ById| -> Import { ctx.app.imports.get(&req.id) }
}

operation! {
    /// Stops an import; what is recorded stays.
    Cancel "imports.cancel" Delete "/imports/{id}" Ingest Ingest,
    |ctx, req: ById| -> Success {
        ctx.app.imports.cancel(&req.id)?;
        Ok(Success::DONE)
    }
}

operation! {
    /// Lists the rows that an import refused.
    Refusals "imports.report" Get "/imports/{id}/report" Ingest Read,
    |ctx, req: ById| -> ImportReport { ctx.app.imports.report(&req.id) }
}
