//! `check --duplicates`.

use netinfo_migrate::duplicates::{Duplicate, duplicates as find};
use serde_json::json;

use super::held;
use crate::context::Context;
use crate::failure::{Exit, Result};
use crate::output::safe;

/// Tells what records of a domain share although they should not.
pub(crate) fn duplicates(context: &mut Context) -> Result<Exit> {
    let (held, _) = held(context)?;
    let found = find(held.domain())?;
    let line = |one: &Duplicate| {
        let Duplicate { container, property, value, records } = one;
        safe(format!("{container}: {property} {value}: {}", records.join(", ")).as_bytes()) + "\n"
    };
    let json = |one: &Duplicate| json!({ "directory": one.container, "property": one.property, "value": one.value, "records": one.records });
    context.out.either(|| found.iter().map(line).collect(), || found.iter().map(json).collect())?;
    Ok(if found.is_empty() { Exit::Ok } else { Exit::Failed })
}
