//! The directories of a folder as records.

use std::collections::HashMap;

use super::database::{Database, Directory};
use crate::{Identity, Place, Problem, Reason, Record};

/// The stream of [`Database::records`].
pub(crate) fn records(database: &Database) -> impl Iterator<Item = Result<Record, Problem>> + '_ {
    let order = database.preorder();
    let count = order.len() as u64;
    let places = Places::new(database, &order);
    let reached = (1..).zip(order).flat_map(move |(line, id)| {
        let directory = database.directories.get(&id);
        directory.into_iter().flat_map({
            let place = places.of(id);
            move |directory| items(directory, place, line)
        })
    });
    let lost = unreachable(database);
    let problems = (count + 1..).zip(lost).map(|(line, id)| {
        let text = format!("directory {id} cannot be reached from the root and is left out");
        Err(Reason::Malformed(text).at(line, "directory"))
    });
    reached.chain(problems)
}

/// Directories that no way from the root leads to.
fn unreachable(database: &Database) -> Vec<u32> {
    let reached: std::collections::HashSet<u32> = database.preorder().into_iter().collect();
    database.directories.keys().copied().filter(|id| !reached.contains(id)).collect()
}

/// Where directories stand in the stream.
struct Places {
    parents: HashMap<u32, u64>,
}

impl Places {
    /// A directory is below the first one that lists it.
    fn new(database: &Database, order: &[u32]) -> Self {
        let mut parents = HashMap::new();
        for (number, id) in (0..).zip(order) {
            let children = database.directories.get(id).map_or(&[][..], |directory| &directory.children);
            for child in children {
                parents.entry(*child).or_insert(number);
            }
        }
        Self { parents }
    }

    fn of(&self, id: u32) -> Place {
        if id == 0 {
            return Place::Root;
        }
        self.parents.get(&id).map_or(Place::Root, |number| Place::Below(*number))
    }
}

/// A record, after what it cannot hold.
fn items(
    directory: &Directory,
    place: Place,
    line: u64,
) -> impl Iterator<Item = Result<Record, Problem>> + use<> {
    let mut cut = 0_usize;
    let mut whole = |text: &[u8]| match text.iter().position(|byte| *byte == 0) {
        None => text.to_vec(),
        Some(end) => {
            cut += 1;
            text[..end].to_vec()
        }
    };
    let properties = directory
        .properties
        .iter()
        .map(|(name, values)| (whole(name), values.iter().map(|value| whole(value)).collect()))
        .collect();
    let identity = Some(Identity { object: directory.id, instance: directory.instance });
    let record = Record { place, properties, identity, line };
    let problem = (cut > 0).then(|| Err(Reason::Nul.at(line, "value")));
    problem.into_iter().chain([Ok(record)])
}
