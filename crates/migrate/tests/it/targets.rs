//! Imports into domains at hand.

use netinfo_directory::{Credentials, Origin, Property, StampBuf};
use netinfo_migrate::export::export;
use netinfo_migrate::fill::load;
use netinfo_migrate::import::{Target, import};
use netinfo_migrate::item::{Directory, Item, What, Where};
use netinfo_migrate::plan::Policy;
use netinfo_migrate::report::{Kind, Outcome, Report};
use netinfo_migrate::scratch::Scratch;
use netinfo_migrate::source::{Format, parts};
use netinfo_migrate::{Local, Options};

fn item(line: u64, place: Where, properties: &[(&str, &[&str])]) -> Item {
    let properties =
        properties.iter().map(|(name, values)| Property::new(*name, values.iter().copied())).collect();
    Item { line, what: What::Directory(Directory { place, properties, stamp: None }) }
}

fn users() -> Where {
    Where::In(b"users".to_vec())
}

fn local(scratch: &Scratch, policy: Policy) -> Local {
    Local::new(scratch.domain().clone(), Options { policy, ..Options::default() }).unwrap()
}

#[test]
fn trees_keep_their_form_and_twins_stay_apart() {
    let scratch = Scratch::empty(Vec::new()).unwrap();
    let tree = || {
        vec![
            item(1, Where::Root, &[("note", &["n"])]),
            item(2, Where::Below(0), &[("name", &["services"])]),
            item(3, Where::Below(1), &[("name", &["twin"]), ("a", &["1"])]),
            item(4, Where::Below(1), &[("name", &["twin"]), ("a", &["2"])]),
            item(5, Where::Below(1), &[("nameless", &["x"])]),
            item(6, Where::Below(99), &[("name", &["lost"])]),
        ]
    };
    let first = local(&scratch, Policy::Merge).apply(tree()).unwrap();
    assert_eq!(first.counts.text(), "4 created, 1 changed, 1 failed");
    let again = local(&scratch, Policy::Merge).apply(tree()).unwrap();
    assert_eq!(again.counts.text(), "5 unchanged, 1 failed");
    assert_eq!(again.notes[0].text, ["the directory above it was not taken"]);
}

#[test]
fn files_of_one_import_add_to_each_other_where_they_replace() {
    let scratch = Scratch::empty(Vec::new()).unwrap();
    let hosts =
        || item(1, Where::In(b"machines".to_vec()), &[("name", &["a"]), ("ip_address", &["10.0.0.1"])]);
    let ethers =
        || item(1, Where::In(b"machines".to_vec()), &[("name", &["a"]), ("en_address", &["0:1:2:3:4:5"])]);
    let begin = || Item { line: 0, what: What::Begin };
    let mut target = local(&scratch, Policy::Replace);
    let done = target.apply(vec![begin(), hosts(), begin(), ethers()]).unwrap();
    assert_eq!(done.counts.text(), "1 created, 1 changed");
    let domain = scratch.domain();
    let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let view = domain.read(&session).unwrap();
    let machine = view.path(&[b"machines", b"a"]).unwrap().unwrap();
    assert_eq!(view.record(machine).unwrap().properties().count(), 3);
}

#[test]
fn passwords_nobody_can_use_are_told_and_masks_are_none() {
    let scratch = Scratch::empty(Vec::new()).unwrap();
    let done = local(&scratch, Policy::Merge)
        .apply(vec![
            item(1, users(), &[("name", &["a"]), ("passwd", &["xOAFZqRz5RduI"])]),
            item(2, users(), &[("name", &["b"]), ("passwd", &["*"])]),
            item(3, users(), &[("name", &["c"]), ("passwd", &["{NT}0123"])]),
            item(4, users(), &[("name", &["d"]), ("passwd", &["********"])]),
        ])
        .unwrap();
    let told: Vec<_> = done.notes.iter().map(|note| (note.kind, note.line)).collect();
    assert_eq!(told, [(Kind::Password, 3), (Kind::Password, 4)]);
    assert_eq!(done.counts.of(Outcome::Created), 4);
    let domain = scratch.domain();
    let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let view = domain.read(&session).unwrap();
    let passwd = |name: &[u8]| {
        let user = view.path(&[b"users", name]).unwrap().unwrap();
        view.record(user).unwrap().first_value(b"passwd").map(<[u8]>::to_vec)
    };
    assert_eq!((passwd(b"c"), passwd(b"d")), (Some(b"{NT}0123".to_vec()), None));
}

#[test]
fn a_uuid_that_is_taken_costs_the_uuid_and_not_the_directory() {
    let scratch = Scratch::empty(Vec::new()).unwrap();
    let stamp = StampBuf { uuid: [3; 16], created: 1, modified: 2, ..StampBuf::default() };
    let mut items = vec![item(1, users(), &[("name", &["a"])]), item(2, users(), &[("name", &["b"])])];
    for item in &mut items {
        let What::Directory(directory) = &mut item.what else { continue };
        directory.stamp = Some(stamp.clone());
    }
    let done = local(&scratch, Policy::Merge).apply(items).unwrap();
    assert_eq!(done.counts.of(Outcome::Created), 2);
    assert_eq!(
        done.notes.iter().map(|note| (note.kind, note.line)).collect::<Vec<_>>(),
        [(Kind::Warning, 2)]
    );
}

#[test]
fn what_is_too_large_is_one_failure() {
    let scratch = Scratch::empty(Vec::new()).unwrap();
    let long = "x".repeat(netinfo_directory::NAME_LIMIT + 1);
    let done = local(&scratch, Policy::Merge)
        .apply(vec![
            item(1, users(), &[("name", &["a"]), ("note", &[&long])]),
            item(2, users(), &[("name", &["b"])]),
        ])
        .unwrap();
    assert_eq!(done.counts.text(), "1 created, 1 failed");
    assert!(done.notes[0].text[0].contains("exceeds the limit"), "{:?}", done.notes);
}

/// Entries below a suffix, the lowest first.
const UPSIDE_DOWN: &str = "\
dn: uid=ana,ou=oslo,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: ana\ncn: Ana\nsn: Lima\n
dn: cn=lost,ou=nowhere,dc=example,dc=com\nobjectClass: device\ncn: lost\n
dn: ou=oslo,ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: oslo\n
dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: people\n
dn: dc=example,dc=com\nobjectClass: domain\ndc: example\nentryUUID: 6513270e-269e-4d37-b2a7-4de452e6b438
createTimestamp: 20240210010100Z\n
";

#[test]
fn entries_may_come_before_those_above_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("upside.ldif");
    std::fs::write(&file, UPSIDE_DOWN).unwrap();
    let parts = parts(None, &file).unwrap();
    let suffix = || vec![Property::new("_suffix", ["dc=example,dc=com"])];
    let watch = &mut |_, _, _| {};
    for fast in [true, false] {
        let scratch = Scratch::empty(suffix()).unwrap();
        let mut target = local(&scratch, Policy::Merge);
        let mut run = |target: &mut Local| match fast {
            true => Report { files: vec![load(&parts[0], target, watch).unwrap()] },
            false => import(&parts, target, watch).map_err(|(error, _)| error).unwrap(),
        };
        let report = run(&mut target);
        let text = report.counts().text();
        assert!(text == "4 created, 1 failed" || text == "3 created, 1 changed, 1 failed", "{text}");
        let notes = &report.files[0].done.notes;
        assert_eq!((notes.len(), notes[0].line), (1, 7), "{notes:?}");
        let mut out = Vec::new();
        export(scratch.domain(), "local", Format::Ldif, None, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let root = out.split("\n\n").next().unwrap();
        assert!(root.contains("\nentryUUID: 6513270e-269e-4d37-b2a7-4de452e6b438\n"), "{root}");
        assert!(root.contains("\ncreateTimestamp: 20240210010100Z"), "{root}");
        assert!(out.contains("dn: uid=ana,ou=oslo,ou=people,dc=example,dc=com\n"), "{out}");
    }
}

/// An entry of so many attributes, by its name below the suffix.
fn entry(line: u64, name: &str, attributes: &[(&str, &str)]) -> Item {
    let name = if name.is_empty() { String::new() } else { format!("{name},") };
    let attributes = attributes
        .iter()
        .map(|(description, value)| (description.as_bytes().to_vec(), vec![value.as_bytes().to_vec()]))
        .collect();
    Item { line, what: What::Entry(format!("{name}dc=example,dc=com").into_bytes(), attributes) }
}

#[test]
fn batches_know_of_the_one_that_is_still_being_made() {
    let scratch = Scratch::empty(vec![Property::new("_suffix", ["dc=example,dc=com"])]).unwrap();
    let mut target = local(&scratch, Policy::Merge);
    let unit = |line, name: &str, ou| entry(line, name, &[("objectClass", "organizationalUnit"), ("ou", ou)]);
    let user = |line, uid: &str, cn| {
        let attributes = [("objectClass", "inetOrgPerson"), ("uid", uid), ("cn", cn), ("sn", "x")];
        entry(line, &format!("uid={uid},cn=users"), &attributes)
    };
    let long = "x".repeat(netinfo_directory::NAME_LIMIT + 1);
    let large = [("objectClass", "organizationalUnit"), ("ou", "big"), ("description", &long)];
    let group =
        [("objectClass", "groupOfNames"), ("cn", "g"), ("member", "uid=ana,cn=users,dc=example,dc=com")];
    let batches = [
        vec![entry(1, "", &[("objectClass", "domain"), ("dc", "example")])],
        vec![entry(2, "cn=users", &[("objectClass", "container"), ("cn", "users")]), unit(3, "ou=a", "a")],
        vec![user(4, "ana", "Ana"), unit(5, "ou=b,ou=a", "b"), entry(6, "ou=big", &large)],
        vec![unit(7, "ou=c,ou=b,ou=a", "c"), unit(8, "ou=d,ou=big", "d"), user(9, "ana", "Twin")],
        vec![
            unit(10, "ou=e,ou=c,ou=b,ou=a", "e"),
            user(11, "ana", "Ana"),
            entry(12, "cn=groups", &[("objectClass", "container"), ("cn", "groups")]),
        ],
        vec![entry(13, "cn=g,cn=groups", &group), unit(14, "ou=f,ou=b,ou=a", "f")],
    ];
    let mut done = netinfo_migrate::report::Done::default();
    for batch in batches {
        done.add(Target::apply(&mut target, batch).unwrap());
    }
    done.add(target.settle().unwrap());
    let told: Vec<_> = done
        .notes
        .iter()
        .filter(|n| n.kind == Kind::Outcome(Outcome::Failed))
        .map(|n| (n.line, &n.text[0][..]))
        .collect();
    assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [6, 9, 8], "{told:?}");
    assert_eq!((told[1].1, told[2].1), ("the entry stands there twice", "the entry above it was not taken"));
    assert_eq!(
        done.counts.of(Outcome::Created) + done.counts.of(Outcome::Changed),
        10,
        "{}",
        done.counts.text()
    );
    assert_eq!(done.counts.of(Outcome::Unchanged), 1, "what is there already is merged");
    let session = scratch.domain().authenticate(Credentials::None, Origin::Internal).unwrap();
    let view = scratch.domain().read(&session).unwrap();
    let group = view.path(&[b"groups", b"g"]).unwrap().unwrap();
    assert_eq!(view.record(group).unwrap().first_value(b"users"), Some(&b"ana"[..]));
}

#[test]
fn what_is_no_attribute_is_told_and_an_export_can_be_read_back() {
    let suffix = || vec![Property::new("_suffix", ["dc=example,dc=com"])];
    let scratch = Scratch::empty(suffix()).unwrap();
    let names = ["dn", "DN", "dN;lang-en", "a b", "a:b", "größe", "", "_writers_mail", "memberOf"];
    let mut properties: Vec<(&str, &[&str])> =
        vec![("name", &["ana"]), ("realname", &["Ana"]), ("empty space", &[])];
    properties.extend(names.iter().map(|name| (*name, &["cn=x"][..])));
    let done = local(&scratch, Policy::Merge).apply(vec![item(1, users(), &properties)]).unwrap();
    assert_eq!(done.counts.of(Outcome::Created), 1);
    let mut out = Vec::new();
    let exported = export(scratch.domain(), "local", Format::Ldif, None, &mut out).unwrap();
    let causes = exported.losses.causes();
    let lost: Vec<_> = causes.iter().map(|cause| String::from_utf8_lossy(&cause.property)).collect();
    assert_eq!(lost, names);
    assert_eq!(causes[0].first, exported.records, "of the user, which comes last");

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.ldif");
    std::fs::write(&file, &out).unwrap();
    let again = Scratch::empty(suffix()).unwrap();
    let mut target = local(&again, Policy::Merge);
    let report = import(&parts(None, &file).unwrap(), &mut target, &mut |_, _, _| {});
    let counts = report.map_err(|(error, _)| error).unwrap().counts();
    assert_eq!(counts.of(Outcome::Failed), 0, "{}", String::from_utf8_lossy(&out));
    let mut back = Vec::new();
    export(again.domain(), "local", Format::Ldif, None, &mut back).unwrap();
    assert_eq!(String::from_utf8(back), String::from_utf8(out));
}
