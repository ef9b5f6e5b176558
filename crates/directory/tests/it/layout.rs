//! The file format, byte by byte, as `docs/file-format.md` lays it down. Whoever has to change a line here makes a new format.

use netinfo_directory::{Change, ROOT, StampBuf, Target};
use sha2::{Digest, Sha256};

use crate::raw::{TABLES, seal, with_store};
use crate::support::*;

/// Position of an only child, and the distance at which the next is put.
const FIRST: u64 = 1 << 63;
const STEP: u64 = 1 << 20;

/// Puts bytes one behind the other.
#[derive(Default)]
struct Build(Vec<u8>);

impl Build {
    fn new() -> Self {
        Self::default()
    }

    fn u32(mut self, n: u32) -> Self {
        self.0.extend(n.to_le_bytes());
        self
    }

    fn u64(mut self, n: u64) -> Self {
        self.0.extend(n.to_le_bytes());
        self
    }

    fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// A length and the bytes.
    fn text(self, text: &str) -> Self {
        self.u32(text.len() as u32).raw(text)
    }

    /// The finished record or secrets of a directory: room for the checksum must be in front.
    fn sealed(mut self, object: u32) -> Vec<u8> {
        seal(&object.to_be_bytes(), &mut self.0);
        self.0
    }
}

/// Everything in front of a record's properties.
fn head(flags: u8, [instance, version, parent, children]: [u32; 4], position: u64, properties: u32) -> Build {
    Build::new()
        .u32(0)
        .raw([1, flags, 0, 0])
        .u32(instance)
        .u32(version)
        .u32(parent)
        .u32(children)
        .u64(position)
        .u32(properties)
}

fn key(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

fn child_key(parent: u32, position: u64) -> Vec<u8> {
    [&parent.to_be_bytes()[..], &position.to_be_bytes()].concat()
}

fn term(parent: u32, name: &str, value: &str) -> Vec<u8> {
    [&parent.to_be_bytes()[..], &(name.len() as u16).to_be_bytes(), name.as_bytes(), value.as_bytes()]
        .concat()
}

/// A domain with one directory behind the usual three, changed once, and a free id.
fn example() -> Fixture {
    let f = Fixture::new("local");
    f.create(ROOT, vec![]);
    let properties =
        vec![p("name", &["alice", ""]), p("passwd", &["x", "yz"]), p("", &[]), p("name", &["no"])];
    f.create(ROOT, properties);
    f.write(Change::Destroy { parent: Target::any(ROOT), child: Target::any(3) }).unwrap();
    f
}

/// The uuids of the directories of [`example`]; those of new directories begin with the time, and say so.
fn stamped(f: &Fixture) -> Vec<(u32, [u8; 16])> {
    let view = f.domain.read(&f.root).unwrap();
    let uuid = |object| view.stamp(object).unwrap().uuid;
    let uuids = [0, 1, 2, 4].map(|object| (object, uuid(object)));
    assert!(
        uuids[1..]
            .iter()
            .all(|(_, uuid)| uuid[..6] == NOW.to_be_bytes()[2..] && uuid[6] >> 4 == 7 && uuid[8] >> 6 == 2)
    );
    uuids.to_vec()
}

#[test]
fn the_tables_of_a_small_domain() {
    let f = example();
    let uuid = f.domain.read(&f.root).unwrap().uuid().unwrap();
    let uuids = stamped(&f);
    let dir = f.close();
    let path = dir.path().join("local.domain");
    let table = |name: &str| with_store(&path, |raw, txn| raw.dump(txn, name));
    let position = FIRST + 2 * STEP;

    // Root: saved as 2, 4, 8, 10, 11; child 3 was saved as 7, alice as 9.
    let alice = head(1, [0, 9, 0, 0], position, 4)
        .u32(25)
        .u32(4)
        .u32(2)
        .raw("name")
        .text("alice")
        .text("")
        .u32(14)
        .u32(6 | 1 << 31)
        .u32(2)
        .raw("passwd")
        .u32(8)
        .u32(0)
        .u32(0)
        .u32(18)
        .u32(4)
        .u32(1)
        .raw("name")
        .text("no")
        .sealed(4);
    let host = head(0, [0, 5, 1, 0], FIRST, 3)
        .u32(20)
        .u32(4)
        .u32(1)
        .raw("name")
        .text("host")
        .u32(31)
        .u32(10)
        .u32(1)
        .raw("ip_address")
        .text("192.0.2.1")
        .u32(25)
        .u32(6)
        .u32(1)
        .raw("serves")
        .text("./local")
        .sealed(2);
    let root = head(0, [6, 11, 0, 2], 0, 1).u32(28).u32(6).u32(1).raw("master").text("host/local").sealed(0);
    let machines =
        head(0, [1, 6, 0, 1], FIRST, 1).u32(24).u32(4).u32(1).raw("name").text("machines").sealed(1);
    assert_eq!(
        table("records"),
        [(key(&[0]), root), (key(&[1]), machines), (key(&[2]), host), (key(&[4]), alice)]
    );
    let secrets = Build::new().u32(0).u32(2).text("x").text("yz").sealed(4);
    assert_eq!(table("secrets"), [(key(&[4]), secrets)]);
    assert_eq!(
        table("children"),
        [
            (child_key(0, FIRST), key(&[1])),
            (child_key(0, position), key(&[4])),
            (child_key(1, FIRST), key(&[2]))
        ]
    );
    assert_eq!(
        table("index"),
        [
            (term(0, "name", ""), key(&[4])),
            (term(0, "name", "alice"), key(&[4])),
            (term(0, "name", "machines"), key(&[1])),
            (term(1, "name", "host"), key(&[2])),
            (term(1, "serves", "./local"), key(&[2])),
            (term(1, "ip_address", "192.0.2.1"), key(&[2])),
        ]
    );
    let low = |objects: &[u16]| -> Vec<u8> { objects.iter().flat_map(|n| n.to_le_bytes()).collect() };
    let value = |name: &str, fold: &str, objects: &[u16]| {
        let key = [&[name.len() as u8], name.as_bytes(), fold.as_bytes(), &[0, 0, 0, 0]].concat();
        (key, low(objects))
    };
    assert_eq!(
        table("values"),
        [
            value("name", "", &[4]),
            value("name", "alice", &[4]),
            value("name", "host", &[2]),
            value("name", "machines", &[1]),
            value("name", "no", &[4]),
            value("master", "host/local", &[0]),
            value("serves", "./local", &[2]),
            value("ip_address", "192.0.2.1", &[2]),
        ]
    );
    let piece = |name: &str, rest: &[u8], objects: &[u16]| {
        ([&[0, 0, 0, name.len() as u8], name.as_bytes(), rest].concat(), low(objects))
    };
    let grams = |name: &'static str, fold: &'static str, object: u16| {
        let grams = fold.as_bytes().windows(3).map(move |gram| [&[4], gram].concat());
        grams.map(move |rest| piece(name, &rest, &[object]))
    };
    let mut pieces = vec![
        piece("", &[1], &[4]),
        piece("name", &[1], &[1, 2, 4]),
        piece("name", &[3], &[4]), // the empty value
        piece("master", &[1], &[0]),
        piece("passwd", &[1], &[4]),
        piece("serves", &[1], &[2]),
        piece("ip_address", &[1], &[2]),
    ];
    pieces.extend(grams("name", "machines", 1).chain(grams("name", "host", 2)));
    pieces.extend(grams("name", "alice", 4).chain(grams("master", "host/local", 0)));
    pieces.extend(grams("serves", "./local", 2).chain(grams("ip_address", "192.0.2.1", 2)));
    pieces.sort();
    assert_eq!(table("pieces"), pieces);
    assert_eq!(table("pending"), [], "a domain that is closed has made them");

    let stamp = |object: u32, creator: &str| {
        let names = Build::new().raw([creator.len() as u8]).raw(creator).raw([4]).raw("root").0;
        let uuid = uuids.iter().find(|(o, _)| *o == object).unwrap().1;
        (key(&[object]), Build::new().u32(0).raw(uuid).u64(NOW).u64(NOW).raw(names).sealed(object))
    };
    assert_eq!(table("stamps"), [stamp(0, ""), stamp(1, "root"), stamp(2, "root"), stamp(4, "root")]);
    let mut expected: Vec<_> =
        uuids[1..].iter().map(|(object, uuid)| (uuid.to_vec(), key(&[*object]))).collect();
    expected.sort();
    assert_eq!(table("uuids"), expected);
    let times = [0, 1, 2, 4].map(|o: u32| ([&NOW.to_be_bytes()[..], &o.to_be_bytes()].concat(), vec![]));
    assert_eq!(table("times"), times);
    // The root was there before it had a stamp of its own.
    let mut derived: [u8; 16] =
        Sha256::new().chain_update("NetInfo directory ").chain_update(uuid).finalize()[..16]
            .try_into()
            .unwrap();
    (derived[6], derived[8]) = (derived[6] & 0x0F | 0x80, derived[8] & 0x3F | 0x80);
    assert_eq!(uuids[0], (0, derived));

    let versions =
        [(5, 2), (6, 1), (9, 4), (11, 0)].map(|(version, object)| (key(&[version]), key(&[object])));
    assert_eq!(table("versions"), versions);
    assert_eq!(table("free"), [(key(&[3]), vec![])]);
    assert_eq!(table("quarantine"), []);
    let sequences: Vec<_> = table("changes").into_iter().map(|(key, _)| key).collect();
    assert_eq!(sequences, (1..=6u64).map(|n| n.to_be_bytes().to_vec()).collect::<Vec<_>>());

    // Checksum: 1 × 6 + 2 × 1 + 3 × 0 + 5 × 0.
    let mut state =
        Build::new().raw(b"NETINFO\x01").u32(4).raw(uuid).u32(8).u32(5).u32(11).u64(6).u64(1).u64(4).0;
    state.extend(crc32c::crc32c(&state).to_le_bytes());
    assert_eq!((state.len(), table("meta")), (68, vec![(b"state".to_vec(), state)]));

    // Nothing else is in the file: the tables are all there are.
    let env = crate::raw::environment(&path);
    let txn = env.read_txn().unwrap();
    let names: heed::Database<heed::types::Str, heed::types::DecodeIgnore> =
        env.open_database(&txn, None).unwrap().unwrap();
    let mut names: Vec<String> = names.iter(&txn).unwrap().map(|e| e.unwrap().0.to_owned()).collect();
    let mut expected = TABLES.map(String::from);
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn long_terms_are_hashed() {
    let f = Fixture::new("local");
    // parent, length and "k" take 7 bytes of 480.
    let (fits, long) = ("v".repeat(473), "v".repeat(474));
    f.create(ROOT, vec![p("k", &[&fits, &long])]);
    let dir = f.close();
    let keys: Vec<_> =
        with_store(&dir.path().join("local.domain"), |raw, txn| raw.dump(txn, "index")).into_iter().collect();
    let hash =
        Sha256::new().chain_update(1u64.to_be_bytes()).chain_update("k").chain_update(&long).finalize();
    let hashed = [&[0, 0, 0, 0, 0xFF, 0xFF][..], &hash[..]].concat();
    assert!(keys.contains(&(term(0, "k", &fits), key(&[3]))));
    assert!(keys.contains(&(hashed, key(&[3]))));
    assert_eq!(keys.len(), 6);
}

/// The change record of every kind of change, behind the numbers that all have in front.
#[test]
fn change_records() {
    let f = Fixture::new("local");
    let target = |object, instance: u32| Build::new().u32(object).raw([1]).u32(instance).0;
    let directory = Target::any(2);
    let value = b"v".to_vec();
    let stamp =
        StampBuf { uuid: [7; 16], created: 1, modified: 2, creator: b"a".to_vec(), modifier: b"b".to_vec() };
    let steps: Vec<(Change, Build)> = vec![
        (
            Change::Create { parent: directory, properties: vec![p("a", &["1", ""])], position: 7 },
            Build::new().raw([1]).raw(target(2, 0)).u32(7).u32(1).text("a").u32(2).text("1").text(""),
        ),
        (
            Change::Destroy { parent: directory, child: Target::any(3) },
            Build::new().raw([2]).raw(target(2, 1)).u32(0).raw(target(3, 0)),
        ),
        (
            Change::Write { directory, properties: vec![p("a", &[])] },
            Build::new().raw([3]).raw(target(2, 2)).u32(0).u32(1).text("a").u32(0),
        ),
        (
            Change::CreateProperty { directory, property: p("b", &["1"]), position: END },
            Build::new().raw([4]).raw(target(2, 3)).u32(END).text("b").u32(1).text("1"),
        ),
        (Change::DestroyProperty { directory, index: 1 }, Build::new().raw([5]).raw(target(2, 4)).u32(1)),
        (
            Change::WriteProperty { directory, index: 0, values: vec![value.clone(), value.clone()] },
            Build::new().raw([6]).raw(target(2, 5)).u32(0).u32(2).text("v").text("v"),
        ),
        (
            Change::RenameProperty { directory, index: 0, name: b"new".to_vec() },
            Build::new().raw([7]).raw(target(2, 6)).u32(0).text("new"),
        ),
        (
            Change::CreateValue { directory, index: 0, value: value.clone(), position: 9 },
            Build::new().raw([8]).raw(target(2, 7)).u32(0).u32(9).text("v"),
        ),
        (
            Change::DestroyValue { directory, index: 0, value_index: 2 },
            Build::new().raw([9]).raw(target(2, 8)).u32(0).u32(2),
        ),
        (
            Change::WriteValue { directory, index: 0, value_index: 1, value },
            Build::new().raw([10]).raw(target(2, 9)).u32(0).u32(1).text("v"),
        ),
        (
            Change::Create { parent: directory, properties: vec![], position: 0 },
            Build::new().raw([1]).raw(target(2, 10)).u32(0).u32(0),
        ),
        (
            Change::Move { from: directory, child: Target::any(3), to: Target::any(0), position: END },
            Build::new().raw([11]).raw(target(2, 11)).u32(END).raw(target(3, 0)).raw(target(0, 3)),
        ),
        (
            Change::SetStamp { directory, stamp },
            Build::new().raw([12]).raw(target(2, 12)).u32(0).raw([7; 16]).u64(1).u64(2).text("a").text("b"),
        ),
    ];
    let mut expected = Vec::new();
    for (n, (change, body)) in steps.into_iter().enumerate() {
        let created = matches!(change, Change::Create { .. });
        f.write(change).unwrap();
        let outcome = Build::new().u32(2).u32((n as u32 + 1).min(12)); // a stamp raises no instance
        let created = if created { Build::new().u32(3).u32(0) } else { Build::new().u32(END).u32(END) };
        let rest = Build::new().raw([1]).u64(NOW).text("root").raw(outcome.0).raw(created.0).raw(body.0).0;
        let record = Build::new().u32(crc32c::crc32c(&rest)).raw(rest).0;
        expected.push(((n as u64 + 4).to_be_bytes().to_vec(), record));
    }
    let dir = f.close();
    let told = with_store(&dir.path().join("local.domain"), |raw, txn| raw.dump(txn, "changes"));
    assert_eq!(told[3..], expected);
}

#[test]
fn the_backup_of_a_small_domain() {
    let f = example();
    let uuid = f.domain.read(&f.root).unwrap().uuid().unwrap();
    let mut bytes = Vec::new();
    f.domain.backup(&f.root, &mut bytes, &mut |_, _| {}).unwrap();
    let object = |numbers: [u32; 3], children: &[u32], properties: u32| {
        let mut b = Build::new();
        for n in numbers.iter().chain([&(children.len() as u32)]).chain(children) {
            b = b.u32(*n);
        }
        b.u32(properties)
    };
    let uuids = stamped(&f);
    let stamp = |object: u32, creator: &str| {
        let uuid = uuids.iter().find(|(o, _)| *o == object).unwrap().1;
        Build::new().raw([1]).raw(uuid).u64(NOW).u64(NOW).text(creator).text("root").0
    };
    // Depth first, children in order, secrets among the other values.
    let frames = [
        object([0, 6, 0], &[1, 4], 1).text("master").u32(1).text("host/local").raw(stamp(0, "")),
        object([1, 1, 0], &[2], 1).text("name").u32(1).text("machines").raw(stamp(1, "root")),
        object([2, 0, 1], &[], 3)
            .text("name")
            .u32(1)
            .text("host")
            .text("ip_address")
            .u32(1)
            .text("192.0.2.1")
            .text("serves")
            .u32(1)
            .text("./local")
            .raw(stamp(2, "root")),
        object([4, 0, 0], &[], 4)
            .text("name")
            .u32(2)
            .text("alice")
            .text("")
            .text("passwd")
            .u32(2)
            .text("x")
            .text("yz")
            .text("")
            .u32(0)
            .text("name")
            .u32(1)
            .text("no")
            .raw(stamp(4, "root")),
    ];
    let mut expected =
        Build::new().raw("NIBACKUP").u32(2).raw(uuid).u32(8).u64(4).u64(6).raw([5]).raw("local");
    for frame in frames {
        expected = expected.u32(frame.0.len() as u32).u32(crc32c::crc32c(&frame.0)).raw(frame.0);
    }
    let expected = expected.u32(0).u64(4).0;
    let digest = Sha256::digest(&expected);
    assert_eq!(bytes, [&expected[..], &digest[..]].concat());
}

#[test]
fn the_data_directory() {
    use std::os::unix::fs::PermissionsExt;
    let f = Fixture::new("local");
    f.node.create_master("network", NOW).unwrap();
    f.node.destroy("network", 42).unwrap();
    let names = |path: &std::path::Path| {
        let mut names: Vec<String> =
            std::fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let at = f.dir.path();
    assert_eq!(names(at), ["destroyed", "local.domain", "netinfo.lock"]);
    assert_eq!(names(&at.join("destroyed")), ["network.42"]);
    for domain in ["local.domain", "destroyed/network.42"] {
        assert_eq!(names(&at.join(domain)), ["data.mdb", "lock.mdb"]);
    }
    let mode = |name: &str| std::fs::metadata(at.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("local.domain"), 0o700);
    assert_eq!(mode("destroyed"), 0o700);
    for file in ["netinfo.lock", "local.domain/data.mdb", "local.domain/lock.mdb"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    let owner = std::fs::read_to_string(at.join("netinfo.lock")).unwrap();
    assert_eq!(owner, format!("{}\n", std::process::id()));
}
