//! A machine whose `nsswitch.conf` says `netinfo` for everything.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use netinfo_table::{Builder, Publisher};
use netinfo_testkit::namespace::isolated;
use nix::mount::{MsFlags, mount};
use tempfile::TempDir;

const SWITCH: &str = "\
passwd: netinfo
shadow: netinfo
group: netinfo
hosts: netinfo
networks: netinfo
services: netinfo
protocols: netinfo
rpc: netinfo
netgroup: netinfo
ethers: netinfo
aliases: netinfo
";

/// The machine.
pub(crate) struct Stage {
    dir: TempDir,
}

/// Runs `work` on the machine. Neither a daemon nor a table is there yet.
pub(crate) fn stage(work: impl FnOnce(&Stage) + Send) {
    isolated(|| {
        let dir = tempfile::tempdir().unwrap();
        // Other users are to get at what is in it.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let switch = dir.path().join("nsswitch.conf");
        fs::write(&switch, SWITCH).unwrap();
        let none: Option<&str> = None;
        mount(Some(&switch), "/etc/nsswitch.conf", none, MsFlags::MS_BIND, none).unwrap();
        fs::copy(module(), dir.path().join("libnss_netinfo.so.2")).unwrap();
        fs::create_dir("/run/netinfo").unwrap();
        work(&Stage { dir });
    });
}

/// The library that was built for this test.
fn module() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.with_file_name("libnss_netinfo.so");
    assert!(built.is_file(), "{} is not there", built.display());
    built
}

impl Stage {
    /// A directory for files of the test's own, readable by everybody.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command on the machine.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env("LD_LIBRARY_PATH", self.dir.path()).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// What `getent` prints, as text, and its status.
    pub(crate) fn getent(&self, words: &str) -> (String, i32) {
        let output = self.command("getent").args(words.split(' ')).output().unwrap();
        (text(&output), output.status.code().unwrap())
    }

    /// Publishes a table.
    pub(crate) fn publish(&self, fill: impl FnOnce(&mut Builder)) -> Publisher {
        let mut builder = Builder::new();
        fill(&mut builder);
        let mut publisher = Publisher::new(netinfo_table::PATH).unwrap();
        publisher.publish(&builder.finish().unwrap()).unwrap();
        publisher
    }
}

/// Standard output, with what is not text escaped. Standard error must be empty.
pub(crate) fn text(output: &Output) -> String {
    assert_eq!(output.stderr.escape_ascii().to_string(), "", "{:?}", output.status);
    output
        .stdout
        .utf8_chunks()
        .map(|chunk| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii()))
        .collect()
}
