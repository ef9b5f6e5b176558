//! Domains that live as long as an export, a comparison or a dry run: copies of others, or made of files.
//!
//! What works on a store that is at hand works so on any domain, and what a dry run would do is found out by doing it to
//! a copy. A scratch domain lies in the directory for temporary files (`$TMPDIR`), readable by its owner only.

use std::io::{self, Write};
use std::sync::{Arc, mpsc};
use std::thread;

use netinfo_client::control::Control;
use netinfo_directory::{
    Domain, Error as CoreError, Filled, Id, MASK, Node, Options, Property, ROOT, TransferObject, is_secret,
};
use serde_json::json;
use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::local::{now, session};

/// Directories that have been read from a server and wait to be stored.
const WAITING: usize = 1024;
/// Tag of scratch domains: the one that is its own master, whatever it says of itself.
const TAG: &str = "local";

/// A domain in a directory of its own, which goes with it.
pub struct Scratch {
    // In this order: the store is closed before its files go.
    domain: Arc<Domain>,
    _node: Node,
    _dir: TempDir,
}

impl Scratch {
    /// An empty domain: a root directory and `/machines`.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn new() -> Result<Self> {
        let cannot = |error| Error::File(std::env::temp_dir().display().to_string(), error);
        let dir = tempfile::Builder::new().prefix("netinfo-").tempdir().map_err(cannot)?;
        let options = Options { hostname: "localhost".into(), ..Options::default() };
        let (node, _) = Node::open(dir.path(), options, true)?;
        let domain = node.create_master(TAG, now())?;
        Ok(Self { domain, _node: node, _dir: dir })
    }

    /// A domain that is a root with these properties and nothing else.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn empty(properties: Vec<Property>) -> Result<Self> {
        let scratch = Self::new()?;
        let mut root = Some(Filled { parent: ROOT, properties, stamp: None });
        scratch.domain.fill(&session(&scratch.domain)?, move || Ok(root.take()))?;
        Ok(scratch)
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Arc<Domain> {
        &self.domain
    }

    /// A copy of the domain `tag` of the daemon on this machine, with its secrets. `copied` hears of bytes.
    ///
    /// # Errors
    /// When the daemon refuses: it takes the superuser.
    pub fn of_daemon(control: &mut Control, tag: &str, copied: &mut dyn FnMut(u64)) -> Result<Self> {
        let scratch = Self::new()?;
        let (reader, mut writer) = io::pipe().map_err(|error| Error::File("pipe".into(), error))?;
        let (domain, session) = (scratch.domain.clone(), session(&scratch.domain)?);
        let restoring = thread::spawn(move || {
            let source = io::BufReader::with_capacity(1 << 20, reader);
            domain.restore(&session, source, |_, _| {})
        });
        let question = json!({ "op": "backup", "domain": tag });
        let mut bytes = 0;
        let sent = control.stream(question.to_string().as_bytes(), |chunk| {
            bytes += chunk.len() as u64;
            copied(bytes);
            writer.write_all(chunk).map_err(netinfo_client::Error::Local)
        });
        drop(writer);
        let restored = restoring.join().unwrap_or(Err(CoreError::Busy));
        // The reason why the daemon has stopped sending says more than that the copy is incomplete.
        match (sent, restored) {
            (Err(netinfo_client::Error::Local(_)), Err(error)) => return Err(error.into()),
            (sent, restored) => {
                sent?;
                restored?;
            }
        }
        Ok(scratch)
    }

    /// A copy of a domain at hand.
    ///
    /// # Errors
    /// When it cannot be read, or there is no place for the copy.
    pub fn of_domain(domain: &Domain) -> Result<Self> {
        let scratch = Self::new()?;
        let (reader, mut writer) = io::pipe().map_err(|error| Error::File("pipe".into(), error))?;
        let (target, root) = (scratch.domain.clone(), session(&scratch.domain)?);
        let restoring = thread::spawn(move || {
            let source = io::BufReader::with_capacity(1 << 20, reader);
            target.restore(&root, source, |_, _| {})
        });
        let saved = domain.backup(&session(domain)?, &mut io::BufWriter::new(&mut writer), &mut |_, _| {});
        drop(writer);
        restoring.join().unwrap_or(Err(CoreError::Busy))?;
        saved?;
        Ok(scratch)
    }

    /// A copy of a domain of any server, with as much as that shows to the caller.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub fn of_server(domain: &mut netinfo_client::Domain) -> Result<Self> {
        let scratch = Self::new()?;
        let (send, receive) = mpsc::sync_channel::<TransferObject>(WAITING);
        let (target, session) = (scratch.domain.clone(), session(&scratch.domain)?);
        let storing = thread::spawn(move || target.replace(&session, move || Ok(receive.recv().ok())));
        let gone = || netinfo_client::Error::Local(io::ErrorKind::BrokenPipe.into());
        let read = domain.read_all(0, |object| {
            let properties = object.props.to_vec();
            let properties = properties.into_iter().map(|p| Property { name: p.name, values: p.values });
            // A mask is no password.
            let hidden = |p: &Property| is_secret(&p.name) && p.values.iter().any(|value| value == MASK);
            let properties = properties.filter(|property| !hidden(property));
            let object = TransferObject {
                id: Id { object: object.id.object, instance: object.id.instance },
                parent: object.parent,
                children: object.children.iter().collect(),
                properties: properties.collect(),
                stamp: None,
            };
            send.send(object).map_err(|_| gone())
        });
        drop(send);
        let stored = storing.join().unwrap_or(Err(CoreError::Busy));
        match (read, stored) {
            (Err(netinfo_client::Error::Local(_)), Err(error)) => return Err(error.into()),
            (read, stored) => {
                read?;
                stored?;
            }
        }
        Ok(scratch)
    }

    /// A domain of these directories, with their ids.
    ///
    /// # Errors
    /// When they are no tree.
    pub fn of_objects(objects: Vec<TransferObject>) -> Result<Self> {
        let scratch = Self::new()?;
        put(&scratch.domain, objects)?;
        Ok(scratch)
    }
}

/// Puts whole directories in place of a domain.
///
/// # Errors
/// When they are no tree.
pub fn put(domain: &Domain, objects: Vec<TransferObject>) -> Result<()> {
    if !objects.iter().any(|object| object.id.object == ROOT) {
        return Err(Error::Invalid("there is no root directory".into()));
    }
    let mut objects = objects.into_iter();
    Ok(domain.replace(&session(domain)?, move || Ok(objects.next()))?)
}
