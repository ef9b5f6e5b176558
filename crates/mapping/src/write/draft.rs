//! Editable copy.
