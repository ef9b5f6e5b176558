//! `changes`: what was changed in a domain, when and by whom.

use clap::Args;
use serde_json::{Value, json};

use super::domain::request;
use crate::context::Context;
use crate::failure::{Failure, Result, When};
use crate::output::{safe, table};

/// Arguments of `changes`.
#[derive(Debug, Args)]
pub(crate) struct Changes {
    /// Number of the last change already known; later ones are shown
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    since: u64,
    /// Show at most this many
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u64,
}

/// Lists changes in order. Asked again with the last number, it goes on where it stopped.
pub(crate) fn changes(context: &mut Context, args: &Changes) -> Result<()> {
    if context.options.data.is_some() {
        return Err(Failure::usage("this needs a running daemon, without --data"));
    }
    let tag = context.tag()?;
    let question = json!({ "op": "changes", "domain": tag, "since": args.since, "limit": args.limit });
    let list = request(context, &question, true).when(|| format!("list the changes of domain \"{tag}\""))?;
    context.out.either(|| text(&list), || list.clone())
}

fn text(list: &Value) -> String {
    let rows = list.as_array().into_iter().flatten().map(|change| {
        let by = change["by"].as_str().filter(|by| !by.is_empty()).unwrap_or("(anonymous)");
        let object = change["created"].as_u64().or_else(|| change["object"].as_u64()).unwrap_or(0);
        vec![
            change["sequence"].to_string(),
            time(change["at_ms"].as_u64().unwrap_or(0)),
            safe(by.as_bytes()),
            safe(change["change"].as_str().unwrap_or_default().as_bytes()),
            format!("#{object}"),
        ]
    });
    table(&["NUMBER", "TIME", "BY", "CHANGE", "DIRECTORY"], &[0], rows)
}

/// Milliseconds since the epoch as a UTC time.
fn time(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(time(1_795_405_075_815), "2026-11-23T03:37:55Z");
    }
}
