//! What this server sends and takes against what historical servers sent and took.

use netinfo_directory::{
    Change, Credentials, Domain, Id, Node, Options, Origin, Property, ROOT, Session, StampBuf, Target,
    TransferObject,
};
use netinfo_testkit::golden::{Recorded, transcripts};
use netinfo_wire::netinfo::{PROGRAM, Procedure, ReadAll};
use netinfo_wire::rpc::{Outcome, parse_call, parse_reply};
use std::sync::Arc;

use super::super::copy::{self, Outcome as Copied};
use super::super::push::{self, Push};
use crate::frontend::netinfo::change;

/// The recorded calls of one procedure of a historical replication.
fn recorded(server: &str, procedures: impl Fn(Procedure) -> bool) -> Vec<Recorded> {
    let is_wanted = |call: &Recorded| {
        call.group == "replication"
            && call.text("to") == server
            && call.number("prog") == u64::from(PROGRAM)
            && Procedure::try_from(call.number("proc") as u32).is_ok_and(&procedures)
    };
    transcripts().into_iter().filter(is_wanted).collect()
}

fn args(call: &Recorded) -> (Procedure, Vec<u8>) {
    let call = parse_call(&call.request).unwrap();
    (Procedure::try_from(call.proc).unwrap(), call.args.to_vec())
}

/// The objects of a recorded READALL.
fn objects(call: &Recorded) -> (u32, Vec<TransferObject>) {
    let reply = parse_reply(call.reply.as_deref().unwrap()).unwrap();
    let Outcome::Success(results) = reply.outcome else { panic!("refused") };
    let all = ReadAll::decode(results).unwrap();
    let checksum = all.checksum;
    let objects = all.map(|object| {
        let object = object.unwrap();
        let property = |(name, values): (&[u8], netinfo_wire::netinfo::NameList<'_>)| Property {
            name: name.to_vec(),
            values: values.iter().map(<[u8]>::to_vec).collect(),
        };
        TransferObject {
            id: Id { object: object.id.object, instance: object.id.instance },
            parent: object.parent,
            children: object.children.iter().collect(),
            properties: object.props.iter().map(property).collect(),
            stamp: None,
        }
    });
    (checksum, objects.collect())
}

/// A domain with the content of the historical master when its clone read everything.
struct Fixture {
    domain: Arc<Domain>,
    root: Session,
    _node: Node,
    _dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { map_size: 1 << 26, historical: true, ..Options::default() };
        let (node, _) = Node::open(dir.path(), options, true).unwrap();
        let domain = node.create_clone("copy", "alpha", "10.0.0.1".parse().unwrap(), "network", 0).unwrap();
        let root = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let fixture = Self { domain, root, _node: node, _dir: dir };
        fixture.take(&recorded("netinfod network", |p| p == Procedure::ReadAll)[0]);
        fixture
    }

    /// Takes a recorded READALL as a clone does.
    fn take(&self, call: &Recorded) -> Copied {
        let (checksum, objects) = objects(call);
        let domain = self.domain.clone();
        let count = objects.len() as u64;
        let read = |each: &mut dyn FnMut(TransferObject) -> netinfo_client::Result<()>| {
            objects.into_iter().try_for_each(each)?;
            Ok(netinfo_client::domain::Transfer { checksum, highest_id: 4, objects: count })
        };
        copy::take(read, || Some(domain.clone()), || false).unwrap()
    }

    fn checksum(&self) -> u32 {
        self.domain.read(&self.root).unwrap().checksum().unwrap()
    }

    fn apply(&self, calls: &[(Procedure, Vec<u8>)]) {
        for (procedure, args) in calls {
            let (change, target) = change(*procedure, args).unwrap_or_else(|_| panic!("{procedure:?}"));
            let outcomes = self.domain.write_blocking(&self.root, vec![change], 0).unwrap();
            assert!(target.is_none() || outcomes[0].created == target, "{procedure:?}");
        }
    }

    fn sequence(&self) -> u64 {
        self.domain.read(&self.root).unwrap().sequence().unwrap()
    }
}

#[test]
fn a_recorded_copy_is_taken_whole() {
    let fixture = Fixture::new();
    assert_eq!(fixture.checksum(), 16);
    let view = fixture.domain.read(&fixture.root).unwrap();
    assert_eq!(view.directories().unwrap(), 5);
    assert_eq!(view.record(ROOT).unwrap().first_value(b"master"), Some(&b"alpha/network"[..]));
    assert_eq!(view.children(ROOT).unwrap().map(Result::unwrap).collect::<Vec<_>>(), [1, 3]);
    let current = &recorded("netinfod network", |p| p == Procedure::ReadAll)[1];
    assert_eq!(objects(current), (0, Vec::new()));
    assert_eq!(fixture.take(current), Copied::Current);
    assert_eq!(fixture.checksum(), 16);
}

#[test]
fn pushes_are_those_of_the_historical_master() {
    let fixture = Fixture::new();
    let asked: Vec<_> = recorded("netinfod network", Procedure::is_write).iter().map(args).collect();
    let pushed: Vec<_> = recorded("netinfod copy", Procedure::is_write).iter().map(args).collect();
    assert_eq!((asked.len(), pushed.len()), (8, 8));
    assert_ne!(asked[0], pushed[0], "CREATE tells the id");
    let since = fixture.sequence();
    fixture.apply(&asked);
    let mut ours = Vec::new();
    let each = |committed| match push::push(&committed) {
        Push::Call(call) => ours.push((call.procedure, call.args.to_vec())),
        Push::Nothing | Push::Copy => panic!("{committed:?}"),
    };
    fixture.domain.changes(&fixture.root, since, 100, each).unwrap();
    assert_eq!(ours, pushed);
}

#[test]
fn a_clone_that_is_pushed_to_ends_like_its_master() {
    let (master, clone) = (Fixture::new(), Fixture::new());
    master.apply(&recorded("netinfod network", Procedure::is_write).iter().map(args).collect::<Vec<_>>());
    clone.apply(&recorded("netinfod copy", Procedure::is_write).iter().map(args).collect::<Vec<_>>());
    assert_eq!(master.checksum(), clone.checksum());
    assert_ne!(clone.checksum(), 16);
}

/// A move has no procedure, so a clone has to copy everything; of stamps clones know nothing.
#[test]
fn what_has_no_procedure_is_not_pushed() {
    let fixture = Fixture::new();
    let change = |change| fixture.domain.write_blocking(&fixture.root, vec![change], 0).unwrap();
    let create = |name| Change::Create {
        parent: Target::any(0),
        properties: vec![Property::new("name", [name])],
        position: 0,
    };
    let made = |name| change(create(name))[0].created.unwrap().object;
    let (one, other) = (made("one"), made("other"));
    let since = fixture.sequence();
    let (from, child, to) = (Target::any(0), Target::any(one), Target::any(other));
    change(Change::Move { from, child, to, position: 0 });
    change(Change::SetStamp { directory: child, stamp: StampBuf { uuid: [4; 16], ..StampBuf::default() } });
    let mut told = Vec::new();
    fixture.domain.changes(&fixture.root, since, 100, |committed| told.push(push::push(&committed))).unwrap();
    assert!(matches!(&told[..], [Push::Copy, Push::Nothing]));
    // The copy brings it: same ids, instances and parents, so the same checksum.
    let clone = Fixture::new();
    let mut objects = Vec::new();
    let view = fixture.domain.read(&fixture.root).unwrap();
    view.walk(|record, children| {
        objects.push(TransferObject {
            id: record.id(),
            parent: record.parent(),
            children: children.to_vec(),
            properties: record.properties().map(|p| Property::new(p.name, p.values)).collect(),
            stamp: None,
        });
        Ok(true)
    })
    .unwrap();
    let mut objects = objects.into_iter();
    clone.domain.replace(&clone.root, move || Ok(objects.next())).unwrap();
    assert_eq!(clone.checksum(), fixture.checksum());
}
