//! Charts and tables of usage as files.
//!
//! A [`chart`] is the same picture on every machine: the typeface is built in, and nothing of the system is asked for.

pub mod chart;
pub mod table;

mod canvas;
mod font;
mod plot;
mod scale;
mod svg;
mod theme;
mod time_axis;
