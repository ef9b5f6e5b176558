//! `nicl -raw` on database folders of historical servers, and on data directories of this project.

use std::path::Path;
use std::process::Command;

use netinfo_testkit::data;
use tempfile::TempDir;

use crate::bench::Bench;

/// A folder of a fixture, in a directory of its own.
fn folder(name: &str) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let archive = data(format!("nidb/{name}.nidb.tar.gz"));
    let status = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(dir.path()).status().unwrap();
    assert!(status.success());
    let found = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let path = found.to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn folders_of_servers() {
    let (_dir, site) = folder("site");
    Bench::alone().play(&format!(
        "
$ nicl -raw -ro {site} -list /
1          machines
3          users
56         groups
110        services
116        networks
119        aliases
122        mounts
124        printers
$ nicl -raw {site} -read /users/root uid
uid: 0
$ nicl -raw {site} -create /users/root uid 7
$ nicl -raw {site} -read /users/root uid
uid: 7
$ nicl -raw -ro {site} -create /users/root uid 8
! Write Failed
[236]
$ nicl -raw {site} -domainname
! Can't get domain name in raw mode
[15]
"
    ));
}

#[test]
fn folders_from_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.nidb").to_str().unwrap().to_owned();
    Bench::alone().play(&format!(
        "
$ nicl -raw {path} -read /
! open({path}): Invalid Datastore
[233]
$ nicl -raw {path} -create
$ nicl -raw {path} -read /
$ nicl -raw {path} -create /users/ana uid 501
$ nicl -raw {path} -create /users/ana gid 20
$ nicl -raw {path} -create /users/ana uid 502
$ nicl -raw {path} -append /users/ana gid 21
$ nicl -raw {path} -create /groups/admin
$ nicl -raw {path} -read /users/ana
name: ana
gid: 20 21
uid: 502
$ nicl -raw {path} -list /
1          users
3          groups
$ nicl -raw {path} -move /users/ana /groups
$ nicl -raw {path} -list /groups
4          admin
2          ana
$ nicl -raw {path} -copy /groups/ana /users
$ nicl -raw {path} -list /users
5          ana
$ nicl -raw {path} -delete /groups
$ nicl -raw {path} -delete /users/ana gid 21
$ nicl -raw {path} -rename /users/ana gid number
$ nicl -raw {path} -search / 0 -1 number 20
Search found 1 match

name: ana
number: 20
uid: 502
$ nicl -raw {path} -detach /users 5
$ nicl -raw {path} -list /users
$ nicl -raw {path} -attach /users 5
$ nicl -raw {path} -list /users
5          ana
$ nicl -raw {path} -move / /users
! Move failed: Invalid Record ID
[211]
"
    ));
    let statistics = Bench::alone().ok(&format!("nicl -raw {path} -statistics"));
    let keys: Vec<&str> = statistics.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(keys, ["checksum", "version", "max_dsid", "fetch_count", "save_count", "remove_count"]);
    let other = dir.path().join("other.nidb").to_str().unwrap().to_owned();
    assert_eq!(Bench::alone().ok(&format!("nicl -raw -c {other} -create /x")), "");
    assert!(Path::new(&other).join("Config").is_file());
}

#[test]
fn folders_that_cannot_be_opened() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().to_str().unwrap();
    let (_dir, duplicate) = folder("crash-duplicate");
    Bench::alone().play(&format!(
        "
$ nicl -raw {empty} -read /
! open({empty}): Invalid Datastore
[233]
$ nicl -raw {duplicate} -read /
! open({duplicate}): Duplicate Record in Datastore
[238]
$ nicl -raw /nonexistent/dir/x.nidb -create
! create(/nonexistent/dir/x.nidb): Write Failed
[236]
"
    ));
}

#[test]
fn data_directories() {
    let mut bench = Bench::with_node();
    bench.ok("nicl . -create /users/ana uid 501");
    let path = bench.node().data().join("local.domain").to_str().unwrap().to_owned();
    let run = bench.run(&["nicl", "-raw", &path, "-read", "/"], b"");
    assert_eq!(run.code, 240, "{}", String::from_utf8_lossy(&run.err));
    bench.node().terminate();
    bench.play(&format!(
        "
$ nicl -raw {path} -read /users/ana
name: ana
uid: 501
$ nicl -raw {path} -create /users/ana gid 20
$ nicl -raw {path} -create /users/ana _writers ana
$ nicl -raw {path} -create /users/ben uid 502
$ nicl -raw {path} -rename /users/ana gid number
$ nicl -raw {path} -copy /users /machines
$ nicl -raw {path} -move /users/ana /
$ nicl -raw {path} -list /machines/users
7          ana
8          ben
$ nicl -raw {path} -delete /machines
$ nicl -raw {path} -list /
3          users
4          ana
$ nicl -raw -ro {path} -delete /ana
! Delete: Write Failed
[236]
$ nicl -raw {path} -read 99
! Fetch record 99 failed: Invalid Path
[212]
"
    ));
    bench.node().launch();
    assert_eq!(bench.ok("niutil -read . /ana"), "name: ana\nuid: 501\nnumber: 20\n_writers: ana\n");
}
