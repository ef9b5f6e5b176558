//! Passwords stay inside, unless the caller is the superuser of this host or the domain trusts its network with them.

use netinfo_testkit::namespace::{Neighbour, isolated};
use netinfo_testkit::node::at;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{Procedure, ReadAll, Status, put_binding};

use crate::tree::{Props, Tree, text};
use crate::users::{Office, SECRET};

const MASK: &str = "********";

/// Everything `caller` gets to see when it reads the user at `object`, by every procedure that reads values, as one
/// string per procedure.
fn seen(caller: &mut Tree, users: u32, object: u32) -> Vec<String> {
    let index = caller.read(object).unwrap().iter().position(|p| p.name == b"passwd").unwrap() as u32;
    let show = |values: &[Vec<u8>]| {
        values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>().join(",")
    };
    let listed = caller.list(users, "passwd").unwrap().into_iter().find(|entry| entry.id == object).unwrap();
    let all = caller.list_all(users).unwrap();
    let all = all.iter().find(|properties| text(properties, "name") == ["alice"]).unwrap();
    vec![
        text(&caller.read(object).unwrap(), "passwd").join(","),
        show(&listed.names.unwrap()),
        text(all, "passwd").join(","),
        text(&caller.lookup_read(users, "name", "alice").unwrap().1, "passwd").join(","),
        show(&caller.read_prop(object, index).unwrap()),
        caller.read_name(object, index, 0).map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap(),
        from_readall(caller, object),
    ]
}

fn from_readall(caller: &mut Tree, object: u32) -> String {
    let results = [vec![0; 4], caller.read_all(0).unwrap()].concat();
    let mut all = ReadAll::decode(&results).unwrap();
    while let Some(next) = all.next_object().unwrap() {
        if next.id.object == object {
            let values = next.props.get(b"passwd").unwrap().to_vec();
            return values
                .iter()
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect::<Vec<_>>()
                .join(",");
        }
    }
    panic!("READALL without {object}");
}

/// A caller of the UNIX socket, which is root here, with `network` selected.
fn over_unix(node: &Node) -> Tree {
    let mut caller = Caller::unix(&node.socket());
    let mut args = Vec::new();
    put_binding(&mut args, b"network", [0, 0, 0, 0].into());
    caller.netinfo(Procedure::Bind, &args);
    Tree { caller }
}

#[test]
fn every_reading_procedure_masks_passwords() {
    let mut office = Office::on(Node::start());
    let (users, alice) = (office.users, office.find("alice"));
    for mut caller in [Tree::anonymous(office.domain), office.user(501, "secret"), office.user(0, "rootpw")] {
        assert_eq!(seen(&mut caller, users, alice), [MASK; 7]);
        assert_eq!(caller.lookup(users, "passwd", SECRET), Err(Status::NoDir), "not even by guessing");
        assert_eq!(caller.lookup(users, "passwd", MASK), Err(Status::NoDir));
        assert_eq!(caller.lookup_read(users, "passwd", SECRET).map(drop), Err(Status::NoDir));
    }
    for mut caller in [Tree::privileged(office.domain), over_unix(&office.node)] {
        assert_eq!(seen(&mut caller, users, alice), [SECRET; 7]);
        assert_eq!(caller.lookup(users, "passwd", SECRET).unwrap()[0], alice);
    }
    // One mask for each value, so that indices mean the same to everybody.
    let many =
        office.root.make(users, &[("name", &["m"]), ("passwd", &["a", "", "c"]), ("net_passwd", &["d"])]);
    let mut nobody = Tree::anonymous(office.domain);
    let shown = nobody.read(many).unwrap();
    assert_eq!(text(&shown, "passwd"), [MASK; 3]);
    assert_eq!(text(&shown, "net_passwd"), [MASK]);
    assert_eq!(nobody.read_name(many, 1, 3), Err(Status::NoName));
}

#[test]
fn a_historical_server_shows_them_to_everybody() {
    let mut office = Office::historical();
    let (users, alice) = (office.users, office.find("alice"));
    assert_eq!(seen(&mut Tree::anonymous(office.domain), users, alice), [SECRET; 7]);
}

#[test]
fn a_mask_written_back_keeps_the_password() {
    let mut office = Office::on(Node::start());
    let (users, alice) = (office.users, office.find("alice"));
    office.root.set(alice, "_writers", &["alice"]);
    let mut caller = office.user(501, "secret");
    let stored = |office: &mut Office| text(&office.root.read(alice).unwrap(), "passwd");
    // Read, modify, write of the whole directory, as old tools do it.
    let id = caller.at(alice);
    let lists: &[&str] = &["alice"];
    let props: Props<'_> =
        &[("name", &["alice"]), ("uid", &["501"]), ("passwd", &[MASK]), ("_writers", lists)];
    let id = caller.write(id, props).unwrap();
    assert_eq!(stored(&mut office), [SECRET]);
    // The values of one property, one value, and a value more beside it.
    let id = caller.write_prop(id, 2, &[MASK]).unwrap();
    let id = caller.write_name(id, 2, 0, MASK).unwrap();
    assert_eq!(stored(&mut office), [SECRET]);
    let id = caller.write_prop(id, 2, &[MASK, "more"]).unwrap();
    assert_eq!(stored(&mut office), [SECRET, "more"]);
    // Anything else replaces it.
    caller.write_prop(id, 2, &["on08nzIt14O6Y"]).unwrap();
    assert_eq!(stored(&mut office), ["on08nzIt14O6Y"]);
    let mut caller = office.user(501, "one");
    assert_eq!(seen(&mut caller, users, alice), [MASK; 7]);
}

#[test]
fn a_password_cannot_be_published_by_renaming_its_property() {
    let mut office = Office::on(Node::start());
    let alice = office.find("alice");
    office.root.set(alice, "_writers", &["*"]);
    for mut caller in [Tree::anonymous(office.domain), office.user(501, "secret")] {
        let id = caller.at(alice);
        assert_eq!(caller.rename_prop(id, 2, "note"), Err(Status::Perm));
    }
    let id = office.root.at(alice);
    office.root.rename_prop(id, 2, "note").unwrap();
}

#[test]
fn networks_named_for_it_see_passwords() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let mut office = Office::on(Node::builder().listen("domain.network", "0.0.0.0:0").start());
        let (users, alice) = (office.users, office.find("alice"));
        let server = at(office.domain.tcp, "10.0.0.1");
        let look =
            || seen(&mut Tree { caller: neighbour.enter(|| Caller::tcp(server)) }, users, alice)[0].clone();
        assert_eq!(look(), MASK);
        for (networks, expected) in [(&["10.0.0"] as &[&str], SECRET), (&["192.168"], MASK), (&[], MASK)] {
            office.root.set(0, "passwd_networks", networks);
            assert_eq!(look(), expected, "{networks:?}");
        }
    });
}

#[test]
fn nothing_secret_is_logged() {
    let node = Node::builder().environment("NETINFO_LOG", "trace").start();
    let office = Office::on(node);
    let mut alice = office.user(501, "secret");
    let mut wrong = office.user(501, "a wrong password");
    let id = alice.at(0);
    let _ = alice.write(id, &[("passwd", &["hunter2hunter2"])]);
    let _ = wrong.write(id, &[]);
    let log = office.node.log();
    assert!(log.contains("authentication failed"), "{log}");
    for secret in [SECRET, "secret", "hunter2", "a wrong password", MASK] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
