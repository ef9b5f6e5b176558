//! Lists of children and parents that name each other: what disagrees, and how it is set right.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::database::Directory;
use super::finding::{Finding, FindingKind, Findings};
use super::stored::StoredRecord;

/// How a directory hangs in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Links {
    pub(crate) parent: u32,
    pub(crate) children: Vec<u32>,
}

/// All directories by id.
pub(crate) type Tree = BTreeMap<u32, Links>;

/// The links of records.
pub(crate) fn links(records: &BTreeMap<u32, StoredRecord>) -> Tree {
    let links = |record: &StoredRecord| Links { parent: record.parent, children: record.children.clone() };
    records.iter().map(|(id, record)| (*id, links(record))).collect()
}

/// The links of directories.
pub(crate) fn of(directories: &BTreeMap<u32, Directory>) -> Tree {
    let links =
        |directory: &Directory| Links { parent: directory.parent, children: directory.children.clone() };
    directories.iter().map(|(id, directory)| (*id, links(directory))).collect()
}

/// The directories that can be reached from the root: parents before their children, in order, each once.
pub(crate) fn preorder<'a>(children: impl Fn(u32) -> Option<&'a [u32]>) -> Vec<u32> {
    let (mut order, mut seen) = (Vec::new(), HashSet::new());
    let mut stack = vec![0];
    while let Some(id) = stack.pop() {
        let Some(below) = children(id) else { continue };
        if seen.insert(id) {
            order.push(id);
            stack.extend(below.iter().rev().filter(|child| !seen.contains(*child)));
        }
    }
    order
}

/// Sets right whatever disagrees, as the historical engine does after a crash: a child belongs to the parent that it
/// names, if that exists; else to the one that lists it; else to the root. What is in a ring goes to the root too.
///
/// A tree without a root is left alone. Nothing that is there is lost.
pub(crate) fn mend(tree: &mut Tree) -> Findings {
    let mut findings = Findings::default();
    let Some(root) = tree.get_mut(&0) else {
        findings.push(Finding::new(FindingKind::NoRoot, "there is no directory 0"));
        return findings;
    };
    if root.parent != 0 {
        findings.push(Finding::new(FindingKind::RootParent, format!("its parent is {}", root.parent)).of(0));
        root.parent = 0;
    }
    let ids: Vec<u32> = tree.keys().copied().collect();
    for id in &ids {
        mend_list(tree, *id, &mut findings);
    }
    adopt_unlisted(tree, &ids, &mut findings);
    open_loops(tree, &ids, &mut findings);
    findings
}

/// Leaves in the list of a directory only children that name it, after those whose parent does not exist were made
/// to.
fn mend_list(tree: &mut Tree, id: u32, findings: &mut Findings) {
    let Some(links) = tree.get_mut(&id) else { return };
    let parent = links.parent;
    let listed = std::mem::take(&mut links.children);
    let mut kept = Vec::with_capacity(listed.len());
    let mut seen = HashSet::new();
    for child in listed {
        let mut note =
            |kind, detail: &str| findings.push(Finding::new(kind, format!("child {child} {detail}")).of(id));
        if child == 0 || child == id {
            note(FindingKind::BadChild, "cannot be in its list");
        } else if !seen.insert(child) {
            note(FindingKind::BadChild, "is in its list twice");
        } else {
            match tree.get(&child).map(|links| links.parent) {
                None => note(FindingKind::MissingChild, "does not exist"),
                Some(named) if named == id => kept.push(child),
                Some(_) if child == parent => note(FindingKind::BadChild, "is its parent too"),
                Some(named) if named != child && tree.contains_key(&named) => {
                    note(FindingKind::ForeignChild, &format!("belongs to {named}"));
                }
                Some(named) => {
                    note(
                        FindingKind::MissingParent,
                        &format!("names {named} as its parent, which cannot be"),
                    );
                    if let Some(links) = tree.get_mut(&child) {
                        links.parent = id;
                    }
                    kept.push(child);
                }
            }
        }
    }
    if let Some(links) = tree.get_mut(&id) {
        links.children = kept;
    }
}

/// Puts directories that no list has into the list of their parent, or into that of the root.
fn adopt_unlisted(tree: &mut Tree, ids: &[u32], findings: &mut Findings) {
    let listed: HashSet<u32> = tree.values().flat_map(|links| links.children.iter().copied()).collect();
    for id in ids {
        if *id == 0 || listed.contains(id) {
            continue;
        }
        let Some(parent) = tree.get(id).map(|links| links.parent) else { continue };
        let home = if parent != *id && tree.contains_key(&parent) {
            findings.push(
                Finding::new(FindingKind::Unlisted, format!("parent {parent} does not list it")).of(*id),
            );
            parent
        } else {
            findings.push(
                Finding::new(
                    FindingKind::MissingParent,
                    format!("no list has it, and parent {parent} cannot be"),
                )
                .of(*id),
            );
            0
        };
        hang(tree, *id, home);
    }
}

/// Takes directories that are their own ancestors to the root. By now every directory is in the list of its parent.
fn open_loops(tree: &mut Tree, ids: &[u32], findings: &mut Findings) {
    let mut safe: HashSet<u32> = HashSet::from([0]);
    for id in ids {
        let mut path = BTreeSet::new();
        let mut at = *id;
        while !safe.contains(&at) && path.insert(at) {
            at = tree.get(&at).map_or(0, |links| links.parent);
        }
        if !safe.contains(&at) {
            // The way up from `at` comes back to `at`.
            findings.push(Finding::new(FindingKind::Loop, "it is below itself").of(at));
            let parent = tree.get(&at).map_or(0, |links| links.parent);
            if let Some(links) = tree.get_mut(&parent) {
                links.children.retain(|child| *child != at);
            }
            hang(tree, at, 0);
        }
        safe.extend(path);
    }
}

fn hang(tree: &mut Tree, id: u32, parent: u32) {
    if let Some(links) = tree.get_mut(&id) {
        links.parent = parent;
    }
    if let Some(links) = tree.get_mut(&parent) {
        links.children.push(id);
    }
}

/// Takes over mended links into records. The ids of those that changed.
pub(crate) fn apply(tree: Tree, records: &mut BTreeMap<u32, StoredRecord>) -> Vec<u32> {
    let mut changed = Vec::new();
    for (id, links) in tree {
        let Some(record) = records.get_mut(&id) else { continue };
        if record.parent != links.parent || record.children != links.children {
            (record.parent, record.children) = (links.parent, links.children);
            changed.push(id);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    /// Directories as (id, parent, children).
    fn tree<const N: usize>(directories: [(u32, u32, &[u32]); N]) -> Tree {
        directories
            .into_iter()
            .map(|(id, parent, children)| (id, Links { parent, children: children.to_vec() }))
            .collect()
    }

    fn mended(mut before: Tree, after: &Tree) -> Vec<(FindingKind, u32)> {
        let findings = mend(&mut before).into_vec();
        assert_eq!(before, *after);
        findings.iter().map(|finding| (finding.kind, finding.id.unwrap())).collect()
    }

    #[test]
    fn a_sound_tree_is_left_alone() {
        let sound = tree([(0, 0, &[1, 3]), (1, 0, &[2]), (2, 1, &[]), (3, 0, &[])]);
        assert_eq!(mended(sound.clone(), &sound), []);
    }

    #[test]
    fn lists_follow_the_children() {
        let after = tree([(0, 0, &[1, 2]), (1, 0, &[]), (2, 0, &[])]);
        let before = tree([(0, 7, &[1, 1, 0, 9]), (1, 0, &[2]), (2, 0, &[])]);
        use FindingKind::{BadChild, ForeignChild, MissingChild, RootParent, Unlisted};
        assert_eq!(
            mended(before, &after),
            [
                (RootParent, 0),
                (BadChild, 0),
                (BadChild, 0),
                (MissingChild, 0),
                (ForeignChild, 1),
                (Unlisted, 2)
            ]
        );
    }

    #[test]
    fn children_of_nobody_are_adopted() {
        let after = tree([(0, 0, &[1, 5]), (1, 0, &[2]), (2, 1, &[]), (5, 0, &[])]);
        let before = tree([(0, 0, &[1]), (1, 0, &[2]), (2, 77, &[]), (5, 5, &[])]);
        use FindingKind::MissingParent;
        assert_eq!(mended(before, &after), [(MissingParent, 1), (MissingParent, 5)]);
    }

    #[test]
    fn rings_are_opened() {
        let before = tree([(0, 0, &[]), (1, 2, &[2]), (2, 1, &[1, 3]), (3, 2, &[])]);
        let after = tree([(0, 0, &[1]), (1, 0, &[2]), (2, 1, &[3]), (3, 2, &[])]);
        assert_eq!(mended(before, &after), [(FindingKind::Loop, 1)]);
    }

    #[test]
    fn without_a_root_nothing_is_done() {
        let mut none = tree([(3, 9, &[3])]);
        assert_eq!(mend(&mut none).into_vec().len(), 1);
        assert_eq!(none, tree([(3, 9, &[3])]));
    }

    proptest! {
        #[test]
        fn any_links_become_a_tree_of_all(mut tree in btree_map(
            0..12_u32,
            (0..14_u32, vec(0..14_u32, 0..6)).prop_map(|(parent, children)| Links { parent, children }),
            0..12,
        )) {
            tree.entry(0).or_default();
            mend(&mut tree);
            let order = preorder(|id| tree.get(&id).map(|links| links.children.as_slice()));
            prop_assert_eq!(order.len(), tree.len());
            let again = tree.clone();
            prop_assert_eq!(mend(&mut tree).into_vec(), []);
            prop_assert_eq!(tree, again);
        }
    }
}
