//! People whose records are on another machine log in on this one: by `su` and by sshd, with passwords and with keys, while
//! the other machine is there and while it is not; and change their passwords.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use netinfo_testkit::Node;
use netinfo_testkit::namespace::{Neighbour, ip, isolated};
use netinfo_testkit::slapd::Slapd;
use netinfo_testkit::sshd::{Sshd, new_key};
use netinfo_testkit::system::sh;
use netinfo_testkit::terminal::{self, Ended, Groups};
use serde_json::Value;

use crate::enable_login::system;
use crate::tool::Tool;

const PASSWORD: &str = "correct horse";
const NEW: &str = "battery staple";
/// Where the key of those who have one is.
const KEY: &str = "/run/key";
/// How long it may take until a change elsewhere counts here.
pub(crate) const NOTICED: Duration = Duration::from_secs(20);

/// This machine, on which people log in.
pub(crate) struct Station {
    pub(crate) node: Node,
    pub(crate) tool: Tool,
    pub(crate) sshd: Sshd,
}

impl Station {
    /// The daemon has these lines of configuration.
    pub(crate) fn new(config: &str) -> Self {
        system();
        // Homes are made for those who come.
        sh("mount -t tmpfs homes /home; useradd -r sshd 2>/dev/null || id sshd");
        fs::create_dir("/run/bin").unwrap();
        fs::copy(env!("CARGO_BIN_EXE_netinfo"), "/run/bin/netinfo").unwrap();
        fs::write("/run/station.toml", config).unwrap();
        let mut builder = Node::builder().default_listen().arg("--config").arg("/run/station.toml");
        for (name, file) in [("local", "netinfod"), ("lookup", "lookup"), ("login", "login")] {
            builder = builder.listen(name, &format!("/run/netinfo/{file}.sock"));
        }
        let node = builder.start();
        let tool = Tool::local(&node);
        let config = "UsePAM yes\nPasswordAuthentication yes\nAuthorizedKeysCommandUser nobody\n\
                      AuthorizedKeysCommand /run/bin/netinfo ssh-keys %u";
        let sshd = Sshd::start(Path::new("/run/ssh"), config);
        Self { node, tool, sshd }
    }

    /// Lets the users of the domains log in.
    pub(crate) fn enable_login(&self) {
        self.tool.ok("enable-login");
    }

    /// `su` as nobody in particular.
    pub(crate) fn su(&self, user: &str, password: &str) -> Ended {
        let command = format!("su {user} -c 'id -u'");
        terminal::run(20999, 20999, Groups::Clear, &command, &[("assword: ", password)])
    }

    /// `passwd` as the user.
    pub(crate) fn passwd(&self, uid: u32, old: &str, new: &str) -> Ended {
        let answers = [("urrent password: ", old), ("ew password: ", new), ("new password: ", new)];
        terminal::run(uid, 100, Groups::Clear, "passwd", &answers)
    }

    /// Waits until a user is known.
    #[track_caller]
    pub(crate) fn knows(&self, user: &str) {
        let begin = Instant::now();
        while self.tool.run(&format!("lookup passwd {user}")).code != 0 {
            assert!(begin.elapsed() < NOTICED, "{user} is not known\n{}", self.node.log());
            sleep(Duration::from_millis(100));
        }
    }

    /// Waits until `su` lets somebody in.
    #[track_caller]
    pub(crate) fn until(&self, user: &str, password: &str) {
        let begin = Instant::now();
        while !self.su(user, password).good() {
            assert!(begin.elapsed() < NOTICED, "{user} cannot log in\n{}", self.node.log());
            sleep(Duration::from_millis(500));
        }
    }

    /// Every way in, for a user with this number, and this password or [`KEY`].
    #[track_caller]
    fn lets_in(&self, user: &str, uid: u32, password: &str) {
        let number = format!("{uid}");
        self.su(user, password).succeeds(&number);
        self.sshd.by_password(user, password, "id -u; pwd").succeeds(&format!("{number}\n/home/{user}"));
        self.sshd.by_key(user, Path::new(KEY), "id -u").succeeds(&number);
        assert!(Path::new("/home").join(user).is_dir());
    }

    /// Neither way in for a wrong password.
    #[track_caller]
    fn keeps_out(&self, user: &str, password: &str) {
        self.su(user, password).fails("failure");
        self.sshd.by_password(user, password, "id -u").fails("Permission denied");
    }
}

/// A machine at 10.0.0.2 that is master of `network` with the user bob, who has the key.
fn boss(neighbour: &Neighbour) -> (Node, Tool) {
    let builder = Node::builder().default_listen().hostname(Some("boss")).address(Some("10.0.0.2"));
    let builder = ["local", "lookup", "login"]
        .into_iter()
        .fold(builder, |builder, name| builder.listen(name, &format!("DIR/{name}.sock")));
    let node = neighbour.enter(|| builder.start());
    let tool = Tool::local(&node);
    tool.ok("domain create network --suffix dc=example,dc=com");
    let words =
        "-d network user add bob --uid 20601 --gid 100 --home /home/bob --shell /bin/sh --password-stdin";
    let words: Vec<&str> = words.split(' ').collect();
    tool.run_with(&words, &format!("{PASSWORD}\n"), &[]).ok("user add");
    let key = new_key(Path::new(KEY));
    tool.run_with(&["-d", "network", "set", "/users/bob", "sshPublicKey", &key], "", &[]).ok("set");
    (node, tool)
}

#[test]
fn of_a_netinfo_domain() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let (_boss, above) = boss(&neighbour);
        above.ok("-d network set / passwd_networks 10.0.0");
        above.ok("-d network set / update_latency 1");
        let station = Station::new("lookup.plain_passwords = true");
        station.tool.ok("bind network@10.0.0.2");
        station.enable_login();
        station.knows("bob");
        station.lets_in("bob", 20601, PASSWORD);
        station.passwd(20601, PASSWORD, NEW).succeeds("updated successfully");
        ip("link set net0 down");
        station.lets_in("bob", 20601, NEW);
        station.keeps_out("bob", PASSWORD);
    });
}

#[test]
fn of_an_ldap_directory() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let slapd = neighbour.enter(Slapd::start);
        let key = new_key(Path::new(KEY));
        let jane = "dn: uid=jane,ou=people,dc=example,dc=com\nchangetype: modify\n";
        neighbour.enter(|| {
            slapd.modify(&format!(
                "{jane}add: objectClass\nobjectClass: ldapPublicKey\n-\nadd: sshPublicKey\nsshPublicKey: {key}\n"
            ));
        });
        let station = Station::new("");
        let (url, authority) = (slapd.url_at("10.0.0.2"), slapd.authority());
        let authority = authority.display();
        station.tool.ok(&format!("bind {url} --base dc=example,dc=com --start-tls --ca {authority}"));
        station.enable_login();
        station.knows("jane");
        station.lets_in("jane", 5001, "secret");
        station.passwd(5001, "secret", NEW).succeeds("updated successfully");
        ip("link set net0 down");
        station.lets_in("jane", 5001, NEW);
        // Meanwhile it is changed there, which counts as soon as the directory can be asked.
        neighbour.enter(|| slapd.modify(&format!("{jane}replace: userPassword\nuserPassword: newer\n")));
        station.su("jane", "newer").fails("failure");
        ip("link set net0 up");
        station.until("jane", "newer");
        station.su("jane", NEW).fails("failure");
    });
}

/// The station has a clone of `network`, so everything but a new password is its own business.
fn clone(config: &str) -> (Neighbour, Node, Tool, Station) {
    let neighbour = Neighbour::new();
    let (boss, above) = boss(&neighbour);
    above.ok("-d network set / update_latency 1");
    above.ok("-d network host add alpha --ip 10.0.0.1");
    above.ok("-d network set /machines/alpha serves ./network");
    let authority = boss.certificate();
    let config = config.replace("CERTIFICATE", authority.to_str().unwrap());
    let station = Station::new(&config);
    station.tool.ok("domain create network --clone-of boss/network --master-address 10.0.0.2");
    station.tool.ok("bind network@127.0.0.1");
    station.enable_login();
    station.knows("bob");
    (neighbour, boss, above, station)
}

/// What the domain `network` has as bob's password.
fn stored(tool: &Tool) -> String {
    let record = tool.ok("-d network cat /users/bob");
    record.lines().find(|line| line.starts_with("passwd")).unwrap().to_owned()
}

/// bob changes the password on a clone: the master has it, and the clone gets it from there.
#[track_caller]
fn changed_at_the_master(above: &Tool, station: &Station) {
    let before = stored(above);
    station.passwd(20601, PASSWORD, NEW).succeeds("updated successfully");
    assert_ne!(stored(above), before);
    let begin = Instant::now();
    while stored(&station.tool) != stored(above) {
        assert!(begin.elapsed() < NOTICED, "{}", station.node.log());
        sleep(Duration::from_millis(100));
    }
    station.su("bob", NEW).succeeds("20601");
    station.su("bob", PASSWORD).fails("failure");
    let log = station.node.log();
    assert!(!log.contains(PASSWORD) && !log.contains(NEW), "{log}");
}

#[test]
fn a_password_is_changed_at_the_master() {
    isolated(|| {
        let (_neighbour, mut boss, above, station) = clone("lookup.plain_passwords = true");
        changed_at_the_master(&above, &station);
        terminal::run(20601, 100, Groups::Clear, "passwd", &[("urrent password: ", "guess")]).fails("");
        // Nobody but bob can do it from here, and not without the master.
        let root = [("ew password: ", PASSWORD), ("new password: ", PASSWORD)];
        let root = terminal::run(0, 0, Groups::Clear, "passwd bob", &root);
        root.fails("master");
        boss.kill9();
        station.passwd(20601, NEW, PASSWORD).fails("password unchanged");
        station.su("bob", NEW).succeeds("20601");
    });
}

#[test]
fn a_password_is_changed_at_the_master_over_tls() {
    isolated(|| {
        let at_ldap = "lookup.masters = { network = 'ldap://10.0.0.2/dc=example,dc=com????x-start-tls,x-ca-file=CERTIFICATE' }";
        let (_neighbour, _boss, above, station) = clone(at_ldap);
        changed_at_the_master(&above, &station);
    });
}

#[test]
fn a_password_is_not_sent_to_the_master_in_the_clear() {
    isolated(|| {
        let (_neighbour, _boss, above, station) = clone("");
        let before = stored(&above);
        station.passwd(20601, PASSWORD, NEW).fails("without encryption");
        assert_eq!(stored(&above), before);
        station.su("bob", PASSWORD).succeeds("20601");
    });
}

/// Answers for a portmapper whose clock is `ahead` seconds ahead: the time of its portmapper is that of a machine.
fn portmapper_with_a_clock(neighbour: &Neighbour, ahead: u32) {
    let socket = neighbour.enter(|| UdpSocket::bind("0.0.0.0:111").unwrap());
    // It ends with the process.
    spawn(move || {
        let mut call = [0; 1024];
        while let Ok((_, caller)) = socket.recv_from(&mut call) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let now = u32::try_from(now).unwrap() + ahead;
            // The call's id; a reply, accepted, without a verifier, with success.
            let words = [0, 1, 0, 0, 0, 0, now].map(u32::to_be_bytes).concat();
            let reply = [&call[..4], &words[4..]].concat();
            let _ = socket.send_to(&reply, caller);
        }
    });
}

/// The findings about clocks of `netinfo doctor`: how grave, and what.
fn clocks(tool: &Tool) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&tool.run("--json doctor").out).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings.filter(|f| f["kind"] == "clock").map(|f| (text(f, "severity"), text(f, "text"))).collect()
}

#[test]
fn clocks_of_parents_are_compared() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let builder = Node::builder().default_listen().listen("portmap", "off").address(Some("10.0.0.2"));
        let names = ["local", "lookup", "login"];
        let builder = names.iter().fold(builder, |b, name| b.listen(name, &format!("DIR/{name}.sock")));
        let boss = neighbour.enter(|| builder.hostname(Some("boss")).start());
        let node = Node::start();
        let tool = Tool::local(&node);
        // A node tells its time where there is no portmapper.
        tool.run("bind local@10.0.0.2");
        assert_eq!(clocks(&tool), []);
        portmapper_with_a_clock(&neighbour, 3600);
        let [(severity, text)] = &clocks(&tool)[..] else { panic!("{}", node.log()) };
        assert!(severity == "warning" && text.contains("ahead") && text.contains("36"), "{text}");
        drop(boss);

        // A directory tells it only if it is Active Directory.
        let (mute, telling) =
            neighbour.enter(|| (Slapd::start(), Slapd::start_with("currentTime: 20200101000000.0Z\n")));
        let bind = |slapd: &Slapd| {
            let (url, authority) = (slapd.url_at("10.0.0.2"), slapd.authority());
            let authority = authority.display();
            tool.run(&format!("bind {url} --base dc=example,dc=com --start-tls --ca {authority}"));
            clocks(&tool)
        };
        let told = bind(&mute);
        assert!(told.len() == 1 && told[0].0 == "note" && told[0].1.contains("does not tell"), "{told:?}");
        let told = bind(&telling);
        assert!(told.len() == 1 && told[0].0 == "warning" && told[0].1.contains("behind"), "{told:?}");
        // Of a parent that another one has replaced nothing is kept.
        let kept = || fs::read_dir(node.data().join("parents")).map_or(0, Iterator::count);
        let begin = Instant::now();
        let (node, url) = (&node, telling.url_at("10.0.0.2"));
        let known = |url: &str| {
            let folder = node.data().join("parents");
            let files = fs::read_dir(folder).into_iter().flatten().flatten();
            let bytes = files.filter_map(|file| fs::read(file.path()).ok());
            bytes.filter(|bytes| bytes.windows(url.len()).any(|w| w == url.as_bytes())).count()
        };
        while known(&url) == 0 || kept() != known(&url) {
            assert!(begin.elapsed() < NOTICED, "{} of {}\n{}", known(&url), kept(), node.log());
            sleep(Duration::from_millis(200));
        }
    });
}
