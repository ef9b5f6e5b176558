//! netinfod with the same directory in a domain: users below `/users`, groups below `/groups`, named as RFC 2307 has it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use netinfo_directory::{Credentials, Id, Node, Options, Origin, Property, ROOT, TransferObject};

use super::server::{Loaded, Name, Server, disk_use};
use super::tree::{self, ADMIN, Attribute, HASH, SHA1, SUFFIX};
use crate::Result;
use crate::daemon::command;
use crate::data::{HOSTNAME, TAG};

/// Object id of `/users`.
const USERS: u32 = 1;
/// Object id of `/groups`.
const GROUPS: u32 = 2;
/// Object id of user 0.
const FIRST_USER: u32 = 3;

/// A data directory of netinfod's.
#[derive(Debug)]
pub struct Netinfod {
    program: PathBuf,
    folder: PathBuf,
}

impl Netinfod {
    /// A data directory at `folder`, to be served by `program`.
    #[must_use]
    pub fn prepare(program: &Path, folder: PathBuf) -> Self {
        Self { program: program.to_owned(), folder }
    }

    /// Loads the directory offline, by [`netinfo_directory::Domain::replace`]: one transaction, all indexes.
    ///
    /// # Errors
    /// What the core says.
    pub fn load(&self, users: u32) -> Result<Loaded> {
        let options = Options { hostname: HOSTNAME.into(), ..Options::default() };
        let (node, failed) = Node::open(&self.folder, options, true)?;
        if let Some((tag, error)) = failed.into_iter().next() {
            return Err(format!("domain {tag} cannot be opened: {error}").into());
        }
        let domain = node.create_master(TAG, 0)?;
        let session = domain.authenticate(Credentials::None, Origin::Internal)?;
        let start = Instant::now();
        let mut tree = objects(users);
        domain.replace(&session, move || Ok(tree.next()))?;
        let time = start.elapsed();
        drop((domain, node));
        Ok(Loaded { time, bytes: disk_use(&self.folder)? })
    }

    /// Starts the daemon. As many entries may be returned as there are, as by slapd.
    ///
    /// # Errors
    /// It does not start; the end of its log says why.
    pub fn start(&self) -> Result<Server> {
        let config = self.folder.with_extension("toml");
        std::fs::write(&config, format!("ldap.size_limit = {}\n", u32::MAX))?;
        Server::start(Name::Netinfod, &self.folder.with_extension("log"), |address| {
            let ldap = format!("ldap={address}");
            let off = ["ipcserver=127.0.0.1:0", "domain.local=off", "portmap=off", "binder=off", "local=off"];
            let others = ["ldaps=off", "ldapi=off", "lookup=off", "login=off"];
            let listen: Vec<&str> = off.into_iter().chain([ldap.as_str()]).chain(others).collect();
            let mut command = command(&self.program, &self.folder, &listen);
            command.arg("--config").arg(&config);
            command
        })
    }

    /// The folder with the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.join(format!("{TAG}.domain"))
    }
}

/// All directories, parents first.
fn objects(users: u32) -> impl Iterator<Item = TransferObject> + Send + 'static {
    let first_group = FIRST_USER + users;
    let end = first_group + tree::groups(users);
    let object = |object, parent, children, properties| TransferObject {
        id: Id { object, instance: 0 },
        parent,
        children,
        properties,
        stamp: None,
    };
    let one = |name: &str, value: &str| Property::new(name, [value]);
    let root = vec![
        one("master", &format!("{HOSTNAME}/{TAG}")),
        one("_suffix", SUFFIX),
        one("_layout", "rfc2307"),
        one("_admin_dn", ADMIN),
        one("_admin_passwd", HASH),
        // Or a bind would hash a password anew that is hashed by SHA-1.
        one("_upgrade_passwords", "no"),
    ];
    let top = [
        object(ROOT, ROOT, vec![USERS, GROUPS], root),
        object(USERS, ROOT, (FIRST_USER..first_group).collect(), vec![one("name", "users")]),
        object(GROUPS, ROOT, (first_group..end).collect(), vec![one("name", "groups")]),
    ];
    let user = move |i| {
        let mut properties = properties(tree::user(i), true);
        properties.push(Property::new("passwd", [if tree::has_sha1(i) { SHA1 } else { HASH }]));
        object(FIRST_USER + i, USERS, Vec::new(), properties)
    };
    let group =
        move |g| object(first_group + g, GROUPS, Vec::new(), properties(tree::group(g, users), false));
    top.into_iter().chain((0..users).map(user)).chain((0..tree::groups(users)).map(group))
}

/// The properties that hold these attributes in a domain.
fn properties(attributes: Vec<Attribute>, of_user: bool) -> Vec<Property> {
    attributes.into_iter().map(|(name, values)| Property::new(property(name, of_user), values)).collect()
}

/// Name of the property for an attribute (NetInfo properties of users and groups).
fn property(attribute: &str, of_user: bool) -> &str {
    match attribute {
        "uid" => "name",
        "cn" if of_user => "realname",
        "cn" => "name",
        "sn" => "lastname",
        "givenName" => "firstname",
        "telephoneNumber" => "phonenumber",
        "uidNumber" => "uid",
        "gidNumber" => "gid",
        "homeDirectory" => "home",
        "loginShell" => "shell",
        "memberUid" => "users",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people;

    #[test]
    fn loaded_domain_holds_users_and_groups() {
        let dir = tempfile::tempdir().unwrap();
        let ours = Netinfod::prepare(Path::new("netinfod"), dir.path().join("data"));
        let loaded = ours.load(1000).unwrap();
        assert!(loaded.bytes > 300_000, "{}", loaded.bytes);
        let (node, _) = Node::open(&dir.path().join("data"), Options::default(), false).unwrap();
        let domain = node.domain(TAG).unwrap();
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let view = domain.read(&session).unwrap();
        assert_eq!(view.directories().unwrap(), 3 + 1000 + 20);
        let name = people::name(7);
        assert_eq!(view.lookup_first(USERS, b"name", name.as_bytes()).unwrap(), Some(FIRST_USER + 7));
        assert_eq!(view.lookup_first(GROUPS, b"users", name.as_bytes()).unwrap(), Some(FIRST_USER + 1000));
    }
}
