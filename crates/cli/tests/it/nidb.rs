//! Database folders of historical servers on the command line, without a server.

use netinfo_testkit::nidb::unpack;

use crate::tool::Tool;

fn tool() -> Tool {
    Tool::with([])
}

#[test]
fn a_folder_is_shown() {
    let (_directory, folder) = unpack("nidb/site");
    let dir = folder.display();
    let shown = tool().ok(&format!("nidb show {dir}"));
    assert_eq!(
        shown,
        "layout: Mac OS X 10.0 to 10.5 (Store files)\ndirectories: 126\nhighest id: 125\nchecksum: 2876\n"
    );
    let summary = tool().json(&format!("nidb show {dir}"));
    assert_eq!((&summary["layout"], &summary["findings"]), (&"modern".into(), &0.into()));
    assert_eq!(
        tool().ok(&format!("nidb show {dir} /")),
        "master: alpha/site\ntrusted_networks: 10\n                  127\n"
    );
    let root = tool().json(&format!("nidb show {dir} #0"));
    assert_eq!((&root["instance"], &root["children"][0]), (&11.into(), &1.into()));
    let tree = tool().ok(&format!("nidb tree {dir}"));
    assert!(tree.starts_with("/  #0\n  machines  #1\n    alpha  #2\n"), "{tree}");
    assert_eq!(tree.lines().count(), 126);
    let machines = tool().json(&format!("nidb tree {dir} /machines"));
    assert_eq!((&machines[1]["name"], &machines[1]["depth"]), (&"alpha".into(), &1.into()));
    assert!(tool().fails(3, &format!("nidb show {dir} /none")).contains("no directory /none"));
    assert!(tool().fails(1, "nidb show /").contains("Invalid Datastore"));
    assert!(tool().fails(3, "nidb check /does/not/exist").contains("cannot check /does/not/exist"));
}

#[test]
fn properties_are_changed_in_both_layouts() {
    for (fixture, path) in [("nidb/site", "/machines/alpha"), ("nidb/oldfmt-before-upgrade", "/")] {
        let (_directory, folder) = unpack(fixture);
        let dir = folder.display();
        let instance =
            |tool: Tool| tool.json(&format!("nidb show {dir} {path}"))["instance"].as_u64().unwrap();
        let before = instance(tool());
        assert_eq!(tool().ok(&format!("nidb set {dir} {path} note one -two")), "");
        let shown = tool().ok(&format!("nidb show {dir} {path}"));
        assert!(shown.ends_with("note: one\n      -two\n"), "{shown}");
        assert_eq!(instance(tool()), before + 1);
        tool().ok(&format!("nidb unset {dir} {path} note"));
        assert!(!tool().ok(&format!("nidb show {dir} {path}")).contains("note"));
        assert!(tool().fails(3, &format!("nidb unset {dir} {path} note")).contains("has no property note"));
        let sound = tool().ok(&format!("nidb check {dir}"));
        assert!(sound.ends_with(" directories, sound\n"), "{sound}");
    }
}

#[test]
fn damage_is_found_and_repaired() {
    let (_directory, folder) = unpack("nidb/crash-orphan");
    let dir = folder.display();
    let found = tool().run(&format!("nidb check {dir}"));
    assert_eq!(found.code, 1);
    assert_eq!(
        found.out,
        format!(
            "directory 3: child 9 does not exist (missing-child)\n\
             {dir}: 13 directories, 1 fault; repair it with: netinfo nidb repair\n"
        )
    );
    let found = tool().run(&format!("--json nidb check {dir}"));
    let report: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!((found.code, &report["sound"]), (1, &false.into()));
    assert_eq!(
        (&report["findings"][0]["kind"], &report["findings"][0]["id"]),
        (&"missing-child".into(), &3.into())
    );
    let repaired = tool().ok(&format!("nidb repair {dir}"));
    assert!(repaired.contains("directory 3: parent and children were set right\n"), "{repaired}");
    assert!(
        repaired.contains(&format!("the folder as it was is kept as {dir}.before-repair\n")),
        "{repaired}"
    );
    assert!(repaired.ends_with("13 directories, sound\n"), "{repaired}");
    assert_eq!(tool().ok(&format!("nidb repair {dir}")), format!("{dir}: 13 directories, sound\n"));
    let again = tool().json(&format!("nidb repair {dir}"));
    assert_eq!((&again["kept"], &again["after"]["sound"]), (&serde_json::Value::Null, &true.into()));
}
