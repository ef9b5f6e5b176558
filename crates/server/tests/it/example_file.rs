//! The annotated example file shows every key with its true default.

use std::path::Path;

use netinfo_server::cli::ServeArgs;
use netinfo_server::config::diagnose::KEYS;
use netinfo_server::config::{Config, Listen};
use netinfo_server::settings::Settings;

const EXAMPLE: &str = include_str!("../../../../packaging/netinfod.toml");

/// Keys that have no default, or one that depends on the machine: the example shows a sample.
const SAMPLES: &[&str] = &[
    "data",
    "hostname",
    "address",
    "user",
    "compat",
    "endpoints",
    "ldap.certificate",
    "ldap.key",
    "ldap.client_ca",
    "ldap.referrals",
    "ldap.access",
    "lookup.masters",
    "binding.dns",
    "binding.no_parent_seconds",
];

fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("example")).unwrap()
}

/// The lines `#key = …` of the example with the key's full name, in order.
fn shown() -> Vec<(String, &'static str)> {
    let mut table = String::new();
    let mut found = Vec::new();
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            table = format!("{name}.");
        }
        let commented = line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
        if let Some((key, _)) = commented.and_then(|rest| rest.split_once(" = ")) {
            found.push((format!("{table}{}", key.trim_matches('"')), line));
        }
    }
    found
}

#[test]
fn commented_out_it_changes_nothing() {
    assert_eq!(parse(EXAMPLE), Config::default());
}

#[test]
fn every_key_is_shown_in_order() {
    let shown = shown();
    let mut names: Vec<&str> = shown
        .iter()
        .map(|(key, _)| if key.starts_with("listen.domain.") { "listen.domain.TAG" } else { key })
        .collect();
    names.dedup();
    let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(names, known);
}

#[test]
fn values_shown_are_the_defaults() {
    let shown = shown();
    let lines: Vec<&str> = EXAMPLE
        .lines()
        .map(|line| {
            let default = shown.iter().any(|(key, shown)| *shown == line && !SAMPLES.contains(&key.as_str()));
            if default { &line[1..] } else { line }
        })
        .collect();
    let config = parse(&lines.join("\n"));
    assert_ne!(config, Config::default());

    let args = ServeArgs { data: Some("/d".into()), ..ServeArgs::default() };
    let mut spelt_out = Settings::resolve(config, &args).unwrap();
    let default = Settings::resolve(Config::default(), &args).unwrap();
    // Addresses are shown where the words "default" stand for them; the ports are tested with the sockets.
    assert_eq!(spelt_out.listen.ipcserver.to_string(), "0.0.0.0:945, [::]:945");
    assert_eq!(spelt_out.listen.portmap.to_string(), "0.0.0.0:111, [::]:111");
    assert_eq!(spelt_out.listen.local.to_string(), "/run/netinfo/netinfod.sock");
    assert_eq!(spelt_out.listen.binder, Listen::Default);
    assert_eq!(spelt_out.listen.domain("local").to_string(), "0.0.0.0:1033");
    spelt_out.listen = default.listen.clone();
    // So do the bounds of LDAP, whose defaults are the protocol's.
    let ldap = &mut spelt_out.ldap;
    let protocol = netinfo_ldap::Settings::default();
    assert_eq!(ldap.size_limit.take(), Some(protocol.size_limit));
    assert_eq!(ldap.time_limit.take(), Some(protocol.time_limit));
    assert_eq!(ldap.look_through.take(), Some(protocol.look_through));
    assert_eq!(ldap.message_size.take(), Some(protocol.message_bound));
    assert_eq!(ldap.message_size_unbound.take(), Some(protocol.message_unbound));
    assert_eq!(spelt_out, default);
}

#[test]
fn samples_are_valid_too() {
    let uncommented: Vec<&str> = EXAMPLE
        .lines()
        .map(|line| if shown().iter().any(|(_, shown)| *shown == line) { &line[1..] } else { line })
        .collect();
    let config = parse(&uncommented.join("\n"));
    assert_eq!(config.data.as_deref(), Some(Path::new("/var/lib/netinfo")));
    assert!(config.compat.is_some());
}
