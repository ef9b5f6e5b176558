//! Tables written and read.

mod hostile;
mod look_ups;
