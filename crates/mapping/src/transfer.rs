//! Whole entries for bulk loads.
