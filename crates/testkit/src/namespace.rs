//! A network of one's own: well-known ports are free, and nobody else sees what happens.

use std::fs::File;
use std::net::Ipv4Addr;
use std::panic;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::gettid;

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
    on_a_thread(run)
}

/// Another machine on the network of [`isolated`], at 10.0.0.2.
#[derive(Debug)]
pub struct Neighbour {
    namespace: File,
}

impl Neighbour {
    /// Makes the machine. Only inside of [`isolated`], and there only one.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn new() -> Self {
        let (tell, hear) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        thread::scope(|scope| {
            let machine = scope.spawn(move || {
                unshare(CloneFlags::CLONE_NEWNET).unwrap_or_else(|e| panic!("unshare: {e}"));
                let path = "/proc/thread-self/ns/net";
                let namespace = File::open(path).unwrap_or_else(|e| panic!("{path}: {e}"));
                // If nobody hears it, the maker of this machine has failed already.
                let _ = tell.send(gettid());
                let _ = wait.recv();
                ip("link set lo up");
                ip("address add 10.0.0.2/24 dev net1");
                ip("link set net1 up");
                namespace
            });
            let thread = hear.recv().unwrap_or_else(|e| panic!("{e}"));
            ip(&format!("link set net1 netns {thread}"));
            let _ = go.send(());
            let namespace = machine.join().unwrap_or_else(|cause| panic::resume_unwind(cause));
            Self { namespace }
        })
    }

    /// Gives the machine one more address, which the first machine reaches.
    ///
    /// # Panics
    /// If it cannot be had.
    pub fn add_address(&self, address: Ipv4Addr) {
        self.enter(|| ip(&format!("address add {address}/32 dev net1")));
        ip(&format!("route add {address}/32 dev net0"));
    }

    /// Runs `work` on that machine. Sockets opened there stay there, wherever they are used afterwards.
    ///
    /// # Panics
    /// When `work` panics.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        on_a_thread(|| {
            setns(&self.namespace, CloneFlags::CLONE_NEWNET).unwrap_or_else(|e| panic!("setns: {e}"));
            work()
        })
    }
}

impl Default for Neighbour {
    fn default() -> Self {
        Self::new()
    }
}

/// A machine of its own on the network `lan`, which can be cut off. Only inside of [`isolated`], after [`lan`].
#[derive(Debug)]
pub struct Machine {
    namespace: File,
    /// The interface on the side of the network.
    port: String,
}

/// Makes the network 10.0.9.0/24 of [`Machine`]s. The maker is at 10.0.9.254.
///
/// # Panics
/// If it cannot be made.
pub fn lan() {
    ip("link add lan type bridge");
    ip("address add 10.0.9.254/24 brd + dev lan");
    ip("link set lan up");
}

impl Machine {
    /// Makes the machine 10.0.9.`number`.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn new(number: u8) -> Self {
        let (port, end) = (format!("port{number}"), format!("eth{number}"));
        ip(&format!("link add {port} type veth peer name {end}"));
        ip(&format!("link set {port} master lan"));
        ip(&format!("link set {port} up"));
        let (tell, hear) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let namespace = thread::scope(|scope| {
            let inner = end.clone();
            let machine = scope.spawn(move || {
                unshare(CloneFlags::CLONE_NEWNET).unwrap_or_else(|e| panic!("unshare: {e}"));
                let path = "/proc/thread-self/ns/net";
                let namespace = File::open(path).unwrap_or_else(|e| panic!("{path}: {e}"));
                // If nobody hears it, the maker of this machine has failed already.
                let _ = tell.send(gettid());
                let _ = wait.recv();
                ip("link set lo up");
                ip(&format!("address add 10.0.9.{number}/24 brd + dev {inner}"));
                ip(&format!("link set {inner} up"));
                namespace
            });
            let thread = hear.recv().unwrap_or_else(|e| panic!("{e}"));
            ip(&format!("link set {end} netns {thread}"));
            let _ = go.send(());
            machine.join().unwrap_or_else(|cause| panic::resume_unwind(cause))
        });
        Self { namespace, port }
    }

    /// Pulls the plug.
    ///
    /// # Panics
    /// If it cannot be pulled.
    pub fn cut(&self) {
        ip(&format!("link set {} down", self.port));
    }

    /// Plugs the machine in again.
    ///
    /// # Panics
    /// If that fails.
    pub fn join(&self) {
        ip(&format!("link set {} up", self.port));
    }

    /// Runs `work` on that machine.
    ///
    /// # Panics
    /// When `work` panics.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        on_a_thread(|| {
            setns(&self.namespace, CloneFlags::CLONE_NEWNET).unwrap_or_else(|e| panic!("setns: {e}"));
            work()
        })
    }
}

/// A thread may leave its namespaces, but not come back: so it gets to live for this work only.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|cause| panic::resume_unwind(cause)))
}

/// Runs the command `ip`, in the namespace of this thread.
///
/// # Panics
/// If it fails.
pub fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status();
    let status = status.unwrap_or_else(|e| panic!("ip: {e}"));
    assert!(status.success(), "ip {words}: {status}");
}
