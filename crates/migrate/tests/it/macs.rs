//! The local directory of a Mac into domains and back.

use std::fs;
use std::path::{Path, PathBuf};

use netinfo_directory::{Credentials, Domain, Origin, ROOT, RecordRef};
use netinfo_migrate::convert::{To, convert};
use netinfo_migrate::diff::{Scope, diff};
use netinfo_migrate::gather::{gather, objects};
use netinfo_migrate::import::import;
use netinfo_migrate::report::{FileReport, Kind, Outcome, Report};
use netinfo_migrate::scratch::Scratch;
use netinfo_migrate::source::{Format, parts};
use netinfo_migrate::{Local, Options};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/dslocal")
}

fn import_into(scratch: &Scratch, folder: &Path) -> Report {
    let mut target = Local::new(scratch.domain().clone(), Options::default()).unwrap();
    let parts = parts(None, folder).unwrap();
    import(&parts, &mut target, &mut |_, _, _| {}).map_err(|(error, _)| error).unwrap()
}

/// Hands the directory of a path to `see`.
fn at<T>(domain: &Domain, path: &[&str], see: impl Fn(&RecordRef<'_>) -> T) -> T {
    let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let view = domain.read(&session).unwrap();
    let names: Vec<&[u8]> = path.iter().map(|name| name.as_bytes()).collect();
    let object = view.path(&names).unwrap().unwrap_or_else(|| panic!("there is no {path:?}"));
    see(&view.record(object).unwrap())
}

fn values(domain: &Domain, path: &[&str], property: &str) -> Vec<String> {
    at(domain, path, |record| {
        let values = record.property(property.as_bytes()).map(|property| property.values);
        values.into_iter().flatten().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    })
}

fn differences(first: &Domain, second: &Domain) -> usize {
    let mut found = 0;
    diff(first, second, &Scope::default(), &mut |difference| {
        println!("{difference:?}");
        found += 1;
    })
    .unwrap();
    found
}

#[test]
fn folders_are_told() {
    for folder in [fixture(), fixture().join("nodes/Default")] {
        let found = parts(None, &folder).unwrap();
        assert_eq!(found.iter().map(|part| part.format).collect::<Vec<_>>(), [Format::DsLocal]);
        assert_eq!(parts(Some(Format::DsLocal), &folder).unwrap().len(), 1);
    }
    assert!(parts(Some(Format::Ldif), &fixture()).is_err());
}

#[test]
fn everything_of_a_mac_comes_in_and_again_changes_nothing() {
    let scratch = Scratch::empty(Vec::new()).unwrap();
    let report = import_into(&scratch, &fixture());
    let counts = report.counts();
    // 49 records in 23 directories; the root is there.
    assert_eq!((counts.of(Outcome::Created), counts.of(Outcome::Skipped)), (72, 2), "{}", counts.text());
    let domain = scratch.domain();
    for (path, property, expected) in [
        (&["users", "alice"][..], "realname", &["Alice Liddell"][..]),
        (&["groups", "engineering"], "users", &["alice", "bob", "erin"]),
        (&["computers", "mac-lab-01"], "en_address", &["00:16:cb:00:00:01"]),
        (&["mounts", "fileserver:/export/home"], "vfstype", &["nfs"]),
        (&["config", "SharePoints", "Alice Public"], "name", &["Alice Public"]),
    ] {
        assert_eq!(values(domain, path, property), expected, "{path:?}");
    }
    let nested = values(domain, &["groups", "engineering"], "nestedgroups");
    let inner = values(domain, &["groups", "interns"], "generateduid");
    assert!(!inner.is_empty() && nested == inner, "a group in a group is known by its id");
    // Whose hashes are for Windows only.
    let told: Vec<_> = report.files[0].done.notes.iter().filter(|note| note.kind == Kind::Password).collect();
    assert!(told.is_empty(), "{told:?}");
    let again = import_into(&scratch, &fixture()).counts();
    assert_eq!(
        (again.of(Outcome::Created), again.of(Outcome::Changed), again.of(Outcome::Skipped)),
        (0, 0, 2)
    );
}

#[test]
fn users_log_in_with_their_passwords() {
    let scratch = Scratch::empty(Vec::new()).unwrap();
    import_into(&scratch, &fixture());
    let domain = scratch.domain();
    let table = fs::read_to_string(fixture().join("passwords.tsv")).unwrap();
    let mut admitted = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (name, password) = (columns[0], columns[4]);
        let object = at(domain, &["users", name], |record| record.id().object);
        let from = Origin::Network { address: [192, 0, 2, 1].into(), own: false, privileged_port: false };
        let bind = |password: &str| {
            let credentials = Credentials::Password { object, password: password.as_bytes() };
            domain.login(credentials, from, 1).is_ok()
        };
        assert!(!bind("another"), "{row}");
        // Disabled, or without a password.
        let expected = !["frank", "ken"].contains(&name);
        assert_eq!(bind(password), expected, "{row}");
        admitted += u32::from(expected);
    }
    assert_eq!(admitted, 11);
}

#[test]
fn a_folder_becomes_a_folder_again() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("again.dslocal");
    let source = parts(None, &fixture()).unwrap();
    let (report, exported) = convert(&source, Format::DsLocal, To::Folder(&out), &mut |_, _, _| {}).unwrap();
    assert_eq!(
        (report.counts().of(Outcome::Skipped), exported.losses.total()),
        (2, 0),
        "{:?}",
        exported.losses
    );
    assert!(out.join("nodes/Default/users/alice.plist").is_file() && out.join("shadow/hash").is_dir());
    let gathered =
        |path: &Path| gather(&parts(None, path).unwrap(), Vec::new(), &mut |_, _, _| {}).unwrap().0;
    assert_eq!(differences(gathered(&fixture()).domain(), gathered(&out).domain()), 0);
    assert!(convert(&source, Format::DsLocal, To::Folder(&out), &mut |_, _, _| {}).is_err(), "it is there");
    let mut text = Vec::new();
    convert(&parts(None, &out).unwrap(), Format::Jsonl, To::Stream(&mut text), &mut |_, _, _| {}).unwrap();
    assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 73);
}

#[test]
fn what_was_imported_is_written_for_a_mac() {
    let dir = tempfile::tempdir().unwrap();
    let passwd = dir.path().join("passwd");
    fs::write(&passwd, "ana:xOAFZqRz5RduI:501:20:Ana:/home/ana:/bin/sh\n").unwrap();
    let out = dir.path().join("new.dslocal");
    convert(&parts(None, &passwd).unwrap(), Format::DsLocal, To::Folder(&out), &mut |_, _, _| {}).unwrap();
    let text = fs::read_to_string(out.join("nodes/Default/users/ana.plist")).unwrap();
    assert!(
        text.contains("<key>generateduid</key>") && text.contains("FFFFEEEE-DDDD-CCCC-BBBB-AAAA000001F5")
    );
}

#[test]
fn problems_do_not_shift_the_directories_behind_them() {
    let part = parts(None, &fixture()).unwrap().remove(0);
    let objects = objects(&part, &mut FileReport::new("x", "dslocal")).unwrap();
    let name = |object: u32| {
        let found = objects.iter().find(|other| other.id.object == object).unwrap();
        let property = found.properties.iter().find(|property| property.name == b"name");
        property.map_or_else(String::new, |p| String::from_utf8_lossy(&p.values[0]).into_owned())
    };
    // The two problems come before it.
    let root = objects.iter().find(|object| name(object.id.object) == "root").unwrap();
    assert_eq!((name(root.parent), objects[0].id.object), ("users".to_owned(), ROOT));
}
