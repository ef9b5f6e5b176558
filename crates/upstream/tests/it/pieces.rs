//! Below a server that gives the members of a group in pieces, as Active Directory does.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::spawn;

use netinfo_directory::binding::{LdapParent, Parent};
use netinfo_upstream::Upstream;
use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::message::{Envelope, frame};
use netinfo_wire::ldap::response::{LdapResult, SearchEntry};
use netinfo_wire::ldap::writer::MessageWriter;
use netinfo_wire::ldap::{AttributesBuf, Request, Response, ResultCode};
use netinfo_wire::lookup::{Category, Key};

use crate::slapd::{find, policy};

/// The group `staff` has the members `a` to `g`, of which it shows three at most.
const MEMBERS: [&str; 7] = ["uid=a", "uid=b", "uid=c", "uid=d", "uid=e", "uid=f", "uid=g"];

/// What a search for these attributes gets of the group.
fn group(wanted: &[String]) -> AttributesBuf {
    let mut list = AttributesBuf::new();
    let first = wanted.iter().find_map(|name| name.strip_prefix("member;range=")?.strip_suffix("-*"));
    let first: usize = first.map_or(0, |number| number.parse().unwrap());
    let last = (first + 3).min(MEMBERS.len());
    if first == 0 {
        list.add("cn", ["staff"]);
        list.add("objectClass", ["group"]);
        list.add("gidNumber", ["20"]);
        list.add("member", [""; 0]);
    }
    let end = if last == MEMBERS.len() { "*".to_owned() } else { (last - 1).to_string() };
    list.add(format!("member;range={first}-{end}"), &MEMBERS[first..last]);
    list
}

/// The answers to a request.
fn answer(envelope: &Envelope<'_>) -> Vec<u8> {
    let Request::Search(search) = envelope.request().unwrap() else { panic!("not a search") };
    let wanted: Vec<String> =
        search.attributes.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let mut bytes = Vec::new();
    if search.base == b"dc=x" || search.base == b"cn=staff,dc=x" {
        let list = group(&wanted);
        let entry = SearchEntry { dn: b"cn=staff,dc=x", attributes: list.as_list() };
        let mut writer = MessageWriter::begin(&mut bytes, envelope.id);
        writer.response(&Response::SearchEntry(entry));
        writer.finish();
    }
    let mut writer = MessageWriter::begin(&mut bytes, envelope.id);
    writer.response(&Response::SearchDone(LdapResult::new(ResultCode::Success, b"")));
    writer.finish();
    bytes
}

/// Serves one client until it goes.
fn serve(mut stream: TcpStream) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(got @ 1..) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..got]);
        while let Ok(Frame::Complete(length)) = frame(&bytes, 1 << 20) {
            let answers = answer(&Envelope::decode(&bytes[..length]).unwrap());
            stream.write_all(&answers).unwrap();
            bytes.drain(..length);
        }
    }
}

#[test]
fn large_groups_come_in_pieces() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    // It ends with the process.
    spawn(move || listener.incoming().for_each(|stream| _ = spawn(|| serve(stream.unwrap()))));
    let parent = LdapParent {
        url,
        base: "dc=x".into(),
        start_tls: false,
        ca_file: None,
        bind_dn: None,
        password_file: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let parent = Upstream::open(&Parent::Ldap(parent), policy(), folder.path());
    assert_eq!(find(&parent, Category::Group, Key::Name(b"staff")), "staff:20:a,b,c,d,e,f,g");
}
