//! The worked examples of the NetInfo protocol, byte for byte and in both directions. They show the
//! database that a new master makes on host `boss`, 192.168.1.10: `/` (0, instance 3), `/machines`
//! (1, 1), `/machines/boss` (2, 0).

use std::net::Ipv4Addr;

use netinfo_testkit::golden::hex;
use netinfo_wire::netinfo::*;
use netinfo_wire::record;
use netinfo_wire::rpc::{
    AcceptStat, AuthStat, AuthSys, Call, Credential, Outcome, Reply, auth_password, complement, parse_call,
    parse_reply, put_accepted, put_call, put_denied,
};
use netinfo_wire::{nibind, portmap};

fn bytes(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buf = Vec::new();
    put(&mut buf);
    buf
}

/// Encodes and decodes arguments, both against the example.
macro_rules! args {
    ($example:expr, $ty:ident { $($fields:tt)* }) => {{
        let value = $ty { $($fields)* };
        let example = hex($example);
        assert_eq!(bytes(|buf| value.encode(buf)), example);
        assert_eq!($ty::decode(&example), Ok(value));
    }};
}

const SERVES: &str = "00000006 73657276 65730000";
const BOSS_PROPS: &str = "00000003
    00000004 6e616d65 00000001 00000004 626f7373
    0000000a 69705f61 64647265 73730000 00000001 0000000c 3139322e 3136382e 312e3130
    00000006 73657276 65730000 00000001 00000009 2e2f6e65 74776f72 6b000000";

fn boss_props() -> Vec<Property> {
    vec![
        Property::new("name", ["boss"]),
        Property::new("ip_address", ["192.168.1.10"]),
        Property::new("serves", ["./network"]),
    ]
}

#[test]
fn example_1_ping_over_udp() {
    let call =
        hex("00000001 00000000 00000002 0bed48a0 00000002 00000000 00000000 00000000 00000000 00000000");
    assert_eq!(bytes(|buf| put_call(buf, 1, PROGRAM, VERSION, 0, &Credential::None)), call);
    let parsed = Call { xid: 1, prog: PROGRAM, vers: VERSION, proc: 0, cred: Credential::None, args: &[] };
    assert_eq!(parse_call(&call), Ok(parsed));
    let reply = hex("00000001 00000001 00000000 00000000 00000000 00000000");
    assert_eq!(bytes(|buf| put_accepted(buf, 1, AcceptStat::Success)), reply);
    assert_eq!(parse_reply(&reply), Ok(Reply { xid: 1, outcome: Outcome::Success(&[]) }));
}

#[test]
fn example_2_root_over_tcp() {
    let call = hex("80000028 00000011 00000000 00000002 0bed48a0 00000002 00000002
                    00000000 00000000 00000000 00000000");
    let ours = bytes(|buf| {
        let mark = record::begin(buf);
        put_call(buf, 0x11, PROGRAM, VERSION, Procedure::Root.code(), &Credential::None);
        record::end(buf, mark);
    });
    assert_eq!(ours, call);
    let reply =
        hex("80000024 00000011 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000003");
    let ours = bytes(|buf| {
        let mark = record::begin(buf);
        put_accepted(buf, 0x11, AcceptStat::Success);
        put_status(buf, Status::Ok);
        put_id(buf, Id::new(0, 3));
        record::end(buf, mark);
    });
    assert_eq!(ours, reply);
    let Outcome::Success(results) = parse_reply(&reply[4..]).unwrap().outcome else {
        panic!("not a success")
    };
    assert_eq!(decode_id_res(results), Ok(Id::new(0, 3)));
}

#[test]
fn a_call_refused_over_udp() {
    let reply = hex("00000044 00000001 00000001 00000001 00000005");
    assert_eq!(bytes(|buf| put_denied(buf, 0x44, AuthStat::TooWeak)), reply);
}

#[test]
fn example_3_lookup() {
    args!(
        "00000000 00000000 00000004 6e616d65 00000008 6d616368 696e6573",
        LookupArgs { id: Id::new(0, 0), key: b"name", value: b"machines" }
    );
    let res = hex("00000000 00000001 00000001 00000000 00000003");
    assert_eq!(decode_lookup_res(&res), Ok((vec![1], Id::new(0, 3))));
    let ours = bytes(|buf| {
        put_status(buf, Status::Ok);
        IdListWriter::new(buf).id(1);
        put_id(buf, Id::new(0, 3));
    });
    assert_eq!(ours, res);
}

#[test]
fn example_4_list() {
    args!(&format!("00000000 00000000 {SERVES}"), NameArgs { id: Id::new(0, 0), name: b"serves" });
    let root = hex("00000000 00000001 00000001 00000000 00000000 00000003");
    assert_eq!(decode_list_res(&root), Ok((vec![Entry { id: 1, names: None }], Id::new(0, 3))));
    let machines = hex("00000000 00000001 00000002 00000001 00000001 00000009 2e2f6e65 74776f72 6b000000
                        00000001 00000001");
    let entry = Entry { id: 2, names: Some(vec![b"./network".to_vec()]) };
    assert_eq!(decode_list_res(&machines), Ok((vec![entry], Id::new(1, 1))));
    let ours = bytes(|buf| {
        put_status(buf, Status::Ok);
        let list = ListWriter::begin(buf);
        put_count(buf, 2);
        put_bool(buf, true);
        NameListWriter::new(buf).name(b"./network");
        list.end(buf, 1);
        put_id(buf, Id::new(1, 1));
    });
    assert_eq!(ours, machines);
}

#[test]
fn example_5_create_with_a_password() {
    let call = hex("80000070 00000022 00000000 00000002 0bed48a0 00000002 00000005
        00000001 0000001c 3f000000 00000006 8c9a9c8d 9a8b0000 000001f5 00000000 00000000
        00000000 00000000
        00000000 00000003 00000001 00000004 6e616d65 00000001 00000005 75736572 73000000 ffffffff 00000000");
    let machine = complement(b"secret");
    let sys = AuthSys { stamp: 0x3f00_0000, machine: &machine, uid: 501, ..AuthSys::default() };
    let mut props = PropListBuf::new();
    assert!(props.push(b"name", ["users"]));
    let args =
        CreateArgs { parent: Id::new(0, 3), props: props.as_list(), position: INDEX_NULL, target: None };
    let ours = bytes(|buf| {
        let mark = record::begin(buf);
        put_call(buf, 0x22, PROGRAM, VERSION, Procedure::Create.code(), &Credential::Sys(sys));
        args.encode(buf);
        record::end(buf, mark);
    });
    assert_eq!(ours, call);
    let parsed = parse_call(&call[4..]).unwrap();
    assert_eq!(parsed.cred, Credential::Sys(sys));
    assert_eq!(auth_password(sys.machine).as_slice(), b"secret");
    assert_eq!(CreateArgs::decode(parsed.args), Ok(args));

    let replayed = CreateArgs { target: Some(Id::new(3, 0)), ..args };
    let encoded = bytes(|buf| replayed.encode(buf));
    assert!(encoded.ends_with(&hex("ffffffff 00000001 00000003 00000000")));
    assert_eq!(CreateArgs::decode(&encoded), Ok(replayed));

    let res = hex("00000000 00000003 00000000 00000000 00000004");
    assert_eq!(decode_create_res(&res), Ok(Created { id: Id::new(3, 0), parent: Id::new(0, 4) }));
}

#[test]
fn example_6_failing_write() {
    let res = hex("00000002");
    assert_eq!(bytes(|buf| put_status(buf, Status::Stale)), res);
    assert_eq!(decode_id_res(&res), Err(Failure::Status(Status::Stale)));
    assert_eq!(decode_create_res(&res), Err(Failure::Status(Status::Stale)));
}

#[test]
fn example_7_readall() {
    assert_eq!(decode_checksum(&hex("00000005")), Ok(5));
    let mut nothing = ReadAll::decode(&[0; 16]).unwrap();
    assert_eq!((nothing.checksum, nothing.highest_id), (0, 0));
    assert_eq!(nothing.next_object(), Ok(None));

    let full = hex(&format!(
        "00000000 00000005 00000002
         00000001 00000000 00000003
           00000001 00000006 6d617374 65720000 00000001 0000000c 626f7373 2f6e6574 776f726b
           00000000 00000001 00000001
         00000001 00000001 00000001
           00000001 00000004 6e616d65 00000001 00000008 6d616368 696e6573
           00000000 00000001 00000002
         00000001 00000002 00000000 {BOSS_PROPS} 00000001 00000000
         00000000"
    ));
    let all = ReadAll::decode(&full).unwrap();
    assert_eq!((all.checksum, all.highest_id), (5, 2));
    let objects: Vec<Object<'_>> = all.map(Result::unwrap).collect();
    let shape: Vec<_> =
        objects.iter().map(|o| (o.id, o.parent, o.children.iter().collect::<Vec<_>>())).collect();
    assert_eq!(shape, [(Id::new(0, 3), 0, vec![1]), (Id::new(1, 1), 0, vec![2]), (Id::new(2, 0), 1, vec![])]);
    assert_eq!(objects[2].props.to_vec(), boss_props());
    let ours = bytes(|buf| {
        put_status(buf, Status::Ok);
        put_readall_head(buf, 5, 2);
        objects.iter().for_each(|object| object.encode(buf));
        put_more(buf, false);
    });
    assert_eq!(ours, full);
}

#[test]
fn example_8_statistics_short_form() {
    let call = hex("80000044 00000033 00000000 00000002 0bed48a0 00000002 00000001
        00000001 0000001c 00000000 00000008 9c979a9c 948c8a92 00000000 00000000 00000000
        00000000 00000000");
    let Credential::Sys(sys) = parse_call(&call[4..]).unwrap().cred else { panic!("AUTH_SYS expected") };
    assert_eq!(auth_password(sys.machine).as_slice(), b"checksum");
    let reply = hex("80000034 00000033 00000001 00000000 00000000 00000000 00000000
        00000001 00000008 63686563 6b73756d 00000001 00000001 35000000");
    let ours = bytes(|buf| {
        let mark = record::begin(buf);
        put_accepted(buf, 0x33, AcceptStat::Success);
        PropListWriter::new(buf).property_with(b"checksum", ["5"]);
        record::end(buf, mark);
    });
    assert_eq!(ours, reply);
    assert_eq!(decode_statistics(&reply[28..]), Ok(vec![Property::new("checksum", ["5"])]));
}

#[test]
fn examples_9_and_10_binding() {
    let boss = Ipv4Addr::new(192, 168, 1, 10);
    let res = hex("00000000 00000007 6e657477 6f726b00 c0a8010a");
    assert_eq!(decode_rparent_res(&res), Ok(OwnedBinding { tag: b"network".to_vec(), addr: boss }));
    let ours = bytes(|buf| {
        put_status(buf, Status::Ok);
        put_binding(buf, b"network", boss);
    });
    assert_eq!(ours, res);
    args!(
        "00000005 6c6f6361 6c000000 c0a80114",
        Binding { tag: b"local", addr: Ipv4Addr::new(192, 168, 1, 20) }
    );
    let negative = hex("00000009 00000001 00000000 00000000 00000000 00000005");
    assert_eq!(bytes(|buf| put_accepted(buf, 9, AcceptStat::SystemErr)), negative);
    assert_eq!(parse_reply(&negative).unwrap().outcome, Outcome::Failed(AcceptStat::SystemErr));
}

#[test]
fn examples_11_and_12_values() {
    args!(
        "00000004 00000000 00000003 00000003 626f6200 00000000",
        CreateNameArgs { id: Id::new(4, 0), prop_index: 3, name: b"bob", position: 0 }
    );
    let values: NameListBuf = ["", "x"].into_iter().collect();
    args!(
        "00000004 00000001 00000001 00000002 00000000 00000001 78000000",
        WritePropArgs { id: Id::new(4, 1), prop_index: 1, values: values.as_list() }
    );
}

#[test]
fn examples_13_to_16_reads() {
    args!("00000002 00000000 00000002", PropArgs { id: Id::new(2, 0), prop_index: 2 });
    let readprop = hex("00000000 00000001 00000009 2e2f6e65 74776f72 6b000000 00000002 00000000");
    assert_eq!(decode_namelist_res(&readprop), Ok((vec![b"./network".to_vec()], Id::new(2, 0))));

    args!(
        "00000002 00000000 00000001 00000000",
        NameIndexArgs { id: Id::new(2, 0), prop_index: 1, name_index: 0 }
    );
    let readname = hex("00000000 00000002 00000000 0000000c 3139322e 3136382e 312e3130");
    assert_eq!(decode_readname_res(&readname), Ok((Id::new(2, 0), b"192.168.1.10".to_vec())));

    let listall = hex(&format!("00000000 00000001 00000001 00000001 {BOSS_PROPS}"));
    assert_eq!(decode_listall_res(&listall), Ok((Id::new(1, 1), vec![boss_props()])));
    let read = hex(&format!("00000000 00000002 00000000 {BOSS_PROPS}"));
    assert_eq!(decode_proplist_res(&read), Ok((Id::new(2, 0), boss_props())));

    let parent = hex("00000000 00000000 00000001 00000001");
    assert_eq!(decode_parent_res(&parent), Ok((0, Id::new(1, 1))));
    let children = hex("00000000 00000001 00000002 00000001 00000001");
    assert_eq!(decode_children_res(&children), Ok((vec![2], Id::new(1, 1))));
}

#[test]
fn binder_examples() {
    use nibind::{Addrinfo, BindArgs, Registration};
    let addrs = Addrinfo { udp_port: 1000, tcp_port: 1001 };
    args!("00000007 6e657477 6f726b00 000003e8 000003e9", Registration { tag: b"network", addrs });
    let found = hex("00000000 000003e8 000003e9");
    assert_eq!(nibind::decode_getregister_res(&found), Ok(addrs));
    assert_eq!(bytes(|buf| nibind::put_getregister_res(buf, addrs)), found);
    assert_eq!(nibind::decode_getregister_res(&hex("00000013")), Err(Failure::Status(Status::NoTag)));
    args!(
        "0a000005 00000005 6c6f6361 6c000000 00000007 6e657477 6f726b00",
        BindArgs { client_addr: Ipv4Addr::new(10, 0, 0, 5), client_tag: b"local", server_tag: b"network" }
    );
}

#[test]
fn an_indirect_call_with_four_bytes_too_many() {
    use portmap::v2::CallItArgs;
    let args = hex("0bed48a1 00000001 00000008 00000020
                    0a000001 00000005 6c6f6361 6c000000 00000007 6e657477 6f726b00 00000000");
    let callit = CallItArgs::decode(&args).unwrap();
    assert_eq!((callit.prog, callit.vers, callit.proc), (nibind::PROGRAM, nibind::VERSION, 8));
    let bind = nibind::BindArgs::decode(callit.args).unwrap();
    assert_eq!((bind.client_tag, bind.server_tag), (&b"local"[..], &b"network"[..]));
    let exact = bytes(|buf| bind.encode(buf));
    assert_eq!(exact.len() + 4, callit.args.len());
}
