//! A real `netinfod` on free ports, with its files in a temporary directory.
//!
//! ```no_run
//! let node = netinfo_testkit::Node::start();
//! node.create_master("network");
//! let address = node.domain("network").tcp;
//! ```
//!
//! The program is the one named by the environment variable `NETINFOD`, else `netinfod` in the target directory of
//! the running test. If that is missing it is built once with `cargo build -p netinfo-server`; it is not built again
//! when it is merely old, so after a change to the daemon either run the tests of the whole workspace or build it.
//!
//! Everything here panics when the daemon does not do as told, with the daemon's log in the message.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::Endpoints;
use crate::caller::Caller;
use crate::endpoints::Pair;

/// How long a daemon may take to start.
const START: Duration = Duration::from_secs(20);
/// How long a daemon may take to end.
const END: Duration = Duration::from_secs(10);
/// Pause between two looks.
const POLL: Duration = Duration::from_millis(3);

/// What to start; see [`Node::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    hostname: Option<String>,
    address: Option<String>,
    seed: String,
    historical: bool,
    listen: Vec<(String, String)>,
    args: Vec<OsString>,
    prefix: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    owner: Option<(u32, u32)>,
    run_as_owner: bool,
    data: Option<PathBuf>,
}

/// A daemon that did not start.
#[derive(Debug)]
pub struct Failed {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output and standard error.
    pub log: String,
}

/// A running daemon. Dropped, it is killed and its files are removed.
#[derive(Debug)]
pub struct Node {
    builder: Builder,
    dir: TempDir,
    child: Option<Child>,
}

impl Builder {
    /// Name of the machine; `None` lets the daemon ask the system. Default: `alpha`.
    pub fn hostname(mut self, name: Option<&str>) -> Self {
        self.hostname = name.map(Into::into);
        self
    }

    /// Announced address; `None` lets the daemon use those of the interfaces. Default: `10.0.0.1`.
    pub fn address(mut self, address: Option<&str>) -> Self {
        self.address = address.map(Into::into);
        self
    }

    /// What a new `local` starts with: `none` (default) or `machine`.
    pub fn seed(mut self, seed: &str) -> Self {
        seed.clone_into(&mut self.seed);
        self
    }

    /// Agrees with historical servers in every detail (`--compat netinfo-369`).
    pub fn historical(mut self) -> Self {
        self.historical = true;
        self
    }

    /// Replaces where `name` (`ipcserver`, `portmap`, `domain.TAG`, …) listens.
    pub fn listen(mut self, name: &str, place: &str) -> Self {
        self.listen.retain(|(known, _)| known != name);
        self.listen.push((name.to_owned(), place.to_owned()));
        self
    }

    /// Forgets all places to listen, so that the daemon uses its own defaults.
    pub fn default_listen(mut self) -> Self {
        self.listen.clear();
        self
    }

    /// One more argument of `netinfod serve`.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// A variable of the daemon's environment, such as `NETINFO_LOG`.
    pub fn environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// A command that runs the daemon, in place of itself, such as `nsenter --net=/proc/…`. It must `exec` the
    /// daemon, so that the process id stays.
    pub fn prefix<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.prefix.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Gives the directory of the node to this user and group. Needs root.
    pub fn owner(mut self, uid: u32, gid: u32) -> Self {
        self.owner = Some((uid, gid));
        self
    }

    /// Runs the daemon as this user and group, without any capability. Needs root.
    pub fn run_as(mut self, uid: u32, gid: u32) -> Self {
        self.run_as_owner = true;
        self.owner(uid, gid)
    }

    /// Uses this data directory, which is kept, instead of a new one.
    pub fn data(mut self, dir: impl AsRef<Path>) -> Self {
        self.data = Some(dir.as_ref().to_owned());
        self
    }

    /// Starts the daemon and waits until it serves.
    ///
    /// # Panics
    /// If it does not, with its log.
    pub fn start(self) -> Node {
        self.try_start().unwrap_or_else(|failed| panic!("netinfod: {}\n{}", failed.status, failed.log))
    }

    /// Starts the daemon and waits until it serves or ends.
    ///
    /// # Errors
    /// How it ended.
    ///
    /// # Panics
    /// If it does neither in time.
    pub fn try_start(self) -> Result<Node, Failed> {
        let dir = tempfile::Builder::new()
            .prefix("netinfo")
            .tempdir()
            .unwrap_or_else(|e| panic!("cannot make a temporary directory: {e}"));
        let set = fs::set_permissions(dir.path(), Permissions::from_mode(0o755));
        set.unwrap_or_else(|e| panic!("{}: {e}", dir.path().display()));
        if let Some((uid, gid)) = self.owner {
            chown(dir.path(), Some(uid), Some(gid)).unwrap_or_else(|e| panic!("chown needs root: {e}"));
        }
        let mut node = Node { builder: self, dir, child: None };
        node.try_launch()?;
        Ok(node)
    }

    fn command(&self, node: &Node) -> Command {
        let mut words = self.prefix.clone();
        if let (true, Some((uid, gid))) = (self.run_as_owner, self.owner) {
            let ids = [format!("--reuid={uid}"), format!("--regid={gid}")];
            words.push("setpriv".into());
            words.extend(ids.map(Into::into));
            words.extend(["--clear-groups", "--inh-caps=-all", "--"].map(Into::into));
        }
        words.push(program().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("serve").arg("--data").arg(node.data());
        let options = [("--hostname", &self.hostname), ("--address", &self.address)];
        for (option, value) in options {
            command.args(value.iter().flat_map(|value| [option, value]));
        }
        command.args(["--seed", &self.seed]);
        if self.historical {
            command.args(["--compat", "netinfo-369"]);
        }
        for (name, place) in &self.listen {
            let place = place.replace("DIR", &node.dir.path().to_string_lossy());
            command.arg("--listen").arg(format!("{name}={place}"));
        }
        command.arg("--endpoints").arg(node.endpoints_file()).args(&self.args);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

impl Node {
    /// What [`Node::start`] starts, to be changed: machine `alpha` at 10.0.0.1 with an empty `local`, everything on
    /// free ports of 127.0.0.1 (domains: `local` and `network`), LDAP too, the portmapper off. `DIR` in a place to listen is
    /// the directory of the node.
    pub fn builder() -> Builder {
        let free = ["ipcserver", "binder", "ldap", "ldaps", "domain.local", "domain.network"];
        let mut listen: Vec<(String, String)> =
            free.iter().map(|name| ((*name).to_owned(), "127.0.0.1:0".to_owned())).collect();
        listen.push(("portmap".into(), "off".into()));
        listen.push(("local".into(), "DIR/netinfod.sock".into()));
        listen.push(("ldapi".into(), "DIR/ldapi".into()));
        listen.push(("lookup".into(), "DIR/lookup.sock".into()));
        listen.push(("login".into(), "DIR/login.sock".into()));
        Builder {
            hostname: Some("alpha".into()),
            address: Some("10.0.0.1".into()),
            seed: "none".into(),
            historical: false,
            listen,
            args: Vec::new(),
            prefix: Vec::new(),
            environment: Vec::new(),
            owner: None,
            run_as_owner: false,
            data: None,
        }
    }

    /// Starts a node as [`Node::builder`] describes it.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// The directory of the node: data, socket, endpoints file, log.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.builder.data.clone().unwrap_or_else(|| self.dir.path().join("data"))
    }

    /// The endpoints file.
    pub fn endpoints_file(&self) -> PathBuf {
        self.dir.path().join("endpoints.json")
    }

    /// Where everything listens now.
    ///
    /// # Panics
    /// If the endpoints file is missing or damaged.
    pub fn endpoints(&self) -> Endpoints {
        let path = self.endpoints_file();
        let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}\n{}", path.display(), self.log()));
        serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// The ports of a domain: its own, else those of the ipcserver.
    ///
    /// # Panics
    /// If the domain is not served.
    pub fn domain(&self, tag: &str) -> Pair {
        let endpoints = self.endpoints();
        let domain = endpoints.domains.get(tag);
        let domain = domain.unwrap_or_else(|| panic!("{tag} is not served\n{}", self.log()));
        domain.address.or(endpoints.ipcserver).unwrap_or_else(|| panic!("{tag} has no ports"))
    }

    /// The ports for every RPC program.
    ///
    /// # Panics
    /// If they are off.
    pub fn ipcserver(&self) -> Pair {
        self.endpoints().ipcserver.unwrap_or_else(|| panic!("no ipcserver"))
    }

    /// The ports of the binder: its own, else those of the ipcserver.
    ///
    /// # Panics
    /// If both are off.
    pub fn binder(&self) -> Pair {
        let endpoints = self.endpoints();
        endpoints.binder.or(endpoints.ipcserver).unwrap_or_else(|| panic!("no binder"))
    }

    /// The UNIX socket.
    ///
    /// # Panics
    /// If it is off.
    pub fn socket(&self) -> PathBuf {
        self.endpoints().local.unwrap_or_else(|| panic!("no UNIX socket"))
    }

    /// Where LDAP is served.
    ///
    /// # Panics
    /// If it is off.
    pub fn ldap(&self) -> SocketAddr {
        self.endpoints().ldap.unwrap_or_else(|| panic!("no LDAP"))
    }

    /// Where LDAP is served over TLS.
    ///
    /// # Panics
    /// If it is off.
    pub fn ldaps(&self) -> SocketAddr {
        self.endpoints().ldaps.unwrap_or_else(|| panic!("no LDAP over TLS"))
    }

    /// The UNIX socket for LDAP.
    ///
    /// # Panics
    /// If it is off.
    pub fn ldapi(&self) -> PathBuf {
        self.endpoints().ldapi.unwrap_or_else(|| panic!("no UNIX socket for LDAP"))
    }

    /// The UNIX socket of look-ups.
    ///
    /// # Panics
    /// If it is off.
    pub fn lookup(&self) -> PathBuf {
        self.endpoints().lookup.unwrap_or_else(|| panic!("no UNIX socket for look-ups"))
    }

    /// The UNIX socket of login modules.
    ///
    /// # Panics
    /// If it is off.
    pub fn login(&self) -> PathBuf {
        self.endpoints().login.unwrap_or_else(|| panic!("no UNIX socket for logins"))
    }

    /// The certificate of the daemon's own making.
    pub fn certificate(&self) -> PathBuf {
        self.data().join("netinfod.crt")
    }

    /// Makes a master domain, as the superuser, and waits until it is served. Needs root.
    ///
    /// # Panics
    /// If the daemon refuses.
    pub fn create_master(&self, tag: &str) -> Pair {
        use netinfo_wire::nibind::{PROGRAM, Procedure, VERSION, put_tag};
        let mut args = Vec::new();
        put_tag(&mut args, tag.as_bytes());
        let mut binder = Caller::tcp_privileged(self.binder().tcp);
        let results = binder.call(PROGRAM, VERSION, Procedure::CreateMaster.code(), &args);
        assert_eq!(results, Ok(vec![0; 4]), "CREATEMASTER {tag}\n{}", self.log());
        self.domain(tag)
    }

    /// Process id of the daemon.
    ///
    /// # Panics
    /// If it does not run.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map(Child::id).unwrap_or_else(|| panic!("netinfod does not run"))
    }

    /// What the daemon wrote to standard output and standard error, over all its starts.
    pub fn log(&self) -> String {
        fs::read(self.log_file())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If the daemon does not run.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed());
        kill(pid, signal).unwrap_or_else(|e| panic!("cannot send {signal} to netinfod: {e}"));
    }

    /// Kills the daemon without a chance to tidy up.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends the daemon with SIGTERM and returns how long it took.
    ///
    /// # Panics
    /// If it does not end with code 0 in time.
    pub fn terminate(&mut self) -> Duration {
        let begin = Instant::now();
        self.signal(Signal::SIGTERM);
        let status = self.wait();
        assert!(status.success(), "netinfod ended with {status}\n{}", self.log());
        begin.elapsed()
    }

    /// Waits until the daemon ends by itself.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + END;
        let mut child = self.child.take().unwrap_or_else(|| panic!("netinfod does not run"));
        loop {
            if let Some(status) = child.try_wait().unwrap_or_else(|e| panic!("waitpid: {e}")) {
                return status;
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                panic!("netinfod does not end\n{}", self.log());
            }
            thread::sleep(POLL);
        }
    }

    /// Whether the daemon has not ended.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Ends the daemon and starts it again on the same data.
    ///
    /// # Panics
    /// If either fails.
    pub fn restart(&mut self) {
        self.terminate();
        self.launch();
    }

    /// Starts the daemon again on the same data, after [`kill9`](Self::kill9) or [`terminate`](Self::terminate).
    ///
    /// # Panics
    /// If it does not start.
    pub fn launch(&mut self) {
        self.try_launch().unwrap_or_else(|failed| panic!("netinfod: {}\n{}", failed.status, failed.log));
    }

    fn try_launch(&mut self) -> Result<(), Failed> {
        assert!(self.child.is_none(), "netinfod runs already");
        // The file of an earlier run would tell old ports.
        let _ = fs::remove_file(self.endpoints_file());
        let log = OpenOptions::new().create(true).append(true).open(self.log_file());
        let log = log.unwrap_or_else(|e| panic!("{}: {e}", self.log_file().display()));
        let other = log.try_clone().unwrap_or_else(|e| panic!("dup: {e}"));
        let mut command = self.builder.command(self);
        let child = command.stdout(log).stderr(other).spawn();
        self.child = Some(child.unwrap_or_else(|e| panic!("{command:?}: {e}")));
        let deadline = Instant::now() + START;
        while !self.endpoints_file().exists() {
            if !self.runs() {
                let status = self.wait();
                return Err(Failed { status, log: self.log() });
            }
            assert!(Instant::now() < deadline, "netinfod does not start\n{}", self.log());
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill9();
        if thread::panicking() {
            eprintln!("--- log of netinfod\n{}---", self.log());
        }
    }
}

/// `address` with another IP address of this machine, for services that listen on all.
pub fn at(address: SocketAddr, ip: &str) -> SocketAddr {
    let ip = ip.parse().unwrap_or_else(|e| panic!("{ip}: {e}"));
    SocketAddr::new(ip, address.port())
}

/// The daemon to start; see the [module](self) for where it is looked for.
///
/// # Panics
/// If it is neither there nor can be built.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("NETINFOD") {
        Some(path) => path.into(),
        None => built(),
    })
}

fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_else(|e| panic!("who am I? {e}"));
    // …/target/debug/deps/NAME for tests, …/target/debug/examples/NAME for examples, …/target/debug/NAME else.
    let mut dir = test.parent().unwrap_or_else(|| Path::new("."));
    if dir.ends_with("deps") || dir.ends_with("examples") {
        dir = dir.parent().unwrap_or(dir);
    }
    let program = dir.join("netinfod");
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "-p", "netinfo-server", "--bin", "netinfod", "--target-dir"]);
        build.arg(dir.parent().unwrap_or(dir)).current_dir(env!("CARGO_MANIFEST_DIR"));
        if dir.ends_with("release") {
            build.arg("--release");
        }
        let status = build.status().unwrap_or_else(|e| panic!("cannot run cargo: {e}"));
        assert!(status.success() && program.exists(), "cannot build {}", program.display());
    }
    program
}
