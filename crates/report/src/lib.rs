//! Charts and tables of usage as files
