//! The containers that records of flat formats stand in.

/// Names of containers, as [`Place::In`](crate::Place::In) has them.
const CONTAINERS: [&str; 31] = [
    "accesscontrols",
    "afpuser_aliases",
    "aliases",
    "automount",
    "automountmap",
    "bootp",
    "bootparams",
    "computer_lists",
    "computergroups",
    "computers",
    "config",
    "ethernets",
    "exports",
    "groups",
    "hosts",
    "locations",
    "machines",
    "maps",
    "mountmaps",
    "mounts",
    "neighborhoods",
    "netgroups",
    "networks",
    "people",
    "places",
    "printers",
    "protocols",
    "resources",
    "rpcs",
    "services",
    "users",
];

/// The container of a name that was read; `None` if there is none.
pub(crate) fn container(name: &str) -> Option<&'static str> {
    CONTAINERS.into_iter().find(|known| *known == name)
}
