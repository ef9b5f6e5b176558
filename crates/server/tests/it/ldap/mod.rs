//! LDAP, as programs of others speak it: OpenLDAP's tools, python-ldap, Net::LDAP. They come from Debian packages that
//! `scripts/deps.sh` installs; a test fails where one is missing.
//!
//! * [`tools`] – the tools, one after another, by every way to connect,
//! * [`editor`] – entries changed in an editor,
//! * [`office`] – a directory of a hundred entries, its passwords, and what searches find in it,
//! * [`odd`] – what few clients ask, beside OpenLDAP's server,
//! * [`faces`] – what is written by LDAP is seen by NetInfo, and the other way round,
//! * [`rust`] – a client library of Rust,
//! * [`scripts`] – libraries of Python and Perl,
//! * [`tls`] – certificates of server and clients, what has to be protected,
//! * [`raw`], with [`wire`] – messages that no library sends, and when connections end.

mod editor;
mod faces;
mod odd;
mod office;
mod raw;
mod rust;
mod scripts;
mod tls;
mod tools;
pub(crate) mod wire;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use netinfo_testkit::node::Builder;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::control::{self, Response, put_request};
use netinfo_wire::netinfo::Status;

use crate::tree::Tree;
use crate::users::SECRET;

/// DN above all entries.
const SUFFIX: &str = "dc=example,dc=com";
/// The administrator.
const ADMIN: &str = "cn=admin,dc=example,dc=com";
/// The administrator's password, of which [`SECRET`] is the hash.
const PASSWORD: &str = "secret";

/// How a program ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// A node with the domain `network`, which is `dc=example,dc=com`.
struct Server {
    node: Node,
}

/// How a tool connects, and as whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In the clear, as the administrator.
    Plain,
    /// By TLS from the beginning, as the administrator.
    Tls,
    /// By TLS after StartTLS, as the administrator.
    StartTls,
    /// By the UNIX socket, as root.
    Socket,
    /// In the clear, as nobody.
    Anonymous,
}

impl Server {
    fn start() -> Self {
        Self::with(Node::builder())
    }

    fn with(builder: Builder) -> Self {
        let node = builder.start();
        let mut root = Tree::privileged(node.create_master("network"));
        root.set(0, "_suffix", &[SUFFIX]);
        root.set(0, "_layout", &["rfc2307"]);
        root.set(0, "_admin_dn", &[ADMIN]);
        root.set(0, "_admin_passwd", &[SECRET]);
        Self { node }
    }

    /// With this configuration.
    fn configured(config: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), config).unwrap();
        Self::with(Node::builder().arg("--config").arg(file.path()))
    }

    fn url(&self, way: Way) -> String {
        match way {
            Way::Tls => format!("ldaps://localhost:{}", self.node.ldaps().port()),
            Way::StartTls => format!("ldap://localhost:{}", self.node.ldap().port()),
            Way::Plain | Way::Anonymous => format!("ldap://{}", self.node.ldap()),
            Way::Socket => {
                format!("ldapi://{}", self.node.ldapi().to_str().unwrap().replace('/', "%2f"))
            }
        }
    }

    /// Options of every tool for a way to connect.
    fn options(&self, way: Way) -> Vec<String> {
        let words: &[&str] = match way {
            Way::Plain | Way::Tls => &["-x", "-D", ADMIN, "-w", PASSWORD],
            Way::StartTls => &["-ZZ", "-x", "-D", ADMIN, "-w", PASSWORD],
            Way::Socket => &["-Q", "-Y", "EXTERNAL"],
            Way::Anonymous => &["-x"],
        };
        let url = self.url(way);
        ["-H", &url].iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// Runs one of OpenLDAP's tools.
    fn run(&self, way: Way, tool: &str, words: &[&str], input: &str) -> Ran {
        let options = self.options(way);
        let all: Vec<&str> = options.iter().map(String::as_str).chain(words.iter().copied()).collect();
        run(tool, &all, input, &self.environment())
    }

    /// Runs a tool that must succeed, and returns what it prints.
    #[track_caller]
    fn ok(&self, way: Way, tool: &str, words: &[&str], input: &str) -> String {
        let ran = self.run(way, tool, words, input);
        assert_eq!(ran.code, 0, "{tool} {words:?} by {way:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// Runs a tool that must end with this result code, and returns what it says.
    #[track_caller]
    fn fails(&self, code: i32, way: Way, tool: &str, words: &[&str], input: &str) -> String {
        let ran = self.run(way, tool, words, input);
        assert_eq!(ran.code, code, "{tool} {words:?} by {way:?}: {}{}", ran.out, ran.err);
        ran.err
    }

    /// What the programs are told by their environment: whom to trust.
    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("LDAPTLS_CACERT", self.node.certificate().to_str().unwrap().to_owned())]
    }

    /// A request of the superuser on the local socket.
    fn request(&self, json: &str) {
        let mut args = Vec::new();
        put_request(&mut args, json.as_bytes());
        let procedure = control::Procedure::Request.code();
        let mut root = Caller::unix(&self.node.socket());
        let results = root.call(control::PROGRAM, control::VERSION, procedure, &args).unwrap();
        assert_eq!(Response::decode(&results).unwrap().status, Status::Ok, "{json}");
    }

    /// The caller of NetInfo procedures, as the superuser.
    fn tree(&self) -> Tree {
        Tree::privileged(self.node.domain("network"))
    }
}

/// Runs a program.
fn run(program: &str, words: &[&str], input: &str, environment: &[(&'static str, String)]) -> Ran {
    let mut command = Command::new(program);
    command.args(words).envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawned = command.spawn();
    let mut child = spawned.unwrap_or_else(|e| panic!("this test needs {program} (scripts/deps.sh): {e}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // It may not read on until somebody takes what it prints, and may end without having read anything.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output().unwrap()
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A file of the tests of this module.
fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/ldap").join(name)
}

/// Names of the entries in LDIF.
fn names(ldif: &str) -> Vec<String> {
    let unfolded = ldif.replace("\n ", "");
    let name = |line: &str| match line.strip_prefix("dn:: ") {
        Some(encoded) => Some(String::from_utf8(base64(encoded)).unwrap()),
        None => line.strip_prefix("dn: ").map(str::to_owned),
    };
    unfolded.lines().filter_map(name).collect()
}

/// Decodes base64.
fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.trim_end_matches('=').bytes().map(digit).collect();
    let bits = digits.iter().flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

/// The values of an attribute in what `ldapsearch -LLL -o ldif-wrap=no` prints.
fn values<'t>(text: &'t str, attribute: &str) -> Vec<&'t str> {
    let prefix = format!("{attribute}: ");
    text.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).collect()
}
