//! Operations: one table that every door is made from
