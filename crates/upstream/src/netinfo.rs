//! A parent that is asked over the NetInfo protocol: ours, or a historical server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netinfo_client::domain::{INDEX_NULL, ROOT};
use netinfo_client::hierarchy::Replica;
use netinfo_client::rpc::Timeouts;
use netinfo_client::{Credentials, Domain, Error, Finder, Id, Property, Server, Status};
use netinfo_directory::password::{self, HashError};
use netinfo_lookup::Table;
use zeroize::Zeroizing;

use crate::item::{Item, Question, is_locked, is_shown};
use crate::limits::{CONNECT, MAX_FOUND, MAX_LISTED, STEP};
use crate::remote::{Changed, Fault, Remote, Verdict};

/// Records read at once when a table is listed.
const READ_AHEAD: usize = 1_000;
/// Why a password cannot be verified.
const HIDDEN: &str = "the parent does not show the hash of the password to this machine (its root property passwd_networks \
                      says to whom), and passwords are not sent without encryption (plain_passwords); bind to it by LDAP \
                      instead";

/// A domain on another machine.
pub(crate) struct NetInfo {
    tag: String,
    server: Server,
    /// Whether passwords may be sent to it as the protocol does: in the clear.
    plain_passwords: bool,
    timeouts: Timeouts,
    domain: Option<Domain>,
}

impl NetInfo {
    /// The domain `tag` of a machine; each answer is waited for as long as `patience` says.
    pub(crate) fn new(
        tag: &str,
        (address, port): (IpAddr, Option<u16>),
        plain_passwords: bool,
        patience: Duration,
    ) -> Self {
        let timeouts = Timeouts { read: patience, write: STEP };
        let server = match port {
            Some(port) => Server::Port(SocketAddr::new(address, port)),
            None => Server::Host(address),
        };
        let plain_passwords = plain_passwords || address.to_canonical().is_loopback();
        Self { tag: tag.to_owned(), server, plain_passwords, timeouts, domain: None }
    }

    fn open(&self) -> Result<Domain, Error> {
        let timeouts = Timeouts { read: CONNECT, write: CONNECT };
        let mut domain = Finder { timeouts, ..Finder::default() }.open(&self.server, Some(&self.tag))?;
        domain.connection_mut().set_timeouts(self.timeouts);
        Ok(domain)
    }

    /// Asks something; once more over a new connection if the one before was of no use any longer.
    fn ask<T>(&mut self, mut ask: impl FnMut(&mut Domain) -> Result<T, Error>) -> Result<T, Fault> {
        let fresh = self.domain.is_none();
        let mut domain = match self.domain.take() {
            Some(domain) => domain,
            None => self.open().map_err(|error| fault(&error))?,
        };
        let mut result = ask(&mut domain);
        if let Err(error) = &result
            && !fresh
            && error.is_unreachable()
        {
            domain = self.open().map_err(|error| fault(&error))?;
            result = ask(&mut domain);
        }
        match result {
            Err(error) if !matches!(error, Error::Status(_)) => Err(fault(&error)),
            result => {
                self.domain = Some(domain);
                result.map_err(|error| fault(&error))
            }
        }
    }

    /// A user's record as the parent shows it, with its id.
    fn user(&mut self, name: &[u8]) -> Result<Option<(Id, Vec<Property>)>, Fault> {
        self.ask(|domain| {
            let Some(users) = absent(domain.lookup_first(ROOT, b"name", b"users"))? else { return Ok(None) };
            let Some(object) = absent(domain.lookup_first(users, b"name", name))? else { return Ok(None) };
            absent(domain.read(object))
        })
    }

    /// Lets the server verify a password, by a change that would change nothing: who is right learns that it is out of date.
    fn probe(&mut self, id: Id, credentials: &Credentials) -> Result<Result<(), Status>, Fault> {
        let outdated = Id { instance: !id.instance, ..id };
        self.ask(|domain| {
            domain.set_credentials(Some(credentials.clone()));
            let probed = domain.destroy_prop(outdated, INDEX_NULL);
            domain.set_credentials(None);
            match probed {
                Ok(_) => Ok(Ok(())),
                Err(Error::Status(Status::Stale)) => Ok(Ok(())),
                Err(Error::Status(status)) => Ok(Err(status)),
                Err(error) => Err(error),
            }
        })
    }

    /// The same domain at another of its servers.
    fn at(&self, replica: &Replica) -> Self {
        let address = IpAddr::from(replica.addr);
        let server = match self.server {
            Server::Port(port) => Server::Port(SocketAddr::new(address, port.port())),
            _ => Server::Host(address),
        };
        let tag = String::from_utf8_lossy(&replica.tag).into_owned();
        let (plain_passwords, timeouts) = (self.plain_passwords, self.timeouts);
        Self { tag, server, plain_passwords, timeouts, domain: None }
    }

    /// Writes the hash of a new password by the right that the old one gives. `None`: this server is a clone.
    fn write_password(&mut self, user: &[u8], old: &[u8], hash: &[u8]) -> Result<Option<Changed>, Fault> {
        let Some((id, properties)) = self.user(user)? else { return Ok(Some(Changed::Wrong)) };
        let Some(credentials) = credentials(&properties, old) else { return Ok(Some(Changed::Wrong)) };
        self.ask(|domain| {
            domain.set_credentials(Some(credentials.clone()));
            let written = domain.set_property(id.object, b"passwd", &[hash]);
            domain.set_credentials(None);
            Ok(Some(match written {
                Ok(_) => Changed::Done,
                Err(Error::Status(Status::AuthError | Status::NoUser | Status::NoDir)) => Changed::Wrong,
                Err(Error::Status(Status::Perm)) => {
                    Changed::Refused("The domain does not let this password be changed by its user.".into())
                }
                Err(Error::Status(Status::RdOnly | Status::NotMaster)) => return Ok(None),
                Err(Error::Status(status)) => {
                    Changed::Impossible(format!("the server of the domain answers with \"{status}\""))
                }
                Err(error) => return Err(error),
            }))
        })
    }
}

impl Remote for NetInfo {
    fn find(&mut self, question: &Question) -> Result<Vec<Item>, Fault> {
        let directory = question.table.directory().as_bytes();
        self.ask(|domain| {
            let Some(table) = absent(domain.lookup_first(ROOT, b"name", directory))? else {
                return Ok(Vec::new());
            };
            let found = absent(domain.lookup(table, &question.key, &question.value))?;
            let mut objects = found.map(|(objects, _)| objects).unwrap_or_default();
            objects.truncate(MAX_FOUND);
            let mut items = Vec::with_capacity(objects.len());
            match objects[..] {
                [object] => items.extend(absent(domain.read(object))?.map(|(id, list)| item(id, list))),
                _ => domain.read_many(&objects, |_, read| {
                    items.extend(absent(read)?.map(|(id, list)| item(id, list)));
                    Ok(())
                })?,
            }
            // Ids are used again: a record may have gone and another one come between the two calls.
            items.retain(|item| item.has(&question.key, &question.value) || question.key == b"passwd");
            Ok(items)
        })
    }

    fn list(&mut self, table: Table) -> Result<Vec<Item>, Fault> {
        let directory = table.directory().as_bytes();
        self.ask(|domain| {
            let Some(table) = absent(domain.lookup_first(ROOT, b"name", directory))? else {
                return Ok(Vec::new());
            };
            let listed = absent(domain.children(table))?;
            let mut objects = listed.map(|(objects, _)| objects).unwrap_or_default();
            objects.truncate(MAX_LISTED);
            let mut items = Vec::with_capacity(objects.len());
            for objects in objects.chunks(READ_AHEAD) {
                domain.read_many(objects, |_, read| {
                    items.extend(absent(read)?.map(|(id, list)| item(id, list)));
                    Ok(())
                })?;
            }
            Ok(items)
        })
    }

    fn stamp(&mut self) -> Result<Option<u64>, Fault> {
        let statistics = self.ask(Domain::statistics)?;
        let checksum = statistics.iter().find(|p| p.name == b"checksum").and_then(|p| p.values.first());
        Ok(checksum.and_then(|text| std::str::from_utf8(text).ok()?.trim().parse().ok()))
    }

    fn verify(&mut self, user: &[u8], password: &[u8]) -> Result<Verdict, Fault> {
        let Some((id, properties)) = self.user(user)? else { return Ok(Verdict::NoUser) };
        let stored = properties.iter().find(|p| p.name == b"passwd").and_then(|p| p.values.first());
        let Some(stored) = stored.cloned().map(Zeroizing::new) else { return Ok(Verdict::Wrong) };
        if is_locked(&stored) {
            return Ok(Verdict::Disabled);
        }
        if is_shown(&stored) {
            let right = password::verify(&stored, password) == password::Verdict::Match;
            return Ok(if right { Verdict::Right } else { Verdict::Wrong });
        }
        if *stored != netinfo_directory::MASK {
            return Ok(Verdict::Wrong);
        }
        if !self.plain_passwords {
            return Ok(Verdict::Impossible(HIDDEN.into()));
        }
        let Some(credentials) = credentials(&properties, password) else { return Ok(Verdict::Wrong) };
        Ok(match self.probe(id, &credentials)? {
            Ok(()) => Verdict::Right,
            Err(Status::AuthError | Status::NoUser) => Verdict::Wrong,
            Err(Status::NoDir) => Verdict::NoUser,
            Err(Status::RdOnly) => {
                Verdict::Impossible("the parent is a clone, which verifies no passwords".into())
            }
            Err(Status::MasterBusy) => return Err(Fault::Away("the parent is busy".into())),
            // Who may not change the record has been recognised all the same.
            Err(Status::Perm) => Verdict::Right,
            Err(status) => Verdict::Impossible(format!("the parent answers a login with \"{status}\"")),
        })
    }

    fn change(&mut self, user: &[u8], old: &[u8], new: &[u8]) -> Result<Changed, Fault> {
        if !self.plain_passwords {
            return Ok(Changed::Impossible(
                "passwords are not sent to other machines without encryption (plain_passwords)".into(),
            ));
        }
        let hash = match password::hash_new(new) {
            Ok(hash) => Zeroizing::new(hash.into_bytes()),
            Err(error @ (HashError::TooLong | HashError::Nul)) => {
                return Ok(Changed::Refused(error.to_string()));
            }
            Err(error) => return Ok(Changed::Impossible(error.to_string())),
        };
        if let Some(changed) = self.write_password(user, old, &hash)? {
            return Ok(changed);
        }
        // A clone takes no changes. It says who does.
        let (host, masters) = self.ask(|domain| Ok(absent(domain.master())?.unwrap_or_default()))?;
        let host = String::from_utf8_lossy(&host).into_owned();
        let mut fault = Fault::Refused("the domain is a clone, and does not say where its master is".into());
        for master in masters {
            match self.at(&master).write_password(user, old, &hash) {
                Ok(Some(changed)) => return Ok(changed),
                Ok(None) => {
                    fault = Fault::Refused(format!("{host}, the master of the domain, is a clone, too"))
                }
                Err(reason) => fault = Fault::Refused(format!("{host}, the master of the domain: {reason}")),
            }
        }
        Err(fault)
    }
}

fn item(id: Id, properties: Vec<Property>) -> Item {
    let properties =
        properties.into_iter().map(|p| netinfo_directory::Property { name: p.name, values: p.values });
    Item::new(u64::from(id.object), properties.collect())
}

/// The credentials of a user; `None` if there can be none.
fn credentials(properties: &[Property], password: &[u8]) -> Option<Credentials> {
    let uid = properties.iter().find(|p| p.name == b"uid")?.values.first()?;
    let text = std::str::from_utf8(uid).ok()?;
    let uid = text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))?;
    Credentials::new(uid, password).ok()
}

/// "No such directory" is an answer, too.
fn absent<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::Status(Status::NoDir | Status::BadId)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::Status(Status::NoTag) => Fault::Away("the domain is not served there".into()),
        Error::Status(status) => Fault::Refused(status.to_string()),
        Error::ReplyTooLong { .. } => Fault::Refused(error.to_string()),
        error => Fault::Away(error.to_string()),
    }
}
