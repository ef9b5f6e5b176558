//! LDAP entries on their way into a domain: each becomes a directory, with the mapping of the domain; changes to entries
//! become changes of directories.

use std::borrow::Cow;

use netinfo_directory::password::{Verdict, hash_new, verify};
use netinfo_directory::{Domain, Error as CoreError, ROOT, Session, View};
use netinfo_mapping::foreign::disables;
use netinfo_mapping::transfer::{Loaded, Loader, Loading};
use netinfo_mapping::write::{self, Changes, Given, Modification, Rename};
use netinfo_mapping::{Namespace, Reason, Refusal, Resolution, Tree};

use crate::error::{Error, Result};
use crate::item::{Attributes, Change, Directory, Item, What, Where};
use crate::local::now;
use crate::place::Spot;
use crate::report::{Done, Kind, Outcome};
use crate::waiting::Waiting;
use crate::words::shown;

/// Object ids from here on stand for entries of the same batch, or of the one before it: the store has none so high.
const EARLIER: u32 = 0xC000_0000;
/// Batches take turns: every other one numbers its entries from here on.
const TURN: u32 = 0x2000_0000;
/// What says how the password of an account is checked, and the value that disables it.
const AUTHORITY: &[u8] = b"authAuthority";
const DISABLED: &[u8] = b";DisabledUser;";
/// Attempts at a change that other writers get in the way of.
const STALE_ATTEMPTS: u32 = 10;

/// Something that can be put in its place.
pub(crate) enum Mapped {
    /// A directory, and the line it comes from.
    Directory(u64, Directory),
    /// An entry as a directory.
    Entry(Box<MappedEntry>),
}

/// An entry as a directory.
pub(crate) struct MappedEntry {
    pub(crate) line: u64,
    pub(crate) name: String,
    at: At,
    directory: Directory,
    /// The directory is there and becomes an entry by this: the root.
    pub(crate) adopts: bool,
}

/// Where an entry goes. Numbers from [`EARLIER`] on are entries of this batch or the one before it.
enum At {
    Child(u32),
    Itself(u32),
}

/// The object ids of the entries of this batch and the one before it; `None` for those that were not taken.
#[derive(Default)]
pub(crate) struct Made {
    turns: [Vec<Option<u32>>; 2],
    turn: usize,
}

impl Made {
    /// Another batch begins.
    pub(crate) fn begin(&mut self, turn: Turn) {
        self.turn = usize::from(turn.0);
        self.turns[self.turn].clear();
    }

    /// The next entry of the batch.
    pub(crate) fn push(&mut self, object: Option<u32>) {
        self.turns[self.turn].push(object);
    }

    fn real(&self, object: u32) -> Option<u32> {
        let Some(number) = object.checked_sub(EARLIER) else { return Some(object) };
        let turn = &self.turns[usize::from(number >= TURN)];
        turn.get((number % TURN) as usize).copied().flatten()
    }
}

/// Which of two a batch is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn(bool);

impl Turn {
    /// That of the next batch.
    pub(crate) fn next(self) -> Self {
        Self(!self.0)
    }

    fn first(self) -> u32 {
        EARLIER + if self.0 { TURN } else { 0 }
    }
}

impl MappedEntry {
    /// The place and the directory. `None` if that above it is missing.
    pub(crate) fn placed(self, made: &Made) -> Option<(Spot, Directory)> {
        let spot = match self.at {
            At::Child(parent) => Spot::Below(made.real(parent)?),
            At::Itself(object) => Spot::At(made.real(object)?),
        };
        Some((spot, self.directory))
    }
}

impl Mapped {
    /// Whether it changes what the mapping goes by.
    pub(crate) fn is_root(&self) -> bool {
        match self {
            Self::Directory(_, directory) => directory.place == Where::Root,
            Self::Entry(entry) => matches!(entry.at, At::Itself(ROOT)),
        }
    }
}

/// What is to be told of a batch to whoever maps the next one while it is being made.
#[derive(Default)]
pub(crate) struct Ahead {
    pub(crate) turn: Turn,
    pub(crate) loading: Loading,
}

/// Makes directories of the entries among `items`; those that cannot be are told to `done`, those that come before the one
/// above them wait. `ahead` tells of the batch that is being made, and then of this one.
pub(crate) fn map(
    domain: &Domain,
    session: &Session,
    items: Vec<Item>,
    ahead: &mut Ahead,
    waiting: &mut Waiting,
    done: &mut Done,
) -> Result<Vec<Mapped>> {
    let Ahead { turn, loading } = std::mem::take(ahead);
    ahead.turn = turn.next();
    let mut mapped = Vec::with_capacity(items.len());
    if !items.iter().any(|item| matches!(item.what, What::Entry(..))) {
        mapped.extend(items.into_iter().filter_map(|item| match item.what {
            What::Directory(directory) => Some(Mapped::Directory(item.line, directory)),
            _ => None,
        }));
        return Ok(mapped);
    }
    let view = domain.read(session)?;
    let namespace = Namespace::new(&view, domain.tag())?;
    let tree = namespace.tree(&view);
    let mut loader = Loader::following(&tree, loading)?;
    let mut number = ahead.turn.first();
    for item in items {
        match item.what {
            What::Directory(directory) => mapped.push(Mapped::Directory(item.line, directory)),
            What::Entry(dn, mut attributes) => {
                match entry(&mut loader, &view, number, item.line, &dn, &mut attributes, done) {
                    Ok(entry) => {
                        mapped.push(Mapped::Entry(Box::new(entry)));
                        number += 1;
                    }
                    Err(refusal) if matches!(refusal.reason, Reason::NoSuchObject) => {
                        let name = shown(&dn);
                        let item = Item { line: item.line, what: What::Entry(dn, attributes) };
                        if let Some(item) = waiting.take(item) {
                            refused(refusal, item.line, &name, done)?;
                        }
                    }
                    Err(refusal) => refused(refusal, item.line, &shown(&dn), done)?,
                }
            }
            What::Change(..) | What::Begin => {}
        }
    }
    ahead.loading = loader.into_loading();
    Ok(mapped)
}

/// Tells why an entry is not taken; failures of the store end everything.
fn refused(refusal: Refusal, line: u64, name: &str, done: &mut Done) -> Result<()> {
    if let Reason::Directory(error) = refusal.reason
        && matches!(error, CoreError::Storage(_) | CoreError::Damaged(_) | CoreError::NoSpace(_))
    {
        return Err(error.into());
    }
    done.tell(Outcome::Failed, line, name, vec![refusal.message]);
    Ok(())
}

fn entry(
    loader: &mut Loader<'_>,
    view: &View<'_>,
    number: u32,
    line: u64,
    dn: &[u8],
    attributes: &mut Attributes,
    done: &mut Done,
) -> Result<MappedEntry, Refusal> {
    let name = shown(dn);
    let existing = loader.find(dn)?;
    hash_passwords(view, existing, attributes, line, &name, done);
    keep_disabled(attributes);
    let given = given(attributes);
    let known = existing.filter(|object| *object < EARLIER);
    let mut adopts = false;
    let (at, loaded) = match (existing, known) {
        (Some(ROOT), _) => match loader.reload(ROOT, dn, given) {
            Ok(loaded) => {
                adopts = true;
                (At::Itself(ROOT), loaded)
            }
            // It is there with its classes: what an import says of it is what it said the first time.
            Err(Refusal { reason: Reason::EntryAlreadyExists, .. }) => {
                let (parent, properties, stamp) = (ROOT, Vec::new(), None);
                (At::Itself(ROOT), Loaded { parent, properties, stamp, warnings: Vec::new() })
            }
            Err(refusal) => return Err(refusal),
        },
        (Some(_), Some(object)) => (At::Itself(object), loader.reload(object, dn, given)?),
        (Some(_), None) => {
            return Err(Refusal::new(Reason::EntryAlreadyExists, "the entry stands there twice"));
        }
        (None, _) => {
            let loaded = loader.load(number, dn, given)?;
            (At::Child(loaded.parent), loaded)
        }
    };
    for warning in loaded.warnings {
        done.note(Kind::Warning, line, &name, vec![warning]);
    }
    let directory = Directory { place: Where::Root, properties: loaded.properties, stamp: loaded.stamp };
    Ok(MappedEntry { line, name, at, directory, adopts })
}

/// Attributes as the mapping takes them.
pub(crate) fn given(attributes: &Attributes) -> Vec<Given<'_>> {
    attributes
        .iter()
        .map(|(description, values)| Given {
            description,
            values: values.iter().map(|value| Cow::Borrowed(value.as_slice())).collect(),
        })
        .collect()
}

/// Whether an attribute holds passwords (RFC 4519 §2.41).
fn is_password(description: &[u8]) -> bool {
    let name = description.split(|byte| *byte == b';').next().unwrap_or_default();
    name.eq_ignore_ascii_case(b"userPassword") || name == b"2.5.4.35"
}

/// Whether [`hash_passwords`] and [`keep_disabled`] leave an entry with this attribute as it is.
pub(crate) fn is_kept<'v>(description: &[u8], values: &mut impl Iterator<Item = &'v [u8]>) -> bool {
    let is_password = is_password(description);
    values.all(
        |value| if is_password { value.is_empty() || !is_clear(value) } else { !is_lock(description, value) },
    )
}

/// Whether an attribute says that the account is disabled where it comes from.
fn is_lock(description: &[u8], value: &[u8]) -> bool {
    std::str::from_utf8(description).is_ok_and(|name| disables(name, value))
}

/// Accounts that are disabled where they come from stay so: what says it there may be without a meaning here.
pub(crate) fn keep_disabled(attributes: &mut Attributes) {
    let is_disabled = attributes.iter().any(|(name, values)| values.iter().any(|value| is_lock(name, value)));
    if !is_disabled {
        return;
    }
    let known = attributes.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(AUTHORITY));
    match known.map(|(_, values)| values) {
        Some(values)
            if values.iter().any(|value| value.to_ascii_lowercase().starts_with(b";disableduser;")) => {}
        Some(values) => values.push(DISABLED.to_vec()),
        None => attributes.push((AUTHORITY.to_vec(), vec![DISABLED.to_vec()])),
    }
}

/// Whether a value is a password, and not the hash of one: without `{SCHEME}`.
fn is_clear(value: &[u8]) -> bool {
    let end = value.iter().position(|byte| *byte == b'}');
    !(value.first() == Some(&b'{') && end.is_some_and(|end| end > 1))
}

/// Hashes passwords in the clear; one that belongs to the stored hash becomes that.
pub(crate) fn hash_passwords(
    view: &View<'_>,
    existing: Option<u32>,
    attributes: &mut Attributes,
    line: u64,
    name: &str,
    done: &mut Done,
) {
    let clear = |value: &&mut Vec<u8>| !value.is_empty() && is_clear(value);
    let passwords = attributes.iter_mut().filter(|(description, _)| is_password(description));
    for value in passwords.flat_map(|(_, values)| values).filter(clear) {
        let stored =
            existing.filter(|object| *object < EARLIER).and_then(|object| stored(view, object, value));
        let hashed = match stored {
            Some(stored) => Ok(String::from_utf8_lossy(&stored).into_owned()),
            None => hash_new(value),
        };
        match hashed {
            Ok(hash) if hash.starts_with("$argon2") => *value = format!("{{ARGON2}}{hash}").into_bytes(),
            Ok(hash) if hash.starts_with('{') => *value = hash.into_bytes(),
            Ok(hash) => *value = format!("{{CRYPT}}{hash}").into_bytes(),
            Err(error) => {
                done.note(Kind::Password, line, name, vec![format!("the password is left out: {error}")]);
                value.clear();
            }
        }
    }
}

/// The stored hash that this password belongs to.
fn stored(view: &View<'_>, object: u32, password: &[u8]) -> Option<Vec<u8>> {
    let record = view.record(object).ok()?;
    let values = record.property(b"passwd")?.values;
    let found = values.into_iter().find(|stored| verify(stored, password) == Verdict::Match);
    found.map(<[u8]>::to_vec)
}

/// Carries out a change to an entry.
pub(crate) fn change(
    domain: &Domain,
    session: &Session,
    dn: &[u8],
    change: &Change,
    line: u64,
    done: &mut Done,
) -> Result<()> {
    let name = shown(dn);
    let mut attempts = 0;
    loop {
        let derived = derive(domain, session, dn, change)?;
        let changes = match derived {
            Ok(changes) => changes,
            Err(refusal) => return refused(refusal, line, &name, done),
        };
        if changes.is_empty() {
            done.tell(Outcome::Unchanged, line, &name, Vec::new());
            return Ok(());
        }
        match domain.write_blocking(session, changes, now()) {
            Ok(_) => {
                let outcome =
                    if matches!(change, Change::Add(_)) { Outcome::Created } else { Outcome::Changed };
                done.tell(outcome, line, &name, Vec::new());
                return Ok(());
            }
            Err(CoreError::Stale) if attempts < STALE_ATTEMPTS => attempts += 1,
            Err(error) => {
                let error = Error::Core(error);
                if !error.is_of_the_item() {
                    return Err(error);
                }
                done.tell(Outcome::Failed, line, &name, vec![error.to_string()]);
                return Ok(());
            }
        }
    }
}

fn derive(domain: &Domain, session: &Session, dn: &[u8], change: &Change) -> Result<Changes> {
    let view = domain.read(session)?;
    let namespace = Namespace::new(&view, domain.tag())?;
    let tree = namespace.tree(&view);
    Ok(changes(&tree, &view, dn, change))
}

fn changes(tree: &Tree<'_>, view: &View<'_>, dn: &[u8], change: &Change) -> Changes {
    let object = match (change, tree.resolve(dn)?) {
        (Change::Add(attributes), resolution) => {
            let existing = match resolution {
                Resolution::Found(object) => Some(object),
                _ => None,
            };
            let mut attributes = attributes.clone();
            hash_passwords(view, existing, &mut attributes, 0, "", &mut Done::default());
            keep_disabled(&mut attributes);
            return write::add(tree, dn, &given(&attributes));
        }
        (_, Resolution::Found(object)) => object,
        (_, _) => return Err(Refusal::no_such_object(None)),
    };
    match change {
        Change::Add(_) => Ok(Vec::new()),
        Change::Delete => write::delete(tree, object),
        Change::Modify(steps) => {
            let mut steps = steps.clone();
            for (_, description, values) in &mut steps {
                let mut one = vec![(description.clone(), std::mem::take(values))];
                hash_passwords(view, Some(object), &mut one, 0, "", &mut Done::default());
                *values = one.pop().map(|(_, values)| values).unwrap_or_default();
            }
            let steps: Vec<Modification<'_>> = steps
                .iter()
                .map(|(operation, description, values)| Modification {
                    operation: *operation,
                    attribute: Given {
                        description,
                        values: values.iter().map(|value| Cow::Borrowed(value.as_slice())).collect(),
                    },
                })
                .collect();
            write::modify(tree, object, &steps, true)
        }
        Change::Rename { new_rdn, delete_old, new_superior } => write::rename(
            tree,
            object,
            Rename { rdn: new_rdn, delete_old: *delete_old, superior: new_superior.as_deref() },
        ),
    }
}
