//! The place of a domain in the hierarchy: who is above it.
//!
//! | module | holds |
//! |---|---|
//! | `file` | the parents that were configured, in a data directory |
//! | `hosts` | rules by which machines may add themselves |
//! | `parent` | a domain on another machine, and how it is written |
//! | `search` | finding the parent of a domain and keeping an eye on it: a state machine |
//!
//! Nothing here opens a socket or reads a clock; `file` alone reads files.

mod file;
mod hosts;
mod parent;
mod search;

pub use file::{
    BINDING_FILE_SIZE, Parents, REMEMBERED_FOLDER, binding_file, forget_remembered, read_kept, read_parents,
    replace_kept, write_parents,
};
pub use hosts::{
    Admission, HOST_NAME_LIMIT, HOST_RULE_MOST, HOST_RULES, HOST_RULES_LIMIT, Newcomer, network,
};
pub use parent::{LdapParent, PARENT_TEXT_LIMIT, Parent, ParentError, ParentName};
pub use search::{
    Action, Answer, Bound, CANDIDATES_LIMIT, Candidate, LOOP_PATIENCE, Plan, Policy, Refusal, Search, State,
    Step, Via, ends_loop,
};
