//! Limits, and what is refused.
