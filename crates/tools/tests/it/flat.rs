//! Every flat format in and out.

use crate::bench::Bench;

/// Loads into `local`, then reads and dumps.
#[track_caller]
fn there_and_back(format: &str, input: &str, read: &str, properties: &str, dump: &str) {
    let bench = Bench::with_node();
    assert_eq!(bench.ok_with(&format!("niload {format} ."), input.as_bytes()), "");
    assert_eq!(bench.ok(&format!("niutil -read . {read}")), properties);
    let dumped = bench.ok(&format!("nidump {} .", format.trim_end_matches(".43")));
    assert!(dumped.ends_with(dump), "{dumped}");
}

#[test]
fn users() {
    let properties = "_writers_passwd: ana\nchange: 0\nclass: \nexpire: 0\ngid: 20\nhome: /Users/ana\nname: ana\n\
        passwd: *\nrealname: Ana Lima\nshell: /bin/tcsh\nuid: 501\n";
    let line = "ana:*:501:20::0:0:Ana Lima:/Users/ana:/bin/tcsh\n";
    there_and_back("passwd", line, "/users/ana", properties, line);
    there_and_back(
        "passwd.43",
        "ana:*:501:20:Ana Lima:/Users/ana:/bin/tcsh\n",
        "/users/ana",
        properties,
        line,
    );
}

#[test]
fn groups() {
    let line = "staffers:*:600:ana,bruno\n";
    let properties = "gid: 600\nname: staffers\npasswd: *\nusers: ana bruno\n";
    there_and_back("group", line, "/groups/staffers", properties, line);
    there_and_back("group", "a:*:1\n", "/groups/a", "gid: 1\nname: a\npasswd: *\nusers: \n", "a:*:1:\n");
    there_and_back("group", "a:*:1:\n", "/groups/a", "gid: 1\nname: a\npasswd: *\nusers:\n", "a:*:1:\n");
}

#[test]
fn tables() {
    there_and_back(
        "hosts",
        "# lab\n10.0.0.5 beta beta.example.org b5   # lab\n",
        "/machines/b5",
        "ip_address: 10.0.0.5\nname: beta beta.example.org b5\n",
        "10.0.0.5\tbeta beta.example.org b5\n",
    );
    there_and_back(
        "networks",
        "labnet 10.0.0 lab-net\n",
        "/networks/labnet",
        "address: 10.0.0\nname: labnet lab-net\n",
        "labnet\t10.0.0\tlab-net\n",
    );
    there_and_back("protocols", "rdp 27\n", "/protocols/rdp", "name: rdp\nnumber: 27\n", "rdp\t27\t\n");
    there_and_back(
        "rpc",
        "lockd 100021 nlockmgr",
        "/rpcs/lockd",
        "name: lockd nlockmgr\nnumber: 100021\n",
        "lockd\t100021\tnlockmgr\n",
    );
    there_and_back(
        "services",
        "bad 5\nchatd 7001/udp chat\n",
        "/services/chatd",
        "name: chatd chat\nport: 7001\nprotocol: udp\n",
        "chatd\t7001/udp\tchat\n",
    );
}

#[test]
fn mounts_and_mail() {
    there_and_back(
        "fstab",
        "srv:/export/home /Network/home nfs rw,bg 0 0\n",
        "/mounts/dir=\\/Network\\/home",
        "dir: /Network/home\ndump_freq: 0\nname: srv:/export/home\nopts: rw bg\npassno: 0\nvfstype: nfs\n",
        "srv:/export/home /Network/home nfs rw,bg 0 0\n",
    );
    there_and_back(
        "aliases",
        "staff: ana, bruno,\n carla\n",
        "/aliases/staff",
        "members: ana bruno carla\nname: staff\n",
        "staff: ana,bruno,carla\n",
    );
}

#[test]
fn machines_that_boot() {
    there_and_back(
        "bootptab",
        "skipped\n%%\nbeta\t1\t0:5:2:1:a:b\t10.0.0.5\tmach\n",
        "/machines/beta",
        "bootfile: mach\nen_address: 0:5:2:1:a:b\nhtype: 1\nip_address: 10.0.0.5\nname: beta\n",
        "beta\t1\t0:5:2:1:a:b\t10.0.0.5\tmach\n",
    );
    let bench = Bench::with_node();
    bench.ok_with("niload bootparams .", b"beta\troot=srv:/export\\\n\tswap=srv:/swap\n");
    assert_eq!(bench.ok("niutil -read . /machines/beta"), "name: beta\nroot: srv:/export\nswap: srv:/swap\n");
    bench.ok("niutil -createprop . /machines/beta bootparams root=srv:/r swap=srv:/s");
    bench.ok("niutil -createprop . /machines/beta en_address 0:5:2:1:a:b");
    assert_eq!(bench.ok("nidump bootparams ."), "beta root=srv:/r \\\n\tswap=srv:/s\n");
    assert_eq!(bench.ok("nidump ethers ."), "0:5:2:1:a:b\tbeta\n");
    bench.ok("niutil -destroy . /machines");
    assert_eq!(bench.ok("nidump bootptab ."), "/private/tftpboot:/\nmach\n%%\n");
    assert_eq!(bench.ok("nidump hosts ."), "");
}

#[test]
fn what_can_only_be_dumped() {
    let bench = Bench::with_node();
    bench.ok("niutil -create . '/exports/\\/export\\/home'");
    bench.ok("niutil -createprop . '/exports/\\/export\\/home' opts ro");
    bench.ok("niutil -createprop . '/exports/\\/export\\/home' clients alpha beta");
    assert_eq!(bench.ok("nidump exports ."), "/export/home  -ro alpha beta\n");
    assert_eq!(bench.ok("nidump resolv.conf ."), "");
    bench.ok("niutil -create . /locations/resolver");
    bench.ok("niutil -createprop . /locations/resolver domain example.org");
    bench.ok("niutil -createprop . /locations/resolver nameserver 10.0.0.1 10.0.0.2");
    assert_eq!(
        bench.ok("nidump resolv.conf ."),
        "domain example.org\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n"
    );
    bench.ok_with("niload printcap .", b"lp|LaserOne: \\\n\t:rm=prhost:sh:mx#0:\n");
    assert_eq!(bench.ok("nireport . /printers name rm sh"), "lp|LaserOne\tprhost\t#NoValue#\t\n");
    bench.ok("niutil -createprop . /printers/rm=prhost sh");
    assert_eq!(bench.ok("nidump printcap ."), "lp|LaserOne: \\\n\t:rm=prhost:sh:\n");
}

#[test]
fn entries_that_are_there() {
    let bench = Bench::with_node();
    bench.ok_with("niload group .", b"a:*:1:x\nb:*:2:y\n");
    bench.ok("niutil -createprop . /groups/a extra e");
    bench.ok_with("niload -m group .", b"a:NEW:1:z\n");
    assert_eq!(
        bench.ok("niutil -read . /groups/a"),
        "gid: 1\nname: a\npasswd: NEW *\nusers: z x\nextra: e\n"
    );
    bench.ok_with("niload group .", b"a:*:1:w\n+nis:*:3:\n\nnonsense\n");
    assert_eq!(bench.ok("niutil -read . /groups/a"), "gid: 1\nname: a\npasswd: *\nusers: w\n");
    assert_eq!(bench.ok("nidump group ."), "a:*:1:w\nb:*:2:y\n");
    bench.ok_with("niload -d group .", b"c:*:3:");
    assert_eq!(bench.ok("nidump group ."), "c:*:3:\n");
    // Nothing to load deletes nothing.
    bench.ok_with("niload -d group .", b"");
    assert_eq!(bench.ok("nidump group ."), "c:*:3:\n");
    bench.play(
        "
$ niload -d protocols .
< ip 0
! niload: can't delete NetInfo directory /protocols: No such directory
[1]
$ niload -v -d group .
< d:*:4:x
< c/d:*:5:
! 2 items read from input
! Deleting exiting NetInfo directory /groups
! Creating NetInfo directory /groups
! Netinfo /groups contains 0 items
! 
! Processing input item:
! gid: 4
! name: d
! passwd: *
! users: x
! 
! writing new directory /groups/d
! 
! Processing input item:
! gid: 5
! name: c/d
! passwd: *
! users:
! 
! writing new directory /groups/c\\/d
$ niload -v -m group .
< d:*:4:y
! 1 items read from input
! Netinfo /groups contains 2 items
! 
! Processing input item:
! gid: 4
! name: d
! passwd: *
! users: y
! 
! merging directory /groups/d
$ niload -v group .
! 0 items read from input
",
    );
}
