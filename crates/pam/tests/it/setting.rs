//! A node with users, and programs that are let in by the module as built for this test.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use netinfo_client::{Domain, Finder, Path as Place, Property, Server};
use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::system::bind;
use netinfo_testkit::terminal::{self, Ended, Groups};

/// Passwords of the users.
pub(crate) const PASSWORD: &str = "correct horse";

/// Name and number of a user, and what its record says besides.
type Who = (&'static str, u32, &'static [(&'static str, &'static str)]);

/// Users of the domain `local` and their numbers, with what their records say besides.
const LOCAL: &[Who] = &[
    ("alice", 20501, &[]),
    ("locked", 20502, &[("passwd", "!{CLEARTEXT}correct horse")]),
    ("expired", 20503, &[("expire", "1000000")]),
    ("due", 20504, &[("change", "1")]),
    ("disabled", 20505, &[("authentication_authority", ";DisabledUser;;basic;")]),
    ("early", 20506, &[("shadowMin", "30000"), ("shadowLastChange", "1")]),
    ("aging", 20507, &[("shadowMax", "9000"), ("shadowLastChange", "TODAY-8995")]),
    // On the system this name belongs to somebody else.
    ("clash", 20508, &[]),
    ("root", 0, &[("passwd", "*")]),
];
/// Users of the domain above it.
const NETWORK: &[Who] = &[
    ("bob", 20601, &[]),
    // Below, somebody else has this name.
    ("alice", 20602, &[("passwd", "{CLEARTEXT}another one")]),
    // It takes the machine's own domain to make a superuser of this machine.
    ("toor", 0, &[]),
    // The system knows nobody of this name.
    ("hidden", 20603, &[]),
];

/// The node and where things are.
pub(crate) struct Setting {
    pub(crate) node: Node,
}

/// Runs `work` with a node of its own.
pub(crate) fn with_setting(work: impl FnOnce(&mut Setting) + Send) {
    isolated(|| work(&mut Setting::new()));
}

/// Days since 1970.
fn today() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs() / 86_400
}

impl Setting {
    fn new() -> Self {
        let node = Node::start();
        node.create_master("network");
        let setting = Self { node };
        let mut local = setting.domain("local");
        let machine = local.resolve(&Place::parse(b"/machines/alpha").unwrap()).unwrap();
        local.append_values(machine, b"serves", &["../network"]).unwrap();
        for (tag, users) in [("local", LOCAL), ("network", NETWORK)] {
            let mut domain = setting.domain(tag);
            let folder = domain.create_child(0, &[Property::new("name", ["users"])]).unwrap().id.object;
            for (name, uid, more) in users {
                setting.add_user(&mut domain, folder, name, *uid, more);
            }
            let groups = domain.create_child(0, &[Property::new("name", ["groups"])]).unwrap().id.object;
            let members: &[&str] = if tag == "local" { &["alice"] } else { &["bob"] };
            for (name, gid, users) in
                [("staff", "20", members), ("empty", "21", &[]), ("primary", "20000", &[])]
            {
                let properties = [
                    Property::new("name", [name]),
                    Property::new("gid", [gid]),
                    Property::new("users", users),
                ];
                domain.create_child(groups, &properties).unwrap();
            }
        }
        setting.mount();
        setting
    }

    fn add_user(&self, domain: &mut Domain, folder: u32, name: &str, uid: u32, more: &[(&str, &str)]) {
        let home = format!("{}/homes/{name}", self.dir().display());
        let aged = (today() - 8995).to_string();
        let stored = format!("{{CLEARTEXT}}{PASSWORD}");
        let mut list = vec![("name", name.to_owned()), ("uid", uid.to_string()), ("gid", "20000".into())];
        list.push(("home", home));
        if more.iter().all(|(key, _)| *key != "passwd") {
            list.push(("passwd", stored));
        }
        list.extend(more.iter().map(|(key, value)| match *value {
            "TODAY-8995" => (*key, aged.clone()),
            value => (*key, value.to_owned()),
        }));
        let properties: Vec<Property> =
            list.iter().map(|(key, value)| Property::new(*key, [value.as_str()])).collect();
        domain.create_child(folder, &properties).unwrap();
    }

    /// Users of the system, without passwords, and the files of PAM, which other tests do not see.
    fn mount(&self) {
        let dir = self.dir();
        let mut passwd =
            String::from("root:x:0:0:root:/root:/bin/sh\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n");
        for (name, uid, _) in LOCAL.iter().chain(&NETWORK[..1]).filter(|(_, uid, _)| *uid != 0) {
            let uid = if *name == "clash" { 29999 } else { *uid };
            writeln!(passwd, "{name}:x:{uid}:20000::{}/homes/{name}:/bin/sh", dir.display()).unwrap();
        }
        passwd.push_str("elsewhere:x:20999:20000::/tmp:/bin/sh\n");
        let shadow: String = passwd
            .lines()
            .map(|line| format!("{}:*:19000:0:99999:7:::\n", line.split(':').next().unwrap()))
            .collect();
        let files = [
            ("passwd", passwd, "/etc/passwd"),
            ("shadow", shadow, "/etc/shadow"),
            ("group", "root:x:0:\nnogroup:x:65534:\nprimary:x:20000:\n".into(), "/etc/group"),
            ("nsswitch", "passwd: files\ngroup: files\nshadow: files\n".into(), "/etc/nsswitch.conf"),
        ];
        for (name, text, target) in files {
            let file = dir.join(name);
            fs::write(&file, text).unwrap();
            bind(&file, target);
        }
        fs::create_dir_all(dir.join("pam.d")).unwrap();
        let module = dir.join("pam_netinfo.so");
        fs::copy(std::env::current_exe().unwrap().with_file_name("libpam_netinfo.so"), &module).unwrap();
        bind(&dir.join("pam.d"), "/etc/pam.d");
        self.service("other", "");
        for service in ["plain", "su", "passwd", "sshd"] {
            self.service(service, "");
        }
    }

    /// The directory of the node.
    pub(crate) fn dir(&self) -> PathBuf {
        self.node.dir().to_owned()
    }

    /// A domain, as the superuser.
    pub(crate) fn domain(&self, tag: &str) -> Domain {
        Finder::default().open(&Server::local_socket(self.node.socket()), Some(tag)).unwrap()
    }

    /// First value of a user's property.
    pub(crate) fn value(&self, tag: &str, user: &str, key: &str) -> Option<String> {
        let mut domain = self.domain(tag);
        let object = domain.resolve(&Place::parse(format!("/users/{user}").as_bytes()).unwrap()).unwrap();
        let (_, properties) = domain.read(object).unwrap();
        let property = properties.into_iter().find(|property| property.name == key.as_bytes())?;
        property.values.first().map(|value| String::from_utf8(value.clone()).unwrap())
    }

    /// Gives a user's property a value.
    pub(crate) fn set(&self, tag: &str, user: &str, key: &str, value: &str) {
        let mut domain = self.domain(tag);
        let object = domain.resolve(&Place::parse(format!("/users/{user}").as_bytes()).unwrap()).unwrap();
        domain.set_property(object, key.as_bytes(), &[value]).unwrap();
    }

    /// The module with the options `options`, for all four kinds, as the only one of a service.
    pub(crate) fn service(&self, name: &str, options: &str) {
        let (dir, socket) = (self.dir(), self.node.login());
        let line = |kind| {
            format!(
                "{kind} required {}/pam_netinfo.so socket={} {options}\n",
                dir.display(),
                socket.display()
            )
        };
        let text: String = ["auth", "account", "password", "session"].into_iter().map(line).collect();
        self.stack(name, &text);
    }

    /// A service of any modules; `MODULE` stands for ours.
    pub(crate) fn stack(&self, name: &str, text: &str) {
        let module =
            format!("{}/pam_netinfo.so socket={}", self.dir().display(), self.node.login().display());
        fs::write(self.dir().join("pam.d").join(name), text.replace("MODULE", &module)).unwrap();
    }

    /// Runs a program as the user with this number; `answers` are what is to be typed at prompts that end so.
    pub(crate) fn run(&self, uid: u32, command: &str, answers: &[(&str, &str)]) -> Ended {
        terminal::run(uid, 20000, Groups::Clear, command, answers)
    }

    /// Runs pamtester as the user with this number.
    pub(crate) fn pamtester(
        &self,
        uid: u32,
        service: &str,
        user: &str,
        op: &str,
        answers: &[(&str, &str)],
    ) -> Ended {
        self.run(uid, &format!("pamtester -v {service} {user} {op}"), answers)
    }

    /// Tries a password as the superuser's programs do.
    pub(crate) fn login(&self, user: &str, password: &str) -> Ended {
        self.pamtester(0, "plain", user, "authenticate", &[("assword: ", password)])
    }
}
