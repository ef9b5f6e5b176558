//! The domains that a search goes through.

use netinfo_client::domain::ROOT;
use netinfo_client::rpc::Timeouts;
use netinfo_client::{Result, Status};

use super::Options;
use crate::handle::Handle;
use crate::io::Io;
use crate::reach::LOCAL;
use crate::text::{first, values_of};

/// Most domains above each other.
const MAX_DOMAINS: usize = 100;

/// A domain to search.
pub(super) struct Found {
    pub(super) handle: Handle,
    /// Its name below the domain that the search starts from, beginning with a slash.
    pub(super) name: Vec<u8>,
}

/// Finds domains.
pub(super) struct Hierarchy<'h, 'i> {
    pub(super) options: &'h Options,
    pub(super) timeouts: Timeouts,
    pub(super) io: &'h mut Io<'i>,
}

/// A child domain as its parent lists it.
struct Child {
    machine: Vec<u8>,
    entry: Vec<u8>,
}

impl Hierarchy<'_, '_> {
    /// The domains to search, in order.
    ///
    /// # Errors
    /// What cannot be opened.
    pub(super) fn domains(mut self) -> Result<Vec<Found>, Vec<u8>> {
        let named = self.options.domain.clone();
        let top = match &named {
            Some(name) => Some(self.open(name).map_err(|_| [b"domain ", name.as_slice()].concat())?),
            None if self.options.all => Some(self.open(b"/").map_err(|_| b"root domain".to_vec())?),
            None => None,
        };
        match top {
            Some(top) if self.options.all => {
                let mut found = Vec::new();
                self.descend(top, b"/".to_vec(), MAX_DOMAINS, &mut found);
                Ok(found)
            }
            top => self.climb(top),
        }
    }

    fn open(&self, name: &[u8]) -> Result<Handle> {
        let mut handle = Handle::open(&self.io.reach, name, self.timeouts)?;
        handle.domain()?.root()?;
        Ok(handle)
    }

    /// A domain, then everything below it.
    fn descend(&mut self, mut handle: Handle, name: Vec<u8>, levels: usize, found: &mut Vec<Found>) {
        let children = children(&mut handle).unwrap_or_default();
        let mut below: Vec<(Vec<u8>, Handle)> = Vec::new();
        for Child { machine, entry } in children {
            let slash = entry.iter().position(|byte| *byte == b'/').unwrap_or(entry.len());
            let (child, tag) = entry.split_at(slash);
            if matches!(child, b"." | b"..") {
                continue;
            }
            let ignored = self.options.no_local && tag == b"/local";
            let known = below.iter().any(|(known, _)| known == child);
            let remark = match (ignored, known) {
                (true, _) => "ignoring local domain",
                (false, true) => "already have this child",
                (false, false) => "new child domain",
            };
            self.tell(&[&name, b": ", &machine, b" serves ", &entry, b" - ", remark.as_bytes()]);
            if ignored || known {
                continue;
            }
            if let Ok(opened) = handle.child(child) {
                below.push((child.to_vec(), opened));
            }
        }
        let start = if name == b"/" { Vec::new() } else { name.clone() };
        found.push(Found { handle, name });
        let Some(levels) = levels.checked_sub(1) else { return };
        for (child, mut opened) in below {
            let name = [start.as_slice(), b"/", &child].concat();
            match opened.domain().and_then(|domain| domain.root()) {
                Ok(_) => self.descend(opened, name, levels, found),
                Err(_) => self.tell(&[b"No response from ", &name]),
            }
        }
    }

    /// The local domain, its parent and so on, up to `top`. A parent on the same host ends the climb, as it does for the
    /// historical tool, which tells domains apart by their addresses.
    fn climb(&self, top: Option<Handle>) -> Result<Vec<Found>, Vec<u8>> {
        let local = Handle::local(&self.io.reach, self.timeouts).and_then(|mut local| {
            local.domain()?.root()?;
            Ok(local)
        });
        let mut chain = vec![local.map_err(|_| b"local domain".to_vec())?];
        while chain.len() < MAX_DOMAINS {
            let Some(current) = chain.last_mut() else { break };
            if top.as_ref().is_some_and(|top| top.is_same(current)) {
                break;
            }
            match current.parent() {
                Ok(parent) if parent.is_on_host_of(current) => break,
                Ok(parent) => chain.push(parent),
                Err(_) => break,
            }
        }
        let names = names(&mut chain);
        let last = chain.len() - 1;
        let found = chain.into_iter().zip(names).enumerate();
        let wanted = found.filter(|(index, (handle, _))| {
            // The uppermost one is searched in any case.
            *index == last || !self.options.no_local || handle.tag() != LOCAL
        });
        Ok(wanted.map(|(_, (handle, name))| Found { handle, name }).collect())
    }

    /// Says something about the progress, if that is wanted.
    fn tell(&mut self, parts: &[&[u8]]) {
        if self.options.verbose {
            self.io.complain(parts);
        }
    }
}

/// The names of domains each of which is the parent of the one before it; the last one is called `/`.
fn names(chain: &mut [Handle]) -> Vec<Vec<u8>> {
    let mut names = vec![Vec::new()];
    let mut above: Option<&mut Handle> = None;
    for handle in chain.iter_mut().rev() {
        if let Some(parent) = above.take() {
            let component = handle.name_in(parent);
            let start = names.last().cloned().unwrap_or_default();
            names.push([start.as_slice(), b"/", &component].concat());
        }
        above = Some(handle);
    }
    if let Some(top) = names.first_mut() {
        top.push(b'/');
    }
    names.reverse();
    names
}

/// The child domains that the machines of a domain serve.
fn children(handle: &mut Handle) -> Result<Vec<Child>> {
    let domain = handle.domain()?;
    let machines = match domain.lookup_first(ROOT, b"name", b"machines") {
        Err(error) if error.is(Status::NoDir) => return Ok(Vec::new()),
        found => found?,
    };
    let (objects, _) = domain.children(machines)?;
    let mut children = Vec::new();
    domain.read_many(&objects, |_, read| {
        let (_, properties) = read?;
        let machine = first(&properties, b"name").unwrap_or_default();
        for entry in values_of(&properties, b"serves").unwrap_or_default() {
            children.push(Child { machine: machine.to_vec(), entry: entry.clone() });
        }
        Ok(())
    })?;
    Ok(children)
}
