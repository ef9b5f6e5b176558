//! Proposals are all or nothing, groups keep the order of each writer, and the feed tells everything.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use netinfo_directory::{Change, Committed, Error, GROUP_BYTES, GROUP_JOBS, Property, ROOT, Target};

use crate::support::*;

#[test]
fn a_proposal_is_made_whole_or_not_at_all() {
    let f = Fixture::new("local");
    type Expected = fn(&Error) -> bool;
    let bad: [(Change, Expected); 3] = [
        (create(99, vec![]), |e| matches!(e, Error::NoSuchDirectory)),
        (Change::Write { directory: Target { object: 2, instance: Some(7) }, properties: vec![] }, |e| {
            matches!(e, Error::Stale)
        }),
        (create(ROOT, vec![Property::new(vec![0; 70_000], [""])]), |e| matches!(e, Error::TooLarge { .. })),
    ];
    let good = || {
        vec![
            create(ROOT, vec![p("name", &["a"])]),
            create(3, vec![p("name", &["b"]), p("passwd", &["x"])]),
            Change::CreateProperty { directory: Target::any(4), property: p("k", &["v"]), position: 0 },
            Change::Destroy { parent: Target::any(1), child: Target::any(2) },
        ]
    };
    let before = (picture(&f.domain, &f.root), f.checksum());
    for (change, expected) in bad {
        for at in 0..=4 {
            let mut changes = good();
            changes.insert(at, change.clone());
            // Where the good ones destroyed what the bad one writes, that is missing instead.
            let error = f.domain.write_blocking(&f.root, changes, NOW).unwrap_err();
            assert!(expected(&error) || matches!(error, Error::NoSuchDirectory), "{error:?}");
            assert_eq!((picture(&f.domain, &f.root), f.checksum()), before);
        }
    }
    assert_eq!(feed(&f.domain, 3).unwrap(), []);
    let outcomes = f.domain.write_blocking(&f.root, good(), NOW).unwrap();
    let ids: Vec<_> = outcomes.iter().map(|o| (o.id.object, o.id.instance)).collect();
    assert_eq!(ids, [(0, 4), (3, 1), (4, 1), (1, 2)]);
    assert_eq!(feed(&f.domain, 3).unwrap().len(), 4);
    assert!(f.domain.write_blocking(&f.root, vec![], NOW).unwrap().is_empty());
    assert_clean(&f.domain);
}

/// Within one group, proposals that are refused leave those before and after them alone.
#[test]
fn refusals_in_a_group_hurt_nobody_else() {
    let f = Fixture::new("local");
    let results = in_one_group(
        &f,
        (0..60).map(|n| match n % 3 {
            0 => vec![create(ROOT, vec![p("name", &[&n.to_string()])])],
            1 => vec![create(ROOT, vec![p("lost", &["x"])]), create(99, vec![])],
            _ => vec![create(99, vec![])],
        }),
    );
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), n % 3 == 0, "{n}");
    }
    let names = |key| f.children(ROOT).len() - usize::from(key == "lost");
    assert_eq!(names("name"), 21);
    let view = f.domain.read(&f.root).unwrap();
    assert_eq!(view.lookup(ROOT, b"lost", b"x").unwrap(), []);
    drop(view);
    assert_clean(&f.domain);
}

/// Holds up the writer, between two commits and with an empty queue, until the returned barrier is waited for.
fn hold(f: &Fixture) -> Arc<Barrier> {
    let (arrived, gate) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (here, held) = (arrived.clone(), gate.clone());
    let done = Box::new(move |_| {
        here.wait();
        held.wait();
    });
    // Refused, so that it leaves no trace.
    f.domain.write(&f.root, vec![create(u32::MAX - 9, vec![])], NOW, done);
    arrived.wait();
    gate
}

/// Queues all proposals while the writer is held up, so that they go into one transaction; their results in order.
pub(crate) fn in_one_group(
    f: &Fixture,
    proposals: impl IntoIterator<Item = Vec<Change>>,
) -> Vec<netinfo_directory::Result<Vec<netinfo_directory::Outcome>>> {
    let gate = hold(f);
    let (tx, rx) = mpsc::channel();
    let mut count = 0;
    for (n, changes) in proposals.into_iter().enumerate() {
        let tx = tx.clone();
        f.domain.write(&f.root, changes, NOW, Box::new(move |result| tx.send((n, result)).unwrap()));
        count += 1;
    }
    assert!(count < GROUP_JOBS);
    gate.wait();
    let results: Vec<_> = (0..count).map(|_| rx.recv().unwrap()).collect();
    assert!(results.windows(2).all(|w| w[0].0 < w[1].0), "answers out of order");
    results.into_iter().map(|(_, result)| result).collect()
}

const WRITERS: usize = 8;
const EACH: usize = 150;

fn name_of(committed: &Committed) -> Option<(String, usize)> {
    let Change::Create { properties, .. } = &committed.change else { return None };
    let name = String::from_utf8(properties[0].values[0].clone()).unwrap();
    let (writer, n) = name.split_once('-')?;
    Some((writer.to_owned(), n.parse().unwrap()))
}

#[test]
fn many_writers_keep_their_order_and_the_feed_replays() {
    let f = Fixture::new("local");
    let copy = Fixture::new("local");
    self::copy(&f, &copy);
    let start = f.domain.read(&f.root).unwrap().sequence().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    f.domain.watch(Arc::new(move |sequence| ears.lock().unwrap().push(sequence)));
    let acknowledged = AtomicU64::new(0);

    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (f, acknowledged) = (&f, &acknowledged);
            scope.spawn(move || {
                let (tx, rx) = mpsc::channel();
                for n in 0..EACH {
                    let change = create(ROOT, vec![p("name", &[&format!("w{writer}-{n}")])]);
                    let tx = tx.clone();
                    let done = Box::new(move |result| tx.send((n, result)).unwrap());
                    f.domain.write(&f.root, vec![change], NOW, done);
                    if n % 10 == 9 {
                        let root = Target::any(ROOT);
                        let rename = Change::WriteProperty { directory: root, index: 0, values: vec![] };
                        f.domain.write_blocking(&f.root, vec![rename], NOW).unwrap();
                    }
                }
                drop(tx);
                let answers: Vec<_> = rx.iter().collect();
                assert_eq!(answers.len(), EACH);
                for (n, (answered, result)) in answers.into_iter().enumerate() {
                    assert_eq!(n, answered);
                    acknowledged.fetch_add(result.unwrap().len() as u64, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(acknowledged.into_inner(), (WRITERS * EACH) as u64);

    // Read in uneven pieces, resuming where the last one ended.
    let mut told: Vec<Committed> = Vec::new();
    let mut piece = 1;
    loop {
        let since = told.last().map_or(start, |c| c.sequence);
        let before = told.len();
        f.domain.changes(&f.root, since, piece, |c| told.push(c)).unwrap();
        assert!(told.len() - before <= piece);
        if told.len() == before {
            break;
        }
        piece = piece % 97 + 13;
    }
    let last = f.domain.read(&f.root).unwrap().sequence().unwrap();
    let sequences: Vec<u64> = told.iter().map(|c| c.sequence).collect();
    assert_eq!(sequences, (start + 1..=last).collect::<Vec<_>>());
    assert!(told.iter().all(|c| c.at == NOW && c.by == b"root"));
    let mut next: HashMap<String, usize> = HashMap::new();
    for (writer, n) in told.iter().filter_map(name_of) {
        let expected = next.entry(writer).or_default();
        assert_eq!(*expected, n);
        *expected += 1;
    }
    assert_eq!(next.len(), WRITERS);
    let heard = heard.lock().unwrap();
    assert!(heard.windows(2).all(|w| w[0] < w[1]) && heard.last() == Some(&last));
    assert!(heard.len() < told.len(), "not one commit took several changes");

    for committed in &told {
        let outcome = write(&copy.domain, &copy.root, committed.change.clone()).unwrap();
        assert_eq!(outcome, committed.outcome);
    }
    assert_eq!(picture(&copy.domain, &copy.root), picture(&f.domain, &f.root));
    assert_eq!(copy.checksum(), f.checksum());
    assert_clean(&f.domain);
}

fn copy(from: &Fixture, to: &Fixture) {
    crate::copies::copy(&from.domain, &to.domain);
}

#[test]
fn the_feed_is_cut_and_says_so() {
    let f = Fixture::with("local", |o| o.feed_retention = 10);
    for n in 0..25 {
        f.create(ROOT, vec![p("name", &[&n.to_string()])]);
    }
    let last = f.domain.read(&f.root).unwrap().sequence().unwrap();
    assert_eq!(last, 28);
    for since in [0, 1, last - 11] {
        refused!(feed(&f.domain, since), Error::Stale);
    }
    let told = feed(&f.domain, last - 10).unwrap();
    assert_eq!(told.iter().map(|c| c.sequence).collect::<Vec<_>>(), (last - 9..=last).collect::<Vec<_>>());
    assert_eq!(feed(&f.domain, last).unwrap(), []);
    assert_eq!(feed(&f.domain, u64::MAX).unwrap(), []);
    // Less is kept from the next change on; none at all is one.
    let f = f.reopen(|o| o.feed_retention = 0);
    f.add(ROOT, p("a", &[]));
    refused!(feed(&f.domain, last - 1), Error::Stale);
    assert_eq!(feed(&f.domain, last).unwrap().len(), 1);
    assert_clean(&f.domain);
}

#[test]
fn the_feed_names_who_made_a_change() {
    let f = Fixture::new("local");
    f.user("alice", "501", vec![]);
    let open = f.create(ROOT, vec![p("_writers", &["*"])]);
    let since = f.domain.read(&f.root).unwrap().sequence().unwrap();
    for session in [&f.root, &f.local(501), &f.anonymous()] {
        f.domain.write_blocking(session, vec![create(open, vec![])], NOW + 5).unwrap();
    }
    let told = feed(&f.domain, since).unwrap();
    let by: Vec<_> = told.iter().map(|c| (&c.by[..], c.at)).collect();
    assert_eq!(by, [(&b"root"[..], NOW + 5), (b"alice", NOW + 5), (b"", NOW + 5)]);
    // The instances that were checked are filled in, also where the caller gave none.
    let parents: Vec<_> = told.iter().map(|c| c.change.directory().instance).collect();
    assert_eq!(parents, [Some(0), Some(1), Some(2)]);
}

#[test]
fn a_snapshot_stays_what_it_was() {
    let f = Fixture::new("local");
    let view = f.domain.read(&f.root).unwrap();
    let d = f.create(ROOT, vec![p("name", &["late"])]);
    f.write(Change::Destroy { parent: Target::any(1), child: Target::any(2) }).unwrap();
    assert!(view.record(d).is_err() && view.record(2).is_ok());
    assert_eq!((view.checksum().unwrap(), view.id(0).unwrap().instance), (5, 3));
    assert_eq!(view.children(1).unwrap().count(), 1);
    let now = f.domain.read(&f.root).unwrap();
    assert!(now.record(d).is_ok() && now.record(2).is_err());
}

/// The sizes of the commits that take these changes, queued while the writer is held up.
fn commits(f: &Fixture, changes: impl Iterator<Item = Change>) -> Vec<u64> {
    let start = f.domain.read(&f.root).unwrap().sequence().unwrap();
    let heard = Arc::new(Mutex::new(vec![start]));
    let ears = heard.clone();
    f.domain.watch(Arc::new(move |sequence| ears.lock().unwrap().push(sequence)));
    let gate = hold(f);
    for change in changes {
        f.domain.write(&f.root, vec![change], NOW, Box::new(|result| drop(result.unwrap())));
    }
    gate.wait();
    f.domain.write_blocking(&f.root, vec![], NOW).unwrap();
    let heard = heard.lock().unwrap();
    heard.windows(2).map(|w| w[1] - w[0]).collect()
}

#[test]
fn a_group_has_bounds() {
    let f = Fixture::new("local");
    let total = GROUP_JOBS + 10;
    let sizes = commits(&f, (0..total).map(|_| create(ROOT, vec![])));
    assert_eq!(sizes, [GROUP_JOBS as u64, 10]);

    let f = Fixture::new("local");
    let half = Property::new("pad", vec![vec![0; GROUP_BYTES / 256]; 128]);
    let sizes = commits(&f, (0..9).map(|_| create(ROOT, vec![half.clone()])));
    assert_eq!(sizes, [2, 2, 2, 2, 1]);
}

#[test]
fn readers_have_a_bound() {
    let f = Fixture::new("local");
    let mut views = Vec::new();
    let error = loop {
        match f.domain.read(&f.root) {
            Ok(view) => views.push(view),
            Err(error) => break error,
        }
        assert!(views.len() < 3000);
    };
    assert!(matches!(error, Error::Busy), "{error:?}");
    assert!(views.len() >= 2048, "{}", views.len());
    // Writes need no reader's place.
    f.create(ROOT, vec![]);
    views.pop();
    f.domain.read(&f.root).unwrap();
}

#[test]
fn dropping_a_domain_finishes_its_queue() {
    let f = Fixture::new("local");
    let (tx, rx) = mpsc::channel();
    for n in 0..200 {
        let tx = tx.clone();
        let change = create(ROOT, vec![p("name", &[&n.to_string()])]);
        f.domain.write(&f.root, vec![change], NOW, Box::new(move |r| tx.send(r.is_ok()).unwrap()));
    }
    drop(tx);
    let dir = f.close();
    assert_eq!(rx.iter().filter(|ok| *ok).count(), 200);
    let node = open(dir.path(), options());
    let domain = node.domain("local").unwrap();
    assert_eq!(picture(&domain, &internal(&domain)).len(), 203);
}
