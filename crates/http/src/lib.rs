//! The public HTTP API, OpenAPI, live changes and the served console
