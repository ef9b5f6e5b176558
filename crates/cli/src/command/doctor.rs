//! `doctor`: what is wrong between the domains from here to the root.

use serde_json::{Value, json};

use super::domain::request;
use crate::context::Context;
use crate::failure::{Exit, Result, When};
use crate::output::safe;

/// Examines the domains. The exit code is 1 if there is an error or a warning.
pub(crate) fn doctor(context: &mut Context) -> Result<Exit> {
    let report = request(context, &json!({ "op": "doctor" }), true)
        .when(|| "examine the domains from here to the root")?;
    context.out.either(|| text(&report), || report.clone())?;
    let serious = |finding: &Value| finding["severity"] != "note";
    let sick = report["findings"].as_array().into_iter().flatten().any(serious);
    Ok(if sick { Exit::Failed } else { Exit::Ok })
}

fn text(report: &Value) -> String {
    let part = |value: &Value| value.as_str().map(|text| safe(text.as_bytes())).unwrap_or_default();
    let mut out = String::new();
    for finding in report["findings"].as_array().into_iter().flatten() {
        let (severity, domain) = (part(&finding["severity"]), part(&finding["domain"]));
        out.push_str(&format!("{severity}: {domain}: {}\n", part(&finding["text"])));
    }
    if report["truncated"] == json!(true) {
        out.push_str("there is more\n");
    }
    if out.is_empty() {
        let domains = match report["domains"].as_array().map_or(0, Vec::len) {
            1 => "1 domain".to_owned(),
            count => format!("{count} domains"),
        };
        out.push_str(&format!("{domains} from here to the root: nothing wrong\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports() {
        let report = json!({ "domains": [1, 2], "truncated": false, "findings": [
            { "severity": "warning", "domain": "network@10.0.0.1", "text": "its clock is 90 seconds ahead" } ]});
        assert_eq!(text(&report), "warning: network@10.0.0.1: its clock is 90 seconds ahead\n");
        let report = json!({ "domains": [1, 2], "findings": [] });
        assert_eq!(text(&report), "2 domains from here to the root: nothing wrong\n");
        let report = json!({ "domains": [1], "findings": [] });
        assert_eq!(text(&report), "1 domain from here to the root: nothing wrong\n");
    }
}
