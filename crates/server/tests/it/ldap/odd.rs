//! Requests that few clients send, to this server and to OpenLDAP's: both have to say the same, but for what `odd.txt` lists
//! with the reason.
//!
//! A line of the file is a request: a word, and fields behind it, parted by `|`. `$B` is an entry made for the section, `%xx`
//! an octet. Fields that begin with `^` are controls: `^OID`, `^!OID` (critical), either with `=` and the value in
//! hexadecimal digits. A line `= OURS THEIRS REASON` below a request is a difference that has to be there, and so is `~ REASON`:
//! the same code, but other entries; behind `section`, it is said of what the section leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use netinfo_testkit::slapd::Slapd;
use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::filter::Assertion;
use netinfo_wire::ldap::request::{
    AddRequest, CompareRequest, DeleteRequest, DerefAliases, ExtendedRequest, ModifyDnRequest, ModifyRequest,
};
use netinfo_wire::ldap::{
    AttributesBuf, Authentication, BindRequest, Control, ControlsBuf, FilterBuf, Message, ModificationsBuf,
    ModifyOp, Request, Response, Scope, SearchRequest, SelectionBuf, frame,
};

use super::{ADMIN, PASSWORD, SUFFIX, Server, script};

/// The administrator's password of the other server.
const OTHER_PASSWORD: &str = "admin-password";
/// Longest message of a server.
const LIMIT: usize = 1 << 24;

/// Attributes by name, values in order.
type Attributes = BTreeMap<String, BTreeSet<Vec<u8>>>;

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    /// The result code; none where the connection ends.
    code: Option<i32>,
    entries: BTreeMap<String, Attributes>,
    /// Words for people.
    message: String,
}

/// A connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    id: u32,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new(), id: 0 }
    }

    fn administrator(address: SocketAddr, password: &str) -> Self {
        let mut client = Self::connect(address);
        let authentication = Authentication::Simple(password.as_bytes());
        let request = Request::Bind(BindRequest { version: 3, name: ADMIN.as_bytes(), authentication });
        assert_eq!(client.ask(request, &ControlsBuf::default()).code, Some(0));
        client
    }

    fn ask(&mut self, op: Request<'_>, controls: &ControlsBuf) -> Said {
        self.id += 1;
        let mut bytes = Vec::new();
        Message { id: self.id, op, controls: controls.as_list() }.encode(&mut bytes);
        self.stream.write_all(&bytes).unwrap();
        let id = self.id;
        self.answer(Some(id))
    }

    /// Everything up to the end of an operation, or of the connection.
    fn answer(&mut self, id: Option<u32>) -> Said {
        let mut said = Said::default();
        let mut chunk = [0; 65_536];
        loop {
            if let Frame::Complete(len) = frame(&self.buffer, LIMIT).unwrap() {
                let message: Vec<u8> = self.buffer.drain(..len).collect();
                if said.take(&message, id) {
                    return said;
                }
                continue;
            }
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => return said,
                Ok(n) => self.buffer.extend_from_slice(&chunk[..n]),
            }
        }
    }
}

impl Said {
    /// Takes a message, and tells whether it is the last.
    fn take(&mut self, message: &[u8], id: Option<u32>) -> bool {
        let message = Message::<Response<'_>>::decode(message).unwrap();
        // One that comes twice.
        if id.is_some_and(|id| message.id != id) {
            return false;
        }
        if let Response::SearchEntry(entry) = message.op {
            let attributes = entry.attributes.iter().map(|attribute| {
                let values = attribute.values.iter().map(<[u8]>::to_vec).collect();
                (String::from_utf8_lossy(attribute.name).to_lowercase(), values)
            });
            self.entries.insert(plain(entry.dn), attributes.collect());
            return false;
        }
        let Some(result) = message.op.result() else { return false };
        self.code = Some(result.code.code());
        self.message = String::from_utf8_lossy(result.message).into_owned();
        true
    }
}

/// A name without regard to case and to how characters are escaped.
fn plain(dn: &[u8]) -> String {
    let dn = String::from_utf8_lossy(dn).to_lowercase();
    const ESCAPES: [(&str, &str); 6] = [
        ("\\,", "\\2c"),
        ("\\+", "\\2b"),
        ("\\ ", "\\20"),
        ("\\;", "\\3b"),
        ("\\<", "\\3c"),
        ("\\>", "\\3e"),
    ];
    ESCAPES.iter().fold(dn, |dn, (from, to)| dn.replace(from, to))
}

/// Octets of a field.
fn octets(field: &str) -> Vec<u8> {
    let mut parts = field.split('%');
    let mut out = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        out.extend(hex(&part[..2]));
        out.extend_from_slice(&part.as_bytes()[2..]);
    }
    out
}

fn hex(digits: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// Name and value, parted by `=`.
fn pair(field: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = field.split_once('=').unwrap_or_else(|| panic!("{field}"));
    (octets(name), octets(value))
}

/// A request of the file.
struct Case {
    line: usize,
    text: String,
    word: String,
    fields: Vec<String>,
    controls: ControlsBuf,
}

impl Case {
    fn parse(line: usize, text: &str, base: &str) -> Self {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.replace("$B", base);
        let (controls, fields): (Vec<&str>, Vec<&str>) =
            rest.split('|').map(str::trim).partition(|field| field.starts_with('^'));
        let mut list = ControlsBuf::default();
        for control in controls {
            let control = &control[1..];
            let critical = control.starts_with('!');
            let control = control.trim_start_matches('!');
            let (oid, value) = control.split_once('=').map_or((control, None), |(o, v)| (o, Some(hex(v))));
            list.push(Control { oid, critical, value: value.as_deref() });
        }
        let fields = fields.into_iter().map(str::to_owned).collect();
        Self { line, text: text.to_owned(), word: word.to_owned(), fields, controls: list }
    }

    fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", String::as_str)
    }

    /// Sends it, as the administrator unless it says who it is.
    fn ask(&self, client: &mut Client, address: SocketAddr) -> Said {
        let dn = octets(self.field(0));
        let words = self.fields.get(1..).unwrap_or_default();
        match self.word.as_str() {
            "add" => {
                let list = attributes(words);
                client.ask(Request::Add(AddRequest { dn: &dn, attributes: list.as_list() }), &self.controls)
            }
            "modify" => {
                let list = changes(words);
                let request = ModifyRequest { dn: &dn, changes: list.as_list() };
                client.ask(Request::Modify(request), &self.controls)
            }
            "delete" => client.ask(Request::Delete(DeleteRequest { dn: &dn }), &self.controls),
            "rename" => {
                let new_rdn = octets(self.field(1));
                let above = self.fields.get(3).map(|field| octets(field));
                let delete_old_rdn = self.field(2) == "delete";
                let new_superior = above.as_deref();
                let request = ModifyDnRequest { dn: &dn, new_rdn: &new_rdn, delete_old_rdn, new_superior };
                client.ask(Request::ModifyDn(request), &self.controls)
            }
            "compare" => {
                let (attribute, value) = pair(self.field(1));
                let assertion = Assertion { attribute: &attribute, value: &value };
                client.ask(Request::Compare(CompareRequest { dn: &dn, assertion }), &self.controls)
            }
            "search" => self.search(client, &dn),
            "anonymous" => self.search(&mut Client::connect(address), &dn),
            "extended" => {
                let value = self.fields.get(1).map(|digits| hex(digits));
                let request = ExtendedRequest { name: self.field(0), value: value.as_deref() };
                client.ask(Request::Extended(request), &self.controls)
            }
            "bind" => {
                let (name, password) = (octets(self.field(1)), octets(self.field(2)));
                let authentication = Authentication::Simple(&password);
                let version = self.field(0).parse().unwrap();
                let request = BindRequest { version, name: &name, authentication };
                Client::connect(address).ask(Request::Bind(request), &self.controls)
            }
            "sasl" => {
                let credentials = self.fields.get(1).map(|field| octets(field));
                let (mechanism, credentials) = (self.field(0).as_bytes(), credentials.as_deref());
                let authentication = Authentication::Sasl { mechanism, credentials };
                let request = BindRequest { version: 3, name: b"", authentication };
                Client::connect(address).ask(Request::Bind(request), &self.controls)
            }
            // It has no answer of its own: what comes next has to have its own.
            "abandon" => {
                let mut bytes = Vec::new();
                client.id += 1;
                Message::new(client.id, Request::Abandon(self.field(0).parse().unwrap())).encode(&mut bytes);
                client.stream.write_all(&bytes).unwrap();
                let who = ExtendedRequest { name: netinfo_wire::ldap::oid::WHO_AM_I, value: None };
                client.ask(Request::Extended(who), &ControlsBuf::default())
            }
            "raw" => {
                let mut client = Client::connect(address);
                client.stream.write_all(&hex(self.field(0))).unwrap();
                client.stream.shutdown(Shutdown::Write).unwrap();
                client.answer(None)
            }
            other => panic!("line {}: {other}", self.line),
        }
    }

    /// Base, scope, filter, attributes, size limit.
    fn search(&self, client: &mut Client, base: &[u8]) -> Said {
        let scope = match self.field(1) {
            "base" => Scope::Base,
            "one" => Scope::One,
            "sub" => Scope::Subtree,
            "children" => Scope::Subordinate,
            other => panic!("line {}: {other}", self.line),
        };
        let filter = String::from_utf8(octets(self.field(2))).unwrap();
        let filter = FilterBuf::parse(&filter).unwrap_or_else(|e| panic!("line {}: {e:?}", self.line));
        let mut selection = SelectionBuf::default();
        self.field(3)
            .split(' ')
            .filter(|name| !name.is_empty())
            .for_each(|name| selection.push(name.as_bytes()));
        let request = SearchRequest {
            attributes: selection.as_list(),
            size_limit: self.field(4).parse().unwrap_or(0),
            deref: DerefAliases::Never,
            types_only: self.field(5) == "types",
            ..SearchRequest::new(base, scope, filter.as_filter())
        };
        client.ask(Request::Search(request), &self.controls)
    }
}

fn attributes(fields: &[String]) -> AttributesBuf {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut values: Vec<Vec<Vec<u8>>> = Vec::new();
    for (name, value) in fields.iter().map(|field| pair(field)) {
        match names.iter().position(|known| *known == name) {
            Some(at) => values[at].push(value),
            None => {
                names.push(name);
                values.push(vec![value]);
            }
        }
    }
    let mut list = AttributesBuf::new();
    names.iter().zip(values).for_each(|(name, values)| list.add(name, values));
    list
}

/// `add:NAME=VALUE`, `delete:NAME`, `replace:NAME=VALUE;VALUE`, `increment:NAME=NUMBER`.
fn changes(fields: &[String]) -> ModificationsBuf {
    let mut list = ModificationsBuf::new();
    for field in fields {
        let (op, rest) = field.split_once(':').unwrap_or_else(|| panic!("{field}"));
        let op = match op {
            "add" => ModifyOp::Add,
            "delete" => ModifyOp::Delete,
            "replace" => ModifyOp::Replace,
            "increment" => ModifyOp::Increment,
            other => panic!("{other}"),
        };
        let (name, values) = match rest.split_once('=') {
            Some((name, values)) => (octets(name), values.split("%;").map(octets).collect()),
            None => (octets(rest), Vec::new()),
        };
        list.add(op, name, values);
    }
    list
}

/// A difference the file knows of: our code and theirs, or `None` where the entries differ.
type Known = Option<(i32, i32)>;

/// The two servers, each with a connection of its administrator.
struct Both {
    addresses: [SocketAddr; 2],
    clients: [Client; 2],
    failed: String,
}

impl Both {
    fn ask(&mut self, case: &Case) -> [Said; 2] {
        let [ours, theirs] = &mut self.clients;
        [case.ask(ours, self.addresses[0]), case.ask(theirs, self.addresses[1])]
    }

    fn judge(&mut self, case: &Case, known: Option<Known>, said: &[Said; 2]) {
        let [ours, theirs] = said;
        let codes = (ours.code.unwrap_or(-1), theirs.code.unwrap_or(-1));
        let right = match known {
            // Where a client has ended already, the other server may close the connection without a word.
            Some(Some(expected)) if case.word == "raw" => {
                codes == expected || codes == (expected.0, expected.0)
            }
            Some(Some(expected)) => codes == expected && codes.0 != codes.1,
            Some(None) => codes.0 == codes.1 && ours.entries != theirs.entries,
            None => codes.0 == codes.1 && ours.entries == theirs.entries,
        };
        if !right {
            let _ = writeln!(
                self.failed,
                "line {}: {}\n  ours   {} {:?}\n  theirs {} {:?}",
                case.line, case.text, codes.0, ours.message, codes.1, theirs.message
            );
            for (name, attributes) in &ours.entries {
                if theirs.entries.get(name) != Some(attributes) {
                    let _ = writeln!(self.failed, "    ours: {name} {}", shown(attributes));
                }
            }
            for (name, attributes) in &theirs.entries {
                if ours.entries.get(name) != Some(attributes) {
                    let _ = writeln!(self.failed, "    theirs: {name} {}", shown(attributes));
                }
            }
        }
    }

    /// Makes the entry of a section.
    fn begin(&mut self, name: &str) -> String {
        let base = format!("ou={name},{SUFFIX}");
        let case = Case::parse(0, "add $B|objectClass=organizationalUnit", &base);
        self.ask(&case).iter().for_each(|said| assert_eq!(said.code, Some(0), "{said:?}"));
        base
    }

    /// Compares what a section has left behind.
    fn end(&mut self, base: &str, known: Option<Known>) {
        let case = Case::parse(0, "search $B|sub|(objectClass=*)", base);
        let case = Case { text: format!("everything below {base}"), ..case };
        let said = self.ask(&case);
        self.judge(&case, known, &said);
    }
}

/// The difference that the line below that one tells of.
fn known_below(lines: &[&str], index: usize) -> Option<Known> {
    let below = lines.get(index + 1).copied().unwrap_or_default();
    match below.split(' ').collect::<Vec<_>>()[..] {
        ["=", ours, theirs, _, ..] => Some(Some((ours.parse().unwrap(), theirs.parse().unwrap()))),
        ["~", _, ..] => Some(None),
        _ => None,
    }
}

fn shown(attributes: &Attributes) -> String {
    let line = |(name, values): (&String, &BTreeSet<Vec<u8>>)| {
        values.iter().map(|value| format!(" {name}={}", value.escape_ascii())).collect::<String>()
    };
    attributes.iter().map(line).collect()
}

#[test]
fn odd_requests_are_answered_as_another_server_answers_them() {
    let server = Server::start();
    server.tree().set(0, "_schema", &["strict"]);
    server.tree().set(0, "_schema_variant", &["rfc2307"]);
    let other = Slapd::start();
    let port = other.url().rsplit(':').next().unwrap().parse().unwrap();
    let addresses = [server.node.ldap(), SocketAddr::from(([127, 0, 0, 1], port))];
    let clients =
        [Client::administrator(addresses[0], PASSWORD), Client::administrator(addresses[1], OTHER_PASSWORD)];
    let mut both = Both { addresses, clients, failed: String::new() };
    let text = std::fs::read_to_string(script("odd.txt")).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let (mut base, mut asked) = (None::<(String, Option<Known>)>, 0);
    for (index, line) in lines.iter().enumerate() {
        if let Some(name) = line.strip_prefix("section ") {
            base.iter().for_each(|(base, known)| both.end(base, *known));
            base = Some((both.begin(name), known_below(&lines, index)));
        } else if !line.is_empty() && !line.starts_with(['#', '=', '~']) {
            let (base, _) = base.as_ref().unwrap();
            let case = Case::parse(index + 1, line, base);
            let said = both.ask(&case);
            both.judge(&case, known_below(&lines, index), &said);
            asked += 1;
        }
    }
    base.iter().for_each(|(base, known)| both.end(base, *known));
    assert!(both.failed.is_empty(), "\n{}", both.failed);
    assert!(asked > 200, "{asked}");
}
