//! The JSON5 domain file of QEMU's `netinfo-server` object, version 1.
//!
//! ```json5
//! {
//!   version: 1,
//!   domain: { tag: 'network', name: '/' },   // the binder's tag, and what people call the domain
//!   nodes: [
//!     { id: 0, instance: 4, parent: 0, properties: { master: ['alpha/network'] } },
//!     { id: 1, instance: 1, parent: 0, properties: { name: 'users' } },
//!     { id: 2, instance: 0, parent: 1, properties: { name: ['ana', 'ana.b'], uid: '501' } },
//!   ],
//! }
//! ```
//!
//! The file is JSON5: comments, keys without quotes, either kind of quotes, commas behind the last element. What this
//! reader makes of it:
//!
//! * The root is the node that is its own parent, or has none. Other nodes may stand in any order, before their parents
//!   too; children of one parent are in the order of the file. Records come depth first.
//! * `instance` is 0 where it is missing.
//! * `properties` is an object of names, each with a string or an array of strings, in the order of the file; or an array
//!   of pairs `['name', ['ana']]`, which may hold a name twice. A decimal number stands for its digits. A name or value
//!   that is not UTF-8 is an object, `{hex: 'ff00'}`; names can be so only in pairs.
//! * A node with something wrong is a problem, and so are those below it, which have no parent then. A key that is not
//!   known is a problem by itself; the node is read. What is not JSON5 ends the file.
//!
//! The whole file is held while it is read. A [`Writer`] writes what is JSON too, one node a line: properties as an
//! object where that holds them, else as pairs. Records without ids get free ones, containers of flat records become
//! directories.

mod reader;
mod text;
mod writer;

pub use reader::{Domain, MAX_FILE_BYTES, Reader};
pub use text::{MAX_NESTING, MAX_STRING_BYTES};
pub use writer::Writer;
