//! A node in a temporary directory, and clients that drive connections as a driver does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use netinfo_directory::{
    Change, Credentials, Domain, Node, Options, Origin, Outcome, Property, ROOT, Target,
};
use netinfo_ldap::{Connection, Engine, Page, Peer, Settings, Step, Ticket, Write};
use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::filter::Assertion;
use netinfo_wire::ldap::request::{
    AddRequest, CompareRequest, DeleteRequest, ExtendedRequest, ModifyDnRequest, ModifyRequest,
};
use netinfo_wire::ldap::{
    Attributes, AttributesBuf, Authentication, BindRequest, ControlsBuf, Message, Modifications,
    ModificationsBuf, ModifyOp, Request, Response, ResultCode, frame,
};

/// Milliseconds since the epoch at which everything happens: 2026-01-02 03:04:05 UTC.
pub(crate) const NOW: u64 = 1_767_323_045_000;
/// Name of the administrator.
pub(crate) const ADMIN: &str = "cn=admin,dc=example,dc=com";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "Xyzzy-9 plugh";

/// A node with the domain `local`, whose suffix is `dc=example,dc=com`; users alice, bob and root's superior, a group.
pub(crate) struct Place {
    pub(crate) engine: Arc<Engine>,
    pub(crate) domain: Arc<Domain>,
    pub(crate) node: Node,
    _directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let place = Self::bare(settings);
        let hash = hash();
        let users = place.child(ROOT, vec![Property::new("name", ["users"])]);
        for (name, uid) in [("alice", "501"), ("bob", "502")] {
            place.child(
                users,
                vec![
                    Property::new("name", [name]),
                    Property::new("realname", [format!("{name} Example")]),
                    Property::new("uid", [uid]),
                    Property::new("gid", ["20"]),
                    Property::new("home", [format!("/home/{name}")]),
                    Property::new("passwd", [hash.as_str()]),
                    Property::new("_writers_passwd", [name]),
                ],
            );
        }
        let groups = place.child(ROOT, vec![Property::new("name", ["groups"])]);
        place.child(groups, vec![Property::new("name", ["staff"]), Property::new("gid", ["20"])]);
        place
    }

    /// The same with nothing in the domain but what every domain has, and an administrator.
    pub(crate) fn bare(settings: Settings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let addresses = vec![Ipv4Addr::LOCALHOST];
        let options = Options { map_size: 64 << 20, addresses, ..Options::default() };
        let (node, failed) = Node::open(directory.path(), options, true).unwrap();
        assert!(failed.is_empty());
        let domain = node.create_master("local", NOW).unwrap();
        let place = Self { engine: Arc::new(Engine::new(settings)), domain, node, _directory: directory };
        place.set("_suffix", ["dc=example,dc=com"]);
        place.set("_admin_dn", [ADMIN]);
        let hash = hash();
        place.set("_admin_passwd", [hash.as_str()]);
        assert!(place.engine.set_domains([place.domain.clone()]).is_empty());
        place
    }

    /// Sets a property of the root.
    pub(crate) fn set<const N: usize>(&self, name: &str, values: [&str; N]) {
        let property = Property::new(name, values);
        let change = Change::CreateProperty { directory: Target::any(ROOT), property, position: u32::MAX };
        self.change(change);
    }

    /// Makes a directory.
    pub(crate) fn child(&self, parent: u32, properties: Vec<Property>) -> u32 {
        let change = Change::Create { parent: Target::any(parent), properties, position: u32::MAX };
        self.change(change)[0].created.unwrap().object
    }

    pub(crate) fn change(&self, change: Change) -> Vec<Outcome> {
        self.change_all(vec![change])
    }

    /// Makes changes together.
    pub(crate) fn change_all(&self, changes: Vec<Change>) -> Vec<Outcome> {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        self.domain.write_blocking(&session, changes, NOW).unwrap()
    }

    /// The first value of a property of the directory with this path.
    pub(crate) fn value(&self, path: &[&str], property: &str) -> Option<String> {
        self.values(path, property).into_iter().next()
    }

    /// The values of a property of the directory with this path.
    pub(crate) fn values(&self, path: &[&str], property: &str) -> Vec<String> {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let view = self.domain.read(&session).unwrap();
        let path: Vec<&[u8]> = path.iter().map(|name| name.as_bytes()).collect();
        let Some(object) = view.path(&path).unwrap() else { return Vec::new() };
        let record = view.record(object).unwrap();
        let values = record.property(property.as_bytes()).into_iter().flat_map(|property| property.values);
        values.map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
    }

    /// Whether there is a directory with this path.
    pub(crate) fn exists(&self, path: &[&str]) -> bool {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let view = self.domain.read(&session).unwrap();
        let path: Vec<&[u8]> = path.iter().map(|name| name.as_bytes()).collect();
        view.path(&path).unwrap().is_some()
    }

    /// The directory with this path.
    pub(crate) fn object(&self, path: &[&str]) -> u32 {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let path: Vec<&[u8]> = path.iter().map(|name| name.as_bytes()).collect();
        self.domain.read(&session).unwrap().path(&path).unwrap().unwrap()
    }

    /// A client from elsewhere on the network.
    pub(crate) fn client(&self) -> Client {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        let origin = Origin::Network { address, own: false, privileged_port: true };
        self.connect(Peer::new(origin, Some(SocketAddr::new(address, 1023))))
    }

    /// A client on the local socket.
    pub(crate) fn local(&self, uid: u32) -> Client {
        self.connect(Peer::new(Origin::Local { uid }, None))
    }

    pub(crate) fn connect(&self, peer: Peer) -> Client {
        Client {
            connection: Connection::new(self.engine.clone(), peer),
            id: 0,
            closed: false,
            start_tls: false,
        }
    }

    /// A client that has bound as the superuser of this machine.
    pub(crate) fn admin(&self) -> Client {
        let mut client = self.local(0);
        assert_eq!(client.sasl("EXTERNAL", None).code(), ResultCode::Success);
        client
    }

    /// A client that has bound as a user.
    pub(crate) fn user(&self, name: &str) -> Client {
        let mut client = self.client();
        let dn = format!("uid={name},cn=users,dc=example,dc=com");
        assert_eq!(client.bind(&dn, PASSWORD), ResultCode::Success);
        client
    }
}

/// A cheap hash of [`PASSWORD`] (crypt SHA-256 with the fewest rounds).
fn hash() -> String {
    "$5$saltsaltsaltsalt$h3FjCrLm7yRIQOLezBN47xUNi7pC9zrwuMNboS5Mn9C".to_owned()
}

/// What came back, owned.
#[derive(Debug, Default)]
pub(crate) struct Answer(pub(crate) Vec<u8>);

impl Answer {
    /// The messages.
    pub(crate) fn messages(&self) -> Vec<Message<'_, Response<'_>>> {
        let mut rest = &self.0[..];
        let mut messages = Vec::new();
        while !rest.is_empty() {
            let Frame::Complete(length) = frame(rest, usize::MAX).unwrap() else { panic!("half a message") };
            messages.push(Message::<Response<'_>>::decode(&rest[..length]).unwrap());
            rest = &rest[length..];
        }
        messages
    }

    /// The last message.
    pub(crate) fn last(&self) -> Message<'_, Response<'_>> {
        *self.messages().last().expect("no response")
    }

    /// The result code of the last message.
    pub(crate) fn code(&self) -> ResultCode {
        self.last().op.result().unwrap().code
    }

    /// The diagnostic message of the last message.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.last().op.result().unwrap().message.to_vec()).unwrap()
    }

    /// The matched DN of the last message.
    pub(crate) fn matched(&self) -> String {
        String::from_utf8(self.last().op.result().unwrap().matched_dn.to_vec()).unwrap()
    }

    /// The URLs of the last message.
    pub(crate) fn referrals(&self) -> Vec<String> {
        let uris = self.last().op.result().unwrap().referral;
        uris.into_iter().flatten().map(|uri| String::from_utf8(uri.to_vec()).unwrap()).collect()
    }
}

/// A client and what drives its connection.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) id: u32,
    pub(crate) closed: bool,
    pub(crate) start_tls: bool,
}

impl Client {
    /// Sends a request and does all that it takes to get its response.
    pub(crate) fn ask(&mut self, op: Request<'_>) -> Answer {
        self.ask_with(op, &ControlsBuf::default())
    }

    pub(crate) fn ask_with(&mut self, op: Request<'_>, controls: &ControlsBuf) -> Answer {
        self.id += 1;
        let mut message = Vec::new();
        Message { id: self.id, op, controls: controls.as_list() }.encode(&mut message);
        self.send(&message)
    }

    /// Sends a message as it is.
    pub(crate) fn send(&mut self, message: &[u8]) -> Answer {
        let mut out = Vec::new();
        let step = self.connection.handle(message, NOW, &mut out);
        self.perform(step, &mut out);
        Answer(out)
    }

    /// Does what a step says, and what follows from it.
    pub(crate) fn perform(&mut self, mut step: Step, out: &mut Vec<u8>) {
        loop {
            step = match step {
                Step::Done => break,
                Step::Close => {
                    self.closed = true;
                    break;
                }
                Step::StartTls => {
                    self.start_tls = true;
                    break;
                }
                Step::Wait => panic!("nothing is under way"),
                Step::Work(work) => self.connection.resume(work.run(), NOW, out),
                Step::Write(write) => {
                    let (ticket, result) = commit(write);
                    self.connection.settle(ticket, result, NOW, out)
                }
                Step::Pages(mut pages) => {
                    while pages.next(NOW, out) != Page::Last {}
                    break;
                }
            };
        }
    }

    pub(crate) fn bind(&mut self, name: &str, password: &str) -> ResultCode {
        self.bind_answer(name, password).code()
    }

    pub(crate) fn bind_answer(&mut self, name: &str, password: &str) -> Answer {
        let authentication = Authentication::Simple(password.as_bytes());
        self.ask(Request::Bind(BindRequest { version: 3, name: name.as_bytes(), authentication }))
    }

    pub(crate) fn sasl(&mut self, mechanism: &str, credentials: Option<&[u8]>) -> Answer {
        let authentication = Authentication::Sasl { mechanism: mechanism.as_bytes(), credentials };
        self.ask(Request::Bind(BindRequest { version: 3, name: b"", authentication }))
    }

    pub(crate) fn add(&mut self, dn: &str, attributes: &[(&str, &[&str])]) -> Answer {
        self.add_with(dn, attributes, &ControlsBuf::default())
    }

    pub(crate) fn add_with(
        &mut self,
        dn: &str,
        attributes: &[(&str, &[&str])],
        controls: &ControlsBuf,
    ) -> Answer {
        let list = attributes_of(attributes);
        self.ask_with(add_request(dn, list.as_list()), controls)
    }

    /// Adds an entry whose values are any octets.
    pub(crate) fn add_octets(&mut self, dn: &str, attributes: &[(String, Vec<Vec<u8>>)]) -> Answer {
        let mut list = AttributesBuf::new();
        attributes.iter().for_each(|(name, values)| list.add(name, values));
        self.ask(add_request(dn, list.as_list()))
    }

    pub(crate) fn modify(&mut self, dn: &str, changes: &[(ModifyOp, &str, &[&str])]) -> Answer {
        self.modify_with(dn, changes, &ControlsBuf::default())
    }

    pub(crate) fn modify_with(
        &mut self,
        dn: &str,
        changes: &[(ModifyOp, &str, &[&str])],
        controls: &ControlsBuf,
    ) -> Answer {
        let list = changes_of(changes);
        self.ask_with(modify_request(dn, list.as_list()), controls)
    }

    pub(crate) fn delete(&mut self, dn: &str) -> Answer {
        self.ask(Request::Delete(DeleteRequest { dn: dn.as_bytes() }))
    }

    pub(crate) fn rename(
        &mut self,
        dn: &str,
        new_rdn: &str,
        delete_old_rdn: bool,
        parent: Option<&str>,
    ) -> Answer {
        let new_superior = parent.map(str::as_bytes);
        let (dn, new_rdn) = (dn.as_bytes(), new_rdn.as_bytes());
        self.ask(Request::ModifyDn(ModifyDnRequest { dn, new_rdn, delete_old_rdn, new_superior }))
    }

    pub(crate) fn compare(&mut self, dn: &str, attribute: &str, value: &str) -> Answer {
        let assertion = Assertion { attribute: attribute.as_bytes(), value: value.as_bytes() };
        self.ask(Request::Compare(CompareRequest { dn: dn.as_bytes(), assertion }))
    }

    pub(crate) fn extended(&mut self, name: &str, value: Option<&[u8]>) -> Answer {
        self.ask(Request::Extended(ExtendedRequest { name, value }))
    }

    /// Who the server says the client is.
    pub(crate) fn who_am_i(&mut self) -> String {
        let answer = self.extended(netinfo_wire::ldap::oid::WHO_AM_I, None);
        assert_eq!(answer.code(), ResultCode::Success);
        let Response::Extended(extended) = answer.last().op else { panic!("{answer:?}") };
        String::from_utf8(extended.value.unwrap().to_vec()).unwrap()
    }
}

/// Commits a write, as the writer does.
pub(crate) fn commit(write: Write) -> (Ticket, netinfo_directory::Result<Vec<Outcome>>) {
    let Write { domain, session, changes, at, ticket } = write;
    (ticket, domain.write_blocking(&session, changes, at))
}

pub(crate) fn attributes_of(attributes: &[(&str, &[&str])]) -> AttributesBuf {
    let mut list = AttributesBuf::new();
    attributes.iter().for_each(|(name, values)| list.add(name, *values));
    list
}

pub(crate) fn changes_of(changes: &[(ModifyOp, &str, &[&str])]) -> ModificationsBuf {
    let mut list = ModificationsBuf::new();
    changes.iter().for_each(|(op, name, values)| list.add(*op, name, *values));
    list
}

pub(crate) fn add_request<'a>(dn: &'a str, attributes: Attributes<'a>) -> Request<'a> {
    Request::Add(AddRequest { dn: dn.as_bytes(), attributes })
}

pub(crate) fn modify_request<'a>(dn: &'a str, changes: Modifications<'a>) -> Request<'a> {
    Request::Modify(ModifyRequest { dn: dn.as_bytes(), changes })
}

/// A message as it goes over the wire.
pub(crate) fn encoded(id: u32, op: Request<'_>) -> Vec<u8> {
    let mut message = Vec::new();
    Message::new(id, op).encode(&mut message);
    message
}
