//! Look-ups in the files of the machine and in the DNS, where the configuration says so.

use std::fs;
use std::path::Path;

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::software::Daemon;
use netinfo_wire::lookup::answer::{decode_initgroups, decode_trace};
use netinfo_wire::lookup::{Answer, Category, Key, Query, Request};

use crate::binding::replace;
use crate::lookup::Asker;
use crate::tree::{Props, Tree};

/// A node that looks in the files in `folder`, in this order.
fn node(folder: &Path, order: &str) -> Node {
    let config = folder.join("netinfod.toml");
    fs::write(&config, format!("[lookup]\nfiles = '.'\n[lookup.order]\n{order}\n")).unwrap();
    Node::builder().arg("--config").arg(config).start()
}

fn user(tree: &mut Tree, users: u32, name: &str, uid: &str) {
    let record: Props<'_> = &[("name", &[name]), ("uid", &[uid]), ("gid", &["20"])];
    tree.make(users, record);
}

fn trace(asker: &mut Asker, query: Query<'_>) -> Vec<String> {
    let traced = asker.ask(&Request::Trace(query));
    let (steps, _) = decode_trace(&traced).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    steps.iter().map(|step| format!("{} {}", text(step.source), text(step.outcome))).collect()
}

#[test]
fn files_before_and_after_the_domains() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("passwd", "root:x:0:0::/root:/bin/sh\njane:hash:900:20::/h:/s\nfred:x:600:20::/h:/s\n");
    write("group", "staff:x:20:fred\nwheel:x:10:fred\n");
    write("services", "shop 4000/tcp\n");
    let order = "users = ['files', 'domains']\ngroups = ['domains', 'files']\nservices = ['files']";
    let node = node(folder.path(), order);
    let mut tree = Tree::privileged(node.domain("local"));
    let users = tree.make(0, &[("name", &["users"])]);
    user(&mut tree, users, "jane", "501");
    user(&mut tree, users, "bob", "502");
    user(&mut tree, users, "toor", "0");
    let groups = tree.make(0, &[("name", &["groups"])]);
    tree.make(groups, &[("name", &["staff"]), ("gid", &["20"]), ("users", &["bob"])]);
    let services = tree.make(0, &[("name", &["services"])]);
    tree.make(services, &[("name", &["mine"]), ("port", &["4001"]), ("protocol", &["tcp"])]);

    let mut asker = Asker::new(&node.lookup());
    // What comes first hides the rest, and says who the superuser is.
    assert_eq!(asker.passwd("jane"), Some(900));
    assert_eq!(asker.find(Category::Passwd, Key::Number(501)), "NotFound");
    assert_eq!(asker.passwd("bob"), Some(502));
    assert_eq!(asker.find(Category::Passwd, Key::Number(0)), "root");
    assert_eq!(asker.passwd("toor"), None);
    // Whoever asks here is root, and yet the files' passwords are the system's own business.
    assert_eq!(asker.find(Category::Shadow, Key::Name(b"jane")), "NotFound");
    assert_eq!(asker.find(Category::Shadow, Key::Name(b"bob")), "bob");
    assert_eq!(asker.find(Category::Service, Key::Service { name: b"shop", protocol: b"" }), "shop");
    assert_eq!(asker.find(Category::Service, Key::Service { name: b"mine", protocol: b"" }), "NotFound");
    let gids = asker.ask(&Request::Initgroups(b"fred"));
    let Ok(Answer::Found(gids)) = decode_initgroups(&gids) else { panic!() };
    assert_eq!(gids.iter().collect::<Vec<_>>(), [20, 10]);
    let query = Query { category: Category::Passwd, key: Key::Name(b"bob") };
    assert_eq!(trace(&mut asker, query), ["files users/name=bob: nothing", "local users/name=bob: 1 record"]);
    let query = Query { category: Category::Group, key: Key::Name(b"wheel") };
    assert_eq!(
        trace(&mut asker, query)[..2],
        ["local groups/name=wheel: nothing", "files groups/name=wheel: 1 record"]
    );

    write("passwd", "jane:x:901:20::/h:/s\n");
    assert_eq!(asker.passwd("jane"), Some(901), "the file is read again");
    fs::remove_file(folder.path().join("passwd")).unwrap();
    assert_eq!(asker.passwd("jane"), Some(501));
}

#[test]
fn hosts_in_the_dns() {
    isolated(|| {
        replace("/etc/resolv.conf", "nameserver 127.0.0.1\nsearch example.com\n");
        let dns = Daemon::start(&[
            "/usr/sbin/dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=root",
            "--listen-address=127.0.0.1",
            "--bind-interfaces",
            "--local-ttl=60",
            "--local=/example.com/",
            "--host-record=www.example.com,10.1.2.3,fd00::5",
            "--cname=ftp.example.com,www.example.com",
            "--host-record=liar.example.com,10.1.2.8",
            "--ptr-record=9.2.1.10.in-addr.arpa,liar.example.com",
        ]);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hosts"), "10.1.2.7 printer\n").unwrap();
        let node = node(folder.path(), "hosts = ['files', 'domains', 'dns']");
        let mut asker = Asker::new(&node.lookup());
        let query = Query { category: Category::Host, key: Key::Name(b"www.example.com") };
        let steps = [
            "files machines/name=www.example.com: nothing",
            "local machines/name=www.example.com: nothing",
            "dns machines/name=www.example.com: 1 record",
        ];
        let told = trace(&mut asker, query);
        assert_eq!(told, [&["dns asked: machines/name=www.example.com"][..], &steps].concat());
        assert_eq!(trace(&mut asker, query), steps, "it is remembered");
        let mut host = |key| asker.find(Category::Host, key);
        assert_eq!(host(Key::Name(b"WWW.example.com")), "www.example.com");
        assert_eq!(host(Key::Name(b"www")), "www");
        assert_eq!(host(Key::Name(b"ftp.example.com")), "ftp.example.com");
        assert_eq!(host(Key::Name(b"printer")), "printer");
        assert_eq!(host(Key::Address(&[10, 1, 2, 3])), "www.example.com");
        let six = "fd00::5".parse::<std::net::Ipv6Addr>().unwrap().octets();
        assert_eq!(host(Key::Address(&six)), "www.example.com");
        assert_eq!(host(Key::Address(&[10, 1, 2, 9])), "NotFound", "the name has another address");
        assert_eq!(host(Key::Name(b"nothing.example.com")), "NotFound");

        drop(dns);
        assert_eq!(host(Key::Name(b"www.example.com")), "www.example.com");
        assert_eq!(host(Key::Name(b"late.example.com")), "TryAgain");
        assert_eq!(host(Key::Name(b"printer")), "printer");
    });
}
