//! Certificates of server and clients, and what has to be protected.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use netinfo_testkit::Node;
use netinfo_wire::ldap::{ResultCode, Scope};
use nix::sys::signal::Signal;

use super::wire::{Client, search};
use super::{ADMIN, PASSWORD, SUFFIX, Server, Way, run};

/// What a certificate of a client says about its use.
const CLIENT: &str = "extendedKeyUsage=clientAuth";

/// A certificate authority, made with OpenSSL.
struct Authority {
    dir: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let authority = Self { dir: tempfile::tempdir().unwrap() };
        let (key, certificate) = (authority.path("ca.key"), authority.path("ca.crt"));
        let words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        openssl(
            &[&words[..], &["-keyout", &key, "-out", &certificate, "-subj", "/CN=Test CA", "-days", "30"]]
                .concat(),
        );
        authority
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Makes `NAME.key` and `NAME.crt` for a subject as OpenSSL writes it (`/DC=com/CN=x`).
    fn issue(&self, name: &str, subject: &str, extension: &str) {
        let (key, request, certificate) =
            (self.path(&format!("{name}.key")), self.path("request"), self.path(&format!("{name}.crt")));
        let words =
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", &key];
        openssl(&[&words[..], &["-out", &request, "-subj", subject]].concat());
        let extensions = self.path("extensions");
        fs::write(&extensions, extension).unwrap();
        let (ca, ca_key) = (self.path("ca.crt"), self.path("ca.key"));
        let words = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
        openssl(&[&words[..], &["-out", &certificate, "-days", "30", "-extfile", &extensions]].concat());
    }
}

fn openssl(words: &[&str]) {
    let ran = run("openssl", words, "", &[]);
    assert_eq!(ran.code, 0, "openssl {words:?}: {}", ran.err);
}

/// What a handshake with `openssl s_client` tells.
fn handshake(server: &Server, more: &[&str]) -> super::Ran {
    let address = server.node.ldaps().to_string();
    run("openssl", &[&["s_client", "-connect", &address][..], more].concat(), "", &[])
}

#[test]
fn certificate_of_our_own_making_is_kept_over_restarts() {
    let mut server = Server::start();
    let before = fs::read(server.node.certificate()).unwrap();
    let trusted =
        handshake(&server, &["-CAfile", server.node.certificate().to_str().unwrap(), "-verify_return_error"]);
    assert!(
        trusted.out.contains("Verify return code: 0 (ok)") && trusted.out.contains("TLSv1.3"),
        "{trusted:?}"
    );
    let older = handshake(&server, &["-tls1_2"]);
    assert!(older.out.contains("TLSv1.2"), "{older:?}");
    assert_ne!(handshake(&server, &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]).code, 0);
    server.node.restart();
    assert_eq!(fs::read(server.node.certificate()).unwrap(), before);
    // Who does not trust it does not talk.
    let url = server.url(Way::Tls);
    let ran = run(
        "ldapwhoami",
        &["-x", "-H", &url],
        "",
        &[("LDAPTLS_CACERT", "/etc/ssl/certs/ca-certificates.crt".into())],
    );
    assert_ne!(ran.code, 0);
}

#[test]
fn renewed_certificates_are_taken_on_sighup() {
    let authority = Authority::new();
    let names = "subjectAltName=IP:127.0.0.1,DNS:localhost";
    authority.issue("server", "/CN=before", names);
    let config = format!(
        "[ldap]\ncertificate = '{}'\nkey = '{}'\nmin_tls = '1.3'\n",
        authority.path("server.crt"),
        authority.path("server.key")
    );
    let server = Server::configured(&config);
    let subject = || handshake(&server, &["-CAfile", &authority.path("ca.crt")]).out;
    assert!(subject().contains("subject=CN = before"), "{}", subject());
    assert_ne!(handshake(&server, &["-tls1_2"]).code, 0, "too old");
    authority.issue("server", "/CN=after", names);
    let open = handshake(&server, &[]);
    assert!(open.out.contains("CN = before"), "not before it is told to");
    server.node.signal(Signal::SIGHUP);
    let until = Instant::now() + Duration::from_secs(10);
    while !subject().contains("subject=CN = after") {
        assert!(Instant::now() < until, "{}", server.node.log());
    }
    // A file that makes no sense changes nothing.
    fs::write(authority.path("server.crt"), "nonsense").unwrap();
    server.node.signal(Signal::SIGHUP);
    while !server.node.log().contains("TLS goes on with the keys and certificates it has") {
        assert!(Instant::now() < until, "{}", server.node.log());
    }
    assert!(subject().contains("subject=CN = after"));
}

#[test]
fn certificates_that_cannot_be_used_are_named_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("netinfod.toml");
    fs::write(&config, "[ldap]\ncertificate = 'absent.crt'\nkey = 'absent.key'\n").unwrap();
    let failed = Node::builder().arg("--config").arg(&config).try_start().unwrap_err();
    let file = dir.path().join("absent.crt");
    assert!(
        failed.log.contains(&format!("cannot read the certificate {}", file.display())),
        "{}",
        failed.log
    );
}

#[test]
fn clients_authenticate_with_certificates() {
    let authority = Authority::new();
    authority.issue("alice", "/DC=com/DC=example/OU=people/UID=alice", CLIENT);
    let server = Server::configured(&format!(
        "[ldap]\nclient_certificates = 'ask'\nclient_ca = '{}'\n",
        authority.path("ca.crt")
    ));
    let ldif = format!(
        "dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: uid=alice,ou=people,{SUFFIX}\nobjectClass: account\nuid: alice\n"
    );
    server.ok(Way::Plain, "ldapadd", &[], &ldif);
    let with = |name: &str, words: &[&str]| {
        let environment = [
            ("LDAPTLS_CACERT", server.node.certificate().to_str().unwrap().to_owned()),
            ("LDAPTLS_CERT", authority.path(&format!("{name}.crt"))),
            ("LDAPTLS_KEY", authority.path(&format!("{name}.key"))),
        ];
        run("ldapwhoami", &[&["-H", &server.url(Way::Tls)][..], words].concat(), "", &environment)
    };
    let external = with("alice", &["-Q", "-Y", "EXTERNAL"]);
    assert_eq!(external.out.trim(), format!("dn:uid=alice,ou=people,{SUFFIX}"), "{external:?}");
    // Who has shown one need not use it, and who has none is served as well.
    assert_eq!(with("alice", &["-x"]).out, "anonymous\n");
    assert_eq!(server.ok(Way::Tls, "ldapwhoami", &[], ""), format!("dn:{ADMIN}\n"));
    // One by another authority is not.
    let stranger = Authority::new();
    stranger.issue("alice", "/DC=com/DC=example/OU=people/UID=alice", CLIENT);
    for file in ["alice.crt", "alice.key"] {
        fs::copy(stranger.path(file), Path::new(&authority.path(file.replace("alice", "other").as_str())))
            .unwrap();
    }
    assert_ne!(with("other", &["-Q", "-Y", "EXTERNAL"]).code, 0);
}

#[test]
fn clients_without_certificates_are_not_served_where_they_are_required() {
    let authority = Authority::new();
    authority.issue("client", "/CN=client", CLIENT);
    let server = Server::configured(&format!(
        "[ldap]\nclient_certificates = 'require'\nclient_ca = '{}'\n",
        authority.path("ca.crt")
    ));
    assert_ne!(server.run(Way::Tls, "ldapwhoami", &[], "").code, 0);
    let environment = [
        ("LDAPTLS_CACERT", server.node.certificate().to_str().unwrap().to_owned()),
        ("LDAPTLS_CERT", authority.path("client.crt")),
        ("LDAPTLS_KEY", authority.path("client.key")),
    ];
    let url = server.url(Way::Tls);
    let ran = run("ldapwhoami", &["-x", "-H", &url, "-D", ADMIN, "-w", PASSWORD], "", &environment);
    assert_eq!(ran.out, format!("dn:{ADMIN}\n"), "{ran:?}");
}

#[test]
fn what_has_to_be_protected() {
    let bind = ["-x", "-D", ADMIN, "-w", PASSWORD];
    let always = Server::configured("[ldap]\nrequire_tls = 'always'\n");
    let plain = always.url(Way::Plain);
    let ran = run("ldapwhoami", &[&["-H", &plain][..], &bind].concat(), "", &[]);
    assert_eq!(ran.code, 13, "{ran:?}");
    always.fails(13, Way::Anonymous, "ldapsearch", &["-b", SUFFIX], "");
    // The tools bind before they ask for anything; the root DSE is there without.
    let mut client = Client::connect(always.node.ldap());
    client.send(&search(1, "", Scope::Base, "(objectClass=*)"));
    assert_eq!(client.result(1), (vec![String::new()], ResultCode::Success));
    for way in [Way::Tls, Way::StartTls, Way::Socket] {
        always.ok(way, "ldapsearch", &["-b", SUFFIX], "");
    }
    // From this machine itself passwords need no protection otherwise.
    let for_bind = Server::configured("[ldap]\nrequire_tls = 'for-bind'\n");
    for_bind.ok(Way::Plain, "ldapwhoami", &[], "");
    let authenticated = Server::configured("[ldap]\nrequire_authentication = true\n");
    authenticated.ok(Way::Plain, "ldapsearch", &["-b", SUFFIX], "");
    assert_ne!(authenticated.run(Way::Anonymous, "ldapsearch", &["-b", SUFFIX], "").code, 0);
}
