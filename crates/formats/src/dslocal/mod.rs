//! The folders of a Mac's local directory: `nodes/Default/users/ana.plist`, one property list a record (Mac OS X 10.5 and
//! later), and the password hashes beside them (10.2 to 10.6) or inside (10.7 and later).
//!
//! A [`Folder`] gives one [`DsRecord`] after another, with its attributes as they are: names, and values that are text,
//! data, or something else. [`Folder::records`] makes a tree of [`Record`](crate::Record)s of them: a directory for each
//! kind (`users`, `groups`, `config/SharePoints` …) and below it the records. Names of attributes are those of NetInfo
//! properties already; names of DirectoryService (`dsAttrTypeStandard:RealName`) are translated. A [`Writer`] writes such a
//! tree as a folder that a Mac accepts: files are complete or not there, nobody else may read them.
//!
//! Passwords: what [`DsRecord::password`] can make of the hashes becomes the value of `passwd`, in a form that
//! verifies; what cannot be verified here (hashes for Windows, CRAM-MD5, SRP) is named by
//! [`Password::unverifiable`]. All material is kept beside it in `_shadow_passwd`, whose values no reader sees, in forms of
//! its own, so that the writer puts back exactly what there was as long as the password is the same:
//!
//! | value of `_shadow_passwd` | holds |
//! |---|---|
//! | `{X-SHADOW-HASH-DATA}` base64 | the property list of `ShadowHashData` |
//! | `{X-SHADOW-HASH}` digits | the file `shadow/hash/GUID` |
//! | `{X-SAMBA-HASH}` digits | the file `samba/hash/NAME` |
//! | `{X-HEIMDAL-SRP-KEY}` base64, `{X-KERBEROS-KEYS}` base64 | the attributes of these names |
//!
//! Passwords that can be read back (`RECOVERABLE`) are not taken over.
//!
//! Files that end otherwise than in `.plist` are no records; an empty one, one that is no property list, and what an
//! interrupted write left (`.plist.temp`) are problems, and the next file is read. Problems have the number of the file, and
//! its name in their reason.
//!
//! Modules: `plist` reads property lists of any origin within limits, `record` takes a record apart, `hashes` knows the
//! forms of hashes, `password` which one counts, `folder` finds files, `convert` makes properties and back, `standard`
//! translates names, `writer` writes.

mod convert;
mod folder;
mod hashes;
mod password;
mod plist;
mod record;
mod standard;
mod writer;

pub use folder::{Folder, MAX_HASH_FILE_BYTES, Records};
pub use password::Password;
pub use plist::{MAX_CONTAINERS, MAX_DEPTH, MAX_PLIST_BYTES, MAX_VALUES};
pub use record::{DsRecord, DsValue};
pub use standard::{native_name, standard_name};
pub use writer::{Encoding, Writer};
