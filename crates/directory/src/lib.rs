//! The core of NetInfo: domains and their directories, whoever asks and by whatever protocol.
//!
//! A [`Node`] is a data directory; it holds [`Domain`]s. A caller is made a [`Session`] by [`Domain::authenticate`],
//! reads through a [`View`] and writes [`Change`]s. The core imports no protocol and no async runtime: front-ends
//! translate to these few operations, and access control happens here only.
//!
//! | module | holds |
//! |---|---|
//! | `node` | the data directory, its lock, creating and destroying domains |
//! | `domain` | one domain: authenticate, read, write, the change feed |
//! | `view` | snapshots: records, children, look-ups; `machines`, `networks` and `settings` add what properties mean |
//! | `ahead` | fetching from memory what will be asked for |
//! | `session`, `auth`, `login` | who is calling, and proof of it: to the NetInfo protocol, and where access rules govern |
//! | `account` | whether an account may be used, which new passwords are good enough |
//! | `password`, `application`, `attempts`, `verified` | stored passwords, those for applications, guessers, repeated logins |
//! | `access` | what a session may read and change |
//! | `change`, `apply`, `writer`, `feed` | changes, their rules, the group commit, the record of what was changed |
//! | [`binding`] | domains above a domain, on other machines |
//! | `moves` | a directory moved to another place |
//! | `batch`, `held`, `fill` | many changes in one commit, what that holds back; a whole domain loaded as it comes |
//! | `loading`, `bulk`, `sort` | how a whole tree gets into an empty store: in order, indexes and all |
//! | `record`, `siblings`, `index` | stored form of a directory, order among siblings, the name index |
//! | `stamp` | uuids, times and names of those who made and changed a directory |
//! | `pending` | entries of the indexes that are still to be made |
//! | `values` | the value index of the whole domain |
//! | `fold`, `structured`, `times` | the one spelling of values that it holds |
//! | `transfer`, `check` | whole-domain copies (backup, restore, replicas); verification and repair |
//! | `store` | tables over LMDB (the format is written down in `docs/file-format.md`) |

#![deny(unsafe_code)]

mod access;
pub mod account;
mod ahead;
mod application;
mod apply;
mod attempts;
mod auth;
mod batch;
pub mod binding;
mod bulk;
mod change;
mod check;
mod domain;
mod error;
mod feed;
mod fill;
mod fold;
mod held;
mod index;
mod loading;
mod login;
mod machines;
mod model;
mod moves;
mod networks;
mod node;
pub mod password;
mod pending;
mod record;
mod remembered;
mod session;
mod settings;
mod siblings;
mod sort;
mod stamp;
mod store;
mod structured;
mod times;
mod transfer;
mod values;
mod verified;
mod view;
mod writer;

pub use access::{
    Access, Action, AttributeNames, EntryAccess, Explanation, RULE_LIMIT, RULES_LIMIT, Reason, Rule,
    RuleError, RuleSource,
};
pub use ahead::Ahead;
pub use application::{
    APPLICATION_PASSWORDS_LIMIT, ApplicationPassword, ApplicationPasswordError, LABEL_LIMIT,
};
pub use attempts::{
    ACCOUNT_ATTEMPTS, ACCOUNT_REFILL_MS, ADDRESS_ATTEMPTS, ADDRESS_REFILL_MS, ATTEMPTS_LIMIT, KNOWN_MS,
};
pub use batch::Batch;
pub use change::{CREATED, Change, Committed, Outcome};
pub use check::{CheckReport, Finding, LOST_AND_FOUND, Observer};
pub use domain::{AuthenticationFigures, DEFAULT_FEED_RETENTION, Domain, Options, Underway};
pub use error::{Error, Result};
pub use fill::Filled;
pub use fold::fold;
pub use login::MAX_PASSWORD_VALUES;
pub use machines::{Alias, Role, Server};
pub use model::{
    Form, Id, LIST_LIMIT, MASK, NAME_LIMIT, Property, RECORD_LIMIT, ROOT, SECRET_PROPERTIES, Target,
    is_secret,
};
pub use networks::Trust;
pub use node::{DESTROYED, LOCK_FILE, Node, TAG_LIMIT, check_tag};
pub use record::{Properties, PropertyRef, RecordRef, Values};
pub use session::{Credentials, Origin, Principal, Session};
pub use stamp::{STAMP_NAME_LIMIT, Stamp, StampBuf};
pub use store::DEFAULT_MAP_SIZE;
pub use transfer::{BackupHeader, TransferObject, UNUSED_LIMIT};
pub use values::{PIECE, Term, Time};
pub use verified::{VERIFIED_LIMIT, VERIFIED_MS};
pub use view::{BY_VERSION, VERSION_OF, View};
pub use writer::{Done, GROUP_BYTES, GROUP_JOBS, Watcher};
