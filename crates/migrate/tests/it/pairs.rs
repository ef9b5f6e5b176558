//! Every format into every other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use netinfo_migrate::convert::{To, convert};
use netinfo_migrate::diff::{Difference, Scope, diff};
use netinfo_migrate::gather::gather;
use netinfo_migrate::source::{Format, parts};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data").join(name)
}

fn to_file(from: &Path, format: Format, to: &Path) {
    let source = parts(None, from).unwrap();
    let mut out = fs::File::create(to).unwrap();
    convert(&source, format, To::Stream(&mut out), &mut |_, _, _| {}).unwrap();
}

fn differences(first: &Path, second: &Path, entries: bool) -> Vec<Difference> {
    let gathered =
        |path: &Path| gather(&parts(None, path).unwrap(), Vec::new(), &mut |_, _, _| {}).unwrap().0;
    let (first, second) = (gathered(first), gathered(second));
    let mut found = Vec::new();
    diff(first.domain(), second.domain(), &Scope { containers: None, entries }, &mut |d| found.push(d))
        .unwrap();
    found
}

/// One source of each kind: an administrative file, entries, text of a tree, a folder.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let folder = data("nidb/site.nidb.tar.gz");
    assert!(Command::new("tar").arg("xzf").arg(folder).arg("-C").arg(dir).status().unwrap().success());
    let raw = dir.join("site.raw");
    to_file(&dir.join("site.nidb"), Format::Raw, &raw);
    vec![
        data("flat/group"),
        data("flat/hosts"),
        data("flat/auto.home"),
        data("ldif/org.ldif"),
        raw,
        dir.join("site.nidb"),
    ]
}

#[test]
fn every_format_becomes_every_other() {
    let dir = tempfile::tempdir().unwrap();
    for source in sources(dir.path()) {
        for name in Format::names() {
            let format = Format::named(name).unwrap();
            let what = format!("{} to {name}", source.display());
            let parts = parts(None, &source).unwrap_or_else(|e| panic!("{what}: {e}"));
            if format.is_folder() {
                let folder = dir.path().join(format!("{}.{name}", source.file_name().unwrap().display()));
                if folder != source && !folder.exists() {
                    convert(&parts, format, To::Folder(&folder), &mut |_, _, _| {})
                        .unwrap_or_else(|e| panic!("{what}: {e}"));
                }
                continue;
            }
            let mut out = Vec::new();
            let done = convert(&parts, format, To::Stream(&mut out), &mut |_, _, _| {});
            done.unwrap_or_else(|e| panic!("{what}: {e}"));
            if out.is_empty() {
                continue;
            }
            // What was written is read again without a problem.
            let file = dir.path().join("out");
            fs::write(&file, &out).unwrap();
            let again = netinfo_migrate::source::parts(Some(format), &file).unwrap();
            if format == Format::Sudoers {
                // What sudo reads is written only, and that is said.
                let refused = gather(&again, Vec::new(), &mut |_, _, _| {}).map(|_| ()).unwrap_err();
                assert!(refused.to_string().contains("cvtsudoers"), "{what}: {refused}");
                continue;
            }
            let (_, report) =
                gather(&again, Vec::new(), &mut |_, _, _| {}).unwrap_or_else(|e| panic!("{what}: {e}"));
            let failed = report.counts().of(netinfo_migrate::report::Outcome::Failed);
            assert_eq!(failed, 0, "{what}: {:?}", report.files[0].done.notes);
        }
    }
}

#[test]
fn whole_domains_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    for source in sources(dir.path()) {
        let entries = source.extension().is_some_and(|ending| ending == "ldif");
        for format in [Format::Raw, Format::Jsonl, Format::Json5, Format::Ldif] {
            if format == Format::Ldif && !entries {
                continue;
            }
            let out = dir.path().join(format!("again.{}", format.name()));
            to_file(&source, format, &out);
            let mut found = differences(&source, &out, entries);
            // His password is in the clear, and hashed with another salt each time.
            found.retain(|found| !matches!(found, Difference::Other(name, _) if name == "/people/rupert"));
            assert_eq!(found, [], "{} by {}", source.display(), format.name());
        }
    }
}

#[test]
fn ids_stay_from_folder_to_text_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let _ = sources(dir.path());
    let (first, second) = (dir.path().join("a.jsonl"), dir.path().join("b.jsonl"));
    to_file(&dir.path().join("site.nidb"), Format::Jsonl, &first);
    let json5 = dir.path().join("a.json5");
    to_file(&first, Format::Json5, &json5);
    to_file(&json5, Format::Jsonl, &second);
    assert_eq!(fs::read_to_string(&first).unwrap(), fs::read_to_string(&second).unwrap());
}
