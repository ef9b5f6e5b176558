//! What is kept in the data directory.
//!
//! * `binding.toml` has the parents that were configured ([`netinfo_directory::binding::read_parents`]). What all servers of a
//!   domain are to know stands in the domain instead, as a `../TAG` value.
//! * `binding.last` has what each domain was bound to last, so that after a start without a network those who keep answers of
//!   a parent know whose they are.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use netinfo_directory::binding::{
    Answer, Bound, Candidate, Parent, ParentName, Parents, Via, binding_file, read_kept, read_parents,
    replace_kept, write_parents,
};
use serde::{Deserialize, Serialize};

use crate::interfaces::OwnAddresses;

const LAST: &str = "binding.last";
/// The parents that were configured, by domain, and the parents of the last time.
pub(crate) struct Configured {
    folder: PathBuf,
    parents: Mutex<Parents>,
    /// Grows with every change of them.
    version: AtomicU64,
    last: Mutex<BTreeMap<String, Remembered>>,
}

/// A parent as it is written to `binding.last`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Remembered {
    name: String,
    via: String,
    parent: String,
    here: bool,
    above: Vec<String>,
}

impl Configured {
    /// Reads the files of a data directory. Faults are logged: a machine has to start, with the parents it finds otherwise.
    pub(crate) fn load(folder: &Path) -> Self {
        let parents = read_parents(folder).unwrap_or_else(|error| {
            let file = binding_file(folder);
            tracing::error!("{}: {error}; no configured parent is used", file.display());
            Parents::new()
        });
        let last = read_kept(&folder.join(LAST)).ok().flatten();
        // Nothing is lost with it but what is found again.
        let last = last.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self {
            folder: folder.to_owned(),
            parents: Mutex::new(parents),
            version: AtomicU64::new(0),
            last: Mutex::new(last),
        }
    }

    /// The configured parents of a domain.
    pub(crate) fn of(&self, tag: &str) -> Vec<ParentName> {
        self.parents.lock().unwrap_or_else(PoisonError::into_inner).get(tag).cloned().unwrap_or_default()
    }

    /// Configures the parents of a domain, durably; none to forget them.
    ///
    /// # Errors
    /// Of the file. Then nothing has changed.
    pub(crate) fn set(&self, tag: &str, parents: Vec<ParentName>) -> io::Result<()> {
        let mut known = self.parents.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = known.clone();
        match parents.is_empty() {
            true => new.remove(tag),
            false => new.insert(tag.to_owned(), parents),
        };
        write_parents(&self.folder, &new)?;
        *known = new;
        self.version.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Reads the file again, which somebody may have changed while the node ran; whether it was. A file that cannot be read
    /// changes nothing.
    ///
    /// # Errors
    /// Of the file.
    pub(crate) fn reload(&self) -> io::Result<bool> {
        let mut known = self.parents.lock().unwrap_or_else(PoisonError::into_inner);
        let new = read_parents(&self.folder)?;
        let other = *known != new;
        if other {
            *known = new;
            self.version.fetch_add(1, Ordering::Release);
        }
        Ok(other)
    }

    /// Another number after every change.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Tags of the configured parents of a domain that are on this very machine, other than its own.
    pub(crate) fn here(&self, tag: &str, own: &OwnAddresses) -> Vec<String> {
        let parents = self.of(tag).into_iter().filter_map(|name| match name {
            ParentName::NetInfo { tag: parent, host, .. } => {
                let here = host.parse().is_ok_and(|address| own.contains(address));
                (here && parent != tag).then_some(parent)
            }
            ParentName::Ldap(_) => None,
        });
        parents.collect()
    }

    /// What a domain was bound to last, in this run or an earlier one.
    pub(super) fn last(&self, tag: &str) -> Option<Bound> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).get(tag)?.bound()
    }

    /// Whether that is what is remembered of a domain.
    pub(super) fn is_last(&self, tag: &str, bound: Option<&Bound>) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(tag) == bound.map(Remembered::of).as_ref()
    }

    /// Remembers what a domain is bound to.
    pub(super) fn remember(&self, tag: &str, bound: Option<&Bound>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = bound.map(Remembered::of);
        if last.get(tag) == bound.as_ref() {
            return;
        }
        match bound {
            Some(bound) => last.insert(tag.to_owned(), bound),
            None => last.remove(tag),
        };
        let written = serde_json::to_vec(&*last).map_err(io::Error::other);
        if let Err(error) = written.and_then(|text| replace_kept(&self.folder.join(LAST), &text)) {
            tracing::warn!("cannot keep who the parent is: {error}");
        }
    }
}

impl Remembered {
    fn of(bound: &Bound) -> Self {
        Self {
            name: bound.candidate.name.to_string(),
            via: super::report::via_name(bound.candidate.via).to_owned(),
            parent: bound.answer.parent.to_string(),
            here: bound.answer.here,
            above: bound.answer.above.iter().map(ToString::to_string).collect(),
        }
    }

    fn bound(&self) -> Option<Bound> {
        let ways = [Via::Configured, Via::Serves, Via::Dns, Via::Mdns, Via::Broadcast];
        let via = ways.into_iter().find(|via| super::report::via_name(*via) == self.via)?;
        let above: Result<Vec<Parent>, _> = self.above.iter().map(|text| text.parse()).collect();
        Some(Bound {
            candidate: Candidate { name: self.name.parse().ok()?, via },
            answer: Answer {
                parent: self.parent.parse().ok()?,
                here: self.here,
                latency: Duration::ZERO,
                above: above.ok()?,
                loops: None,
            },
            since: Duration::ZERO,
            checked: Duration::ZERO,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn configured_parents_are_durable() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<ParentName> = ["network@boss:945", "ldap://ldap.example/dc=x????x-start-tls"]
            .map(|n| n.parse().unwrap())
            .to_vec();
        let configured = Configured::load(folder.path());
        assert!(configured.of("local").is_empty());
        configured.set("local", names.clone()).unwrap();
        let configured = Configured::load(folder.path());
        assert_eq!(configured.of("local"), names);
        configured.set("local", Vec::new()).unwrap();
        assert!(Configured::load(folder.path()).of("local").is_empty());
    }

    #[test]
    fn files_that_are_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = binding_file(folder.path());
        fs::write(&file, "[parents]\nlocal = ['n@boss']").unwrap();
        let configured = Configured::load(folder.path());
        fs::write(&file, "[parents]\nlocal = ['nothing']").unwrap();
        assert!(Configured::load(folder.path()).of("local").is_empty());
        assert!(configured.reload().is_err());
        assert_eq!(configured.of("local").len(), 1, "what was known stays");
        fs::write(&file, "[parents]\nlocal = ['n@boss', 'n@other']").unwrap();
        assert!(configured.reload().unwrap() && !configured.reload().unwrap());
        assert_eq!((configured.of("local").len(), configured.version()), (2, 1));
        fs::write(folder.path().join(LAST), "{").unwrap();
        assert!(Configured::load(folder.path()).last("local").is_none());
    }

    #[test]
    fn the_last_parent_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let bound = Bound {
            candidate: Candidate { name: "n@boss".parse().unwrap(), via: Via::Dns },
            answer: Answer {
                parent: "n@10.0.0.1".parse().unwrap(),
                here: false,
                latency: Duration::ZERO,
                above: vec!["root@10.0.0.2".parse().unwrap()],
                loops: None,
            },
            since: Duration::ZERO,
            checked: Duration::ZERO,
        };
        Configured::load(folder.path()).remember("local", Some(&bound));
        assert_eq!(Configured::load(folder.path()).last("local"), Some(bound));
        Configured::load(folder.path()).remember("local", None);
        assert_eq!(Configured::load(folder.path()).last("local"), None);
    }
}
