//! What DNS messages say about servers of the service (RFC 1035, RFC 2782, RFC 6763).

use std::net::IpAddr;

use netinfo_directory::binding::ParentName;
use netinfo_directory::check_tag;
use simple_dns::rdata::RData;
use simple_dns::{Name, Packet, PacketFlag};

/// Servers that are made candidates, at most.
const SERVERS: usize = 8;

/// What was heard so far. Names are in lower case.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Names of instances of the service.
    pub(super) instances: Vec<String>,
    servers: Vec<Server>,
    addresses: Vec<(String, IpAddr)>,
    /// Owners of texts and the tags there.
    tags: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Server {
    owner: String,
    priority: u16,
    weight: u16,
    port: u16,
    target: String,
}

impl Heard {
    /// Takes in an answer; `Some(true)` if it was cut short. `None` if it is no answer to question `id`.
    pub(super) fn hear(&mut self, id: Option<u16>, message: &[u8]) -> Option<bool> {
        let packet = Packet::parse(message).ok()?;
        if !packet.has_flags(PacketFlag::RESPONSE) || id.is_some_and(|id| id != packet.id()) {
            return None;
        }
        for record in packet.answers.iter().chain(&packet.additional_records) {
            let owner = lower(&record.name);
            match &record.rdata {
                RData::SRV(srv) => self.serve(Server {
                    owner,
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target: lower(&srv.target),
                }),
                RData::A(a) => self.address(owner, IpAddr::from(a.address.to_be_bytes())),
                RData::AAAA(aaaa) => self.address(owner, IpAddr::from(aaaa.address.to_be_bytes())),
                RData::PTR(ptr) if self.instances.len() < SERVERS => self.instances.push(lower(&ptr.0)),
                RData::TXT(text) => {
                    let tag = text.iter_raw().find(|(key, _)| key.eq_ignore_ascii_case(b"tag"));
                    let tag = tag.and_then(|(_, value)| String::from_utf8(value?.to_vec()).ok());
                    if let Some(tag) = tag.filter(|tag| check_tag(tag).is_ok() && self.tags.len() < SERVERS) {
                        self.tags.push((owner, tag));
                    }
                }
                _ => {}
            }
        }
        Some(packet.has_flags(PacketFlag::TRUNCATION))
    }

    /// Instances whose server is not known yet.
    pub(super) fn without_server(&self) -> impl Iterator<Item = &String> {
        self.instances.iter().filter(|instance| !self.servers.iter().any(|server| server.owner == **instance))
    }

    /// Targets whose address is not known yet.
    pub(super) fn without_address(&self) -> impl Iterator<Item = &str> {
        let known = |target: &str| self.addresses.iter().any(|(owner, _)| owner == target);
        self.servers.iter().map(|server| server.target.as_str()).filter(move |target| !known(target))
    }

    /// The servers as parents, in the order of their priorities.
    pub(super) fn parents(mut self, usual_tag: &str) -> Vec<ParentName> {
        self.servers.sort_by_key(|server| (server.priority, u16::MAX - server.weight));
        let mut parents = Vec::new();
        for server in &self.servers {
            let tag = self.tags.iter().find(|(owner, _)| *owner == server.owner);
            let tag = tag.map_or(usual_tag, |(_, tag)| tag);
            for (_, address) in self.addresses.iter().filter(|(owner, _)| *owner == server.target) {
                let port = (server.port != 0).then_some(server.port);
                let parent = ParentName::NetInfo { tag: tag.to_owned(), host: address.to_string(), port };
                if !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
        }
        parents
    }

    fn serve(&mut self, server: Server) {
        // A root alone as the target says that the service is not there (RFC 2782).
        if self.servers.len() < SERVERS && !server.target.is_empty() && !self.servers.contains(&server) {
            self.servers.push(server);
        }
    }

    fn address(&mut self, owner: String, address: IpAddr) {
        let one = (owner, address);
        if self.addresses.len() < 2 * SERVERS && !self.addresses.contains(&one) {
            self.addresses.push(one);
        }
    }
}

fn lower(name: &Name<'_>) -> String {
    name.to_string().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simple_dns::rdata::{A, PTR, SRV, TXT};
    use simple_dns::{CLASS, ResourceRecord, TYPE};

    use super::*;
    use crate::dns::question;

    fn reply(records: Vec<(&'static str, RData<'static>)>) -> Vec<u8> {
        let mut packet = Packet::new_reply(7);
        for (name, data) in records {
            packet.answers.push(ResourceRecord::new(Name::new_unchecked(name), CLASS::IN, 60, data));
        }
        packet.build_bytes_vec().unwrap()
    }

    fn srv(priority: u16, port: u16, target: &'static str) -> RData<'static> {
        RData::SRV(SRV { priority, weight: 0, port, target: Name::new_unchecked(target) })
    }

    #[test]
    fn servers_in_order() {
        let service = "_netinfo._tcp.example.com";
        let message = reply(vec![
            (service, srv(20, 945, "b.example.com")),
            (service, srv(10, 0, "A.example.com")),
            (service, RData::TXT(TXT::new().with_string("tag=sales").unwrap())),
            ("a.example.com", RData::A(A { address: 0x0a00_0001 })),
        ]);
        let mut heard = Heard::default();
        assert_eq!(heard.hear(Some(8), &message), None, "an answer to another question");
        assert_eq!(heard.hear(Some(7), &message), Some(false));
        assert_eq!(heard.without_address().collect::<Vec<_>>(), ["b.example.com"]);
        heard.hear(Some(7), &reply(vec![("b.example.com", RData::A(A { address: 0x0a00_0002 }))]));
        let parents: Vec<String> = heard.parents("network").iter().map(ToString::to_string).collect();
        assert_eq!(parents, ["sales@10.0.0.1", "sales@10.0.0.2:945"]);
    }

    #[test]
    fn instances() {
        let mut heard = Heard::default();
        let service = "_netinfo._tcp.local";
        heard.hear(
            None,
            &reply(vec![(service, RData::PTR(PTR(Name::new_unchecked("Boss._netinfo._tcp.local"))))]),
        );
        assert_eq!(heard.without_server().collect::<Vec<_>>(), ["boss._netinfo._tcp.local"]);
        heard.hear(None, &reply(vec![("boss._netinfo._tcp.local", srv(0, 945, "boss.local"))]));
        heard.hear(None, &reply(vec![("boss.local", RData::A(A { address: 0x0a00_0001 }))]));
        assert_eq!(heard.without_server().count(), 0);
        assert_eq!(heard.parents("network")[0].to_string(), "network@10.0.0.1:945");
    }

    #[test]
    fn no_service_and_too_many() {
        let mut heard = Heard::default();
        heard.hear(None, &reply(vec![("_netinfo._tcp.x", srv(0, 0, ""))]));
        for port in 1..100 {
            heard.hear(None, &reply(vec![("_netinfo._tcp.x", srv(0, port, "y"))]));
        }
        assert_eq!(heard.servers.len(), SERVERS);
    }

    #[test]
    fn questions() {
        let message = question(7, "_netinfo._tcp.example.com", TYPE::SRV, true).unwrap();
        assert_eq!(Heard::default().hear(Some(7), &message), None, "a question is no answer");
        assert!(question(7, &"x".repeat(64), TYPE::SRV, true).is_err());
    }

    proptest! {
        #[test]
        fn no_message_panics(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut heard = Heard::default();
            heard.hear(None, &message);
            heard.parents("n");
        }
    }
}
