//! What the tests of the other crates share. For development only.
//!
//! * [`data`]: the fixture files below `data/`; each directory there has a README.
//! * [`golden`]: calls and replies recorded from historical NetInfo servers.
//! * [`ldif`]: the entries and searches of the LDIF fixtures.
//! * [`exercise`]: what must hold for any bytes, for property tests and fuzz targets.
//! * [`folders`]: the same for database folders.
//! * [`files`]: the same for files in the formats of `netinfo-formats`; [`texts`]: for its text formats.
//! * [`trees`]: whole domains as record streams.
//! * [`nidb`]: database folders of historical servers.
//! * [`node`]: a real `netinfod` on free ports; [`endpoints`]: where it listens.
//! * [`caller`]: a small RPC client, to look at what goes over the wire.
//! * [`namespace`]: a network of one's own, for tests that need well-known ports.
//! * [`slapd`]: OpenLDAP's server with a small directory.
//! * [`samba`]: Samba as a domain controller of Active Directory.
//! * [`software`]: programs that are unpacked beside the system, run in such a network; [`system`]: a system of one's own.
//! * [`terminal`]: programs that ask for passwords; [`sshd`]: logins by ssh.

#![forbid(unsafe_code)]

pub mod caller;
pub mod endpoints;
pub mod exercise;
pub mod files;
pub mod folders;
pub mod golden;
pub mod ldif;
pub mod namespace;
pub mod nidb;
pub mod node;
pub mod samba;
pub mod slapd;
pub mod software;
pub mod sshd;
pub mod system;
pub mod terminal;
pub mod texts;
pub mod trees;

use std::path::{Path, PathBuf};

pub use caller::Caller;
pub use endpoints::Endpoints;
pub use node::Node;

/// The path of a fixture, such as `flat/passwd`.
pub fn data(file: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_of_fixtures_says_what_it_holds() {
        let mut directories = 0;
        for entry in std::fs::read_dir(data("")).unwrap() {
            let path = entry.unwrap().path();
            assert!(path.join("README.md").is_file(), "{} has no README.md", path.display());
            directories += 1;
        }
        assert!(directories > 0);
    }
}
