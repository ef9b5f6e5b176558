//! `bind`, `unbind` and `where`: the place of this machine in the hierarchy of domains.

use std::path::PathBuf;

use clap::Args;
use netinfo_directory::binding::ParentName;
use serde_json::{Value, json};

use super::domain::request;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::offline;
use crate::output::{safe, table};

/// Arguments of `bind`.
#[derive(Debug, Args)]
#[command(after_help = "\
Parents:
  network@boss.example           the domain \"network\" of a NetInfo server
  network@10.0.0.5:945           the same, on the common port of a netinfod
  ldap://ldap.example            any LDAP directory, with --base

Of several parents the first that answers is used. They are kept in the data directory of the daemon and
replace those given before; what the domain itself says of its parent (serves ../TAG) comes after them.")]
pub(crate) struct Bind {
    /// Parent of the domain: TAG@HOST or TAG@HOST:PORT, or the URL of an LDAP directory
    #[arg(required = true, value_name = "PARENT")]
    parents: Vec<ParentName>,
    /// Distinguished name below which everything in an LDAP directory is
    #[arg(long, value_name = "DN")]
    base: Option<String>,
    /// Protect an ldap:// connection with TLS
    #[arg(long)]
    start_tls: bool,
    /// PEM file of the authorities that vouch for the LDAP server [default: those of the system]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Name to bind as to an LDAP directory
    #[arg(long, value_name = "DN", requires = "password_file")]
    bind_dn: Option<String>,
    /// File whose first line is the password of --bind-dn; the daemon reads it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Binds a domain.
pub(crate) fn bind(context: &mut Context, args: &Bind) -> Result<Exit> {
    let tag = context.tag()?;
    let parents = completed(args)?;
    if let Some(data) = context.options.data.clone() {
        offline::bind(&data, &tag, parents).when(|| format!("bind domain \"{tag}\""))?;
        return tell_kept(context, &tag, "the daemon looks for it when it starts");
    }
    let parents: Vec<String> = parents.iter().map(ToString::to_string).collect();
    let question = json!({ "op": "bind", "tag": tag, "parents": parents });
    let answer = request(context, &question, false).when(|| format!("bind domain \"{tag}\""))?;
    print(context, &answer)
}

/// Forgets what `bind` has said.
pub(crate) fn unbind(context: &mut Context) -> Result<Exit> {
    let tag = context.tag()?;
    if let Some(data) = context.options.data.clone() {
        offline::bind(&data, &tag, Vec::new()).when(|| format!("unbind domain \"{tag}\""))?;
        return tell_kept(context, &tag, "and nothing is remembered of those it had");
    }
    let question = json!({ "op": "unbind", "tag": tag });
    let answer = request(context, &question, false).when(|| format!("unbind domain \"{tag}\""))?;
    print(context, &answer)
}

/// Says what was done without a daemon.
fn tell_kept(context: &mut Context, tag: &str, more: &str) -> Result<Exit> {
    let data = context.options.data.clone().unwrap_or_default();
    let parents = offline::parents(&data, tag)?;
    let names: Vec<String> = parents.iter().map(ToString::to_string).collect();
    let text = || {
        let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        format!("configured parents of {tag}: {list}; {more}")
    };
    context.out.either(text, || json!({ "domain": tag, "parents": names }))?;
    Ok(Exit::Ok)
}

/// Shows the domains from here to the root.
pub(crate) fn whereabouts(context: &mut Context) -> Result<Exit> {
    let tag = context.tag()?;
    let question = json!({ "op": "where", "tag": tag });
    let answer = request(context, &question, true).when(|| "ask the daemon where this machine is")?;
    print(context, &answer)
}

/// The parents with what the options say of LDAP directories.
fn completed(args: &Bind) -> Result<Vec<ParentName>> {
    let for_ldap = [args.base.is_some(), args.start_tls, args.ca.is_some(), args.password_file.is_some()];
    let mut parents = args.parents.clone();
    let mut any = false;
    for parent in &mut parents {
        let ParentName::Ldap(ldap) = parent else { continue };
        any = true;
        if let Some(base) = &args.base {
            ldap.base.clone_from(base);
        }
        ldap.start_tls |= args.start_tls;
        if let Some(file) = &args.ca {
            ldap.ca_file = Some(absolute(file)?);
        }
        if let (Some(dn), Some(file)) = (&args.bind_dn, &args.password_file) {
            ldap.bind_dn = Some(dn.clone());
            ldap.password_file = Some(absolute(file)?);
        }
        ldap.check().map_err(|error| Failure::usage(error.to_string()))?;
    }
    if for_ldap.contains(&true) && !any {
        return Err(Failure::usage("--base, --start-tls, --ca and --password-file are for LDAP directories"));
    }
    if args.password_file.is_some() && args.bind_dn.is_none() {
        return Err(Failure::usage("--password-file is for the name that --bind-dn gives"));
    }
    Ok(parents)
}

fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Failure::new(format!("cannot resolve {}: {error}", path.display())))
}

/// Prints the chain. The exit code says whether all of it can be reached.
fn print(context: &mut Context, answer: &Value) -> Result<Exit> {
    context.out.either(|| chain_text(answer), || answer.clone())?;
    let broken = |domain: &Value| matches!(domain["state"].as_str(), Some("unreachable" | "searching"));
    let looped = answer["loop"].is_string();
    let any = answer["domains"].as_array().into_iter().flatten().any(broken);
    Ok(if any || looped { Exit::Failed } else { Exit::Ok })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| "-".to_owned(), |text| safe(text.as_bytes()))
}

fn chain_text(answer: &Value) -> String {
    let domains: Vec<&Value> = answer["domains"].as_array().into_iter().flatten().collect();
    let rows = domains.iter().map(|domain| {
        let latency = domain["latency_us"].as_u64();
        let latency =
            latency.map_or_else(|| "-".to_owned(), |us| format!("{}.{} ms", us / 1000, us % 1000 / 100));
        let place = if domain["here"] == json!(true) { "this machine" } else { "elsewhere" };
        let heard = domain["heard_seconds_ago"].as_u64().map_or_else(|| "-".to_owned(), |s| format!("{s} s"));
        let (name, state) = (text(&domain["domain"]), text(&domain["state"]));
        vec![name, place.to_owned(), state, latency, heard, text(&domain["via"])]
    });
    let mut out = table(&["domain", "place", "state", "latency", "heard", "parent by"], &[3, 4], rows);
    for domain in &domains {
        let name = text(&domain["domain"]);
        if let Some(why) = domain["why"].as_str() {
            out.push_str(&format!("{name}: {}\n", safe(why.as_bytes())));
        }
        for tried in domain["tried"].as_array().into_iter().flatten() {
            out.push_str(&format!(
                "{name}: not bound to {}: {}\n",
                text(&tried["name"]),
                text(&tried["why"])
            ));
        }
    }
    if let Some(tag) = answer["loop"].as_str() {
        out.push_str(&format!("the parents lead back to {}: a loop\n", safe(tag.as_bytes())));
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bind: Bind,
    }

    fn parents(words: &[&str]) -> Result<Vec<String>> {
        let line = Line::try_parse_from([&["bind"], words].concat()).unwrap();
        Ok(completed(&line.bind)?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn options_complete_urls() {
        assert_eq!(parents(&["network@boss", "n@10.0.0.1:945"]).unwrap(), ["network@boss", "n@10.0.0.1:945"]);
        let words = [
            "ldap://h",
            "--base",
            "dc=x",
            "--start-tls",
            "--ca",
            "/ca",
            "--bind-dn",
            "cn=r",
            "--password-file",
            "/p",
        ];
        assert_eq!(
            parents(&words).unwrap(),
            ["ldap://h/dc=x????x-start-tls,x-ca-file=/ca,bindname=cn=r,x-password-file=/p"]
        );
        for wrong in [
            &["n@h", "--start-tls"][..],
            &["ldaps://h", "--start-tls"],
            &["ldap://h", "--password-file", "/p"],
        ] {
            assert_eq!(parents(wrong).unwrap_err().exit(), Exit::Usage, "{wrong:?}");
        }
        assert!(Line::try_parse_from(["bind", "nothing"]).is_err());
    }

    #[test]
    fn chains() {
        let answer = json!({ "loop": null, "domains": [
            { "domain": "local", "here": true, "state": "bound", "via": "configured",
              "tried": [{ "name": "n@10.0.0.9", "why": "no answer in time" }] },
            { "domain": "network@10.0.0.1", "here": false, "state": "reachable", "latency_us": 1234,
              "heard_seconds_ago": 7 },
            { "domain": "root@10.0.0.2", "here": false, "state": "unreachable", "why": "no route to host" },
        ]});
        let text = chain_text(&answer);
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "DOMAIN PLACE STATE LATENCY HEARD PARENT BY",
                "local this machine bound - - configured",
                "network@10.0.0.1 elsewhere reachable 1.2 ms 7 s -",
                "root@10.0.0.2 elsewhere unreachable - - -",
                "local: not bound to n@10.0.0.9: no answer in time",
                "root@10.0.0.2: no route to host",
            ]
        );
    }
}
