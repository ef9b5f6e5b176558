//! The netinfo command line.
fn main() {}
