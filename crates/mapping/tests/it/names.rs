//! From names to directories and back.

use netinfo_directory::{Id, Property, ROOT, TransferObject};
use netinfo_mapping::{CHAIN_LIMIT, KEPT_LIMIT, Layout, Namespace, Resolution};

use crate::support::{ALICE, Fixture};

#[test]
fn directories_have_the_names_of_their_layout() {
    for (layout, users, groups) in [("apple", "cn=users", "cn=groups"), ("rfc2307", "ou=people", "ou=groups")]
    {
        let fixture = Fixture::example(&[("_layout", &[layout])]);
        let directory = fixture.directory(ROOT, &[("name", &["users"])]);
        let alice = fixture.directory(directory, ALICE);
        let group = fixture.directory(ROOT, &[("name", &["groups"])]);
        let admin = fixture.directory(group, &[("name", &["admin"]), ("gid", &["80"])]);
        assert_eq!(fixture.dn(ROOT), "dc=example,dc=com");
        assert_eq!(fixture.dn(alice), format!("uid=alice,{users},dc=example,dc=com"));
        assert_eq!(fixture.dn(admin), format!("cn=admin,{groups},dc=example,dc=com"));
        for spelling in [
            "uid=alice,cn=users,dc=example,dc=com",
            "UID=Alice, OU=People, DC=Example, DC=com",
            "userid=al,cn=users,dc=local",
            "0.9.2342.19200300.100.1.1=ALICE,ou=people,dc=example,dc=com",
        ] {
            assert_eq!(fixture.find(spelling), Some(alice), "{spelling}");
        }
        for other in [
            "cn=alice,cn=users,dc=example,dc=com",
            "uid=bob,cn=users,dc=example,dc=com",
            "uid=alice,cn=groups,dc=example,dc=com",
            "uid=alice,dc=example,dc=com",
            "uid=alice,cn=users,dc=example,dc=org",
        ] {
            assert_eq!(fixture.find(other), None, "{other}");
        }
    }
}

#[test]
fn missing_names_tell_how_far_they_lead() {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    fixture.see(|tree| {
        let resolve = |dn: &str| tree.resolve(dn.as_bytes()).unwrap();
        assert_eq!(
            resolve("cn=a,cn=b,cn=users,dc=example,dc=com"),
            Resolution::Missing { nearest: users, rest: 2 }
        );
        assert_eq!(resolve("cn=a,dc=example,dc=com"), Resolution::Missing { nearest: ROOT, rest: 1 });
        assert_eq!(resolve("dc=com"), Resolution::Outside);
        assert_eq!(resolve(""), Resolution::Outside);
        assert!(tree.resolve(b"nonsense").is_err());
    });
}

#[test]
fn directories_without_a_name_of_their_own_have_numbers() {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    let first = fixture.directory(users, &[("name", &["twin"])]);
    let second = fixture.directory(users, &[("name", &["twin"])]);
    let nameless = fixture.directory(users, &[("uid", &["1"])]);
    let empty = fixture.directory(users, &[("name", &[""])]);
    let odd = fixture.directory(users, &[("name", &["x"]), ("_rdn", &["_secret"])]);
    assert_eq!(fixture.dn(first), "uid=twin,cn=users,dc=example,dc=com");
    for object in [second, nameless, empty, odd] {
        let dn = format!("dSID={object},cn=users,dc=example,dc=com");
        assert_eq!(fixture.dn(object), dn);
        assert_eq!(fixture.find(&dn), Some(object));
        let by_oid = format!("1.3.6.1.4.1.5322.14.1.1={object},cn=users,dc=example,dc=com");
        assert_eq!(fixture.find(&by_oid), Some(object));
        assert_eq!(
            fixture.find(&format!("dSID={object},dc=example,dc=com")),
            None,
            "the parents are verified"
        );
    }
    assert_eq!(fixture.find("uid=twin,cn=users,dc=example,dc=com"), Some(first));
    assert_eq!(fixture.find("dSID=0,dc=example,dc=com"), None);
    assert_eq!(fixture.find("dSID=99999,dc=example,dc=com"), None);
    let below = fixture.directory(second, &[("name", &["child"])]);
    assert_eq!(fixture.dn(below), format!("uid=child,dSID={second},cn=users,dc=example,dc=com"));
    assert_eq!(fixture.find(&fixture.dn(below)), Some(below));
}

#[test]
fn an_own_name_comes_before_an_alias() {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    let alias = fixture.directory(users, &[("name", &["x", "Bob"])]);
    let own = fixture.directory(users, &[("name", &["bob"])]);
    assert_eq!(fixture.find("uid=Bob,cn=users,dc=example,dc=com"), Some(own));
    assert_eq!(fixture.find("uid=X,cn=users,dc=example,dc=com"), Some(alias));
}

#[test]
fn unusual_characters_are_escaped() {
    let fixture = Fixture::example(&[]);
    let mounts = fixture.directory(ROOT, &[("name", &["mounts"])]);
    for (name, rdn) in [
        ("fs:/export", "cn=fs:/export"),
        ("a,b+c=d", r"cn=a\,b\+c=d"),
        (" lead#", r"cn=\20lead#"),
        ("#x ", r"cn=\#x\20"),
        (r#"q"b\s<>;"#, r#"cn=q\"b\\s\<\>\;"#),
        ("Zoë", "cn=Zoë"),
        ("two\nlines", r"cn=two\0Alines"),
    ] {
        let object = fixture.directory(mounts, &[("name", &[name])]);
        let dn = format!("{rdn},cn=mounts,dc=example,dc=com");
        assert_eq!(fixture.dn(object), dn);
        assert_eq!(fixture.find(&dn), Some(object));
    }
}

#[test]
fn suffixes_come_from_the_root_or_the_machines_or_the_tag() {
    let plain = Fixture::new(&[]);
    assert_eq!(plain.dn(ROOT), "dc=local");
    let explicit = Fixture::new(&[("_suffix", &["o=First", "nonsense", "o=second"])]);
    explicit.see(|tree| {
        let suffixes: Vec<&str> = tree.namespace().suffixes().collect();
        assert_eq!(suffixes, ["o=First", "o=second", "dc=local"]);
        assert_eq!(tree.resolve(b"o=SECOND").unwrap(), Resolution::Found(ROOT));
        assert_eq!(tree.resolve(b"dc=local").unwrap(), Resolution::Found(ROOT));
    });
    let described = Fixture::new(&[]);
    let view = described.domain.read(&described.root).unwrap();
    let host = view.path(&[b"machines", b"host"]).unwrap().unwrap();
    drop(view);
    described.write(vec![netinfo_directory::Change::CreateProperty {
        directory: netinfo_directory::Target::any(host),
        property: Property::new("suffix", ["dc=machines,dc=example"]),
        position: 0,
    }]);
    assert_eq!(described.dn(ROOT), "dc=machines,dc=example");
    let empty = Fixture::new(&[("_suffix", &[""])]);
    let users = empty.directory(ROOT, &[("name", &["users"])]);
    assert_eq!(empty.dn(ROOT), "");
    assert_eq!(empty.dn(users), "cn=users");
    assert_eq!(empty.find("cn=users"), Some(users));
    assert_eq!(empty.find(""), Some(ROOT));
}

#[test]
fn settings_are_noticed() {
    let fixture = Fixture::example(&[]);
    let view = fixture.domain.read(&fixture.root).unwrap();
    let before = Namespace::new(&view, "local").unwrap();
    assert_eq!(before.layout(), Layout::Apple);
    assert!(before.is_current(&view).unwrap());
    drop(view);
    fixture.write(vec![netinfo_directory::Change::CreateProperty {
        directory: netinfo_directory::Target::any(ROOT),
        property: Property::new("_layout", ["rfc2307"]),
        position: 0,
    }]);
    let view = fixture.domain.read(&fixture.root).unwrap();
    assert!(!before.is_current(&view).unwrap());
    assert_eq!(Namespace::new(&view, "local").unwrap().layout(), Layout::Rfc2307);
}

#[test]
fn definitions_of_the_domain_extend_the_schema() {
    let fixture = Fixture::example(&[(
        "_schema_definitions",
        &[
            "attributeTypes: ( 1.3.6.1.4.1.5322.99.1 NAME 'favouriteTea' SUP name )",
            "objectClasses: ( 1.3.6.1.4.1.5322.99.2 NAME 'teaDrinker' AUXILIARY MAY favouriteTea )",
            "objectClasses: ( 1.2 NAME 'broken' MUST nothingLikeIt )",
            "no definition",
        ],
    )]);
    fixture.see(|tree| {
        let schema = tree.namespace().schema();
        assert!(schema.attribute("favouriteTea").is_some());
        assert!(schema.class("teaDrinker").is_some());
        assert!(schema.class("broken").is_none());
        assert_eq!(tree.namespace().problems().len(), 2);
    });
}

/// Puts a tree in the place of what is there: directory `n` lies below `parent(n)` and is called by its number.
fn plant(fixture: &Fixture, count: u32, parent: impl Fn(u32) -> u32) {
    let mut objects: Vec<TransferObject> = (0..count)
        .map(|object| TransferObject {
            id: Id { object, instance: 0 },
            parent: if object == ROOT { ROOT } else { parent(object) },
            children: Vec::new(),
            properties: vec![Property::new("name", [object.to_string()])],
            stamp: None,
        })
        .collect();
    for object in 1..count {
        objects[parent(object) as usize].children.push(object);
    }
    let mut objects = objects.into_iter();
    fixture.domain.replace(&fixture.root, move || Ok(objects.next())).unwrap();
}

#[test]
fn names_are_told_to_a_limit_of_depth() {
    let fixture = Fixture::new(&[]);
    let deepest = CHAIN_LIMIT as u32 + 1;
    plant(&fixture, deepest + 1, |object| object - 1);
    fixture.see(|tree| {
        assert!(tree.dn(deepest).unwrap().starts_with(&format!("cn={deepest},cn=")));
        assert_eq!(tree.resolve(tree.dn(127).unwrap().as_bytes()).ok(), Some(Resolution::Found(127)));
        assert!(tree.resolve(tree.dn(128).unwrap().as_bytes()).is_err());
    });
    plant(&fixture, deepest + 2, |object| object - 1);
    fixture.see(|tree| assert!(tree.dn(deepest + 1).is_err()));
}

#[test]
fn trees_forget_names_and_find_them_again() {
    let fixture = Fixture::new(&[]);
    let parents = KEPT_LIMIT as u32 + 10;
    plant(&fixture, 2 * parents + 1, |object| if object <= parents { ROOT } else { object - parents });
    fixture.see(|tree| {
        for object in (parents + 1..=2 * parents).chain([parents + 1]) {
            assert_eq!(tree.dn(object).unwrap(), format!("cn={object},cn={},dc=local", object - parents));
        }
    });
}

#[test]
fn a_name_by_another_property_is_the_same_name() {
    for flipped in [false, true] {
        let fixture = Fixture::example(&[("_layout", &["rfc2307"])]);
        let groups = fixture.directory(ROOT, &[("name", &["groups"])]);
        let by_name: &[(&str, &[&str])] = &[("name", &["A"])];
        let by_cn: &[(&str, &[&str])] = &[("name", &["x"]), ("_rdn", &["cn"]), ("cn", &["A"])];
        let (one, two) = if flipped { (by_cn, by_name) } else { (by_name, by_cn) };
        let first = fixture.directory(groups, one);
        let second = fixture.directory(groups, two);
        assert_eq!(fixture.dn(first), "cn=A,ou=groups,dc=example,dc=com");
        assert_eq!(fixture.dn(second), format!("dSID={second},ou=groups,dc=example,dc=com"));
        assert_eq!(fixture.find("cn=A,ou=groups,dc=example,dc=com"), Some(first));
        assert_eq!(fixture.find(&fixture.dn(second)), Some(second));

        // Below the root the unit is a name as well.
        let unit = fixture.directory(ROOT, &[("name", &["y"]), ("_rdn", &["ou"]), ("ou", &["groups"])]);
        assert_eq!(fixture.dn(unit), format!("dSID={unit},dc=example,dc=com"));
        assert_eq!(fixture.find("ou=groups,dc=example,dc=com"), Some(groups));
    }
}
