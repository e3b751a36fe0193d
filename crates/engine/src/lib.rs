//! The metering engine over SQLite
