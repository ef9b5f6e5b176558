//! Where the users of this machine are: where look-ups find them.

use std::sync::Arc;

use netinfo_directory::account::{Standing, least_characters};
use netinfo_directory::{Property, Result};
use netinfo_lookup::{Record, View};
use netinfo_upstream::Upstream;
use netinfo_wire::login::Outcome;
use netinfo_wire::lookup::{Answer, Category, Entry, Key, Query};

use super::Decision;
use crate::frontend::now;
use crate::lookups::{Inquiry, chain};
use crate::node::Running;
use crate::served::Served;

/// A user and the domain that owns the record.
pub(super) struct Found {
    pub(super) place: Place,
    /// The first name.
    pub(super) name: Vec<u8>,
    pub(super) uid: u32,
}

/// Where a record is.
pub(super) enum Place {
    /// In a domain that this node serves.
    Here(Here),
    /// In a domain on another machine, and what is known of it.
    Above(Arc<Upstream>, Vec<Property>),
}

/// A record of a domain served here.
pub(super) struct Here {
    pub(super) served: Arc<Served>,
    pub(super) object: u32,
}

impl Here {
    /// What the record says of the account now.
    pub(super) fn standing(&self) -> Result<Standing> {
        let view = self.served.view()?;
        Ok(Standing::of(&view.record(self.object)?, now()))
    }

    /// Fewest characters of a new password.
    pub(super) fn least_characters(&self) -> Result<usize> {
        least_characters(&self.served.view()?)
    }
}

impl Found {
    /// Name of the domain.
    pub(super) fn domain(&self) -> &str {
        match &self.place {
            Place::Here(here) => here.served.domain.tag(),
            Place::Above(upstream, _) => upstream.name(),
        }
    }

    /// What the record says of the account now.
    pub(super) fn standing(&self) -> Result<Standing> {
        match &self.place {
            Place::Here(here) => here.standing(),
            Place::Above(_, properties) => Ok(standing_of(properties)),
        }
    }

    /// Whether the account may be used now, by the record and by what its domain has said when it verified the password.
    pub(super) fn decision(&self) -> Result<Decision> {
        let decision = Decision::from(self.standing()?.condition());
        let is_due = matches!(&self.place, Place::Above(upstream, _) if upstream.must_change(&self.name));
        Ok(if decision.outcome == Outcome::Ok && is_due { Outcome::MustChange.into() } else { decision })
    }

    /// Hands out the properties of the record.
    pub(super) fn each_property(&self, mut each: impl FnMut(&[u8], &[&[u8]])) -> Result<()> {
        match &self.place {
            Place::Here(here) => {
                let view = here.served.view()?;
                for property in view.record(here.object)?.properties() {
                    each(property.name, &property.values.collect::<Vec<_>>());
                }
            }
            Place::Above(_, properties) => {
                for property in properties {
                    each(&property.name, &property.values.iter().map(Vec::as_slice).collect::<Vec<_>>());
                }
            }
        }
        Ok(())
    }
}

/// What a record of another machine says of the account now.
pub(super) fn standing_of(properties: &[Property]) -> Standing {
    let properties = properties.iter().map(|p| (p.name.as_slice(), p.values.iter().map(Vec::as_slice)));
    Standing::new(properties, now())
}

/// A user as a view shows it.
struct Seen {
    source: usize,
    id: u64,
    name: Vec<u8>,
    uid: u32,
    /// Of a record of another machine.
    properties: Vec<Property>,
}

/// Looks for a user: whom the system knows by this name. [`Answer::TryAgain`] if that cannot be found out now.
///
/// Other machines are not asked: see [`look_up`].
pub(super) fn find(node: &Running, name: &[u8]) -> Result<Answer<Found>> {
    let inquiry = Inquiry::settled(node);
    let chain = chain(node)?;
    Ok(match inquiry.look(node, false, |view| see(view, name))? {
        Answer::Found(seen) => match Inquiry::domain(node, seen.source) {
            // A user of the system's own files, whose password it knows itself.
            Some(domain) if domain < chain.len() + inquiry.parents().len() => {
                place(domain, &seen, &chain, &inquiry).map_or(Answer::TryAgain, |place| {
                    Answer::Found(Found { place, name: seen.name, uid: seen.uid })
                })
            }
            _ => Answer::NotFound,
        },
        Answer::NotFound => Answer::NotFound,
        Answer::TryAgain | Answer::Refused | Answer::TooLarge => Answer::TryAgain,
    })
}

fn see(view: &View<'_>, name: &[u8]) -> Answer<Seen> {
    let seen = view.user(name, |record| {
        let properties = match record {
            Record::Stored(_) => Vec::new(),
            Record::Listed { properties, .. } => properties.to_vec(),
        };
        (record.id(), record.first(b"name").unwrap_or_default().to_vec(), properties)
    });
    match (seen, number(view, Category::Passwd, name)) {
        (Answer::Found((source, (id, name, properties))), Some(uid)) => {
            Answer::Found(Seen { source, id, name, uid, properties })
        }
        (Answer::NotFound, _) => Answer::NotFound,
        _ => Answer::TryAgain,
    }
}

/// The place of a record; `None` if the domains have just become others.
fn place(domain: usize, seen: &Seen, chain: &[Arc<Served>], inquiry: &Inquiry) -> Option<Place> {
    match domain.checked_sub(chain.len()) {
        Some(above) => {
            let upstream = inquiry.parents().get(above)?;
            Some(Place::Above(upstream.clone(), seen.properties.clone()))
        }
        None => {
            let served = chain.get(domain)?.clone();
            Some(Place::Here(Here { served, object: u32::try_from(seen.id).ok()? }))
        }
    }
}

/// The number of a user or group, by its name.
fn number(view: &View<'_>, category: Category, name: &[u8]) -> Option<u32> {
    match view.find(&Query { category, key: Key::Name(name) }) {
        Answer::Found(entry) => match entry.as_entry() {
            Entry::Passwd(user) => Some(user.uid),
            Entry::Group(group) => Some(group.gid),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a user is a member of a group, by what any of the domains says: whether the system would say so.
pub(super) fn is_member(view: &View<'_>, user: &[u8], group: &[u8]) -> bool {
    let Some(gid) = number(view, Category::Group, group) else { return false };
    matches!(view.initgroups(user), Answer::Found(gids) if gids.contains(&gid))
}

/// Looks at everything that a question about a user and groups looks at.
pub(super) fn look_up(view: &View<'_>, user: &[u8], groups: &[Vec<u8>]) {
    let _ = see(view, user);
    for group in groups {
        let _ = is_member(view, user, group);
    }
}
