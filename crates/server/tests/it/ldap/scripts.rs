//! Libraries of other languages.

use super::{ADMIN, PASSWORD, SUFFIX, Server, Way, run, script};

/// Runs a script with the addresses of a node; it says `done` when all it expects is so.
fn script_succeeds(interpreter: &str, name: &str) {
    let server = Server::start();
    let path = script(name);
    let (ldapi, certificate) = (server.node.ldapi(), server.node.certificate());
    let words = [
        path.to_str().unwrap(),
        &server.url(Way::Plain),
        &server.url(Way::Tls),
        &server.url(Way::StartTls),
        ldapi.to_str().unwrap(),
        certificate.to_str().unwrap(),
        SUFFIX,
        ADMIN,
        PASSWORD,
    ];
    let ran = run(interpreter, &words, "", &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "done\n"), "{}", ran.err);
}

#[test]
fn python_ldap() {
    // Debian's own, which has the Debian package.
    script_succeeds("/usr/bin/python3", "client.py");
}

#[test]
fn credentials_verified_by_libldap() {
    script_succeeds("/usr/bin/python3", "verify.py");
}

#[test]
fn ldap3_of_python() {
    script_succeeds("/usr/bin/python3", "client3.py");
}

#[test]
fn net_ldap() {
    script_succeeds("/usr/bin/perl", "client.pl");
}
