//! autofs (autofs-ldap): its maps, as `automount -m` shows them. Nothing is mounted.

use super::{Office, configure, configure_machine, run, spaced, write_public};

/// The maps and their entries, in the order of their names.
pub(super) fn check_maps() {
    write_public("/etc/auto.master", "+auto.master\n");
    // A process of it can crash when all is said, and would leave its memory in the source tree.
    let shown = run(&["prlimit", "--core=0", "automount", "-m"]);
    let points = shown.split("Mount point: ").skip(1);
    let mut points: Vec<(&str, Vec<String>)> = points
        .map(|point| {
            let (name, rest) = point.split_once('\n').unwrap();
            let mut lines: Vec<String> =
                rest.lines().filter(|line| line.contains(" | ")).map(spaced).collect();
            lines.sort();
            (name, lines)
        })
        .collect();
    points.sort();
    let names: Vec<&str> = points.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["/-", "/home", "/net"], "{shown}");
    assert_eq!(points[0].1, ["/opt/tools | -ro fileserver:/export/tools"]);
    let home = [
        "* | -rw,hard fileserver:/export/home/&",
        "alice | -fstype=nfs,rw,hard fileserver:/export/home/alice",
    ];
    assert_eq!(points[1].1, home);
}

#[test]
fn maps_are_found() {
    Office::with(|office| {
        configure_machine("ldap", "pam_deny.so");
        configure(office, "/etc/autofs.conf");
        configure(office, "/etc/autofs_ldap_auth.conf");
        write_public("/etc/ldap/ldap.conf", "TLS_CACERT /etc/ssl/netinfo.crt\n");
        check_maps();
    });
}
