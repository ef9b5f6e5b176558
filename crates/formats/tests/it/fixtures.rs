//! The files of `testkit/data/flat`, each with what becomes of it.

use netinfo_formats::flat::Format;
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
        line 10: name: an address without a name
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

/// A file of `testkit/data/flat` in its format.
fn expect_file(file: &str, expected: &str) {
    let bytes = std::fs::read(netinfo_testkit::data("flat").join(file)).expect("the file is there");
    let (format, score) = Format::recognise(None, &bytes).expect("the file has a format");
    assert_eq!(Format::from_file_name(file), Some(format), "{file} was taken for {format:?} ({score})");
    expect(format.read_named(file, bytes.as_slice()), expected);
}

#[test]
fn master_passwd() {
    expect_file(
        "master.passwd",
        "
        2 name=nobody uid=-2 gid=-2 change=0 expire=0 realname=Unprivileged User home=/var/empty shell=/usr/bin/false _writers_passwd=nobody
        3 name=root uid=0 gid=0 class=daemon change=0 expire=0 realname=System Administrator home=/var/root shell=/bin/sh _writers_passwd=root
        4 name=alice uid=5001 gid=20 class=staff change=0 expire=1893456000 realname=Alice Liddell home=/Users/alice shell=/bin/tcsh _writers_passwd=alice
        5 name=expired uid=5010 gid=20 change=0 expire=1 realname=Expired in 1970 home=/Users/expired shell=/bin/sh _writers_passwd=expired
        ",
    );
}

#[test]
fn shadow_alone() {
    expect_file(
        "shadow",
        "
        1 name=root
        2 name=daemon
        3 name=alice
        4 name=bob change=1649462400
        5 name=amper expire=1728000000
        6 name=noshell change=1
        7 name=bignum
        8 name=dup
        ",
    );
}

#[test]
fn aliases() {
    expect_file(
        "aliases",
        r#"
        2 name=postmaster members=carol
        3 name=eng-all members=alice,bob,erin@example.net
        5 name=archive members="|/usr/local/bin/archive -l eng, all",/var/mail/archive
        6 name=list-file members=:include:/etc/mail/lists/staff
        7 name=quoted name members=alice
        8 name=MixedCase members=bob
        9 name=owner-eng-all members=judy
        "#,
    );
}

#[test]
fn mounts() {
    expect_file(
        "fstab",
        "
        2 name=/dev/disk0s2 dir=/ vfstype=hfs opts=rw dump_freq=1 passno=1
        3 name=fileserver:/export/home dir=/Network/Home vfstype=nfs opts=rw,net,resvport dump_freq=0 passno=0
        4 name=fileserver:/export/two words dir=/Network/Words vfstype=nfs opts=ro dump_freq=0 passno=0
        5 name=od.example.net:/Users dir=/Network/Servers vfstype=url opts=net,url==afp://;AUTH=NO%20USER%20AUTHENT@od.example.net/Users dump_freq=0 passno=0
        6 name=LABEL=Scratch dir=none vfstype=hfs opts=rw,noauto dump_freq=0 passno=0
        ",
    );
}

#[test]
fn exports() {
    expect_file(
        "exports",
        "
        2 name=/export/home opts=maproot=nobody clients=fileserver,ws1,ws2
        3 name=/export/home,/export/tools opts=ro,alldirs
        4 name=/export/lab opts=network 192.0.2.0,mask 255.255.255.0
        ",
    );
}

#[test]
fn printers() {
    expect_file(
        "printcap",
        "
        2 name=laser1,lp,Second floor laser lp= rm=printhost.example.com rp=laser1 sd=/var/spool/lpd/laser1 mx=#0 sh= ty=LaserWriter note=2nd floor
        6 name=raw,raw queue lp=/dev/lp0 sd=/var/spool/lpd/raw sf=
        ",
    );
    // A flag has no value, an empty text one.
    let bytes = std::fs::read(netinfo_testkit::data("flat/printcap")).unwrap();
    let record = Format::Printcap.read(bytes.as_slice()).next().unwrap().unwrap();
    assert_eq!((record.values("sh").len(), record.values("lp").len()), (0, 1));
}

#[test]
fn machines_that_boot() {
    expect_file(
        "ethers",
        "
        1 name=gw en_address=0:0:5e:0:53:1
        2 name=netboot1 en_address=0:0:5e:0:53:67
        3 name=printer7 en_address=0:0:5e:0:53:77
        ",
    );
    expect_file(
        "bootptab",
        "
        6 name=netboot1 htype=1 en_address=0:0:5e:0:53:67 ip_address=192.0.2.103 bootfile=mach
        7 name=ws1 htype=1 en_address=0:0:5e:0:53:65 ip_address=192.0.2.101
        ",
    );
    expect_file(
        "bootparams",
        "
        1 name=netboot1 bootparams=root=fileserver:/export/root,swap=fileserver:/export/swap
        ",
    );
}

#[test]
fn netgroups() {
    expect_file(
        "netgroup",
        "
        1 name=trusted netgrouptriplet=(fileserver,-,example.com),(,alice,),(ws1,bob,) hosts=fileserver,ws1 users=alice,bob domains=example.com netgroups=admins
        2 name=admins netgrouptriplet=(,carol,example.com) users=carol domains=example.com
        3 name=everyhost netgrouptriplet=(,-,)
        4 name=loop-a netgroups=loop-b
        5 name=loop-b netgrouptriplet=(ws2,,) hosts=ws2 netgroups=loop-a
        6 name=empty
        7 name=long netgrouptriplet=(ws1,,),(ws2,,) hosts=ws1,ws2
        ",
    );
}

#[test]
fn maps_of_the_automounter() {
    expect_file(
        "auto_master",
        "
        1 name=auto_master
        line 2: line: NIS line skipped
        3 name=/net opts=nobrowse,hidefromfinder,nosuid fsname=-hosts
        4 name=/home opts=nobrowse fsname=auto_home
        5 name=/Network/Servers fsname=-fstab
        ",
    );
    expect_file(
        "auto.home",
        "
        1 name=auto.home
        2 name=alice opts=rw,hard fsname=fileserver:/export/home/alice
        3 name=shared fsname=fileserver:/export/shared,od:/export/shared
        4 name=tools opts=ro fsname=/bin,fileserver:/export/bin,/doc,fileserver:/export/two words
        7 name=* fsname=fileserver:/export/home/&
        ",
    );
}

#[test]
fn resolver() {
    expect_file(
        "resolv.conf",
        "
        2 name=resolver domain=lab.example.com search=example.com nameserver=192.0.2.53,fe80::53%en0 sortlist=192.0.2.0/255.255.255.0 options=ndots:2,timeout:1,rotate
        ",
    );
}

/// Every file is recognised by what it holds, and what is read of it can be written without a loss and read again.
#[test]
fn every_file_goes_both_ways() {
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(netinfo_testkit::data("flat")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(format) = Format::from_file_name(&file) else {
            assert!(["README.md", "passwords.tsv"].contains(&file.as_str()), "{file} has no format");
            continue;
        };
        let bytes = std::fs::read(netinfo_testkit::data("flat").join(&file)).unwrap();
        assert_eq!(Format::recognise(None, &bytes).map(|found| found.0), Some(format), "{file}");
        let read = |bytes: &[u8]| format.read_named(&file, bytes).filter_map(Result::ok).collect::<Vec<_>>();
        let records = read(&bytes);
        let (mut text, mut losses) = (Vec::new(), Vec::new());
        let mut writer = format.writer(&mut text);
        records.iter().for_each(|record| writer.write(record, &mut losses).unwrap());
        writer.finish(&mut losses).unwrap();
        drop(writer);
        assert_eq!(losses.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0], "{file}");
        let without_lines = |mut record: Record| {
            record.line = 0;
            record
        };
        let before: Vec<_> = records.into_iter().map(without_lines).collect();
        let after: Vec<_> = read(&text).into_iter().map(without_lines).collect();
        assert_eq!(before, after, "{file}");
        seen.push(format);
    }
    assert!(Format::ALL.iter().all(|format| seen.contains(format)), "a format has no file");
}
