//! Many clients at once against a model.
//!
//! Each client changes directories of its own, of which it knows every byte, and all of them change a few shared ones,
//! where a change of another client makes theirs stale until they have read again. Afterwards the domain must be what
//! the clients believe, and the feed of changes, replayed in order on a model that gives out ids as the protocol says,
//! must lead to the same.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_directory::{Change as Core, Credentials, Node as CoreNode, Options, Origin, Target};
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{self, INDEX_NULL, Id, LookupArgs, NameArgs, Procedure, Property, Status};

use crate::load::change::{Author, Change, WRITERS};
use crate::load::model::{Directory, Ids, Model, Properties};
use crate::load::{Rng, setting, wire};

/// Clients at once.
const CLIENTS: usize = 64;
/// How long they work, in seconds, unless `NETINFO_SOAK_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// Directories that all of them change.
const SHARED: usize = 4;
/// Most of its own changes that a client sends at once.
const BATCH: usize = 8;
/// Ids from here on stand for directories whose ids are not known yet.
const UNKNOWN: u32 = 0xF000_0000;

/// One client and what it believes.
struct Client {
    caller: Caller,
    author: Author,
    home: u32,
    model: Model,
    shared: Vec<Share>,
    xid: u32,
    reads: u64,
    writes: u64,
    stale: u64,
}

/// What one client did in a shared directory.
#[derive(Default)]
struct Share {
    object: u32,
    writes: u32,
    tokens: BTreeSet<Vec<u8>>,
    children: BTreeSet<u32>,
}

impl Client {
    fn run(&mut self, until: Instant) {
        while Instant::now() < until {
            match self.author.rng.below(100) {
                0..30 => self.change_own(),
                30..45 => self.change_shared(),
                45..65 => self.read_own(),
                65..80 => self.find_own(),
                _ => self.list_own(),
            }
        }
    }

    /// Some changes of the client's own directories, sent at once.
    fn change_own(&mut self) {
        let mut ahead = self.model.clone();
        let mut changes = Vec::new();
        for n in 0..=self.author.rng.below(BATCH) as u32 {
            let change = self.author.change(&ahead, self.home, UNKNOWN);
            ahead.apply(&change, Some(UNKNOWN + n));
            changes.push(change);
        }
        wire::send(&mut self.caller, &changes, self.xid).unwrap();
        for change in &changes {
            let answer = wire::receive(&mut self.caller, change, self.xid).unwrap();
            self.xid += 1;
            let (id, created) = answer.unwrap_or_else(|status| panic!("{change:?}: {status}"));
            assert!(created.is_none_or(|c| c.instance == 0));
            assert_eq!(self.model.apply(change, created.map(|c| c.object)), id);
            self.writes += 1;
        }
    }

    /// One change of a directory that others change too: read, try, read again.
    fn change_shared(&mut self) {
        let at = self.author.rng.below(SHARED);
        let object = self.shared[at].object;
        let (create, destroy) = (self.author.rng.percent(30), self.author.rng.percent(30));
        let token = format!("{}:{}", self.author.name, self.writes).into_bytes();
        let properties = self.author.properties();
        loop {
            let (id, found) = self.read(object);
            let share = &mut self.shared[at];
            let child = share.children.first().copied();
            let change = match (create, child) {
                (true, Some(child)) if destroy => {
                    let child = netinfo::decode_id_res(
                        &self.caller.netinfo(Procedure::SelfId, &args(|o| Id::new(child, 0).encode(o))),
                    );
                    Change::Destroy { parent: id, child: child.unwrap() }
                }
                (true, _) => {
                    Change::Create { parent: id, properties: properties.clone(), position: INDEX_NULL }
                }
                (false, _) => {
                    let index = found.iter().position(|(name, _)| name == b"tokens").unwrap();
                    let mine = found[index].1.iter().position(|t| share.tokens.contains(t));
                    let index = index as u32;
                    match mine {
                        Some(value) if destroy => {
                            Change::DestroyValue { id, index, value_index: value as u32 }
                        }
                        _ => {
                            let value = token.clone();
                            Change::CreateValue { id, index, value, position: INDEX_NULL }
                        }
                    }
                }
            };
            match wire::make(&mut self.caller, &change) {
                Ok((after, created)) => {
                    assert_eq!(after, Id::new(object, id.instance.wrapping_add(1)));
                    return self.note_shared(at, &change, created, &found);
                }
                Err(Status::Stale) => self.stale += 1,
                Err(status) => panic!("{change:?}: {status}"),
            }
        }
    }

    fn note_shared(&mut self, at: usize, change: &Change, created: Option<Id>, found: &Properties) {
        let share = &mut self.shared[at];
        share.writes += 1;
        self.writes += 1;
        match change {
            Change::Create { .. } => assert!(share.children.insert(created.unwrap().object)),
            Change::Destroy { child, .. } => assert!(share.children.remove(&child.object)),
            Change::CreateValue { value, .. } => assert!(share.tokens.insert(value.clone())),
            Change::DestroyValue { index, value_index, .. } => {
                assert!(share.tokens.remove(&found[*index as usize].1[*value_index as usize]));
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn read(&mut self, object: u32) -> (Id, Properties) {
        let args = args(|out| Id::new(object, 0).encode(out));
        let (id, list) = netinfo::decode_proplist_res(&self.caller.netinfo(Procedure::Read, &args)).unwrap();
        self.reads += 1;
        (id, list.into_iter().map(|Property { name, values }| (name, values)).collect())
    }

    fn any_own(&mut self) -> u32 {
        let at = self.author.rng.below(self.model.0.len());
        *self.model.0.keys().nth(at).unwrap()
    }

    /// What a client has written, it reads.
    fn read_own(&mut self) {
        let object = self.any_own();
        let (id, properties) = self.read(object);
        assert_eq!(id, self.model.id(object));
        assert_eq!(properties, self.model.get(object).properties);
    }

    /// LOOKUP finds exactly the children that have a value.
    fn find_own(&mut self) {
        let object = self.any_own();
        let Some(child) = self.model.get(object).children.first() else { return self.read_own() };
        let Some((key, value)) = first_value(self.model.get(*child)) else { return };
        let expected = hits(&self.model, object, &key, &value);
        assert_eq!(lookup(&mut self.caller, object, &key, &value), expected);
        self.reads += 1;
    }

    /// LIST tells of every child, in order.
    fn list_own(&mut self) {
        let object = self.any_own();
        assert_eq!(list(&mut self.caller, object, b"name"), listed(&self.model, object, b"name"));
        let args = args(|out| Id::new(object, 0).encode(out));
        let children = netinfo::decode_children_res(&self.caller.netinfo(Procedure::Children, &args));
        assert_eq!(children, Ok((self.model.get(object).children.clone(), self.model.id(object))));
        self.reads += 2;
    }
}

fn args(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out);
    out
}

/// Some value of the first property of its name.
fn first_value(directory: &Directory) -> Option<(Vec<u8>, Vec<u8>)> {
    let (name, values) = directory.properties.iter().rev().find(|(_, values)| !values.is_empty())?;
    let (_, first) = directory.properties.iter().find(|(other, _)| other == name)?;
    Some((name.clone(), first.first().or_else(|| values.first())?.clone()))
}

fn hits(model: &Model, object: u32, key: &[u8], value: &[u8]) -> Vec<u32> {
    let has = |child: &&u32| {
        let first = model.get(**child).properties.iter().find(|(name, _)| name == key);
        first.is_some_and(|(_, values)| values.iter().any(|v| v == value))
    };
    model.get(object).children.iter().filter(has).copied().collect()
}

fn lookup(caller: &mut Caller, object: u32, key: &[u8], value: &[u8]) -> Vec<u32> {
    let id = Id::new(object, 0);
    let results = caller.netinfo(Procedure::Lookup, &args(|out| LookupArgs { id, key, value }.encode(out)));
    match netinfo::decode_lookup_res(&results) {
        Ok((ids, own)) => {
            assert_eq!(own.object, object);
            ids
        }
        Err(netinfo::Failure::Status(Status::NoDir)) => Vec::new(),
        Err(failure) => panic!("LOOKUP in {object}: {failure}"),
    }
}

type Listed = Vec<(u32, Option<Vec<Vec<u8>>>)>;

fn listed(model: &Model, object: u32, key: &[u8]) -> Listed {
    let values = |child: &u32| {
        let list = &model.get(*child).properties;
        list.iter().find(|(name, values)| name == key && !values.is_empty()).map(|(_, values)| values.clone())
    };
    model.get(object).children.iter().map(|child| (*child, values(child))).collect()
}

fn list(caller: &mut Caller, object: u32, name: &[u8]) -> Listed {
    let id = Id::new(object, 0);
    let results = caller.netinfo(Procedure::List, &args(|out| NameArgs { id, name }.encode(out)));
    let (entries, own) = netinfo::decode_list_res(&results).unwrap();
    assert_eq!(own.object, object);
    entries.into_iter().map(|entry| (entry.id, entry.names)).collect()
}

/// A directory under the root that everybody may write.
fn make(caller: &mut Caller, whole: &mut Model, properties: Properties) -> u32 {
    let change = Change::Create { parent: whole.id(0), properties, position: INDEX_NULL };
    let (_, created) = wire::make(caller, &change).unwrap();
    let object = created.unwrap().object;
    whole.apply(&change, Some(object));
    object
}

fn clients(node: &Node, rng: &mut Rng) -> (Vec<Client>, Model) {
    let address = node.domain("local").tcp;
    let mut caller = Caller::tcp(address);
    let mut whole = wire::read_all(&mut caller);
    let shared: Vec<u32> = (0..SHARED)
        .map(|n| {
            let property = |name: &[u8], values: Vec<Vec<u8>>| (name.to_vec(), values);
            let name = format!("shared{n}").into_bytes();
            let list = vec![
                property(b"name", vec![name]),
                property(WRITERS, vec![b"*".to_vec()]),
                property(b"tokens", vec![]),
            ];
            make(&mut caller, &mut whole, list)
        })
        .collect();
    let list = (0..CLIENTS).map(|n| {
        let mut author = Author::new(rng.fork(), format!("c{n}"));
        let home = make(&mut caller, &mut whole, author.properties());
        let shared = shared.iter().map(|object| Share { object: *object, ..Share::default() }).collect();
        let (caller, model) = (Caller::tcp(address), whole.below(home));
        Client { caller, author, home, model, shared, xid: 1, reads: 0, writes: 0, stale: 0 }
    });
    let list = list.collect();
    (list, whole)
}

/// The domain is what the clients believe together.
fn compare(clients: &[Client], whole: &Model, base: &Model) {
    let mut known: BTreeSet<u32> = base.0.keys().copied().collect();
    for client in clients {
        assert_eq!(whole.below(client.home), client.model, "directories of {}", client.author.name);
        known.extend(client.model.0.keys());
    }
    for n in 0..SHARED {
        let shares: Vec<&Share> = clients.iter().map(|c| &c.shared[n]).collect();
        let directory = whole.get(shares[0].object);
        assert_eq!(directory.instance, shares.iter().map(|s| s.writes).sum::<u32>(), "instance of shared{n}");
        let tokens: Vec<&Vec<u8>> = shares.iter().flat_map(|s| &s.tokens).collect();
        let mut found: Vec<&Vec<u8>> = directory.properties[2].1.iter().collect();
        found.sort();
        let mut tokens = tokens.clone();
        tokens.sort();
        assert_eq!(found, tokens, "tokens of shared{n}");
        let children: BTreeSet<u32> = shares.iter().flat_map(|s| s.children.iter().copied()).collect();
        assert_eq!(
            directory.children.iter().copied().collect::<BTreeSet<_>>(),
            children,
            "children of shared{n}"
        );
        known.extend(children);
    }
    assert_eq!(whole.0.keys().copied().collect::<BTreeSet<_>>(), known);
}

/// LIST and LOOKUP, answered from indices, agree with READALL.
fn compare_indices(caller: &mut Caller, whole: &Model) {
    for (object, directory) in &whole.0 {
        let mut keys = BTreeSet::new();
        for child in &directory.children {
            keys.extend(whole.get(*child).properties.iter().map(|(name, _)| name.clone()));
        }
        for key in &keys {
            assert_eq!(list(caller, *object, key), listed(whole, *object, key), "LIST in {object}");
            let mut values = BTreeSet::new();
            for child in &directory.children {
                let list = whole.get(*child).properties.iter().filter(|(name, _)| name == key);
                values.extend(list.flat_map(|(_, values)| values.iter().cloned()));
            }
            for value in &values {
                assert_eq!(
                    lookup(caller, *object, key, value),
                    hits(whole, *object, key, value),
                    "LOOKUP in {object}"
                );
            }
        }
    }
}

fn domains_sequence(node: &Node) -> u64 {
    use netinfo_wire::control::{PROGRAM, Procedure, Response, VERSION, put_request};
    let request = args(|out| put_request(out, br#"{"op":"domains"}"#));
    let results = Caller::unix(&node.socket()).call(PROGRAM, VERSION, Procedure::Request.code(), &request);
    let results = results.unwrap();
    let response = Response::decode(&results).unwrap();
    let list: serde_json::Value = serde_json::from_slice(response.json).unwrap();
    list[0]["sequence"].as_u64().unwrap()
}

/// Replays the feed since `sequence` on `model`; returns how many changes that were.
fn replay(node: &Node, sequence: u64, model: &mut Model) -> u64 {
    let (core, _) = CoreNode::open(&node.data(), Options::default(), false).unwrap();
    let domain = core.domain("local").unwrap();
    let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let mut ids = Ids::of(model);
    let mut last = sequence;
    domain
        .changes(&session, sequence, usize::MAX, |committed| {
            assert_eq!(committed.sequence, last + 1, "the feed has a gap");
            last = committed.sequence;
            let change = translated(committed.change);
            let created = committed.outcome.created.map(|id| {
                assert_eq!((id.object, id.instance), (ids.take(), 0), "the lowest unused id");
                id.object
            });
            let id = model.apply(&change, created);
            assert_eq!(id, Id::new(committed.outcome.id.object, committed.outcome.id.instance));
            if let Change::Destroy { child, .. } = change {
                ids.give(child.object);
            }
        })
        .unwrap();
    last - sequence
}

fn translated(change: Core) -> Change {
    let id = |t: Target| Id::new(t.object, t.instance.expect("the feed tells instances"));
    let list =
        |list: Vec<netinfo_directory::Property>| list.into_iter().map(|p| (p.name, p.values)).collect();
    match change {
        Core::Create { parent, properties, position } => {
            Change::Create { parent: id(parent), properties: list(properties), position }
        }
        Core::Destroy { parent, child } => Change::Destroy { parent: id(parent), child: id(child) },
        Core::Write { directory, properties } => {
            Change::Write { id: id(directory), properties: list(properties) }
        }
        Core::CreateProperty { directory, property, position } => Change::CreateProperty {
            id: id(directory),
            name: property.name,
            values: property.values,
            position,
        },
        Core::DestroyProperty { directory, index } => Change::DestroyProperty { id: id(directory), index },
        Core::RenameProperty { directory, index, name } => {
            Change::RenameProperty { id: id(directory), index, name }
        }
        Core::WriteProperty { directory, index, values } => {
            Change::WriteProperty { id: id(directory), index, values }
        }
        Core::CreateValue { directory, index, value, position } => {
            Change::CreateValue { id: id(directory), index, value, position }
        }
        Core::Move { .. } | Core::SetStamp { .. } => unreachable!("no NetInfo procedure does this"),
        Core::DestroyValue { directory, index, value_index } => {
            Change::DestroyValue { id: id(directory), index, value_index }
        }
        Core::WriteValue { directory, index, value_index, value } => {
            Change::WriteValue { id: id(directory), index, value_index, value }
        }
    }
}

#[test]
fn many_clients_and_the_model_agree() {
    let mut rng = Rng::from_environment("concurrency");
    let seconds = setting("NETINFO_SOAK_SECONDS", SECONDS);
    let files = tempfile::tempdir().unwrap();
    let config = files.path().join("netinfod.toml");
    // The whole feed is replayed afterwards.
    std::fs::write(&config, "[store]\nchange_feed_retention = 1000000000\n").unwrap();
    let mut node = Node::builder().arg("--config").arg(&config).start();
    wire::open_to_all(&node.socket());
    let (mut clients, base) = clients(&node, &mut rng);
    let sequence = domains_sequence(&node);

    let begin = Instant::now();
    let until = begin + Duration::from_secs(seconds);
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(move || client.run(until));
        }
    });
    let took = begin.elapsed().as_secs_f64();
    let sum = |each: fn(&Client) -> u64| clients.iter().map(each).sum::<u64>();
    let (reads, writes, stale) = (sum(|c| c.reads), sum(|c| c.writes), sum(|c| c.stale));
    println!(
        "{CLIENTS} clients, {took:.1} s: {:.0} reads/s, {:.0} changes/s, {stale} refused as stale and repeated",
        reads as f64 / took,
        writes as f64 / took
    );
    assert!(reads > 0 && stale > 0, "the clients did not meet");

    let mut caller = Caller::tcp(node.domain("local").tcp);
    let whole = wire::read_all(&mut caller);
    compare(&clients, &whole, &base);
    compare_indices(&mut caller, &whole);
    wire::check(&node.socket());
    drop((caller, clients));
    node.terminate();
    let mut replayed = base;
    assert_eq!(replay(&node, sequence, &mut replayed), writes, "changes in the feed");
    assert_eq!(replayed, whole, "what the feed leads to");
}
