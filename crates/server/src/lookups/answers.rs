//! What DNS messages say about hosts (RFC 1034, RFC 1035, RFC 3596).

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use simple_dns::rdata::RData;
use simple_dns::{Packet, PacketFlag, QTYPE, RCODE, TYPE};

use crate::dns::{self, Resolvers};
use crate::limits::DNS_VALUES;

/// Longest host name, in bytes, and longest label (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// What was answered to one question or several about the same name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// The names that the name stands for, in lower case.
    pub(super) aliases: Vec<String>,
    /// The addresses of the host.
    pub(super) addresses: Vec<IpAddr>,
    /// The name of the host, of an address.
    pub(super) pointer: Option<String>,
    /// The shortest time, in seconds, for which one of these is good.
    pub(super) time: Option<u32>,
}

impl Answers {
    /// Asks about a name.
    ///
    /// # Errors
    /// When nobody answers; not when there is nothing of that name.
    pub(super) fn ask(
        &mut self,
        resolvers: &Resolvers,
        name: &str,
        types: &[TYPE],
        deadline: Instant,
    ) -> io::Result<()> {
        for of in types {
            let mut hear = |id, message: &[u8]| self.hear(id, name, *of, message);
            dns::ask(&resolvers.nameservers, name, *of, deadline, &mut hear)?;
        }
        Ok(())
    }

    /// Takes in an answer; `Some(true)` if it was cut short. `None` if it does not answer question `id` about `name`, or
    /// says that it cannot be answered there.
    fn hear(&mut self, id: u16, name: &str, of: TYPE, message: &[u8]) -> Option<bool> {
        let packet = Packet::parse(message).ok()?;
        let question = packet.questions.first()?;
        let same = question.qtype == QTYPE::TYPE(of) && lower(&question.qname) == name;
        if !packet.has_flags(PacketFlag::RESPONSE) || packet.id() != id || !same {
            return None;
        }
        if packet.has_flags(PacketFlag::TRUNCATION) {
            return Some(true);
        }
        if !matches!(packet.rcode(), RCODE::NoError | RCODE::NameError) {
            return None;
        }
        let mut name = name.to_owned();
        // An alias comes before what it stands for.
        for record in &packet.answers {
            if lower(&record.name) != name {
                continue;
            }
            match &record.rdata {
                RData::CNAME(alias) => {
                    name = lower(&alias.0);
                    if is_host_name(&name) && self.aliases.len() < DNS_VALUES && !self.aliases.contains(&name)
                    {
                        self.aliases.push(name.clone());
                    }
                }
                RData::A(a) => self.address(IpAddr::from(a.address.to_be_bytes())),
                RData::AAAA(aaaa) => self.address(IpAddr::from(aaaa.address.to_be_bytes())),
                RData::PTR(pointer) if self.pointer.is_none() => {
                    self.pointer = Some(lower(&pointer.0)).filter(|name| is_host_name(name));
                }
                _ => continue,
            }
            self.time = Some(self.time.map_or(record.ttl, |time| time.min(record.ttl)));
        }
        Some(false)
    }

    fn address(&mut self, address: IpAddr) {
        if self.addresses.len() < 2 * DNS_VALUES && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }
}

fn lower(name: &simple_dns::Name<'_>) -> String {
    name.to_string().to_ascii_lowercase()
}

/// Whether a text can be the name of a host: letters, digits, hyphens and, as some have them, underscores.
pub(super) fn is_host_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let label = |label: &str| (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(good);
    text.len() <= MAX_NAME && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simple_dns::rdata::{A, AAAA, CNAME, PTR};
    use simple_dns::{CLASS, Name, Question, ResourceRecord};

    use super::*;

    fn reply(about: &'static str, of: TYPE, records: Vec<(&'static str, u32, RData<'static>)>) -> Vec<u8> {
        let mut packet = Packet::new_reply(7);
        let name = Name::new_unchecked(about);
        packet.questions.push(Question::new(name, QTYPE::TYPE(of), CLASS::IN.into(), false));
        for (name, ttl, data) in records {
            packet.answers.push(ResourceRecord::new(Name::new_unchecked(name), CLASS::IN, ttl, data));
        }
        packet.build_bytes_vec().unwrap()
    }

    fn a(address: u32) -> RData<'static> {
        RData::A(A { address })
    }

    #[test]
    fn addresses_of_a_name_and_of_what_it_stands_for() {
        let alias = RData::CNAME(CNAME(Name::new_unchecked("Host.example.com")));
        let message = reply(
            "www.example.com",
            TYPE::A,
            vec![
                ("other.example.com", 1, a(1)),
                ("WWW.example.com", 90, alias),
                ("host.example.com", 60, a(0x0a00_0005)),
                ("host.example.com", 60, a(0x0a00_0005)),
            ],
        );
        let mut answers = Answers::default();
        assert_eq!(answers.hear(7, "www.example.com", TYPE::A, &message), Some(false));
        assert_eq!(answers.aliases, ["host.example.com"]);
        assert_eq!(answers.addresses, [IpAddr::from([10, 0, 0, 5])]);
        assert_eq!(answers.time, Some(60));
        let six = RData::AAAA(AAAA { address: 1 });
        let message = reply("www.example.com", TYPE::AAAA, vec![("www.example.com", 30, six)]);
        assert_eq!(answers.hear(7, "www.example.com", TYPE::AAAA, &message), Some(false));
        assert_eq!((answers.addresses.len(), answers.time), (2, Some(30)));
    }

    #[test]
    fn answers_to_other_questions_and_refusals() {
        let message = reply("www.example.com", TYPE::A, vec![("www.example.com", 1, a(1))]);
        let mut answers = Answers::default();
        assert_eq!(answers.hear(8, "www.example.com", TYPE::A, &message), None);
        assert_eq!(answers.hear(7, "mail.example.com", TYPE::A, &message), None);
        assert_eq!(answers.hear(7, "www.example.com", TYPE::AAAA, &message), None);
        for (code, told) in [(RCODE::ServerFailure, None), (RCODE::NameError, Some(false))] {
            let mut packet = Packet::parse(&message).unwrap();
            packet.answers.clear();
            *packet.rcode_mut() = code;
            let message = packet.build_bytes_vec().unwrap();
            assert_eq!(answers.hear(7, "www.example.com", TYPE::A, &message), told, "{code:?}");
        }
        assert_eq!(answers, Answers::default());
    }

    #[test]
    fn a_pointer_to_no_host_name_is_none() {
        let told = |name: &'static str| {
            let pointer = RData::PTR(PTR(Name::new_unchecked(name)));
            let message =
                reply("5.0.0.10.in-addr.arpa", TYPE::PTR, vec![("5.0.0.10.in-addr.arpa", 1, pointer)]);
            let mut answers = Answers::default();
            answers.hear(7, "5.0.0.10.in-addr.arpa", TYPE::PTR, &message);
            answers.pointer
        };
        assert_eq!(told("Host.example.com").as_deref(), Some("host.example.com"));
        assert_eq!(told("a b.example.com"), None);
    }

    proptest! {
        #[test]
        fn no_message_panics(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            Answers::default().hear(0, "a", TYPE::A, &message);
        }
    }
}
