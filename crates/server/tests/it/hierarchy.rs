//! A machine below a domain of another machine, of which it keeps a clone: its users are known and log in, whether or not
//! the other machine can be reached.

use netinfo_testkit::Caller;
use netinfo_testkit::namespace::isolated;
use netinfo_wire::login::Outcome;

use crate::login::password;
use crate::lookup::Asker;
use crate::replication::{COPIED, Network};
use crate::tree::Tree;
use crate::users::SECRET;

/// `alpha` is master of `network` with the user jane; on `beta`, which keeps a clone, it is above `local`.
fn network() -> Network {
    let mut network = Network::new();
    let users = network.master.make(0, &[("name", &["users"])]);
    network
        .master
        .make(users, &[("name", &["jane"]), ("uid", &["501"]), ("gid", &["20"]), ("passwd", &[SECRET])]);
    let mut local = Tree { caller: Caller::unix(&network.beta.socket()) };
    let machines = local.lookup(0, "name", "machines").unwrap()[0];
    let serves: &[&str] = &["../network"];
    local.make(machines, &[("name", &["above"]), ("ip_address", &["127.0.0.1"]), ("serves", serves)]);
    network
}

/// Whether jane is known at `beta`, and what is said to her password and to another.
fn jane(network: &Network) -> (Option<u32>, Outcome, Outcome) {
    let uid = Asker::new(&network.beta.lookup()).passwd("jane");
    let mut login = Caller::unix(&network.beta.login());
    let (right, _) = password(&mut login, "jane", b"secret", None);
    let (wrong, _) = password(&mut login, "jane", b"guess", None);
    (uid, right, wrong)
}

const KNOWN: (Option<u32>, Outcome, Outcome) = (Some(501), Outcome::Ok, Outcome::Bad);

#[test]
fn users_of_a_parent_log_in_with_the_network_gone() {
    isolated(|| {
        let mut network = network();
        assert_eq!(jane(&network).0, None, "before there is a clone");
        network.create_clone();
        network.converge(COPIED);
        assert_eq!(jane(&network), KNOWN);
        network.alpha.kill9();
        assert_eq!(jane(&network), KNOWN);
        // The machine is switched on while the other one is away.
        network.beta.kill9();
        network.restart_clone();
        assert_eq!(jane(&network), KNOWN);
    });
}

#[test]
fn what_changes_above_is_known_below() {
    isolated(|| {
        let mut network = network();
        network.create_clone();
        network.converge(COPIED);
        assert_eq!(jane(&network), KNOWN);
        // The clone is away while the user is locked.
        network.beta.kill9();
        let users = network.master.lookup(0, "name", "users").unwrap()[0];
        let jane_above = network.master.lookup(users, "name", "jane").unwrap()[0];
        network.master.set(jane_above, "passwd", &["!"]);
        network.restart_clone();
        network.converge(COPIED);
        let (uid, right, _) = jane(&network);
        assert_eq!(uid, Some(501));
        assert_ne!(right, Outcome::Ok);
        let (parent, child) = (network.master.at(users), network.master.at(jane_above));
        network.master.destroy(parent, child).unwrap();
        network.converge(COPIED);
        assert_eq!(jane(&network).0, None);
    });
}
