//! What a directory's schema is: attribute types, object classes, syntaxes, matching rules, and the checks of entries
//! against them. Free of any protocol and of I/O.
//!
//! | module | holds |
//! |---|---|
//! | [`Schema`] | attribute types and classes resolved, look-ups, changes, the published lists |
//! | [`definition`], [`description`] | elements as they are written down, and their text form, both ways |
//! | [`mod@file`] | schema files of other servers |
//! | [`check`] | entries against the schema, strictly or openly |
//! | [`AttributeDescription`] | a type with options |
//! | [`syntax`] | which octets are a value |
//! | [`matching`], `prepare` | which values match, keys for indexes, substrings; preparation of strings |
//! | [`dn`] | distinguished names as values |
//! | `table` | the built-in definitions (`data/`) |

#![forbid(unsafe_code)]

pub mod check;
pub mod definition;
pub mod description;
pub mod dn;
mod error;
pub mod file;
pub mod matching;
mod options;
mod prepare;
mod schema;
pub mod syntax;
mod table;
mod text;

pub use error::{DescriptionError, Fault, LineError, Problem, ValueError};
pub use matching::{Pattern, Rule, RuleKind};
pub use options::{ATTRIBUTE_DESCRIPTION_LIMIT, AttributeDescription};
pub use schema::{
    AttributeId, AttributeType, BuiltinError, ClassId, ELEMENTS_LIMIT, ObjectClass, Removal, SUPERIORS_LIMIT,
    Schema,
};
pub use syntax::Syntax;
pub use table::Variant;
pub use text::NAME_LIMIT;
