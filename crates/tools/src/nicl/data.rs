//! A domain in a data directory of this project, while its daemon is stopped.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use netinfo_client::Property;
use netinfo_directory::{
    BY_VERSION, Change, Credentials, Domain, Error, Node, Options, Origin, Outcome as Done,
    Property as Stored, Session, Target, VERSION_OF, View,
};
use netinfo_formats::nidb::{StoreErrorKind, StoredRecord};

use super::raw::rdn_key;
use super::store::{Line, Outcome, Properties, Store, joined, split};

/// Ending of a domain's directory, behind its tag.
const DOMAIN: &str = "domain";
/// Deepest subtree that is copied or destroyed: a damaged database may go round in circles.
const MAX_DEPTH: usize = 256;

/// Where a domain is.
pub(super) struct Place {
    data: PathBuf,
    tag: String,
}

impl Place {
    /// The domain that a path means: `DATA/TAG.domain`, or `DATA/TAG`. `None` if it is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let data = match path.parent()? {
            empty if empty.as_os_str().is_empty() => Path::new("."),
            parent => parent,
        };
        let name = path.file_name()?.to_str()?;
        let tag = match path.extension().and_then(OsStr::to_str) {
            Some(DOMAIN) => path.file_stem()?.to_str()?,
            _ => name,
        };
        let is_domain = data.join(format!("{tag}.{DOMAIN}")).is_dir();
        is_domain.then(|| Self { data: data.to_owned(), tag: tag.to_owned() })
    }
}

/// An open domain. Its data directory is locked meanwhile.
pub(super) struct Data {
    domain: Arc<Domain>,
    session: Session,
    read_only: bool,
    _node: Node,
}

impl Data {
    pub(super) fn open(place: &Place, read_only: bool) -> Outcome<Self> {
        let options = Options { hostname: "localhost".into(), ..Options::default() };
        let (node, _) = Node::open(&place.data, options, false).map_err(|error| match error {
            // The lock, which the message explains; nicl has one word for it.
            Error::Unusable(_) | Error::Busy => StoreErrorKind::Locked,
            other => kind(&other),
        })?;
        let domain = node.domain(&place.tag).ok_or(StoreErrorKind::InvalidDatastore)?;
        let session =
            domain.authenticate(Credentials::None, Origin::Internal).map_err(|error| kind(&error))?;
        Ok(Self { domain, session, read_only, _node: node })
    }

    fn read<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T, Error>) -> Outcome<T> {
        self.domain.read(&self.session).and_then(|view| work(&view)).map_err(|error| kind(&error))
    }

    fn write(&self, change: Change) -> Outcome<Done> {
        if self.read_only {
            return Err(StoreErrorKind::WriteFailed);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        let done = self.domain.write_blocking(&self.session, vec![change], now);
        done.map_err(|error| kind(&error))?.into_iter().next().ok_or(StoreErrorKind::Failed)
    }

    fn remove_below(&self, id: u32, depth: usize) -> Outcome<()> {
        let depth = depth.checked_sub(1).ok_or(StoreErrorKind::Failed)?;
        let (parent, children) = self.read(|view| Ok((view.parent(id)?, children(view, id)?)))?;
        children.into_iter().try_for_each(|child| self.remove_below(child, depth))?;
        self.write(Change::Destroy { parent: Target::any(parent), child: Target::any(id) }).map(drop)
    }

    fn copy_below(&self, id: u32, parent: u32, depth: usize) -> Outcome<u32> {
        let depth = depth.checked_sub(1).ok_or(StoreErrorKind::Failed)?;
        let (properties, children) = self.read(|view| Ok((properties(view, id)?, children(view, id)?)))?;
        let copy = self.create(parent, properties)?;
        children.into_iter().try_for_each(|child| self.copy_below(child, copy, depth).map(drop))?;
        Ok(copy)
    }

    fn create(&self, parent: u32, properties: Vec<Stored>) -> Outcome<u32> {
        let change = Change::Create { parent: Target::any(parent), properties, position: u32::MAX };
        self.write(change)?.created.map(|id| id.object).ok_or(StoreErrorKind::Failed)
    }

    fn is_within(&self, id: u32, ancestor: u32) -> Outcome<bool> {
        self.read(|view| {
            let mut above = view.ancestors(id)?;
            Ok(id == ancestor || above.any(|at| at.is_ok_and(|at| at == ancestor)))
        })
    }
}

fn children(view: &View<'_>, id: u32) -> Result<Vec<u32>, Error> {
    view.children(id)?.collect()
}

fn properties(view: &View<'_>, id: u32) -> Result<Vec<Stored>, Error> {
    let record = view.record(id)?;
    let owned = record.properties().map(|property| Stored {
        name: property.name.to_vec(),
        values: property.values.map(<[u8]>::to_vec).collect(),
    });
    Ok(owned.collect())
}

fn of_client(property: Property) -> Stored {
    Stored { name: property.name, values: property.values }
}

const fn kind(error: &Error) -> StoreErrorKind {
    match error {
        Error::NoSuchDirectory => StoreErrorKind::InvalidPath,
        Error::NoSuchProperty => StoreErrorKind::InvalidKey,
        Error::NoSuchValue => StoreErrorKind::NoData,
        Error::Stale => StoreErrorKind::Stale,
        Error::ReadOnly | Error::NotMaster => StoreErrorKind::InvalidUpdate,
        Error::Permission | Error::NoUser | Error::Authentication => StoreErrorKind::AccessRestricted,
        Error::NoSpace(_) | Error::Storage(_) => StoreErrorKind::WriteFailed,
        Error::Loop => StoreErrorKind::ConstraintViolation,
        Error::TooLarge { .. } => StoreErrorKind::InvalidRecord,
        Error::Busy => StoreErrorKind::Locked,
        Error::Unusable(_) | Error::Damaged(_) | Error::NoSuchDomain(_) => StoreErrorKind::InvalidDatastore,
        _ => StoreErrorKind::Failed,
    }
}

impl Store for Data {
    fn fetch(&mut self, id: u32) -> Outcome<StoredRecord> {
        self.read(|view| {
            let serial = view.id(id)?.instance;
            let version = view.resolve(VERSION_OF, id)?.instance;
            let stored = properties(view, id)?.into_iter();
            let (attributes, metas) =
                split(stored.map(|property| Property { name: property.name, values: property.values }));
            let (parent, children) = (view.parent(id)?, children(view, id)?);
            Ok(StoredRecord { id, serial, version, parent, children, attributes, metas })
        })
    }

    fn find_child(&mut self, parent: u32, key: &[u8], value: &[u8]) -> Outcome<Option<u32>> {
        self.read(|view| view.lookup_first(parent, key, value))
    }

    fn list(&mut self, id: u32, key: Option<&[u8]>) -> Outcome<Vec<Line>> {
        let children = self.fetch(id)?.children;
        let mut lines = Vec::new();
        for child in children {
            let record = self.fetch(child)?;
            let key = key.map_or_else(|| rdn_key(&record), <[u8]>::to_vec);
            if let Some(attribute) = record.property(&key) {
                lines.push((child, attribute.values.iter().map(|v| v.bytes().into_owned()).collect()));
            }
        }
        Ok(lines)
    }

    fn create_child(&mut self, parent: u32, properties: &Properties) -> Outcome<u32> {
        let properties = properties.iter().cloned().map(|(name, values)| Stored { name, values });
        self.create(parent, properties.collect())
    }

    fn assign(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()> {
        let directory = Target::any(id);
        let known = self.read(|view| Ok(properties(view, id)?.iter().position(|p| p.name == key)))?;
        let change = match known {
            Some(index) => {
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                Change::WriteProperty { directory, index, values: values.to_vec() }
            }
            None => {
                let property = Stored { name: key.to_vec(), values: values.to_vec() };
                Change::CreateProperty { directory, property, position: u32::MAX }
            }
        };
        self.write(change).map(drop)
    }

    fn extend(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()> {
        self.assign(id, key, values)
    }

    fn rewrite(&mut self, record: StoredRecord) -> Outcome<()> {
        let directory = Target { object: record.id, instance: Some(record.serial) };
        let properties = joined(&record).into_iter().map(of_client).collect();
        self.write(Change::Write { directory, properties }).map(drop)
    }

    fn remove(&mut self, id: u32) -> Outcome<()> {
        self.remove_below(id, MAX_DEPTH)
    }

    fn move_to(&mut self, id: u32, parent: u32) -> Outcome<()> {
        let from = self.read(|view| view.parent(id))?;
        let (from, child, to) = (Target::any(from), Target::any(id), Target::any(parent));
        self.write(Change::Move { from, child, to, position: u32::MAX }).map(drop)
    }

    fn copy_to(&mut self, id: u32, parent: u32) -> Outcome<u32> {
        if self.is_within(parent, id)? {
            return Err(StoreErrorKind::ConstraintViolation);
        }
        self.copy_below(id, parent, MAX_DEPTH)
    }

    fn with_version(&mut self, version: u32) -> Outcome<Option<u32>> {
        match self.read(|view| view.resolve(BY_VERSION, version)) {
            Err(StoreErrorKind::InvalidPath) => Ok(None),
            found => found.map(|id| Some(id.object)),
        }
    }

    fn max_version(&mut self) -> Outcome<u32> {
        self.read(|view| Ok(view.resolve(BY_VERSION, u32::MAX)?.instance))
    }

    fn statistics(&mut self) -> Outcome<Vec<Property>> {
        let version = self.max_version()?;
        let lines = self.read(|view| {
            Ok([("checksum", view.checksum()?), ("version", version), ("max_dsid", view.highest_object()?)])
        })?;
        Ok(lines.into_iter().map(|(key, number)| Property::new(key, [number.to_string()])).collect())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}
