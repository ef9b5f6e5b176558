//! The table of local look-ups, kept current (docs/table-format.md).
//!
//! A commit in a domain that look-ups look in takes the table out of use at once, on the thread that commits and before
//! whoever asked for the change is told: nobody who has made a change is answered from before it. A thread of its own then
//! finds out whether the change matters to the table; if so, it waits until there is quiet, makes a new table and puts it in
//! the place of the old one, unless there was another change meanwhile.
//!
//! [`content`] makes the table.

mod content;

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_directory::{Change, Committed, Domain, ROOT, View};
use netinfo_table::{Publisher, Switch};

use crate::config::value::TableChoice;
use crate::listen::RUN_DIR;
use crate::lookups;
use crate::node::Running;
use crate::privileges::Account;

/// How long nothing must have changed before a table is made.
const QUIET: Duration = Duration::from_millis(50);
/// A thread that makes tables rests this many times as long as the last one took: it is not to take more than its share.
const REST: u32 = 4;
/// More changes than this at once are not looked at one by one.
const LOOKED_AT: usize = 1000;
/// Directories below the root whose content is in the table.
const TABLES: [&[u8]; 3] = [b"users", b"groups", b"services"];

/// What the domains tell the thread that makes tables.
pub(crate) struct Feed {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// Grows with everything that might matter.
    changes: u64,
    /// Tags of the domains that the present table is made of; empty: any may matter.
    tags: Vec<String>,
    /// That of the present table.
    switch: Option<Switch>,
    live: bool,
}

impl Feed {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { changes: 1, ..State::default() }), news: Condvar::new() })
    }

    /// Hears of every commit in a domain from now on.
    pub(crate) fn watch(self: &Arc<Self>, domain: &Domain) {
        let (feed, tag) = (self.clone(), domain.tag().to_owned());
        domain.watch(Arc::new(move |_| feed.changed(Some(&tag))));
    }

    /// Something has changed: in the domain `tag`, or in what is served at all.
    pub(crate) fn changed(&self, tag: Option<&str>) {
        let mut state = self.lock();
        if tag.is_some_and(|tag| !state.tags.is_empty() && !state.tags.iter().any(|known| known == tag)) {
            return;
        }
        state.changes += 1;
        state.retire();
        self.news.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are other changes than `known`. Looks up from time to time whether anybody needs it still.
    fn wait(&self, known: u64) -> u64 {
        let state = self.lock();
        let waited = self.news.wait_timeout_while(state, Duration::from_secs(1), |s| s.changes == known);
        waited.unwrap_or_else(PoisonError::into_inner).0.changes
    }
}

impl State {
    fn retire(&mut self) {
        if !std::mem::take(&mut self.live) {
            return;
        }
        if let Some(Err(error)) = self.switch.as_ref().map(Switch::retire) {
            tracing::error!(%error, "the table of look-ups could not be taken out of use");
        }
    }

    fn activate(&mut self) {
        match self.switch.as_ref().map(Switch::activate) {
            Some(Ok(())) => self.live = true,
            Some(Err(error)) => tracing::warn!(%error, "the table of look-ups could not be put into use"),
            None => {}
        }
    }
}

/// Where the table is to be: what `choice` says; by default beside the socket of look-ups, where the modules of this machine
/// look for both.
fn path(choice: &TableChoice, socket: Option<&Path>) -> Option<PathBuf> {
    match choice {
        TableChoice::Off => None,
        TableChoice::At(path) => Some(path.clone()),
        TableChoice::Default => {
            let beside = socket.and_then(Path::parent) == Some(Path::new(RUN_DIR));
            beside.then(|| netinfo_table::PATH.into())
        }
    }
}

/// Takes over the table while there is privilege, for a daemon that goes on as `account`. A daemon that cannot have one does
/// without: look-ups are slower then.
pub(crate) fn open(
    choice: &TableChoice,
    socket: Option<&Path>,
    account: Option<&Account>,
) -> Option<Publisher> {
    let path = path(choice, socket)?;
    match take_over(&path, account) {
        Ok(publisher) => Some(publisher),
        Err(error) => {
            tracing::warn!("no table of look-ups at {}: {error}", path.display());
            None
        }
    }
}

fn take_over(path: &Path, account: Option<&Account>) -> io::Result<Publisher> {
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    if !folder.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    let publisher = Publisher::new(path)?;
    // The daemon's own directory. Any other is to be prepared by whoever names it.
    if let Some(account) = account.filter(|_| folder == Path::new(RUN_DIR)) {
        chown(folder, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
    }
    Ok(publisher)
}

/// Keeps the table current, on a thread of its own, for as long as the node is there.
///
/// # Errors
/// When there is no thread to be had.
pub(crate) fn keep_current(node: &Arc<Running>, publisher: Publisher) -> io::Result<()> {
    let keeper = Keeper { node: Arc::downgrade(node), publisher, made: None, elsewhere: false, rest: QUIET };
    thread::Builder::new().name("table".into()).spawn(move || keeper.run()).map(drop)
}

struct Keeper {
    node: Weak<Running>,
    publisher: Publisher,
    /// What the present table was made of: domains and the sequence numbers of their last changes.
    made: Option<Vec<(String, u64)>>,
    /// Whether there were domains on other machines.
    elsewhere: bool,
    rest: Duration,
}

impl Keeper {
    fn run(mut self) {
        let mut known = 0;
        loop {
            let Some(node) = self.node.upgrade().filter(|node| !node.is_stopping()) else { return };
            let feed = node.table.clone();
            if feed.lock().changes == known {
                // Not to keep the node while waiting.
                drop(node);
                feed.wait(known);
                continue;
            }
            known = self.follow(&node, &feed);
        }
    }

    /// Does what is to be done about the changes so far, and returns how many that were.
    fn follow(&mut self, node: &Running, feed: &Feed) -> u64 {
        let mut seen = feed.lock().changes;
        if self.matters_not(node) {
            let mut state = feed.lock();
            if state.changes == seen {
                state.activate();
            }
            return seen;
        }
        loop {
            thread::sleep(self.rest);
            let now = feed.lock().changes;
            if now == seen {
                break;
            }
            seen = now;
        }
        if let Err(error) = self.make(node, feed, seen) {
            tracing::warn!("no table of look-ups at {}: {error}", self.publisher.path().display());
            self.made = None;
        }
        seen
    }

    /// Makes a table and puts it into use, unless there are other changes than `seen` by then.
    fn make(
        &mut self,
        node: &Running,
        feed: &Feed,
        seen: u64,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let begin = Instant::now();
        // Numbers first: a change that comes in between is looked at once more.
        let made = sources(node)?;
        let elsewhere = is_elsewhere_too(node);
        let content::Content { image, entries } = content::make(node, elsewhere)?;
        self.publisher.replace(&image)?;
        let switch = self.publisher.switch()?;
        let took = begin.elapsed();
        self.rest = (took * REST).max(QUIET);
        let mut state = feed.lock();
        state.live = false;
        state.switch = switch;
        // From now on only these matter. What others did before is counted.
        state.tags = made.iter().map(|(tag, _)| tag.clone()).collect();
        (self.made, self.elsewhere) = (Some(made), elsewhere);
        if state.changes == seen {
            state.activate();
        }
        tracing::debug!(entries, bytes = image.len(), ?took, "table of look-ups made");
        Ok(())
    }

    /// Whether the table would be the same if it were made once more. Brings `made` up to date if so.
    fn matters_not(&mut self, node: &Running) -> bool {
        let Some(made) = &self.made else { return false };
        if self.elsewhere != is_elsewhere_too(node) {
            return false;
        }
        let Ok(now) = sources(node) else { return false };
        let same_domains = made.iter().map(|(tag, _)| tag).eq(now.iter().map(|(tag, _)| tag));
        if !same_domains || !made.iter().all(|(tag, since)| is_same(node, tag, *since)) {
            return false;
        }
        self.made = Some(now);
        true
    }
}

/// Whether look-ups look in domains on other machines, too.
fn is_elsewhere_too(node: &Running) -> bool {
    !node.lookups.parents.now().is_empty()
}

/// The domains served here that look-ups look in, the nearest first, with the sequence numbers of their last changes.
fn sources(node: &Running) -> netinfo_directory::Result<Vec<(String, u64)>> {
    let chain = lookups::find(node)?;
    chain.iter().map(|served| Ok((served.domain.tag().to_owned(), served.view()?.sequence()?))).collect()
}

/// Whether nothing that is in the table has changed in a domain after `since`. If in doubt, it has.
fn is_same(node: &Running, tag: &str, since: u64) -> bool {
    let Some(served) = node.served(tag) else { return false };
    let check = || -> netinfo_directory::Result<bool> {
        let session = lookups::session(&served, true)?;
        let view = served.domain.read(&session)?;
        let (mut count, mut same) = (0, true);
        served.domain.changes(&session, since, LOOKED_AT + 1, |change| {
            count += 1;
            same &= is_elsewhere(&view, &change);
        })?;
        Ok(same && count <= LOOKED_AT)
    };
    check().unwrap_or(false)
}

/// Whether a change was made below a directory that is not in the table.
fn is_elsewhere(view: &View<'_>, change: &Committed) -> bool {
    if matches!(change.change, Change::Move { .. }) {
        return false;
    }
    let object = change.outcome.id.object;
    let top = || -> netinfo_directory::Result<bool> {
        let mut top = object;
        for ancestor in view.ancestors(object)? {
            match ancestor? {
                ROOT => break,
                below => top = below,
            }
        }
        if top == ROOT {
            return Ok(false);
        }
        let record = view.record(top)?;
        let mut names = record.property(b"name").into_iter().flat_map(|name| name.values);
        // A directory of ours that is written itself may have had another name before.
        Ok(object != top && !names.any(|name| TABLES.contains(&name)))
    };
    // A create or destroy is told of the directory above.
    let within = matches!(change.change, Change::Create { .. } | Change::Destroy { .. });
    match top() {
        Ok(elsewhere) => elsewhere || (within && is_other_table(view, object)),
        Err(_) => false,
    }
}

/// Whether this is a directory below the root whose content is not in the table.
fn is_other_table(view: &View<'_>, object: u32) -> bool {
    let check = || -> netinfo_directory::Result<bool> {
        let record = view.record(object)?;
        let mut names = record.property(b"name").into_iter().flat_map(|name| name.values);
        Ok(object != ROOT && view.parent(object)? == ROOT && !names.any(|name| TABLES.contains(&name)))
    };
    check().unwrap_or(false)
}
