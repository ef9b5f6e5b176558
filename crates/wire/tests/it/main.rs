//! Tests of the wire formats as a whole.

// Helpers outside `#[test]` functions may unwrap as the tests do.
#![allow(clippy::unwrap_used)]

mod golden;
mod hostile;
mod ldap;
mod lookup;
mod oracle;
mod round_trip;
mod worked;
