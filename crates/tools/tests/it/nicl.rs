//! `nicl` on a domain of a server.

use crate::bench::Bench;

#[test]
fn making_and_showing() {
    Bench::with_node().play(
        "
$ nicl . -create /users/ana uid 501
$ nicl . create /users/ana shells /bin/sh /bin/csh
$ nicl . mk /users/ana _writers ana
$ nicl . -create /users/ana gid
$ nicl . -read /users/ana
name: ana
uid: 501
shells: /bin/sh /bin/csh
gid:
_writers: ana
$ nicl . cat /users/ana shells nokey _writers
shells: /bin/sh /bin/csh
_writers: ana
! No such key: nokey
$ nicl . -create /users/ana uid 502
$ nicl . . /users/name=ana uid
uid: 502
$ nicl . -list /
1          machines
3          users
$ nicl . ls /users uid
4          502
$ nicl . ls /users nokey
$ nicl . -list /users gid
$ nicl . -list /users/ana
$ nicl . -list 99
[212]
$ nicl . -list /nosuch
! list: Invalid Path
[212]
$ nicl . -read 99
! Fetch record 99 failed: Invalid Path
[212]
$ nicl . -read ''
! read: Invalid Record ID
[211]
$ nicl . -read /users/./ana/../ana/ uid
uid: 502
$ nicl . -read 4 uid
uid: 502
$ nicl . -path /users/ana
name: ana
uid: 502
shells: /bin/sh /bin/csh
gid:
_writers: ana

name: users

master: alpha/local
$ nicl . -nosuch
! usage: nicl [options] <datasource> [<command>]
",
    );
}

#[test]
fn changing_values() {
    let bench = Bench::with_node();
    bench.ok("nicl . -create /x _w z");
    bench.ok("nicl . -create /x k a b");
    bench.play(
        "
$ nicl . -append /x k a
$ nicl . -merge /x k b c
$ nicl . -insert /x k first 0
$ nicl . -insert /x k far 99
$ nicl . -append /x new n n
$ nicl . -merge /x new n
$ nicl . -insert /x nokey v 0
! Insert failed: nokey: Invalid Key
[213]
$ nicl . -read /x
name: x
k: first a b a c far
new: n n
_w: z
$ nicl . -delete /x k a nosuch
$ nicl . -delete /x nokey v
! No such key: nokey
[213]
$ nicl . -delete /x nokey
$ nicl . -rename /x new newer
$ nicl . -rename /x new newer
! No such key: new
[213]
$ nicl . -delete /x newer n n
$ nicl . -setrdn /x k
$ nicl . -read /x
name: x
k: first b a c far
newer:
_w: z
_rdn: k
$ nicl . -setrdn /x name
$ nicl . -rename /x k _k
$ nicl . rm /x newer
$ nicl . -read /x
name: x
_w: z
_k: first b a c far
$ niutil -read . /x
name: x
_w: z
_k: first b a c far
",
    );
}

#[test]
fn whole_directories() {
    let bench = Bench::with_node();
    bench.ok("nicl . -create /a/b/c k v");
    bench.play(
        "
$ nicl . -copy /a/b /machines
$ nicl . -read /machines/b/c
name: c
k: v
$ nicl . -move /a/b /machines/alpha
$ nicl . -list /a
$ nicl . -read /machines/alpha/b/c k
k: v
$ nicl . -copy /a /nosuch
! Copy failed: Invalid Path
[212]
$ nicl . -move / /a
! Move failed: Invalid Record ID
[211]
$ nicl . -delete /
! Can't delete root!
[211]
$ nicl . -delete /machines/b
$ nicl . -delete /machines/b
! delete: Invalid Path
[212]
$ nicl -i . -delete /a
! Can't delete directory 3 in non-interactive mode with \"-i\" option
$ nicl . -attach /a 1
! Can only attach in raw mode
[15]
$ nicl . -load : name loaded :k a b :_m : x
$ nicl . -read /loaded
name: loaded
k: a b
x:
_m:
$ nicl . load /loaded : a b
$ niutil -list . / loaded
1\t
3\t
4\t
5\t : a b
",
    );
}

#[test]
fn searching() {
    let bench = Bench::with_node();
    for (user, uid) in [("ana", "1"), ("ben", "2"), ("cal", "1")] {
        bench.ok(&format!("nicl . -create /users/{user} uid {uid}"));
    }
    bench.ok("nicl . -append /users/cal uid 2");
    bench.play(
        "
$ nicl . -search / 0 -1 uid 1
Search found 2 matches

name: ana
uid: 1

name: cal
uid: 1 2
$ nicl . -search /users 1 1 uid 1 uid 2
Search found 1 match

name: cal
uid: 1 2
$ nicl . -search / 0 1 uid 1
Search found 0 matches
$ nicl . -search / 2 1 uid 1
! Scope minimum (2) > maximum (1) precludes search
$ nicl . -search / 0
! Too few parameters for search operation
! usage: nicl [options] <datasource> [<command>]
",
    );
}

#[test]
fn about_the_server() {
    Bench::with_node().play(
        "
$ nicl . -domainname
/alpha
$ nicl / -domainname
/
$ nicl . -rparent
10.0.0.1/network
$ nicl / -rparent
! Hit network root domain
[15]
$ nicl / -refs
Child referrals:
dn: ou=alpha
  ref: ldap://alpha/
$ nicl . -resync
$ nicl . -flush
$ nicl . -echo a 'b c'
a b c
$ nicl -t localhost/network -create
! Can't create a NetInfo domain
[1]
$ nicl . -create
! Too few parameters for create operation
! usage: nicl [options] <datasource> [<command>]
$ nicl -ro . -create /x
! create: Write Failed
[236]
$ nicl -ro . -create / k v
! Write Failed
[236]
$ nicl -ro . -read /
master: alpha/local
",
    );
}

#[test]
fn versions() {
    let bench = Bench::with_node();
    let shown = bench.ok("nicl -v . -read /machines");
    assert!(shown.starts_with("Record: 1   Version: "), "{shown}");
    assert!(
        shown.ends_with("   Serial: 1\nParent: 0\nChildren (1): 2\nAttributes:\n    name: machines\n"),
        "{shown}"
    );
    bench.ok("nicl . -create / _w x");
    assert!(bench.ok("nicl -vv . -read /").ends_with("Meta-attributes:\n    _w: x\n"));
    let now = bench.ok("nicl . -history");
    let version = now.lines().next().unwrap().strip_prefix("Maximum version: ").unwrap();
    assert!(now.lines().nth(1).unwrap().starts_with(&format!("Record: 0   Version: {version}   Serial: ")));
    assert_eq!(
        bench.ok(&format!("nicl . -history = {version}")),
        format!("Record: 0   Version: {version}\n")
    );
    assert_eq!(bench.ok("nicl . -history eq"), format!("Record: 0   Version: {version}\n"));
    assert_eq!(bench.ok("nicl . -history > 9999"), format!("Maximum version number is {version}\n"));
    assert_eq!(bench.ok("nicl . -history 9999"), "No record with version 9999\n");
    let older = bench.ok("nicl . -history <");
    assert!(
        older.lines().all(|line| line.starts_with("Record: ") && line.contains("            Version: ")),
        "{older}"
    );
    assert!(bench.ok("nicl . -statistics").starts_with("checksum: "));
}

#[test]
fn scripts() {
    let bench = Bench::with_node();
    let script = bench.node_file("script", b"create sourced\ncd sourced\npwd\n");
    bench.play(&format!(
        "
$ nicl .
< 
< create users/ana uid 501
< cd /users/ana
< pwd
< read . uid
< create . realname \"Ana Lima\"
< append . realname \"\" say\\ \\\"hi\\\"
< ls ..
< cat
< nosuch
< read /nosuch
< cd /nosuch
< delete .
< pwd
< create
< source {script}
< source /nosuch/file
< load : name child
< ls
< quit
< create /never
/users/ana
uid: 501
4          ana
name: ana
uid: 501
realname: Ana Lima  say \"hi\"
/users
/users/sourced
5          child
! usage: nicl [options] <datasource> [<command>]
! read: Invalid Path
! cd: Invalid Path
! /nosuch/file: No such file or directory
"
    ));
}

#[test]
fn names_of_another_kind() {
    let bench = Bench::with_node();
    bench.ok("nicl . -create /users/ana uid 501");
    bench.play(
        "
$ nicl -x500 . -read name=ANA,name=users uid
uid: 501
$ nicl -x500 . -read DSID=4,name=users uid
uid: 501
$ nicl -x500 . -read /users
! read: Invalid Path
[212]
$ nicl -x500 . -create name=ben,name=users
$ nicl -x500 .
< pwd
< cd name=ana,name=users
< pwd
rootDSE
name=ana,name=users
",
    );
}

#[test]
fn files_that_source_each_other_end() {
    let bench = Bench::with_node();
    let script = bench.node_file("loop", b"echo again\n");
    bench.node_file("loop", format!("echo again\nsource {script}\n").as_bytes());
    let run = bench.run(&["nicl", ".", "-source", &script], b"");
    assert_eq!(run.out, b"again\n".repeat(16));
    let complaint = format!("{script}: files source each other too deeply\n");
    assert_eq!(String::from_utf8(run.err).unwrap(), complaint);
}

#[test]
fn passwords_are_asked_for() {
    let bench = Bench::with_node();
    // Without a terminal the password is the first line of standard input.
    let run = bench.run(&["nicl", "-p", "."], b"secret\npwd\nauth\nother\npwd\n");
    assert_eq!(String::from_utf8(run.out).unwrap(), "/\n/\n");
    assert_eq!(String::from_utf8(run.err).unwrap(), "Password: Password: ");
}
