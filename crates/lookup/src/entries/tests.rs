//! Records as entries.
