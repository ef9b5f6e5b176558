//! Every time-out and size of this crate, in one place.

use std::time::Duration;

/// How long a look-up waits for a parent. It is less than the two seconds for which the C library's module waits for the
/// daemon; what is known from before is told then.
pub const FIND_WAIT: Duration = Duration::from_millis(1000);
/// How long the listing of a whole table is waited for.
pub const LIST_WAIT: Duration = Duration::from_secs(20);
/// How long the verification of a password is waited for: less than the ten seconds of the login module.
pub const VERIFY_WAIT: Duration = Duration::from_secs(6);
/// How long the change of a password is waited for.
pub const CHANGE_WAIT: Duration = Duration::from_secs(8);
/// Longest wait for each of the steps that lead to a NetInfo domain: port, binder, domain.
pub const CONNECT: Duration = Duration::from_millis(1500);
/// Longest wait for a connection to an LDAP server, and for each answer on a connection.
pub const STEP: Duration = Duration::from_secs(3);
/// Longest wait for the answer to a question that reads a whole table.
pub const LIST_STEP: Duration = Duration::from_secs(15);

/// Pause before a parent that could not be asked is asked again; it doubles with every failure.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Questions that may wait for one parent; further ones are answered from what is known.
pub const MAX_WAITING: usize = 256;

/// Answers of one parent that are remembered; the oldest go first.
pub const MAX_ANSWERS: usize = 20_000;
/// Bytes of one parent's records that are remembered, listings included.
pub const MAX_BYTES: usize = 64 << 20;
/// Records of one table that are listed; those beyond are found, but not listed.
pub const MAX_LISTED: usize = 200_000;
/// Records that one question may find.
pub const MAX_FOUND: usize = 1_024;
/// Pause between two writings of what is remembered.
pub const SAVE_PAUSE: Duration = Duration::from_secs(5);
/// Longest file that is read, in bytes.
pub const MAX_FILE: u64 = 160 << 20;

/// Users of one parent whose passwords can be verified while it is away; who has not logged in for longest goes first.
pub const MAX_VERIFIERS: usize = 1_000;

/// Longest message of an LDAP server, in bytes.
pub const MAX_LDAP_MESSAGE: usize = 16 << 20;
/// Entries of a page of an LDAP listing.
pub const LDAP_PAGE: u32 = 500;
/// Pages of one LDAP listing: enough for all that is listed, from servers that give fewer entries in one than they are asked
/// for. One that says again and again that there is more is not asked for ever.
pub const MAX_PAGES: usize = 4_000;
/// Members of one group, given as names of entries that do not tell the user's name, that are looked at.
pub const MAX_MEMBERS: usize = 5_000;
/// How many groups deep groups in groups are followed.
pub const MAX_GROUP_DEPTH: usize = 8;
/// Groups in the groups of one answer that are looked at, about; one level is looked at as a whole.
pub const MAX_NESTED: usize = 1_000;
/// Names of entries whose users' names are remembered.
pub const MAX_NAMES: usize = 50_000;
/// Pieces of the values of one attribute that are fetched; Active Directory gives 1,500 values in one.
pub const MAX_PIECES: usize = 200;
/// Users of one parent who are known to have to change their passwords before anything else.
pub const MAX_DUE: usize = 10_000;
/// Searches sent ahead of their answers.
pub const LDAP_WINDOW: usize = 32;
/// Longest file of a password or of certificates, in bytes.
pub const MAX_SECRET_FILE: u64 = 4 << 20;
