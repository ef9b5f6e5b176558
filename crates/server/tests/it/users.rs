//! Users for the tests of authentication. Passwords are invented; their hashes are traditional DES crypt(3).

use netinfo_testkit::Node;
use netinfo_testkit::endpoints::Pair;

use crate::tree::{Props, Tree};

/// crypt("secret"), crypt("one"), … with the first two letters as salt.
pub(crate) const SECRET: &str = "abNANd1rDfiNc";
const ONE: &str = "on08nzIt14O6Y";
const TWO: &str = "twWqSnNVEaM9.";
const ROOTPW: &str = "roPjs71m8S6JA";
const TOOR: &str = "to5bce5sr7eK6";
const FAKE: &str = "fa.fYTjkNkUSY";
const WHEEL: &str = "whmAxgha9AlDw";
const LONG_PASSWORD: &str = "loWyyY55I798k";

/// A domain `network` with users: see [`fill`].
pub(crate) struct Office {
    /// Serves the domain.
    pub(crate) node: Node,
    /// The domain.
    pub(crate) domain: Pair,
    /// The superuser.
    pub(crate) root: Tree,
    /// Object id of `/users`.
    pub(crate) users: u32,
    /// Object id of `/groups/admin`.
    pub(crate) admin: u32,
}

impl Office {
    /// As a historical server has it.
    pub(crate) fn historical() -> Self {
        Self::on(Node::builder().historical().start())
    }

    /// On this node.
    pub(crate) fn on(node: Node) -> Self {
        let domain = node.create_master("network");
        let mut root = Tree::privileged(domain);
        let (users, admin) = fill(&mut root);
        Self { node, domain, root, users, admin }
    }

    /// A caller with this uid and password.
    pub(crate) fn user(&self, uid: u32, password: &str) -> Tree {
        Tree::user(self.domain, uid, password)
    }

    /// Object id of a user's directory.
    pub(crate) fn find(&mut self, name: &str) -> u32 {
        self.root.lookup(self.users, "name", name).unwrap()[0]
    }
}

/// Makes `/users` and `/groups/admin` and returns their object ids.
fn fill(root: &mut Tree) -> (u32, u32) {
    let users = root.make(0, &[("name", &["users"])]);
    let mut add = |props: Props<'_>| root.make(users, props);
    add(&[("name", &["alice"]), ("uid", &["501"]), ("passwd", &[SECRET]), ("_writers_passwd", &["alice"])]);
    add(&[("name", &["bob"]), ("uid", &["502"]), ("passwd", &[""])]);
    add(&[("name", &["carol"]), ("uid", &["503"]), ("passwd", &[])]);
    add(&[("name", &["dave"]), ("uid", &["504"])]);
    add(&[("name", &["erin"]), ("uid", &["505"]), ("passwd", &[ONE])]);
    add(&[("name", &["frank"]), ("uid", &["505"]), ("passwd", &[TWO])]);
    add(&[("name", &["root"]), ("uid", &["0"]), ("passwd", &[ROOTPW])]);
    add(&[("name", &["toor"]), ("uid", &["0"]), ("passwd", &[TOOR])]);
    add(&[("uid", &["506"]), ("passwd", &[SECRET])]);
    add(&[("name", &[]), ("uid", &["507"]), ("passwd", &[SECRET])]);
    add(&[("name", &["root"]), ("uid", &["508"]), ("passwd", &[FAKE])]);
    add(&[("name", &["wanda"]), ("uid", &["509"]), ("passwd", &[WHEEL])]);
    add(&[("name", &["two-ids"]), ("uid", &["510", "511"]), ("passwd", &[SECRET, ONE])]);
    add(&[("name", &["nobody"]), ("uid", &["-2"]), ("passwd", &[SECRET])]);
    add(&[("name", &["padded"]), ("uid", &["0512"]), ("passwd", &[SECRET])]);
    let authority = |value: &'static [&'static str]| ("authentication_authority", value);
    add(&[("name", &["basic"]), ("uid", &["520"]), ("passwd", &[SECRET]), authority(&[";basic;"])]);
    add(&[("name", &["shadow"]), ("uid", &["521"]), ("passwd", &[SECRET]), authority(&[";ShadowHash;"])]);
    add(&[
        ("name", &["apple"]),
        ("uid", &["522"]),
        ("passwd", &[""]),
        authority(&["1.0;ApplePasswordServer;x"]),
    ]);
    add(&[("name", &["no-type"]), ("uid", &["523"]), ("passwd", &[""]), authority(&["basic"])]);
    add(&[("name", &["unset"]), ("uid", &["524"]), ("passwd", &[SECRET]), authority(&[])]);
    add(&[("name", &["late"]), ("uid", &["525"]), ("passwd", &[SECRET]), authority(&["x;y;", ";basic;"])]);
    add(&[("name", &["lois"]), ("uid", &["526"]), ("passwd", &[LONG_PASSWORD])]);
    add(&[("name", &["starred"]), ("uid", &["527"]), ("passwd", &["*"])]);
    add(&[("name", &["clear"]), ("uid", &["528"]), ("passwd", &["cleartext", ""])]);
    let groups = root.make(0, &[("name", &["groups"])]);
    let admin =
        root.make(groups, &[("name", &["admin"]), ("users", &["wanda", "alice-not"]), ("gid", &["80"])]);
    (users, admin)
}
