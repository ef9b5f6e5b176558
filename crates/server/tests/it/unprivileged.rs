//! What a daemon without privilege listens on. Run as root, the test runs itself again as nobody.

use std::process::Command;

use netinfo_server::config::{Listen, ListenName};
use netinfo_server::listen::{self, DomainPort, ListenError};
use netinfo_server::privileges::privileged_port_limit;

const NOBODY: &str = "65534";

/// Runs the test called `name` of this program without privilege, or `check` right here when this process
/// has none.
fn without_privilege(name: &str, check: impl FnOnce()) {
    if !nix::unistd::geteuid().is_root() {
        check();
        return;
    }
    let output = Command::new("setpriv")
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .current_dir("/")
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("no setpriv here");
            return;
        }
        other => other.unwrap(),
    };
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn default_ports_give_way_to_others() {
    without_privilege("unprivileged::default_ports_give_way_to_others", || {
        if privileged_port_limit() <= 945 {
            eprintln!("anybody may bind port 945 here");
            return;
        }
        let bound = listen::ipcserver(&Listen::Default).unwrap();
        let address = bound.client_address().unwrap();
        assert!(address.tcp.port() >= 1024);
        assert!(bound.pairs.iter().all(|pair| pair.tcp_addr.port() == address.tcp.port()));
        assert!(bound.pairs.iter().all(|pair| pair.udp_addr.port() == address.tcp.port()));
        assert_eq!(
            bound.notices,
            [format!("port 945 needs privilege; ipcserver uses {} instead", address.tcp)]
        );
    });
}

#[test]
fn reserved_ports_give_way_to_others() {
    without_privilege("unprivileged::reserved_ports_give_way_to_others", || {
        if privileged_port_limit() < 1023 {
            eprintln!("anybody may bind port 1022 here");
            return;
        }
        for bound in [
            listen::binder(&Listen::Default).unwrap(),
            listen::domain("network", &Listen::Default, DomainPort::default()).unwrap(),
        ] {
            let address = bound.client_address().unwrap();
            assert!(address.tcp.port() >= 1024);
            assert_eq!(bound.notices.len(), 1);
            assert!(bound.notices[0].starts_with("a reserved port needs privilege; "), "{:?}", bound.notices);
            assert!(bound.notices[0].ends_with(&format!(" uses {} instead", address.tcp)));
        }
    });
}

#[test]
fn explicit_privileged_port_is_an_error() {
    without_privilege("unprivileged::explicit_privileged_port_is_an_error", || {
        if privileged_port_limit() <= 946 {
            eprintln!("anybody may bind port 946 here");
            return;
        }
        let listen = Listen::parse(&ListenName::Ipcserver, "127.0.0.1:946").unwrap();
        let error = listen::ipcserver(&listen).unwrap_err();
        assert!(matches!(error, ListenError::Permission { .. }), "{error}");
        let asked = DomainPort { port: Some(946), loopback_only: false };
        listen::domain("network", &Listen::Default, asked).unwrap_err();
    });
}

#[test]
fn socket_is_in_the_data_directory() {
    without_privilege("unprivileged::socket_is_in_the_data_directory", || {
        let dir = tempfile::tempdir().unwrap();
        let local = listen::local(&Listen::Default, dir.path()).unwrap().unwrap();
        assert_eq!(local.file.path(), dir.path().join("netinfod.sock"));
    });
}
