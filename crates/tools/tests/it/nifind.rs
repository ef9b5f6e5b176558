//! `nifind`, `nigrep` and `nireport` on two domains.

use crate::bench::Bench;

#[test]
fn finding() {
    Bench::with_node().play(
        "
$ nifind /machines/alpha
/machines/alpha found in /, id = 2
$ nifind -n /machines/alpha
/machines/alpha found in /, id = 2
$ nifind -a /machines/alpha
/machines/alpha found in /, id = 2
/machines/alpha found in /alpha, id = 2
$ nifind -an /machines/alpha
/machines/alpha found in /, id = 2
$ nifind -avp /machines
/machines found in /, id = 1
name: machines

/machines found in /alpha, id = 1
name: machines

! /: alpha serves alpha/local - new child domain
$ nifind -v /users
/users not found in /
$ nifind /users
$ nifind -a -T 5 /machines /alpha
/machines found in /alpha, id = 1
",
    );
}

#[test]
fn verbose_about_local_domains() {
    let run = Bench::with_node().run(&["nifind", "-anv", "/nosuch"], b"");
    assert_eq!(String::from_utf8(run.err).unwrap(), "/: alpha serves alpha/local - ignoring local domain\n");
    assert_eq!(String::from_utf8(run.out).unwrap(), "/nosuch not found in /\n");
}

#[test]
fn searching() {
    let bench = Bench::with_node();
    bench.ok("niutil -create . /users/uid=5");
    bench.play(
        r"
$ nigrep 10\.0\. . /machines
2 /machines/alpha:  ip_address 10.0.0.1
$ nigrep ^serves$ -t localhost/network
2 /machines/alpha:  serves ./network alpha/local
$ nigrep 5 .
4 /users/dir: 4:  uid 5
$ nigrep alpha . /machines /
2 /machines/alpha:  name alpha
0 /:  master alpha/local
2 /machines/alpha:  name alpha
$ nigrep 'name|x' . machines
1 machines:  name machines
2 machines/alpha:  name alpha
$ nigrep x . /nosuch
! ni_pathsearch: No such directory
[105]
$ nigrep nothing .
",
    );
}

#[test]
fn reporting() {
    let bench = Bench::with_node();
    bench.ok("niutil -createprop . /machines/alpha empty");
    bench.play(
        "
$ nireport . /machines name serves nokey empty
alpha\t./local,../network\t#NoValue#\t#NoValue#\t
$ nireport -t localhost/network / name
machines\t
$ nireport . /nosuch name
! ni_pathsearch: No such directory
[105]
",
    );
}
