//! Tables written and read.

mod ask;
mod hostile;
mod look_ups;
