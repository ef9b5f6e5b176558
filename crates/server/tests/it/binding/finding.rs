//! Parents that nobody has configured, and machines that nobody has added.

use std::fs;

use netinfo_testkit::namespace::{isolated, lan};
use netinfo_testkit::software::Daemon;

use super::{Host, replace};

/// A rule by which machines of the network may add themselves to `network`.
fn allow(server: &Host, pattern: &str, most: &str) {
    let mut tree = server.tree("network");
    let config = tree.make(0, &[("name", &["config"])]);
    let rules = tree.make(config, &[("name", &["host_rules"])]);
    let rule = [("name", "lab"), ("network", "10.0.9.0/24"), ("pattern", pattern), ("most", most)];
    let rule: Vec<(&str, [&str; 1])> = rule.into_iter().map(|(key, value)| (key, [value])).collect();
    let rule: Vec<(&str, &[&str])> = rule.iter().map(|(key, value)| (*key, &value[..])).collect();
    tree.make(rules, &rule);
}

/// The values of `serves` of the machine with this name.
fn serves(server: &Host, name: &str) -> Vec<String> {
    let mut tree = server.tree("network");
    let machines = tree.lookup(0, "name", "machines").unwrap()[0];
    let Ok(found) = tree.lookup(machines, "name", name) else { return Vec::new() };
    let record = tree.read(found[0]).unwrap();
    let property = record.into_iter().find(|property| property.name == b"serves").unwrap();
    property.values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

#[test]
fn by_broadcast_from_those_who_may_add_themselves() {
    isolated(|| {
        lan();
        let server = Host::server(1, "boss");
        let stranger = Host::start(3, "stranger", "broadcast = true");
        stranger.until(&["local root"]);
        allow(&server, "ws*", "1");
        let leaf = Host::start(4, "ws4", "broadcast = true");
        leaf.until(&["local bound", "network@10.0.9.1 reachable"]);
        assert_eq!(serves(&server, "ws4"), ["ws4/local"]);
        assert!(server.node.log().contains("machine \"ws4\" added"), "{}", server.node.log());
        // Another name, and then one too many.
        let late = Host::start(5, "ws5", "broadcast = true");
        late.until(&["local root"]);
        assert!(serves(&server, "stranger").is_empty() && serves(&server, "ws5").is_empty());
        // A parent that was chosen is asked as well, and binds without an answer.
        late.bind("local", "network@10.0.9.1");
        late.until(&["local bound", "network@10.0.9.1 reachable"]);
        assert!(serves(&server, "ws5").is_empty());
    });
}

#[test]
fn by_srv_records() {
    isolated(|| {
        lan();
        replace("/etc/resolv.conf", "nameserver 10.0.9.254\n");
        let _server = Host::server(1, "boss");
        let leaf = Host::start(3, "leaf", "dns = \"example.com\"\ntag = \"other\"");
        leaf.until(&["local root"]);
        let _dns = Daemon::start(&[
            "/usr/sbin/dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=root",
            "--listen-address=10.0.9.254",
            "--bind-interfaces",
            "--srv-host=_netinfo._tcp.example.com,gone.example.com,945,1",
            "--srv-host=_netinfo._tcp.example.com,boss.example.com,945,2",
            "--host-record=gone.example.com,10.0.9.77",
            "--host-record=boss.example.com,10.0.9.1",
            "--txt-record=_netinfo._tcp.example.com,tag=network",
        ]);
        leaf.until(&["local bound", "network@10.0.9.1:945 reachable"]);
        assert_eq!(leaf.rparent("local").as_deref(), Ok("network@10.0.9.1"));
    });
}

#[test]
fn by_multicast_dns() {
    isolated(|| {
        lan();
        let server = Host::server(1, "boss");
        let leaf = Host::start(3, "leaf", "mdns = true");
        leaf.until(&["local root"]);
        let services = "/run/avahi/services";
        fs::create_dir_all(services).unwrap();
        nix::mount::mount(
            Some("/run/avahi"),
            "/etc/avahi",
            None::<&str>,
            nix::mount::MsFlags::MS_BIND,
            None::<&str>,
        )
        .unwrap();
        let service = "<?xml version=\"1.0\"?><!DOCTYPE service-group SYSTEM \"avahi-service.dtd\"><service-group>\
            <name>Boss</name><service><type>_netinfo._tcp</type><port>945</port>\
            <txt-record>tag=network</txt-record></service></service-group>";
        fs::write("/etc/avahi/services/netinfo.service", service).unwrap();
        let config =
            "[server]\nhost-name=boss\nenable-dbus=no\nuse-ipv6=no\n[wide-area]\nenable-wide-area=no\n";
        fs::write("/etc/avahi/avahi-daemon.conf", config).unwrap();
        let _avahi = server.machine.enter(|| {
            // It stays there, whatever thread waits for it: it ends with the namespace of processes it is dropped in.
            std::process::Command::new("avahi-daemon")
                .args(["--no-drop-root", "--no-chroot", "--no-rlimits", "--daemonize"])
                .status()
                .unwrap()
        });
        leaf.until(&["local bound", "network@10.0.9.1:945 reachable"]);
        let ended = std::process::Command::new("avahi-daemon").arg("--kill").status().unwrap();
        assert!(ended.success());
    });
}
