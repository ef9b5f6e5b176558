//! The netinfod daemon.
fn main() {}
