//! A network of one's own: well-known ports are free, and nobody else sees what happens.

use std::panic;
use std::process::Command;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Whether this process is root. What needs root is to fail without, by [`need_root`].
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Fails a test that cannot do without root.
///
/// # Panics
/// If this process is not root.
#[track_caller]
pub fn need_root(why: &str) {
    assert!(is_root(), "run this test as root: {why}");
}

/// Runs `work` on a thread of its own inside a new network namespace with 127.0.0.1 and the host address 10.0.0.1/24
/// on an interface, an empty `/run` and a host name of its own. Processes that `work` starts are in there too.
///
/// # Panics
/// Without root, if the namespace cannot be made, and when `work` panics.
pub fn isolated<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    need_root("it makes a network namespace");
    let run = || {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS)
            .unwrap_or_else(|e| panic!("unshare: {e}"));
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
            .and_then(|()| mount(Some("run"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=755")))
            .unwrap_or_else(|e| panic!("mount: {e}"));
        nix::unistd::sethostname("alpha").unwrap_or_else(|e| panic!("sethostname: {e}"));
        ip("link set lo up");
        ip("link add net0 type veth peer name net1");
        ip("address add 10.0.0.1/24 dev net0");
        ip("link set net0 up");
        ip("link set net1 up");
        work()
    };
    thread::scope(|scope| scope.spawn(run).join().unwrap_or_else(|cause| panic::resume_unwind(cause)))
}

fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status();
    let status = status.unwrap_or_else(|e| panic!("ip: {e}"));
    assert!(status.success(), "ip {words}: {status}");
}
