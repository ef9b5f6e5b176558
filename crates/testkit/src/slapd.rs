//! OpenLDAP's slapd with a small directory, on a port of its own: the users jane (`secret`) and bob (`other`), groups of both
//! kinds, a host.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/slapd";
const SCHEMA: &str = "/etc/ldap/schema";

const CONTENT: &str = "\
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=jane,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: shadowAccount
uid: jane
cn: Jane Doe
sn: Doe
uidNumber: 5001
gidNumber: 100
homeDirectory: /home/jane
loginShell: /bin/sh
userPassword: secret

dn: cn=Bob Builder,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: posixAccount
uid: bob
cn: Bob Builder
sn: Builder
uidNumber: 5002
gidNumber: 100
homeDirectory: /home/bob
userPassword: other

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: cn=staff,ou=groups,dc=example,dc=com
objectClass: posixGroup
cn: staff
gidNumber: 600
memberUid: jane
memberUid: ann

dn: cn=makers,ou=groups,dc=example,dc=com
objectClass: groupOfNames
objectClass: extensibleObject
objectClass: group
cn: makers
gidNumber: 601
member: cn=Bob Builder,ou=people,dc=example,dc=com
member: uid=jane,ou=people,dc=example,dc=com
member: cn=nobody,dc=example,dc=com

dn: cn=www.example.com,dc=example,dc=com
objectClass: device
objectClass: ipHost
objectClass: ieee802Device
cn: WWW
cn: www.example.com
ipHostNumber: 10.0.0.7
macAddress: 00:05:02:FE:EF:4B
";

/// A running slapd. It ends with this value.
#[derive(Debug)]
pub struct Slapd {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Slapd {
    /// Starts a server with the content above.
    ///
    /// # Panics
    /// Without the packages `slapd` and `ldap-utils`.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same; these lines of LDIF are in its root DSE, as in that of Active Directory: `currentTime`,
    /// `supportedCapabilities`.
    ///
    /// # Panics
    /// As [`Slapd::start`].
    #[must_use]
    pub fn start_with(root: &str) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("slapd: {e}"));
        let path = folder.path();
        certificates(path);
        fs::create_dir(path.join("db")).unwrap_or_else(|e| panic!("slapd: {e}"));
        let config = format!(
            "include {SCHEMA}/core.schema\ninclude {SCHEMA}/cosine.schema\ninclude {SCHEMA}/nis.schema\n\
             include {SCHEMA}/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             attributetype ( 1.3.6.1.4.1.99999.2 NAME 'currentTime' SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 )\n\
             attributetype ( 1.3.6.1.4.1.99999.3 NAME 'supportedCapabilities' SYNTAX 1.3.6.1.4.1.1466.115.121.1.38 )\n\
             rootDSE {0}/root.ldif\n\
             objectclass ( 1.3.6.1.4.1.99999.1 NAME 'group' SUP top AUXILIARY )\n\
             attributetype ( 1.3.6.1.4.1.24552.500.1.1.1.13 NAME 'sshPublicKey' EQUALITY octetStringMatch \
             SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n\
             objectclass ( 1.3.6.1.4.1.24552.500.1.1.2.0 NAME 'ldapPublicKey' SUP top AUXILIARY MAY sshPublicKey )\n\
             TLSCertificateFile {0}/leaf.pem\nTLSCertificateKeyFile {0}/leaf.key\n\
             database mdb\nsuffix dc=example,dc=com\nrootdn cn=admin,dc=example,dc=com\nrootpw admin-password\n\
             directory {0}/db\naccess to attrs=userPassword by self write by anonymous auth by * none\n\
             access to * by * read\n",
            path.display()
        );
        fs::write(path.join("root.ldif"), format!("dn:\n{root}")).unwrap_or_else(|e| panic!("slapd: {e}"));
        fs::write(path.join("slapd.conf"), config).unwrap_or_else(|e| panic!("slapd: {e}"));
        fs::write(path.join("content.ldif"), CONTENT).unwrap_or_else(|e| panic!("slapd: {e}"));
        let added = Command::new("slapadd")
            .arg("-f")
            .arg(path.join("slapd.conf"))
            .arg("-l")
            .arg(path.join("content.ldif"))
            .output();
        let added = added.unwrap_or_else(|e| panic!("slapadd: {e}; install the package slapd"));
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap_or_else(|e| panic!("slapd: {e}"))
            .local_addr()
            .unwrap_or_else(|e| panic!("slapd: {e}"))
            .port();
        let child = launch(path, port);
        Self { folder, port, child }
    }

    /// Where it listens, for a client on the host that has started it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at("localhost")
    }

    /// Where it listens, for clients to whom its host is `host`: `localhost` and 10.0.0.2 are in its certificate.
    #[must_use]
    pub fn url_at(&self, host: &str) -> String {
        format!("ldap://{host}:{}", self.port)
    }

    /// The certificate of the authority that vouches for it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Where its files are, for those of the test as well.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn stop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        self.child.wait().unwrap_or_else(|e| panic!("slapd: {e}"));
    }

    /// Starts it again.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn restart(&mut self) {
        self.child = launch(self.folder.path(), self.port);
    }

    /// Changes the directory as its administrator.
    ///
    /// # Panics
    /// If it refuses.
    pub fn modify(&self, ldif: &str) {
        let file = self.folder.path().join("change.ldif");
        fs::write(&file, ldif).unwrap_or_else(|e| panic!("slapd: {e}"));
        let words = ["-x", "-D", "cn=admin,dc=example,dc=com", "-w", "admin-password", "-H", &self.url()];
        let changed = Command::new("ldapmodify").args(words).arg("-f").arg(file).output();
        let changed = changed.unwrap_or_else(|e| panic!("ldapmodify: {e}; install the package ldap-utils"));
        assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        // It may have been stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(path: &Path, port: u16) -> Child {
    let mut command = Command::new(PROGRAM);
    command.arg("-f").arg(path.join("slapd.conf")).args([
        "-h",
        &format!("ldap://0.0.0.0:{port}/"),
        "-d",
        "0",
    ]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.unwrap_or_else(|e| panic!("slapd: {e}; install the package slapd"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "slapd does not answer");
        sleep(Duration::from_millis(20));
    }
    child
}

/// An authority `ca.pem`, and a certificate of it for `localhost` and 10.0.0.2.
pub(crate) fn certificates(path: &Path) {
    let key = KeyPair::generate().unwrap_or_else(|e| panic!("slapd: {e}"));
    let mut params = CertificateParams::new(Vec::new()).unwrap_or_else(|e| panic!("slapd: {e}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
    fs::write(path.join("ca.pem"), params.self_signed(&key).unwrap_or_else(|e| panic!("slapd: {e}")).pem())
        .unwrap_or_else(|e| panic!("slapd: {e}"));
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap_or_else(|e| panic!("slapd: {e}"));
    let leaf = CertificateParams::new(["localhost", "10.0.0.2"].map(str::to_owned))
        .unwrap_or_else(|e| panic!("slapd: {e}"));
    fs::write(
        path.join("leaf.pem"),
        leaf.signed_by(&key, &issuer).unwrap_or_else(|e| panic!("slapd: {e}")).pem(),
    )
    .unwrap_or_else(|e| panic!("slapd: {e}"));
    fs::write(path.join("leaf.key"), key.serialize_pem()).unwrap_or_else(|e| panic!("slapd: {e}"));
}
