//! The local directory of a Mac.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use netinfo_directory::password::{Verdict, verify};
use netinfo_formats::dslocal::{DsRecord, DsValue, Encoding, Folder, MAX_HASH_FILE_BYTES, Writer};
use netinfo_formats::{Loss, Place, Record, RecordWriter};
use netinfo_testkit::{data, texts};
use proptest::prelude::*;

use crate::support;

/// The records of the fixture, and the problems.
fn fixture() -> (Vec<DsRecord>, Vec<String>) {
    read(&data("dslocal"))
}

fn read(folder: &Path) -> (Vec<DsRecord>, Vec<String>) {
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    for item in Folder::open(folder).unwrap() {
        match item {
            Ok(record) => records.push(record),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    (records, problems)
}

fn user(name: &str) -> DsRecord {
    let (records, _) = fixture();
    records.into_iter().find(|record| record.kind == "users" && record.text("name") == Some(name)).unwrap()
}

/// Properties by name.
fn property(record: &DsRecord, name: &str) -> Vec<String> {
    let (properties, problems) = record.to_properties();
    assert_eq!(problems, []);
    let properties = properties.unwrap();
    let values =
        properties.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, values)| values.clone());
    values.unwrap_or_default().iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

#[test]
fn every_record_is_found_and_nothing_else() {
    let (records, problems) = fixture();
    // 35 files of other kinds come before. What an interrupted write left is told before the files beside it.
    assert_eq!(
        problems,
        [
            "line 36: file: users/halfwritten.plist.temp: left by an interrupted write",
            "line 42: file: users/empty.plist: empty"
        ]
    );
    let count = |kind: &str| records.iter().filter(|record| record.kind == kind).count();
    assert_eq!(
        (count("users"), count("groups"), count("config"), count("config/SharePoints")),
        (15, 10, 1, 1)
    );
    let names: Vec<_> = user("root").values("name").iter().map(|name| format!("{name:?}")).collect();
    assert_eq!(names.len(), 2);
    let mount = records.iter().find(|record| record.kind == "mounts").unwrap();
    assert_eq!(
        (mount.text("name"), &mount.file[..]),
        (Some("fileserver:/export/home"), "mounts/fileserver:%2Fexport%2Fhome.plist")
    );
    let bob = user("bob");
    assert_eq!(bob.text("realname"), Some("Bob Ångström"));
    assert!(
        matches!(user("alice").values("jpegphoto"), [DsValue::Data(photo)] if photo.starts_with(&[0xff, 0xd8]))
    );
    assert_eq!(user("lena").values("cached_groups"), []);
}

#[test]
fn every_password_verifies() {
    let table = fs::read_to_string(data("dslocal/passwords.tsv")).unwrap();
    let mut rows = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [name, _, place, scheme, password, _] = columns[..] else { panic!("{row}") };
        rows += 1;
        let record = user(name);
        let found = record.password();
        assert_eq!(found.problems, [""; 0], "{row}");
        let stored = found.stored.clone().unwrap();
        match scheme {
            "empty" => assert_eq!(stored, ""),
            // What Windows asks for cannot be verified, and is told.
            "legacy-64 NT+LM" => assert_eq!(found.unverifiable, ["SMB-NT", "SMB-LAN-MANAGER"]),
            _ => {
                assert_eq!(verify(stored.as_bytes(), password.as_bytes()), Verdict::Match, "{row}");
                assert_eq!(verify(stored.as_bytes(), b"another"), Verdict::NoMatch, "{row}");
            }
        }
        let hashes = scheme.contains("CRAM-MD5") || scheme.contains("NT+");
        assert_eq!(
            !found.unverifiable.is_empty(),
            hashes || name == "ivan",
            "{row}: {:?}",
            found.unverifiable
        );
        assert_eq!(found.disabled, name == "frank", "{row}");
        // The properties have the same, and the material where nobody reads it.
        assert_eq!(property(&record, "passwd"), [stored], "{row}");
        let kept = property(&record, "_shadow_passwd");
        let expected = match place.split('/').next() {
            Some("ShadowHashData") => "{X-SHADOW-HASH-DATA}",
            Some("shadow") => "{X-SHADOW-HASH}",
            Some("samba") => "{X-SAMBA-HASH}",
            _ if name == "ivan" => "{X-SAMBA-HASH}",
            _ => {
                assert_eq!(kept, [""; 0], "{row}");
                continue;
            }
        };
        assert!(kept.len() == 1 && kept[0].starts_with(expected), "{row}");
        assert_eq!(property(&record, "ShadowHashData"), [""; 0]);
    }
    assert_eq!(rows, 13);
    assert_eq!(user("grace").password().unverifiable.len(), 3);
}

#[test]
fn folders_are_recognised() {
    let base = data("dslocal");
    assert!(Folder::is_one(&base) && Folder::is_one(&base.join("nodes/Default")));
    for other in ["nodes", "nodes/Default/users", "shadow", "nowhere"] {
        assert!(!Folder::is_one(&base.join(other)), "{other}");
    }
}

#[test]
fn the_folder_is_a_tree() {
    let items: Vec<_> = Folder::open(&data("dslocal")).unwrap().records().collect();
    let records: Vec<_> = items.iter().filter_map(|item| item.as_ref().ok()).collect();
    assert_eq!(items.len() - records.len(), 2, "problems");
    assert_eq!(records[0].place, Place::Root);
    let path = |number: usize| {
        let mut record = records[number];
        let mut path = Vec::new();
        while let Place::Below(parent) = record.place {
            path.push(String::from_utf8_lossy(record.first("name").unwrap()).into_owned());
            record = records[parent as usize];
        }
        path.reverse();
        path.join("/")
    };
    let paths: Vec<_> = (0..records.len()).map(path).collect();
    for expected in [
        "users",
        "users/alice",
        "config/shadowhash",
        "config/SharePoints/Alice Public",
        "sharepoints/Carol Drop",
    ] {
        assert_eq!(paths.iter().filter(|path| *path == expected).count(), 1, "{expected}");
    }
    // A record begins with its name, however the file is ordered.
    assert!(records[1..].iter().all(|record| record.properties[0].0 == b"name"));
}

fn written(encoding: Encoding, change: impl Fn(&mut Record)) -> (tempfile::TempDir, Vec<Loss>) {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(place.path(), encoding).unwrap();
    let mut losses = Vec::new();
    for mut record in Folder::open(&data("dslocal")).unwrap().records().flatten() {
        change(&mut record);
        writer.write(&record, &mut losses).unwrap();
    }
    writer.finish(&mut losses).unwrap();
    (place, losses)
}

#[test]
fn what_is_written_is_what_was_read() {
    for encoding in [Encoding::Xml, Encoding::Binary] {
        let (place, losses) = written(encoding, |_| {});
        assert_eq!(losses, []);
        let (records, problems) = read(place.path());
        assert_eq!(problems, [""; 0]);
        let ordered = |records: Vec<DsRecord>| {
            let mut records = records;
            for record in &mut records {
                record.number = 0;
                record.attributes.sort_by(|one, other| one.0.cmp(&other.0));
            }
            records
        };
        let before = ordered(fixture().0);
        let after = ordered(records);
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after, "{before:?} has become {after:?}");
        }
        let node = place.path().join("nodes/Default/users");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&node), mode(&node.join("ana.plist").with_file_name("alice.plist"))),
            (0o700, 0o600)
        );
        let hashes = place.path().join("shadow/hash");
        assert_eq!(fs::read_dir(&hashes).unwrap().count(), 5);
        assert!(fs::read(node.join("alice.plist")).unwrap().starts_with(if encoding == Encoding::Xml {
            b"<?xml"
        } else {
            b"bplis"
        }));
    }
}

#[test]
fn a_changed_password_takes_the_place_of_the_hashes() {
    let key = "A".repeat(171);
    let cases = [
        ("alice", "ErCu/XCmRNWso".to_owned(), "ErCu/XCmRNWso", ";basic;", true),
        (
            "erin",
            format!("{{PBKDF2-SHA512}}5000$AAEC${key}"),
            "********",
            ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2>",
            false,
        ),
        (
            "frank",
            "{X-SALTED-SHA1}AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".to_owned(),
            "********",
            ";DisabledUser;;ShadowHash;HASHLIST:<SALTED-SHA1>",
            false,
        ),
        ("carol", "{CRYPT}*".to_owned(), "*", ";basic;", true),
        ("bob", "$6$salt$hash".to_owned(), "********", ";ShadowHash;", true),
    ];
    let (place, losses) = written(Encoding::Xml, |record| {
        if let Some((_, stored, ..)) =
            cases.iter().find(|(name, ..)| record.first("name") == Some(name.as_bytes()))
            && let Some((_, values)) = record.properties.iter_mut().find(|(name, _)| name == b"passwd")
        {
            *values = vec![stored.clone().into_bytes()];
        }
    });
    assert_eq!(losses.len(), 1);
    assert!(
        losses[0].to_string().ends_with(": passwd: a Mac cannot verify a password stored like this"),
        "{}",
        losses[0]
    );
    let (records, _) = read(place.path());
    for (name, stored, passwd, authority, gone) in &cases {
        let record = records
            .iter()
            .find(|record| record.kind == "users" && record.text("name") == Some(name))
            .unwrap();
        assert_eq!(record.text("passwd"), Some(*passwd), "{name}");
        assert_eq!(record.text("authentication_authority"), Some(*authority), "{name}");
        let found = record.password();
        assert_eq!(found.unverifiable, [""; 0], "{name}");
        if *gone {
            assert_eq!(property(record, "_shadow_passwd"), [""; 0], "{name}");
        } else {
            assert_eq!(found.stored.as_ref(), Some(stored), "{name}");
        }
    }
}

#[test]
fn losses_are_told() {
    let place = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(place.path(), Encoding::Xml).unwrap();
    let mut losses = Vec::new();
    let named = |place, name: &str| support::named(place, name);
    let mut strange = named(Place::Below(1), "strange");
    strange.properties.push((vec![0xff], vec![]));
    strange.properties.push((b"name".to_vec(), vec![b"twice".to_vec()]));
    strange.properties.push((b"passwd".to_vec(), vec![b"*".to_vec(), b"*".to_vec()]));
    let mut nameless = named(Place::Below(1), "x");
    nameless.properties.clear();
    for record in [
        named(Place::Root, "/"),
        named(Place::Below(0), "users"),
        named(Place::Below(1), "ana"),
        named(Place::Below(2), "below a record"),
        named(Place::Below(1), "ANA"),
        strange,
        nameless,
        named(Place::Below(0), "../evil"),
        named(Place::Below(7), "in nothing"),
        named(Place::Below(1), &"x".repeat(250)),
        named(Place::In("machines"), "../../up"),
    ] {
        writer.write(&record, &mut losses).unwrap();
    }
    let told: Vec<_> =
        losses.iter().map(|loss| format!("{}: {}", loss.property.escape_ascii(), loss.why)).collect();
    assert_eq!(
        told,
        [
            "name: the root has no file",
            ": there is no place for what is below a record",
            ": a record of the same name has been written",
            "\\xff: names of attributes must be plain text",
            "name: it is there twice, the values are put together",
            "passwd: a record has one password, the first",
            ": its name cannot be that of a file",
            ": its name cannot be that of a folder",
            ": there is no place for what is below a record",
            ": its name cannot be that of a file",
        ]
    );
    assert!(writer.write(&named(Place::Below(99), "x"), &mut losses).is_err());
    // Nothing is outside of the folder.
    let (records, problems) = read(place.path());
    assert_eq!(problems, [""; 0]);
    let files: Vec<_> = records.iter().map(|record| &record.file[..]).collect();
    assert_eq!(files, ["machines/..%2F..%2Fup.plist", "users/ana.plist", "users/strange.plist"]);
}

#[test]
fn what_is_no_record_is_told() {
    let problem =
        |content: &[u8]| DsRecord::parse("users", "users/x.plist", 3, content).unwrap_err().to_string();
    assert_eq!(problem(b""), "line 3: file: users/x.plist: empty");
    assert_eq!(problem(b"oops"), "line 3: file: users/x.plist: not a property list");
    assert_eq!(problem(b"<plist><array/></plist>"), "line 3: file: users/x.plist: not a dictionary");
    let nameless = DsRecord::parse("users", "users/x.plist", 3, b"<plist><dict/></plist>").unwrap();
    assert!(
        matches!(nameless.to_properties(), (None, problems) if problems[0].to_string() == "line 3: name: missing")
    );
    let text = "<plist><dict><key>name</key><string>x</string><key>uid</key><array><integer>5</integer><array/></array>\
                <key>dsAttrTypeStandard:RealName</key><array><string>X</string></array></dict></plist>";
    let record = DsRecord::parse("users", "users/x.plist", 3, text.as_bytes()).unwrap();
    let (properties, problems) = record.to_properties();
    assert_eq!(
        problems[0].to_string(),
        "line 3: file: users/x.plist: uid: a value inside a value is left out"
    );
    let properties = properties.unwrap();
    assert_eq!(properties[1], (b"uid".to_vec(), vec![b"5".to_vec()]));
    assert_eq!(properties[2].0, b"realname");
}

#[test]
fn hash_files_have_a_limit_and_may_be_anything() {
    let place = tempfile::tempdir().unwrap();
    let node = place.path().join("nodes/Default/users");
    let hashes = place.path().join("shadow/hash");
    fs::create_dir_all(&node).unwrap();
    fs::create_dir_all(&hashes).unwrap();
    for (name, digits) in [
        ("a", "0".repeat(MAX_HASH_FILE_BYTES)),
        ("b", "0".repeat(MAX_HASH_FILE_BYTES + 1)),
        ("c", "xyz".to_owned()),
    ] {
        let text = format!(
            "<plist><dict><key>name</key><array><string>{name}</string></array><key>authentication_authority</key>\
             <array><string>;ShadowHash;</string></array></dict></plist>"
        );
        fs::write(node.join(format!("{name}.plist")), text).unwrap();
        fs::write(hashes.join(name), digits).unwrap();
    }
    let problems: Vec<_> = Folder::open(place.path())
        .unwrap()
        .records()
        .filter_map(Result::err)
        .map(|problem| problem.to_string())
        .collect();
    assert_eq!(
        problems,
        [
            "line 1: file: users/a.plist: its hashes are not of a known length",
            "line 2: file: users/b.plist: its hash file longer than 4096 bytes",
            "line 3: file: users/c.plist: its hashes are not hexadecimal digits",
        ]
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read(bytes: Vec<u8>) {
        texts::dslocal(&bytes);
        texts::dslocal(&[b"bplist00", &bytes[..]].concat());
    }

    #[test]
    fn changed_files_are_read(place: prop::sample::Index, byte: u8) {
        for file in ["users/bob.plist", "users/ken.plist"] {
            let mut bytes = fs::read(data("dslocal/nodes/Default").join(file)).unwrap();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            texts::dslocal(&bytes);
        }
    }

    #[test]
    fn records_come_back(
        name in "[a-z]{1,8}",
        properties in prop::collection::btree_map("[ -~é]{0,8}", prop::collection::vec(any::<Vec<u8>>(), 0..3), 0..4),
        texts in prop::collection::vec("\\PC{0,10}[ \t\n]{0,2}", 0..3),
    ) {
        let mut record = support::named(Place::Root, name);
        let texts = texts.into_iter().map(String::into_bytes).collect();
        record.properties.push((b"a text".to_vec(), texts));
        for (property, values) in properties {
            if !["name", "passwd"].contains(&property.as_str()) {
                record.properties.push((property.into_bytes(), values));
            }
        }
        let mut losses = Vec::new();
        let found = DsRecord::from_record(&record, "machines", &mut losses).unwrap();
        prop_assert_eq!(losses, []);
        record.properties.sort();
        for encoding in [Encoding::Xml, Encoding::Binary] {
            let bytes = found.to_bytes(encoding).unwrap();
            let again = DsRecord::parse("machines", "machines/x.plist", 1, &bytes).unwrap();
            let (again, problems) = again.to_properties();
            prop_assert_eq!(problems, []);
            let mut again = again.unwrap();
            again.sort();
            prop_assert_eq!(&again, &record.properties, "{:?}", encoding);
        }
    }
}
