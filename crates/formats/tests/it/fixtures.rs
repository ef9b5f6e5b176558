//! The files of `testkit/data/flat`, each with what becomes of it.

use netinfo_formats::{
    Problem, Record, Shadow, read_group, read_hosts, read_networks, read_protocols, read_rpc, read_services,
    read_users,
};

/// One line for each item: `N property=value,value …` without `passwd`, or the problem.
fn shown(items: impl Iterator<Item = Result<Record, Problem>>) -> String {
    let mut text = String::new();
    for item in items {
        match item {
            Err(problem) => text += &problem.to_string(),
            Ok(record) => {
                text += &record.line.to_string();
                for (property, values) in
                    record.properties.iter().filter(|(property, _)| property != b"passwd")
                {
                    let values: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
                    text += &format!(" {}={}", String::from_utf8_lossy(property), values.join(","));
                }
            }
        }
        text.push('\n');
    }
    text
}

fn expect(items: impl Iterator<Item = Result<Record, Problem>>, expected: &str) {
    let expected: String = expected.lines().map(|line| line.trim().to_owned() + "\n").skip(1).collect();
    assert_eq!(shown(items), expected.trim_end_matches('\n').to_owned() + "\n");
}

const PASSWD: &[u8] = include_bytes!("../../../testkit/data/flat/passwd");
const SHADOW: &[u8] = include_bytes!("../../../testkit/data/flat/shadow");

#[test]
fn users() {
    let (shadow, problems) = Shadow::read(SHADOW);
    assert_eq!(problems, []);
    expect(
        read_users(PASSWD, &shadow),
        "
        2 name=root uid=0 gid=0 realname=System Administrator home=/root shell=/bin/sh _writers_passwd=root
        3 name=daemon uid=1 gid=1 realname= home=/ shell=/usr/sbin/nologin _writers_passwd=daemon
        4 name=alice uid=5001 gid=5000 realname=Alice Liddell building=Room 100 phonenumber=x2000 homephonenumber=555-0100 home=/home/alice shell=/bin/bash _writers_passwd=alice
        5 name=bob uid=5002 gid=5001 change=1649462400 realname=Bob Builder home=/home/bob shell=/bin/zsh _writers_passwd=bob
        6 name=amper uid=5003 gid=5000 expire=1728000000 realname=& home=/home/amper shell= _writers_passwd=amper
        7 name=noshell uid=5004 gid=5000 change=1 realname=No Shell home=/home/noshell shell= _writers_passwd=noshell
        8 name=bignum uid=4294967294 gid=4294967294 realname=Biggest usable id home=/nonexistent shell=/usr/sbin/nologin _writers_passwd=bignum
        9 name=dup uid=5001 gid=5000 realname=Same uid as alice home=/home/dup shell=/bin/sh _writers_passwd=dup
        10 name=zoë uid=5005 gid=5000 realname=Zoë with a UTF-8 name home=/home/zoe shell=/bin/sh _writers_passwd=zoë
        line 12: line: NIS line skipped
        line 13: line: NIS line skipped
        line 14: line: NIS line skipped
        ",
    );
}

#[test]
fn passwords_of_users() {
    let (shadow, _) = Shadow::read(SHADOW);
    let passwords: Vec<(String, String)> = read_users(PASSWD, &shadow)
        .filter_map(Result::ok)
        .map(|user| {
            let text =
                |property| String::from_utf8_lossy(user.first(property).unwrap_or(b"(absent)")).into_owned();
            (text("name"), text("passwd"))
        })
        .collect();
    let expected = [
        ("root", "*"),
        ("daemon", "*"),
        (
            "alice",
            "$6$flatsalt$1otBXrx0SOwX5frCuFT3H3Zs6ReJ6nWNq0MtB9axeCK13WmzNWRREFHtwxq3SfFcJzbHxUWt.gXQZ4EFeCnKt.",
        ),
        ("bob", "Fl8dgiyv2jTiM"),
        ("amper", "$5$flatsalt5$PhKmcuvFO7h0wYW91EMzM0XKD1/6igmygkIJTAcVMq4"),
        ("noshell", "!$1$flatmd5$JZ.KWTVUTQPT2cILd9/A61"),
        ("bignum", "!!"),
        ("dup", ""),
        ("zoë", "*"),
    ];
    assert_eq!(passwords, expected.map(|(name, passwd)| (name.to_owned(), passwd.to_owned())));
}

#[test]
fn group() {
    expect(
        read_group(&include_bytes!("../../../testkit/data/flat/group")[..]),
        "
        2 name=wheel gid=0 users=root,alice
        3 name=staff gid=20
        4 name=users gid=5001
        5 name=engineering gid=5100 users=alice,bob,erin,judy
        6 name=spaces gid=5101 users=alice,bob
        7 name=trailing gid=5102 users=alice,bob
        8 name=nomembersfield gid=5103
        9 name=nobody gid=-2
        line 10: line: NIS line skipped
        ",
    );
}

#[test]
fn hosts() {
    expect(
        read_hosts(&include_bytes!("../../../testkit/data/flat/hosts")[..]),
        "
        line 10: name: missing
        1 name=localhost,ip6-localhost ip_address=127.0.0.1 ipv6_address=::1,fe80::1%lo0
        4 name=gw.example.com,gw ip_address=192.0.2.1
        5 name=od.example.com,od,ldap,ldap.example.com ip_address=192.0.2.10
        6 name=fileserver.example.com,fileserver,fs ip_address=192.0.2.20 ipv6_address=2001:db8::20
        8 name=second-name-same-address ip_address=192.0.2.20
        9 name=indented.example.com ip_address=192.0.2.30
        ",
    );
}

#[test]
fn tables() {
    expect(
        read_networks(&include_bytes!("../../../testkit/data/flat/networks")[..]),
        "
        1 name=loopback,loopback-net address=127
        2 name=lab-net,lab address=192.0.2
        3 name=dmz,perimeter address=198.51.100.0
        ",
    );
    expect(
        read_protocols(&include_bytes!("../../../testkit/data/flat/protocols")[..]),
        "
        1 name=ip,IP number=0
        2 name=icmp,ICMP number=1
        3 name=tcp,TCP number=6
        4 name=udp,UDP number=17
        5 name=ipv6-icmp,IPv6-ICMP,icmp6 number=58
        ",
    );
    expect(
        read_rpc(&include_bytes!("../../../testkit/data/flat/rpc")[..]),
        "
        1 name=portmapper,portmap,sunrpc,rpcbind number=100000
        2 name=rstatd,rstat,rup,perfmeter number=100001
        3 name=nfs,nfsprog number=100003
        4 name=mountd,mount,showmount number=100005
        ",
    );
    expect(
        read_services(&include_bytes!("../../../testkit/data/flat/services")[..]),
        "
        2 name=ssh port=22 protocol=tcp
        3 name=domain,nameserver port=53 protocol=tcp,udp
        5 name=tempo,newdate port=103 protocol=tcp
        6 name=tempo,newdate port=1103 protocol=udp
        7 name=ordered port=7000 protocol=sctp
        ",
    );
}
