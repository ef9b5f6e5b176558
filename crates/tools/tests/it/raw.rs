//! The raw format in and out.

use crate::bench::Bench;

const TREE: &[u8] = br#"{
  "name" = ( "lookupd" );
  "empty" = ( );
  "note" = ( "say \"hi\"", "back\slash", "" );
  CHILDREN = (
    {
      "name" = ( "users" );
      CHILDREN = (
        {
          "uid" = ( "5" );
        },
        {
        }
      )
    },
    {
      "name" = ( "hosts" );
    }
  )
}
"#;

#[test]
fn trees_come_back_as_they_were() {
    let bench = Bench::with_node();
    bench.ok_with("niload -r /lookupd .", TREE);
    assert_eq!(bench.ok("nidump -r /lookupd ."), String::from_utf8(TREE.to_vec()).unwrap());
    // Once more: what is there is replaced.
    bench.ok_with("niload -r /lookupd .", TREE);
    assert_eq!(bench.ok("nidump -r lookupd ."), String::from_utf8(TREE.to_vec()).unwrap());
    assert_eq!(bench.ok("nidump -r /nosuch ."), "");
    // The missing way to a directory is made where it belongs.
    bench.ok_with("niload -r /lookupd/hosts/deep/down .", b"name = down; k = v;");
    assert_eq!(bench.ok("niutil -read . /lookupd/hosts/deep/down"), "name: down\nk: v\n");
}

#[test]
fn hand_written() {
    let bench = Bench::with_node();
    let text =
        b"name = lookupd;\nLookupOrder = (CacheAgent, NIAgent);\nCHILDREN = ({\n    name = users;\n    \
        ValidateCache = NO;\n}, {\n    name = hosts;\n});\n";
    bench.ok_with("niload -r /lookupd .", text);
    assert_eq!(bench.ok("niutil -read . /lookupd"), "name: lookupd\nLookupOrder: CacheAgent NIAgent\n");
    assert_eq!(bench.ok("niutil -readprop . /lookupd/users ValidateCache"), "NO\n");
    assert_eq!(bench.ok("nireport . /lookupd name"), "users\t\nhosts\t\n");
}

#[test]
fn what_is_wrong_changes_nothing() {
    let bench = Bench::with_node();
    bench.ok_with("niload -r /kept .", b"{ name = kept; k = v; CHILDREN = ({ name = child; }) }");
    bench.play(
        r#"
$ niload -r /kept .
! niload: the input is empty: nothing was changed
[1]
$ niload -r kept .
< { name = x; }
! Raw load requires an absolute directory pathname, found kept
$ niload -r /kept .
< garbage
! Expecting equal "=" at line 1
$ niload -r /made .
< { "name" = ( "bad" 
! Unexpected token "-nil-" at line 1
$ nidump -r /made .
{
  "name" = ( "made" );
}
$ nidump -r /kept .
{
  "name" = ( "kept" );
  "k" = ( "v" );
  CHILDREN = (
    {
      "name" = ( "child" );
    }
  )
}
"#,
    );
    // An error inside of a child, or an end in the middle of the children.
    for text in [
        &b"{ name = kept; CHILDREN = ({ name child; }, { name = b; }) }"[..],
        b"{ name = x; CHILDREN = ({ name = y; }",
    ] {
        let run = bench.run(&["niload", "-r", "/kept", "."], text);
        assert_eq!(run.code, 1, "{}", String::from_utf8_lossy(&run.err));
        assert!(!run.err.is_empty());
        assert_eq!(bench.ok("niutil -read . /kept"), "name: kept\nk: v\n");
        assert_eq!(bench.ok("nireport . /kept name"), "child\t\n");
    }
}
