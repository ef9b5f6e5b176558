//! Who is who on the UNIX socket: the kernel tells the user id. To be somebody else, the tests run themselves again.

use std::path::Path;
use std::process::Command;

use netinfo_testkit::namespace::need_root;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::control::{self, Procedure as Control, StreamItem};
use netinfo_wire::netinfo::{Procedure, Status, put_binding};
use netinfo_wire::nibind;

use crate::tree::{Props, Tree, text};
use crate::users::SECRET;

const SOCKET: &str = "NETINFO_TEST_SOCKET";
const HASH: &str = "on08nzIt14O6Y";

/// Runs `check` with the daemon's socket, as the user with this id. `name` is that of the test.
fn as_user(uid: u32, name: &str, prepare: impl FnOnce() -> Node, check: impl FnOnce(&Path)) {
    if let Some(socket) = std::env::var_os(SOCKET) {
        return check(socket.as_ref());
    }
    need_root("it runs itself as other users");
    let node = prepare();
    let id = uid.to_string();
    let output = Command::new("setpriv")
        .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--inh-caps=-all", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .current_dir("/")
        .env(SOCKET, node.socket())
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{}", node.log());
}

/// Domains `local` and `network`, both with a user alice, 501, and directories that only she and only nobody may write.
fn two_domains() -> Node {
    let node = Node::start();
    node.create_master("network");
    for tag in ["local", "network"] {
        let mut root = Tree::privileged(node.domain(tag));
        let users = root.make(0, &[("name", &["users"])]);
        let alice: Props<'_> = &[
            ("name", &["alice"]),
            ("uid", &["501"]),
            ("passwd", &[SECRET]),
            ("_writers_passwd", &["alice"]),
        ];
        root.make(users, alice);
        root.make(0, &[("name", &["open"]), ("_writers", &["*"])]);
    }
    node
}

fn connect(socket: &Path, tag: &str) -> Tree {
    let mut caller = Caller::unix(socket);
    let mut args = Vec::new();
    put_binding(&mut args, tag.as_bytes(), [0, 0, 0, 0].into());
    caller.netinfo(Procedure::Bind, &args);
    Tree { caller }
}

fn find(tree: &mut Tree, parent: u32, name: &str) -> u32 {
    tree.lookup(parent, "name", name).unwrap()[0]
}

#[test]
fn users_of_this_machine_need_no_password_for_local() {
    as_user(501, "unix::users_of_this_machine_need_no_password_for_local", two_domains, |socket| {
        let mut tree = connect(socket, "local");
        let users = find(&mut tree, 0, "users");
        let alice = find(&mut tree, users, "alice");
        assert_eq!(text(&tree.read(alice).unwrap(), "passwd"), ["********"], "not even her own");
        let id = tree.at(alice);
        tree.write_prop(id, 2, &[HASH]).unwrap();
        let root = tree.at(0);
        assert_eq!(tree.create(root, &[]), Err(Status::Perm));
        // In other domains user ids mean other people.
        let mut tree = connect(socket, "network");
        let users = find(&mut tree, 0, "users");
        let (alice, open) = (find(&mut tree, users, "alice"), find(&mut tree, 0, "open"));
        let (id, open) = (tree.at(alice), tree.at(open));
        assert_eq!(tree.write_prop(id, 2, &[HASH]), Err(Status::Perm));
        tree.write_prop(open, 0, &["open"]).unwrap();
        // There a password helps.
        tree.caller.set_user(Some((501, b"secret")));
        tree.write_prop(id, 2, &[HASH]).unwrap();
        tree.caller.set_user(Some((501, b"wrong")));
        assert_eq!(tree.write_prop(id, 2, &[HASH]), Err(Status::AuthError));
    });
}

#[test]
fn users_nobody_knows_are_nobody() {
    as_user(4_711, "unix::users_nobody_knows_are_nobody", two_domains, |socket| {
        for tag in ["local", "network"] {
            let mut tree = connect(socket, tag);
            let users = find(&mut tree, 0, "users");
            let (alice, open) = (find(&mut tree, users, "alice"), find(&mut tree, 0, "open"));
            let (alice, open) = (tree.at(alice), tree.at(open));
            assert_eq!(tree.write_prop(alice, 2, &[HASH]), Err(Status::Perm));
            tree.write_prop(open, 0, &["open"]).unwrap();
            let mut args = Vec::new();
            nibind::put_tag(&mut args, b"new");
            let create = nibind::Procedure::CreateMaster.code();
            let reply = tree.caller.call(nibind::PROGRAM, nibind::VERSION, create, &args).unwrap();
            assert_eq!(reply, Status::Perm.code().to_be_bytes());
        }
        // The control program tells everybody how things are, and does nothing for anybody but root.
        let mut caller = Caller::unix(socket);
        let requests: &[(Control, &[u8], Status)] = &[
            (Control::Request, b"{\"op\":\"status\"}", Status::Ok),
            (Control::Request, b"{\"op\":\"domains\"}", Status::Ok),
            (Control::Request, b"{\"op\":\"create-domain\",\"tag\":\"new\"}", Status::Perm),
            (Control::Request, b"{\"op\":\"destroy-domain\",\"tag\":\"network\"}", Status::Perm),
            (Control::Request, b"{\"op\":\"changes\",\"domain\":\"local\"}", Status::Perm),
            (Control::Request, b"{\"op\":\"nothing\"}", Status::Perm),
            (Control::UploadBegin, b"{\"op\":\"restore\",\"tag\":\"new\"}", Status::Perm),
        ];
        for (procedure, json, expected) in requests {
            let mut args = Vec::new();
            control::put_request(&mut args, json);
            let reply = caller.call(control::PROGRAM, control::VERSION, procedure.code(), &args).unwrap();
            assert_eq!(reply[..4], expected.code().to_be_bytes(), "{}", json.escape_ascii());
        }
        let mut args = Vec::new();
        control::put_request(&mut args, b"{\"op\":\"backup\",\"domain\":\"local\"}");
        let mut stream = control::StreamDecoder::new();
        stream.feed(&caller.call(control::PROGRAM, control::VERSION, Control::Stream.code(), &args).unwrap());
        let item = stream.next_item().unwrap();
        let refused = matches!(&item, Some(StreamItem::End(response)) if response.status == Status::Perm);
        assert!(refused, "{item:?}");
    });
}
