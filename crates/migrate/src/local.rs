//! Imports into a domain whose store is at hand: of a stopped node, of a scratch directory, or in the daemon itself.
//!
//! Some thousand items are one commit. LDAP entries are made directories before, with a snapshot, while the items before
//! them are being committed; changes to entries are commits of their own, because each is made of what those before it have
//! left.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use netinfo_directory::{
    Batch, Change as CoreChange, Credentials, Domain, Origin, Property, Session, StampBuf,
    Target as Directory, Underway,
};

use crate::entries::{self, Ahead, Made, Mapped};
use crate::error::{Error, Result};
use crate::import::{BATCH_BYTES, BATCH_ITEMS, Target};
use crate::item::{Item, What};
use crate::place::{Options, Placer, Tree, set_stamp};
use crate::report::{Done, Outcome};
use crate::waiting::Waiting;

/// An import into a domain.
pub struct Local {
    domain: Arc<Domain>,
    session: Session,
    /// Goes along with the batch that is being made.
    hand: Option<Hand>,
    underway: Option<Underway<(Hand, Done, Result<()>)>>,
    /// What the mapping is to know of that batch.
    ahead: Ahead,
    waiting: Waiting,
    /// Items that have been offered, and their bytes.
    offered: (Vec<Item>, usize),
}

/// What puts things in their places.
struct Hand {
    placer: Placer,
    made: Made,
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The session of whoever can open the files.
pub(crate) fn session(domain: &Domain) -> Result<Session> {
    Ok(domain.authenticate(Credentials::None, Origin::Internal)?)
}

impl Local {
    /// Into `domain`, as its superuser.
    ///
    /// # Errors
    /// When the domain cannot be read.
    pub fn new(domain: Arc<Domain>, options: Options) -> Result<Self> {
        let session = session(&domain)?;
        Ok(Self {
            domain,
            session,
            hand: Some(Hand { placer: Placer::new(options), made: Made::default() }),
            underway: None,
            ahead: Ahead::default(),
            waiting: Waiting::default(),
            offered: Default::default(),
        })
    }

    /// Another stream begins.
    fn begin_stream(&mut self) {
        self.waiting.begin();
        if let Some(hand) = &mut self.hand {
            hand.placer.begin();
        }
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Arc<Domain> {
        &self.domain
    }

    /// Takes items as they come, and puts them in place once there are enough for a commit; [`Local::settle`] does the
    /// rest. What came of them is told by a later call.
    ///
    /// # Errors
    /// When nothing more can be done.
    pub fn offer(&mut self, items: Vec<Item>) -> Result<Done> {
        let ends = items.iter().any(|item| matches!(item.what, What::Begin));
        self.offered.1 += items.iter().map(Item::weight).sum::<usize>();
        self.offered.0.extend(items);
        if ends || self.offered.0.len() >= BATCH_ITEMS || self.offered.1 >= BATCH_BYTES {
            let items = std::mem::take(&mut self.offered).0;
            return self.take(items);
        }
        Ok(Done::default())
    }

    /// Puts some items in place: one commit, or several where entries are changed.
    ///
    /// # Errors
    /// When nothing more can be done. What earlier calls have done stays.
    pub fn apply(&mut self, items: Vec<Item>) -> Result<Done> {
        let mut done = self.take(items)?;
        self.wait(&mut done)?;
        Ok(done)
    }

    /// Puts in place what has been offered, and what came before the entry above it: that is there now, or does not come.
    ///
    /// # Errors
    /// When nothing more can be done.
    pub fn settle(&mut self) -> Result<Done> {
        let offered = std::mem::take(&mut self.offered).0;
        let mut done = if offered.is_empty() { Done::default() } else { self.take(offered)? };
        if !self.waiting.is_empty() {
            let mut items = self.waiting.leave().into_iter().peekable();
            while items.peek().is_some() {
                let batch = items.by_ref().take(BATCH_ITEMS).collect();
                self.put(batch, &mut done)?;
            }
        }
        self.wait(&mut done)?;
        Ok(done)
    }

    /// As [`Local::apply`], without waiting for the last commit.
    fn take(&mut self, items: Vec<Item>) -> Result<Done> {
        let mut done = Done::default();
        let mut run = Vec::new();
        for item in items {
            match item.what {
                What::Change(dn, change) => {
                    self.put(std::mem::take(&mut run), &mut done)?;
                    self.wait(&mut done)?;
                    entries::change(&self.domain, &self.session, &dn, &change, item.line, &mut done)?;
                }
                What::Begin => {
                    self.put(std::mem::take(&mut run), &mut done)?;
                    done.add(self.settle()?);
                    self.begin_stream();
                }
                _ => run.push(item),
            }
        }
        self.put(run, &mut done)?;
        Ok(done)
    }

    /// Maps items, waits for the batch before them, and lets another be made of them.
    fn put(&mut self, items: Vec<Item>, done: &mut Done) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let mut ahead = std::mem::take(&mut self.ahead);
        let mut told = Done::default();
        let mapped =
            entries::map(&self.domain, &self.session, items, &mut ahead, &mut self.waiting, &mut told);
        // What is told is told in order.
        self.wait(done)?;
        done.add(told);
        let mapped = mapped?;
        let Some(mut hand) = self.hand.take() else {
            return Err(Error::Invalid("the import has failed before".into()));
        };
        hand.made.begin(ahead.turn);
        let alone = mapped.iter().any(Mapped::is_root);
        let work = move |batch: &mut Batch<'_, '_, '_>| {
            let (mut done, mut outcome) = (Done::default(), Ok(()));
            let mut tree = BatchTree { batch };
            for mapped in mapped {
                outcome = place(&mut tree, &mut hand, mapped, &mut done);
                if outcome.is_err() {
                    break;
                }
            }
            match outcome {
                Err(Error::Core(error)) => Err(error),
                other => Ok((hand, done, other)),
            }
        };
        self.underway = Some(self.domain.batch_later(&self.session, now(), work)?);
        self.ahead = ahead;
        if alone { self.wait(done) } else { Ok(()) }
    }

    /// Waits for the batch that is being made, if there is one.
    fn wait(&mut self, done: &mut Done) -> Result<()> {
        let Some(underway) = self.underway.take() else { return Ok(()) };
        // The next snapshot shows it.
        self.ahead = Ahead::default();
        let (hand, more, outcome) = underway.wait()?;
        outcome?;
        self.hand = Some(hand);
        done.add(more);
        Ok(())
    }
}

impl Target for Local {
    fn begin(&mut self) -> Result<()> {
        self.begin_stream();
        Ok(())
    }

    fn apply(&mut self, items: Vec<Item>) -> Result<Done> {
        self.take(items)
    }

    fn settle(&mut self) -> Result<Done> {
        Self::settle(self)
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Puts one thing in its place.
fn place(
    tree: &mut BatchTree<'_, '_, '_, '_>,
    hand: &mut Hand,
    mapped: Mapped,
    done: &mut Done,
) -> Result<()> {
    let Hand { placer, made } = hand;
    match mapped {
        Mapped::Directory(line, directory) => placer.put(tree, directory, line, done),
        Mapped::Entry(entry) => {
            let (line, name, adopts) = (entry.line, entry.name.clone(), entry.adopts);
            let Some((spot, directory)) = entry.placed(made) else {
                made.push(None);
                done.tell(Outcome::Failed, line, &name, vec!["the entry above it was not taken".into()]);
                return Ok(());
            };
            let stamp = directory.stamp.clone().filter(|_| adopts);
            let placed = placer.place(tree, spot, directory, line, &name, done).and_then(|object| {
                stamp.map_or(Ok(()), |stamp| set_stamp(tree, object, stamp, line, &name, done))?;
                Ok(object)
            });
            match placed {
                Ok(object) => made.push(Some(object)),
                Err(error) if error.is_of_the_item() => {
                    made.push(None);
                    done.tell(Outcome::Failed, line, &name, vec![error.to_string()]);
                }
                Err(error) => return Err(error),
            }
            Ok(())
        }
    }
}

/// A batch as a tree.
struct BatchTree<'t, 'b, 'a, 'e> {
    batch: &'t mut Batch<'b, 'a, 'e>,
}

impl Tree for BatchTree<'_, '_, '_, '_> {
    fn lookup(&mut self, parent: u32, key: &[u8], value: &[u8]) -> Result<Vec<u32>> {
        Ok(self.batch.lookup(parent, key, value)?)
    }

    fn children(&mut self, parent: u32) -> Result<Vec<u32>> {
        Ok(self.batch.children(parent)?)
    }

    fn properties(&mut self, object: u32) -> Result<Vec<Property>> {
        Ok(self.batch.properties(object)?)
    }

    fn create(&mut self, parent: u32, properties: Vec<Property>) -> Result<u32> {
        let parent = Directory::any(parent);
        let outcome = self.batch.apply(CoreChange::Create { parent, properties, position: u32::MAX })?;
        outcome.created.map(|id| id.object).ok_or_else(|| Error::Invalid("nothing was created".into()))
    }

    fn write(&mut self, object: u32, properties: Vec<Property>) -> Result<()> {
        let directory = Directory::any(object);
        self.batch.apply(CoreChange::Write { directory, properties })?;
        Ok(())
    }

    fn set_stamp(&mut self, object: u32, stamp: StampBuf) -> Result<()> {
        self.batch.apply(CoreChange::SetStamp { directory: Directory::any(object), stamp })?;
        Ok(())
    }
}
