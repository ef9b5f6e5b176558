//! The look-up program: any value, encoded and decoded, is itself. Arbitrary bytes are tried with those of the other
//! programs.

use netinfo_testkit::exercise;
use netinfo_wire::lookup::answer::{decode_find, put_gids, put_page, put_steps};
use netinfo_wire::lookup::*;
use netinfo_wire::netinfo::PropListBuf;
use proptest::collection::vec;
use proptest::prelude::*;

type Bytes = Vec<u8>;

fn text() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..12)
}

fn texts() -> impl Strategy<Value = ListBuf> {
    vec(text(), 0..5).prop_map(|texts| texts.into_iter().collect())
}

fn category() -> impl Strategy<Value = Category> {
    prop::sample::select(&Category::ALL[..])
}

/// An entry of any category made of the same ingredients.
fn entry() -> impl Strategy<Value = EntryBuf> {
    let addresses = vec(prop_oneof![vec(any::<u8>(), 4), vec(any::<u8>(), 16)], 0..4);
    let triples = vec((text(), text(), text()), 0..4);
    let strings = (text(), text(), text(), text(), text());
    (category(), strings, texts(), addresses, triples, any::<(u32, u32, u16, i64, bool, [u8; 6])>()).prop_map(
        |(category, strings, list, addresses, triples, numbers)| {
            let (name, passwd, gecos, home, shell) = &strings;
            let (first, second, port, day, local, address) = numbers;
            let addresses: ListBuf = addresses.into_iter().collect();
            let triples: ListBuf = triples.into_iter().flat_map(|(h, u, d)| [h, u, d]).collect();
            let (list, addresses, triples) = (list.as_list(), addresses.as_list(), triples.as_list());
            let entry = match category {
                Category::Passwd => {
                    Entry::Passwd(Passwd { name, passwd, uid: first, gid: second, gecos, home, shell })
                }
                Category::Shadow => Entry::Shadow(Shadow {
                    name,
                    passwd,
                    last_change: day,
                    min: -1,
                    max: 0,
                    warn: 1,
                    inactive: i64::MIN,
                    expire: i64::MAX,
                }),
                Category::Group => Entry::Group(Group { name, passwd, gid: first, members: list }),
                Category::Host => Entry::Host(Host { name, aliases: list, addresses }),
                Category::Network => Entry::Network(Network { name, aliases: list, number: first }),
                Category::Service => Entry::Service(Service { name, aliases: list, port, protocol: passwd }),
                Category::Protocol => Entry::Protocol(Protocol { name, aliases: list, number: first }),
                Category::Rpc => Entry::Rpc(Rpc { name, aliases: list, number: second }),
                Category::Ether => Entry::Ether(Ether { name, address }),
                Category::Alias => Entry::Alias(Alias { name, members: list, local }),
                Category::Netgroup => Entry::Netgroup(Netgroup { name, triples }),
            };
            EntryBuf::new(&entry).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn entries(entry in entry()) {
        let results = [&[0; 4], entry.as_bytes()].concat();
        prop_assert_eq!(decode_find(&results), Ok(Answer::Found(entry.as_entry())));
        for end in 0..results.len() {
            prop_assert!(decode_find(&results[..end]).is_err());
        }
        exercise::lookup(&results);
    }

    #[test]
    fn pages_and_traces(list in vec(entry(), 0..4), next in any::<Option<(u32, u64)>>(), cut in 0usize..40) {
        let mut page = vec![0; 4];
        let cookie = next.map(|(source, position)| Cookie { source, position });
        put_page(&mut page, list.iter().map(EntryBuf::as_bytes), cookie);
        exercise::lookup(&page);
        exercise::lookup(page.get(..page.len().saturating_sub(cut)).unwrap());
        let mut trace = Vec::new();
        let step = |entry: &'_ EntryBuf| Step { source: b"local", outcome: b"found", nanos: entry.as_bytes().len() as u32 };
        put_steps(&mut trace, list.iter().map(step));
        trace.extend(1u32.to_be_bytes());
        let (steps, answer) = answer::decode_trace(&trace).unwrap();
        prop_assert_eq!((steps.len(), answer), (list.len(), Answer::NotFound));
        exercise::lookup(&trace);
    }

    #[test]
    fn groups_of_a_user(gids in vec(any::<u32>(), 0..20)) {
        let mut results = vec![0; 4];
        put_gids(&mut results, &gids);
        let Ok(Answer::Found(list)) = answer::decode_initgroups(&results) else { panic!() };
        prop_assert_eq!(list.iter().collect::<Vec<_>>(), gids);
        exercise::lookup(&results);
    }

    #[test]
    fn requests(
        category in category(), name in text(), protocol in text(), number in any::<u32>(), port in any::<u16>(),
        address in prop_oneof![vec(any::<u8>(), 4), vec(any::<u8>(), 6), vec(any::<u8>(), 16)],
        others in any::<[Option<Vec<u8>>; 3]>(), position in any::<u64>(), flag in any::<bool>(),
    ) {
        let [host, user, domain] = &others;
        let list: PropListBuf = [netinfo_wire::netinfo::Property { name: b"name".to_vec(), values: vec![b"x".to_vec()] }].iter().collect();
        let query = |key| Query { category, key };
        let requests = [
            Request::Null,
            Request::Find(query(Key::Name(&name))),
            Request::Find(query(Key::Number(number))),
            Request::Trace(query(Key::Address(&address))),
            Request::Find(query(Key::Service { name: &name, protocol: &protocol })),
            Request::Trace(query(Key::Port { port, protocol: &protocol })),
            Request::All { category, cookie: Cookie { source: number, position } },
            Request::Initgroups(&name),
            Request::Innetgr(Innetgr { group: &name, host: host.as_deref(), user: user.as_deref(), domain: domain.as_deref() }),
            Request::Records(Pattern { category: &protocol, properties: list.as_list(), single: flag, skip: number }),
        ];
        for request in requests {
            let mut args = Vec::new();
            request.put_args(&mut args);
            prop_assert_eq!(Request::decode(request.procedure(), &args), Ok(request));
            for end in 0..args.len() {
                prop_assert!(Request::decode(request.procedure(), &args[..end]).is_err());
            }
            exercise::lookup(&args);
        }
    }
}
