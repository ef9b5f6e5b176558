//! What some numbers have been used for: those of NetInfo and of its neighbours.

/// A port or some ports, and their story.
const STORIES: [(std::ops::RangeInclusive<u16>, &str); 7] = [
    (
        111..=111,
        "The portmapper of ONC RPC (rpcbind): tells clients on which port a program listens. NetInfo's binder was found \
         through it, and broadcasts in search of a parent domain go to it.",
    ),
    (
        389..=389,
        "LDAP, the directory protocol that took NetInfo's place on the Mac (Open Directory). netinfod serves its domains \
         here too; StartTLS upgrades a connection in place.",
    ),
    (
        600..=600,
        "\"ipcserver\" is registered here, for a Sun program of the 1980s. netinfod calls its own common RPC port by the \
         same name, but that is 945.",
    ),
    (
        636..=636,
        "LDAP inside of TLS from the first byte, never standardised and used everywhere. netinfod serves its domains here \
         too.",
    ),
    (
        945..=945,
        "The ipcserver of netinfod: one TCP and one UDP port for every RPC program of a node, NetInfo domains, binder and \
         portmapper. Unassigned by IANA. On NeXT machines and Macs up to Mac OS X 10.4 it was one of the reserved ports, \
         600-1023, from which NetInfo servers took whichever was free; older software in this range may be NetInfo too.",
    ),
    (
        1033..=1033,
        "The domain \"local\" of a machine, the only NetInfo domain with a port of its own. Clients of the local domain \
         try it first, before asking portmapper and binder.",
    ),
    (
        601..=1023,
        "A reserved port as RPC servers and clients took them from 600-1023: NetInfo domains and binders, NFS mounts, NIS. \
         A source port below 1024 was the sign of a privileged caller.",
    ),
];

/// The story of a port.
pub fn of(port: u16) -> Option<&'static str> {
    // 636 and 945 have their own, before that of the whole range.
    STORIES.iter().find(|(ports, _)| ports.contains(&port)).map(|(_, story)| *story)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories() {
        assert!(of(945).unwrap().starts_with("The ipcserver of netinfod"));
        assert!(of(636).unwrap().starts_with("LDAP inside of TLS"));
        assert_eq!(of(601), of(1023));
        assert_ne!(of(600), of(601));
        assert_eq!((of(80), of(1024)), (None, None));
    }
}
