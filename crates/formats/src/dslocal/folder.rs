//! Finding the files.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::plist::MAX_PLIST_BYTES;
use super::record::{DsRecord, malformed, no_record};
use crate::problem::Problem;
use crate::record::{Place, Record};

/// Largest hash file that is read, in bytes.
pub const MAX_HASH_FILE_BYTES: usize = 4096;

/// How deep folders are in a node: `config/SharePoints`.
const MAX_FOLDERS: usize = 2;

/// The records of a folder, kind by kind and in the order of their file names.
#[derive(Debug)]
pub struct Folder {
    node: PathBuf,
    shadow: Option<PathBuf>,
    samba: Option<PathBuf>,
    /// Kinds that have not been looked at; the next one is the last.
    kinds: Vec<String>,
    /// Files of the current kind.
    files: VecDeque<(String, PathBuf)>,
    kind: String,
    problems: VecDeque<Problem>,
    number: u64,
}

/// Kinds that every such folder has, as far as its files may be seen.
const TELLING: [&str; 3] = ["users", "groups", "config"];

impl Folder {
    /// Whether a folder looks like one of these: it has `nodes/Default`, or property lists of users, groups or settings.
    pub fn is_one(path: &Path) -> bool {
        let has_lists = |kind: &str| {
            let Ok(entries) = fs::read_dir(path.join(kind)) else { return false };
            let mut names = entries.flatten().map(|entry| PathBuf::from(entry.file_name()));
            names.any(|name| name.extension().is_some_and(|end| end == "plist"))
        };
        path.join("nodes/Default").is_dir() || TELLING.into_iter().any(has_lists)
    }

    /// Opens a node (`…/nodes/Default`) or the folder that has `nodes/Default` in it. Hashes are looked for where they
    /// are on a Mac (`/var/db/shadow/hash` for `/var/db/dslocal`) and beside `nodes`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let inner = path.join("nodes/Default");
        let node = if inner.is_dir() { inner } else { path.to_owned() };
        let base = node.parent().and_then(Path::parent);
        let find = |name: &str| {
            let places =
                [base.map(|base| base.join(name)), base.and_then(Path::parent).map(|db| db.join(name))];
            places.into_iter().flatten().find(|place| place.is_dir())
        };
        let (shadow, samba) = (find("shadow/hash"), find("samba/hash"));
        let mut folder = Self {
            node,
            shadow,
            samba,
            kinds: Vec::new(),
            files: VecDeque::new(),
            kind: String::new(),
            problems: VecDeque::new(),
            number: 0,
        };
        folder.look("")?;
        folder.files.clear();
        Ok(folder)
    }

    /// Looks for the hash files of 10.3 to 10.6 in another folder.
    #[must_use]
    pub fn with_shadow(self, folder: impl Into<PathBuf>) -> Self {
        Self { shadow: Some(folder.into()), ..self }
    }

    /// Looks for the hash files of 10.2 in another folder.
    #[must_use]
    pub fn with_samba(self, folder: impl Into<PathBuf>) -> Self {
        Self { samba: Some(folder.into()), ..self }
    }

    /// The records as a tree, see [`Records`].
    pub fn records(self) -> Records {
        Records { folder: self, ready: VecDeque::new(), places: HashMap::new(), count: 0 }
    }

    /// Lists a folder: files of records, and folders in it as kinds to come.
    fn look(&mut self, kind: &str) -> io::Result<()> {
        let mut entries: Vec<_> = fs::read_dir(self.node.join(kind))?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut kinds = Vec::new();
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let inside = if kind.is_empty() { name.clone() } else { format!("{kind}/{name}") };
            let file_type = entry.file_type()?;
            if file_type.is_dir() {
                if !name.starts_with('.') && inside.matches('/').count() < MAX_FOLDERS {
                    kinds.push(inside);
                }
            } else if file_type.is_file() && Path::new(&name).extension().is_some_and(|end| end == "plist") {
                self.files.push_back((inside, entry.path()));
            } else if name.ends_with(".plist.temp") {
                self.number += 1;
                self.problems.push_back(no_record(self.number, &inside, "left by an interrupted write"));
            }
        }
        kinds.reverse();
        self.kinds.append(&mut kinds);
        kind.clone_into(&mut self.kind);
        Ok(())
    }

    fn record(&mut self, file: &str, path: &Path) -> Result<DsRecord, Problem> {
        self.number += 1;
        let content = load(path, MAX_PLIST_BYTES).map_err(|why| malformed(self.number, file, &why))?;
        let mut record = DsRecord::parse(&self.kind, file, self.number, &content)?;
        if self.kind != "users" {
            return Ok(record);
        }
        let name = record.text("name").map(str::to_owned);
        let id = record.text("generateduid").map(str::to_owned);
        let mut problems = VecDeque::new();
        let mut hash = |folder: Option<&Path>, name: &str| match hash_file(folder?, name)? {
            Ok(content) => Some(content),
            Err(why) => {
                problems.push_back(malformed(self.number, file, &format!("its hash file {why}")));
                None
            }
        };
        let shadow = self.shadow.as_deref();
        record.shadow_file = id.as_deref().and_then(|id| hash(shadow, id));
        if let Some(name) = name {
            record.shadow_file = record.shadow_file.or_else(|| hash(shadow, &name));
            record.samba_file = hash(self.samba.as_deref(), &name);
        }
        self.problems.append(&mut problems);
        Ok(record)
    }
}

/// A hash file by its name: `None` if there is none, an error in words if it cannot be read.
fn hash_file(folder: &Path, name: &str) -> Option<Result<Vec<u8>, String>> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return None;
    }
    let path = folder.join(name);
    path.is_file().then(|| load(&path, MAX_HASH_FILE_BYTES))
}

fn load(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        fs::File::open(path)?.take(most as u64 + 1).read_to_end(&mut content)?;
        Ok(content)
    };
    let content = read().map_err(|error| format!("cannot be read: {}", error.kind()))?;
    if content.len() > most { Err(format!("longer than {most} bytes")) } else { Ok(content) }
}

impl Iterator for Folder {
    type Item = Result<DsRecord, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(problem) = self.problems.pop_front() {
                return Some(Err(problem));
            }
            if let Some((file, path)) = self.files.pop_front() {
                return Some(self.record(&file, &path));
            }
            let kind = self.kinds.pop()?;
            if let Err(error) = self.look(&kind) {
                self.number += 1;
                let why = format!("cannot be read: {}", error.kind());
                return Some(Err(malformed(self.number, &kind, &why)));
            }
        }
    }
}

/// A folder as a tree: a root without properties, a directory for each kind, and below it the records. `line` is the
/// number of the file.
#[derive(Debug)]
pub struct Records {
    folder: Folder,
    ready: VecDeque<Result<Record, Problem>>,
    /// The numbers of the directories of kinds; that of the root is 0, by the name "".
    places: HashMap<String, u64>,
    count: u64,
}

impl Records {
    /// The number of the directory of a kind, which is made if there is none.
    fn place(&mut self, kind: &str, line: u64) -> u64 {
        if let Some(number) = self.places.get(kind) {
            return *number;
        }
        let record = if kind.is_empty() {
            Record { place: Place::Root, properties: Vec::new(), identity: None, line }
        } else {
            let (above, name) = kind.rsplit_once('/').unwrap_or(("", kind));
            let place = Place::Below(self.place(above, line));
            let properties = vec![(b"name".to_vec(), vec![name.into()])];
            Record { place, properties, identity: None, line }
        };
        self.places.insert(kind.to_owned(), self.count);
        self.push(record)
    }

    fn push(&mut self, record: Record) -> u64 {
        self.ready.push_back(Ok(record));
        self.count += 1;
        self.count - 1
    }
}

impl Iterator for Records {
    type Item = Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            match self.folder.next()? {
                Err(problem) => return Some(Err(problem)),
                Ok(found) => {
                    let (properties, problems) = found.to_properties();
                    self.ready.extend(problems.into_iter().map(Err));
                    if let Some(properties) = properties {
                        let place = Place::Below(self.place(&found.kind, found.number));
                        self.push(Record { place, properties, identity: None, line: found.number });
                    }
                }
            }
        }
    }
}
