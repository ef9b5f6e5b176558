//! The queries of the look-up daemon.

use crate::bench::Bench;

fn bench() -> Bench {
    let bench = Bench::with_node();
    for line in [
        "niutil -create . /users",
        "niutil -create . /users/jane",
        "niutil -createprop . /users/jane uid 501",
        "niutil -createprop . /users/jane passwd secret",
        "niutil -create .. /users",
        "niutil -create .. /users/bob",
        "niutil -createprop .. /users/bob uid 501",
        "niutil -createprop .. /users/bob realname 'Bob B'",
        "niutil -create .. /printers",
        "niutil -create .. /printers/lp",
        "niutil -createprop .. /printers/lp sh",
    ] {
        bench.ok(line);
    }
    bench
}

#[track_caller]
fn told(bench: &Bench, words: &[&str]) -> String {
    let run = bench.run(words, b"");
    assert_eq!(run.code, 0, "{run:?}");
    String::from_utf8([run.out, run.err].concat()).unwrap()
}

#[test]
fn records_of_all_domains() {
    let bench = bench();
    let jane = "\nname: jane\npasswd: ********\nuid: 501\n";
    let bob = "\nname: bob\nrealname: Bob B\nuid: 501\n";
    assert_eq!(told(&bench, &["lookupd", "-q", "user"]), format!("{jane}{bob}\n"));
    assert_eq!(told(&bench, &["lookupd", "-q", "user", "-a", "uid", "501"]), format!("{jane}{bob}\n"));
    assert_eq!(
        told(&bench, &["lookupd", "-q", "user", "-a", "uid", "501", "-a", "realname"]),
        format!("{bob}\n")
    );
    assert_eq!(told(&bench, &["lookupd", "-f", "user", "uid", "501"]), format!("{jane}\n"));
    assert_eq!(told(&bench, &["lookupd", "-f", "user", "name", "Bob B"]), format!("{bob}\n"));
    assert_eq!(told(&bench, &["lookupd", "-q", "printer"]), "\nname: lp\nsh:\n\n");
}

#[test]
fn what_is_not_there() {
    let bench = bench();
    assert_eq!(told(&bench, &["lookupd", "-q", "user", "-a", "name", "x"]), "query failed!\n");
    assert_eq!(
        told(&bench, &["lookupd", "-q", "elephant", "-a", "name", "x"]),
        "invalid category elephant\n"
    );
    assert_eq!(told(&bench, &["lookupd", "-q", "elephant"]), "invalid category elephant\n");
    assert_eq!(told(&bench, &["lookupd", "-f", "elephant", "name", "x"]), "invalid category elephant\n");
    assert_eq!(told(&bench, &["lookupd", "-q", "ethernet"]), "lookup failed!\n");
    let before = "no leading -a option\nusage: lookupd -q category";
    assert!(told(&bench, &["lookupd", "-q", "user", "name", "x"]).starts_with(before));
    assert!(told(&bench, &["lookupd", "-statistics"]).contains("netinfo status"));
    assert_eq!(told(&bench, &["lookupd", "-f", "user", "name", "x"]), "lookup failed!\n");
    assert_eq!(told(&Bench::alone(), &["lookupd", "-q", "user"]), "lookup failed!\n");
}
