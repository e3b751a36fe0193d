//! Files of usage (CSV, JSON Lines, gzip) read into event drafts
