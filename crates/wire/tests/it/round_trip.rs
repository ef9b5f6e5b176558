//! Any value, encoded and decoded, is itself.

use std::net::{Ipv4Addr, SocketAddr};

use netinfo_wire::control::{self, Response, StreamDecoder, StreamItem, UploadChunk};
use netinfo_wire::login::{self, Account, Answer, Authenticate, Change, Keys, Outcome, Place};
use netinfo_wire::netinfo::*;
use netinfo_wire::nibind::{self, Addrinfo, BindArgs, CloneArgs, Registration};
use netinfo_wire::portmap::{rpcbind, uaddr, v2};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes that may follow arguments.
const JUNK: &[u8] = b"junk";

/// Encodes, checks that every cut fails and that junk afterwards does not matter.
macro_rules! both_ways {
    ($ty:ident, $value:expr) => {{
        let value = $value;
        let mut buf = Vec::new();
        value.encode(&mut buf);
        prop_assert_eq!(buf.len() % 4, 0);
        for end in 0..buf.len() {
            prop_assert!($ty::decode(&buf[..end]).is_err());
        }
        buf.extend_from_slice(JUNK);
        prop_assert_eq!($ty::decode(&buf), Ok(value));
    }};
}

/// As [`both_ways`] for a pair of functions.
macro_rules! both_functions {
    ($put:expr, $decode:expr, $value:expr) => {{
        let value = $value;
        let mut buf = Vec::new();
        $put(&mut buf, value.clone());
        for end in 0..buf.len() {
            prop_assert!($decode(&buf[..end]).is_err());
        }
        prop_assert_eq!($decode(&buf), Ok(value));
    }};
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    vec(1u8..=255, 0..10)
}

fn names() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(name(), 0..4)
}

fn props() -> impl Strategy<Value = Vec<Property>> {
    vec((name(), names()).prop_map(|(name, values)| Property { name, values }), 0..4)
}

fn id() -> impl Strategy<Value = Id> {
    any::<(u32, u32)>().prop_map(|(object, instance)| Id { object, instance })
}

fn addr() -> impl Strategy<Value = Ipv4Addr> {
    any::<Ipv4Addr>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn directory_arguments(id in id(), other in id(), target in proptest::option::of(id()), props in props(), position in any::<u32>()) {
        let list: PropListBuf = props.iter().collect();
        prop_assert_eq!(list.as_list().to_vec(), props);
        both_ways!(Id, id);
        both_ways!(CreateArgs, CreateArgs { parent: id, props: list.as_list(), position, target });
        both_ways!(DestroyArgs, DestroyArgs { parent: id, id: other });
        both_ways!(PropListArgs, PropListArgs { id, props: list.as_list() });
    }

    #[test]
    fn search_arguments(id in id(), key in name(), value in name(), addr in addr()) {
        both_ways!(LookupArgs, LookupArgs { id, key: &key, value: &value });
        both_ways!(NameArgs, NameArgs { id, name: &key });
        both_ways!(Binding, Binding { tag: &key, addr });
    }

    #[test]
    fn property_arguments(id in id(), prop_index in any::<u32>(), position in any::<u32>(), name in name(), values in names()) {
        let list: NameListBuf = values.iter().collect();
        prop_assert_eq!(list.as_list().to_vec(), values.clone());
        let values = list.as_list();
        both_ways!(CreatePropArgs, CreatePropArgs { id, name: &name, values, position });
        both_ways!(PropArgs, PropArgs { id, prop_index });
        both_ways!(WritePropArgs, WritePropArgs { id, prop_index, values });
        both_ways!(PropNameArgs, PropNameArgs { id, prop_index, name: &name });
    }

    #[test]
    fn value_arguments(id in id(), (prop_index, name_index, position) in any::<(u32, u32, u32)>(), name in name()) {
        both_ways!(CreateNameArgs, CreateNameArgs { id, prop_index, name: &name, position });
        both_ways!(NameIndexArgs, NameIndexArgs { id, prop_index, name_index });
        both_ways!(WriteNameArgs, WriteNameArgs { id, prop_index, name_index, name: &name });
    }

    #[test]
    fn readall(objects in vec((id(), props(), any::<u32>(), vec(any::<u32>(), 0..4)), 0..4)) {
        let mut buf = Vec::new();
        put_status(&mut buf, Status::Ok);
        put_readall_head(&mut buf, 1, 2);
        for (id, props, parent, children) in &objects {
            let (props, children): (PropListBuf, IdListBuf) = (props.iter().collect(), children.iter().copied().collect());
            Object { id: *id, props: props.as_list(), parent: *parent, children: children.as_list() }.encode(&mut buf);
        }
        put_more(&mut buf, false);
        let decoded: Vec<_> = ReadAll::decode(&buf).unwrap().map(|o| o.unwrap()).map(|o| {
            (o.id, o.props.to_vec(), o.parent, o.children.iter().collect::<Vec<_>>())
        }).collect();
        prop_assert_eq!(decoded, objects);
        // Cut anywhere, the list ends with an error and never as if it were complete.
        for end in 12..buf.len() {
            prop_assert!(ReadAll::decode(&buf[..end]).unwrap().last().unwrap().is_err());
        }
    }

    #[test]
    fn binder(tag in name(), other in name(), third in name(), addr in addr(), (udp_port, tcp_port) in any::<(u32, u32)>(), count in 0usize..40) {
        let addrs = Addrinfo { udp_port, tcp_port };
        let registration = Registration { tag: &tag, addrs };
        both_ways!(Registration, registration);
        both_ways!(CloneArgs, CloneArgs { tag: &tag, master_name: &other, master_addr: addr, master_tag: &third });
        both_ways!(BindArgs, BindArgs { client_addr: addr, client_tag: &tag, server_tag: &other });
        both_functions!(nibind::put_getregister_res, nibind::decode_getregister_res, addrs);
        let kept = vec![registration; count.min(nibind::MAX_REGISTRATIONS as usize)];
        let mut all = Vec::new();
        nibind::put_listreg_res(&mut all, vec![registration; count]);
        prop_assert_eq!(nibind::decode_listreg_res(&all), Ok(kept.clone()));
        both_functions!(nibind::put_listreg_res, nibind::decode_listreg_res, kept);
    }

    #[test]
    fn portmapper(words in any::<[u32; 4]>(), payload in vec(any::<u8>(), 0..20), count in 0usize..5, port in any::<u16>()) {
        use v2::{CallItArgs, CallItResult, Mapping};
        let [prog, vers, prot, port_word] = words;
        let mapping = Mapping { prog, vers, prot, port: port_word };
        both_ways!(Mapping, mapping);
        both_ways!(CallItArgs, CallItArgs { prog, vers, proc: prot, args: &payload });
        both_ways!(CallItResult, CallItResult { port: prog, results: &payload });
        both_functions!(v2::put_dump, v2::decode_dump, vec![mapping; count]);
        both_functions!(v2::put_port, v2::decode_port, (port != 0).then_some(port));
    }

    #[test]
    fn rpcbinder(words in any::<[u32; 6]>(), a in name(), b in name(), c in name(), count in 0usize..3) {
        use rpcbind::{AddrEntry, AddrStat, CallItResult, IndirectStat, Netbuf, Rpcb, Statistics};
        let [prog, vers, proc, success, failure, indirect] = words;
        let rpcb = Rpcb { prog, vers, netid: &a, addr: &b, owner: &c };
        both_ways!(Rpcb, rpcb);
        both_ways!(CallItResult, CallItResult { addr: &a, results: &b });
        both_ways!(Netbuf, Netbuf { maxlen: prog, bytes: &a });
        both_functions!(rpcbind::put_dump, rpcbind::decode_dump, vec![rpcb; count]);
        let entry = AddrEntry { maddr: &a, netid: &b, semantics: vers, family: &c, proto: &a };
        both_functions!(rpcbind::put_addr_list, rpcbind::decode_addr_list, vec![entry; count]);
        both_functions!(rpcbind::put_text, rpcbind::decode_text, a.as_slice());
        both_functions!(rpcbind::put_time, rpcbind::decode_time, prog);
        let one = Statistics {
            calls: [vers; rpcbind::STAT_PROCEDURES],
            sets: prog,
            unsets: proc,
            addrs: vec![AddrStat { prog, vers, success, failure, netid: &a }; count],
            indirect: vec![IndirectStat { prog, vers, proc, success, failure, indirect, netid: &b }; count],
        };
        let three = [one.clone(), Statistics::default(), one];
        let put = |buf: &mut Vec<u8>, stats: [Statistics<'_>; 3]| rpcbind::put_statistics(buf, &stats);
        both_functions!(put, rpcbind::decode_statistics, three);
    }

    #[test]
    fn universal_addresses(ip in any::<std::net::IpAddr>(), port in any::<u16>()) {
        let addr = SocketAddr::new(ip, port);
        let text = uaddr::format(addr);
        prop_assert!(text.len() <= uaddr::MAX_UADDR as usize);
        prop_assert_eq!(uaddr::parse(text.as_bytes()), Ok(addr));
    }

    #[test]
    fn control_messages(code in 1u32..30, handle in any::<u64>(), data in vec(any::<u8>(), 0..20)) {
        let response = Response { status: Status::from_code(code), json: &data };
        both_ways!(Response, response);
        both_ways!(UploadChunk, UploadChunk { handle, data: &data });
        both_functions!(control::put_request, control::decode_request, data.as_slice());
        both_functions!(control::put_upload_commit, control::decode_upload_commit, handle);
        both_functions!(control::put_upload_begun, control::decode_upload_begun, Ok(handle));
        both_functions!(control::put_upload_begun, control::decode_upload_begun, Err(response));
    }

    #[test]
    fn login_questions(user in name(), word in proptest::option::of(name()), groups in names(), flag in any::<bool>()) {
        let place = Place { service: &user, tty: word.as_deref(), host: None };
        let one_of: Vec<&[u8]> = groups.iter().map(Vec::as_slice).collect();
        both_ways!(Authenticate, Authenticate { user: &user, password: b"one", place });
        both_ways!(Change, Change { user: &user, old: word.as_deref(), new: b"two", place });
        let all_of = vec![&b"staff"[..]];
        both_ways!(Account, Account { user: &user, place, one_of, all_of, by_host: flag, by_service: !flag });
        both_functions!(login::put_keys_args, login::decode_keys_args, user.as_slice());
    }

    #[test]
    fn login_answers(code in 0u32..11, uid in any::<Option<u32>>(), days_left in any::<Option<u32>>(), message in name(), keys in names()) {
        let outcome = Outcome::try_from(code).unwrap();
        let answer = Answer { outcome, uid, days_left, wait_seconds: uid, message: &message };
        both_ways!(Answer, answer);
        both_ways!(Keys, Keys { answer, keys: keys.iter().map(Vec::as_slice).collect() });
    }

    #[test]
    fn control_streams(chunks in vec(vec(any::<u8>(), 0..20), 0..5), step in 1usize..30) {
        let end = StreamItem::End(Response { status: Status::Ok, json: b"{}" });
        let mut bytes = Vec::new();
        for item in chunks.iter().map(|chunk| StreamItem::Chunk(chunk)).chain([end]) {
            item.encode(&mut bytes);
        }
        let mut decoder = StreamDecoder::new();
        let (mut found, mut ended) = (Vec::new(), false);
        for piece in bytes.chunks(step) {
            prop_assert!(!ended);
            decoder.feed(piece);
            while let Some(item) = decoder.next_item().unwrap() {
                match item {
                    StreamItem::Chunk(chunk) => found.push(chunk.to_vec()),
                    StreamItem::End(response) => ended = response.json == b"{}",
                }
            }
        }
        prop_assert!(ended);
        prop_assert_eq!(found, chunks);
    }
}
