//! What the recorded lines do not show of `niutil`.

use crate::bench::Bench;

#[test]
fn names_of_domains() {
    Bench::with_node().play(
        "
$ niutil -domainname .
/alpha
$ niutil -domainname ..
/
$ niutil -domainname ../alpha
/alpha
$ niutil -domainname /alpha/..
/
$ niutil -domainname /
/
$ niutil -domainname network@localhost
/
$ niutil -rparent -n .
10.0.0.1/network
$ niutil -rparent /
root domain: no parent
[111]
$ niutil -domainname ../..
! niutil: can't connect to server for domain ../..
[199]
$ niutil -domainname /alpha/
! niutil: can't connect to server for domain /alpha/
[199]
$ niutil -resync .
$ niutil -resync /
",
    );
}

#[test]
fn properties() {
    Bench::with_node().play(
        "
$ niutil -create . /users/joe
$ niutil -createprop . /users/joe shells /bin/sh /bin/csh
$ niutil -createprop . /users/joe gid -2
$ niutil -read . /users/joe
name: joe
shells: /bin/sh /bin/csh
gid: -2
$ niutil -insertval . /users/joe shells mid 1
$ niutil -insertval . /users/joe shells end -1
$ niutil -readprop . /users/joe shells
/bin/sh mid /bin/csh end
$ niutil -insertval . /users/joe shells x 1x
! niutil: index for -insertval must be an integer
! found 1x
[3]
$ niutil -insertval . /nosuch shells x 1
! niutil: can't modify shells in directory /nosuch: No such directory
[105]
$ niutil -renameprop . /users/joe gid number
$ niutil -renameprop . /users/joe gid number
! niutil: can't rename gid in directory /users/joe: No such property
[106]
$ niutil -destroyval . /users/joe shells /bin/sh mid /bin/csh end
$ niutil -destroyval . /users/joe nokey x
$ niutil -read . /users/joe
name: joe
shells:
number: -2
$ niutil -readprop . /users/joe shells

$ niutil -destroyprop . /users/joe shells number nokey
$ niutil -read . /users/joe
name: joe
$ niutil -destroyprop . /nosuch k l
! niutil: can't destroy k in directory /nosuch: No such directory
[105]
$ niutil -createprop . /users/joe k -n
$ niutil -readprop . /users/joe k
-n
$ niutil -readval . /users/joe k 0x
-n
$ niutil -readval . /nosuch k 0
! niutil: can't open directory /nosuch: No such directory
[105]
",
    );
}

#[test]
fn directories() {
    Bench::with_node().play(
        "
$ niutil -create . /a/k=v/b
$ niutil -list . /a
4\t
$ niutil -list . /a k
4\t v
$ niutil -create . /a=b=c/x
$ niutil -read . /a=b=c
a: b=c
$ niutil -create . 'with blank'
! niutil: can't create directory with blank: No such directory
[105]
$ niutil -create . /dir/eq\\=ual
$ niutil -read . /dir/eq\\=ual
name: eq=ual
$ niutil -read . 4
k: v
$ niutil -read . ''
master: alpha/local
$ niutil -read . 99999999999
! niutil: can't open directory 99999999999: No such directory
[105]
$ niutil -destroy . /a
$ niutil -destroy . /a
! niutil: can't destroy directory /a: No such directory
[105]
$ niutil -destroy . /
! niutil: can't destroy directory /: Write attempted on stale version of object
[102]
$ niutil -list . /
",
    );
}

#[test]
fn hosts_with_ports() {
    let mut bench = Bench::with_node();
    let (common, own) = (bench.node().ipcserver().tcp, bench.node().domain("network").tcp);
    for port in [common, own] {
        assert_eq!(bench.ok(&format!("niutil -readprop -t {port}/network / master")), "alpha/network\n");
    }
    let run = bench.run(&["niutil", "-read", "-t", &format!("{own}/local"), "/"], b"");
    assert_eq!(run.code, 199, "{}", String::from_utf8_lossy(&run.err));
}
