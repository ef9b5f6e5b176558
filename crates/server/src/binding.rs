//! The place of the domains served here in the hierarchy.
//!
//! | module | holds |
//! |---|---|
//! | `above` | the domains on other machines, for whoever looks things up in them |

mod above;

pub(crate) use above::{Above, tell};
