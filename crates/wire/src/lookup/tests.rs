//! Limits, a worked example, and what is refused.

use super::answer::{decode_all, decode_find, decode_initgroups, decode_trace, put_page, put_steps};
use super::*;
use crate::xdr::put_u32;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[test]
fn numbers() {
    for (number, category) in (0..).zip(Category::ALL) {
        assert_eq!((category.code(), Category::try_from(number)), (number, Ok(category)));
    }
    for (number, procedure) in (0..).zip(Procedure::ALL) {
        assert_eq!((procedure.code(), Procedure::try_from(number)), (number, Ok(procedure)));
    }
    assert_eq!(Category::try_from(11), Err(Error::BadValue(11)));
    assert_eq!(Procedure::try_from(7), Err(Error::BadValue(7)));
    assert_ne!(PROGRAM, crate::control::PROGRAM);
}

#[test]
fn a_call_and_its_reply() {
    let query = Query { category: Category::Passwd, key: Key::Number(501) };
    let mut call = Vec::new();
    Request::Find(query).put_record(&mut call, 9);
    let head = [0x8000_0034, 9, 0, 2, PROGRAM, VERSION, 1, 0, 0, 0, 0];
    assert_eq!(call, words(&[&head[..], &[0, 1, 501]].concat()));

    let jane = Passwd {
        name: b"jane",
        passwd: b"x",
        uid: 501,
        gid: 20,
        gecos: b"Jane Doe",
        home: b"/home/jane",
        shell: b"/bin/sh",
    };
    let mut results = words(&[0]);
    Entry::Passwd(jane).encode(&mut results);
    assert_eq!(decode_find(&results), Ok(Answer::Found(Entry::Passwd(jane))));
    assert_eq!(results.len(), 4 + 4 + 8 + 8 + 4 + 4 + 12 + 16 + 12);
    assert_eq!(decode_find(&words(&[1])), Ok(Answer::NotFound));
    assert_eq!(decode_find(&words(&[5])), Err(Error::BadValue(5)));
    assert_eq!(decode_find(&words(&[1, 0])), Err(Error::Trailing(4)));
}

#[test]
fn replies_are_those_to_the_call() {
    let mut reply = Vec::new();
    crate::rpc::put_accepted(&mut reply, 3, crate::rpc::AcceptStat::Success);
    put_u32(&mut reply, 1);
    assert_eq!(answer::results(&reply, 3), Some(&[0, 0, 0, 1][..]));
    assert_eq!(answer::results(&reply, 4), None);
    let mut refused = Vec::new();
    crate::rpc::put_accepted(&mut refused, 3, crate::rpc::AcceptStat::ProgUnavail);
    assert_eq!(answer::results(&refused, 3), None);
    assert_eq!(answer::results(b"", 3), None);
}

#[test]
fn a_hash_is_never_shown() {
    let hash = b"$6$salt$hidden";
    let entry = Entry::Shadow(Shadow {
        name: b"jane",
        passwd: hash,
        last_change: -1,
        min: -1,
        max: -1,
        warn: -1,
        inactive: -1,
        expire: 19_000,
    });
    let kept = EntryBuf::new(&entry).unwrap();
    for text in [format!("{entry:?}"), format!("{kept:?}"), format!("{:?}", Answer::Found(entry))] {
        assert!(text.contains("jane") && !text.contains("hidden") && !text.contains("104, 105"), "{text}");
    }
    assert_eq!(kept.as_entry(), entry);
}

#[test]
fn keys_are_limited() {
    let long = vec![b'x'; MAX_KEY as usize + 1];
    let most = &long[1..];
    let find = |key| Request::Find(Query { category: Category::Service, key });
    for (fits, name) in [(true, most), (false, &long[..])] {
        let requests = [
            find(Key::Name(name)),
            find(Key::Service { name, protocol: b"" }),
            find(Key::Service { name: b"", protocol: name }),
            find(Key::Port { port: 1, protocol: name }),
            Request::Initgroups(name),
            Request::Innetgr(Innetgr { group: name, host: None, user: None, domain: None }),
            Request::Innetgr(Innetgr { group: b"", host: None, user: Some(name), domain: None }),
        ];
        for request in requests {
            let mut args = Vec::new();
            request.put_args(&mut args);
            assert_eq!(request.fits(), fits);
            assert_eq!(Request::decode(request.procedure(), &args).is_ok(), fits, "{request:?}");
            let mut record = Vec::new();
            request.put_record(&mut record, 1);
            assert!(!fits || record.len() <= MAX_CALL);
        }
    }
    assert!(!find(Key::Address(&[1, 2, 3])).fits());
    let odd = words(&[Category::Host.code(), 2, 3, 0]);
    assert_eq!(Request::decode(Procedure::Find, &odd), Err(Error::BadValue(3)));
    let port = words(&[Category::Service.code(), 4, 65_536, 0]);
    assert_eq!(Request::decode(Procedure::Find, &port), Err(Error::BadValue(65_536)));
    let trailing = words(&[0, 1, 501, 0]);
    assert_eq!(Request::decode(Procedure::Find, &trailing), Err(Error::Trailing(4)));
}

#[test]
fn lists_are_limited() {
    let mut list = ListBuf::new();
    assert!(!list.push(&vec![0; MAX_STRING as usize + 1]));
    assert!((0..MAX_LIST).all(|_| list.push(b"")));
    assert!(!list.push(b""));
    assert_eq!(list.as_list().len(), MAX_LIST as usize);
    let too_long = |max: u32| Error::TooLong { len: max + 1, max };
    let mut group = Vec::new();
    let empty = Group { name: b"", passwd: b"", gid: 0, members: List::default() };
    Entry::Group(empty).encode(&mut group);
    group.truncate(group.len() - 4);
    put_u32(&mut group, MAX_LIST + 1);
    assert_eq!(decode_find(&[words(&[0]), group].concat()), Err(too_long(MAX_LIST)));
    assert_eq!(decode_initgroups(&words(&[0, MAX_GIDS + 1])), Err(too_long(MAX_GIDS)));
    assert_eq!(decode_all(&words(&[0, MAX_PAGE + 1])), Err(too_long(MAX_PAGE)));
    assert_eq!(decode_trace(&words(&[MAX_STEPS + 1])), Err(too_long(MAX_STEPS)));
    let step = Step { source: b"local", outcome: b"nothing", nanos: 1 };
    let mut buf = Vec::new();
    put_steps(&mut buf, vec![step; MAX_STEPS as usize + 1].into_iter());
    put_u32(&mut buf, 1);
    assert_eq!(decode_trace(&buf).map(|(steps, _)| steps.len()), Ok(MAX_STEPS as usize));
}

#[test]
fn what_is_no_entry_is_not_kept() {
    let host = |address: &[u8]| {
        let addresses: ListBuf = [address].into_iter().collect();
        let host = Host { name: b"h", aliases: List::default(), addresses: addresses.as_list() };
        EntryBuf::new(&Entry::Host(host)).is_some()
    };
    assert!(host(&[0; 4]) && host(&[0; 16]) && !host(&[0; 5]));
    let triples: ListBuf = ["a", "b"].into_iter().collect();
    assert!(EntryBuf::new(&Entry::Netgroup(Netgroup { name: b"g", triples: triples.as_list() })).is_none());
    let large: ListBuf = std::iter::repeat_n(vec![b'x'; 60_000], MAX_ENTRY / 60_000 + 1).collect();
    let group = Group { name: b"g", passwd: b"*", gid: 1, members: large.as_list() };
    assert!(EntryBuf::new(&Entry::Group(group)).is_none());
}

#[test]
fn the_end_of_an_enumeration() {
    let mut buf = words(&[0]);
    put_page(&mut buf, [].into_iter(), Some(Cookie { source: 1, position: 2 }));
    let page = Page { entries: Entries::default(), next: Some(Cookie { source: 1, position: 2 }) };
    assert_eq!(decode_all(&buf), Ok(Answer::Found(page)));
    assert_eq!(decode_all(&words(&[0, 0, 0])), Ok(Answer::Found(Page { next: None, ..page })));
    assert_eq!(Cookie::START, Cookie::default());
}
