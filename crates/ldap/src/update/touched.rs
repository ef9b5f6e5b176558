//! Which directories a write is about.

use netinfo_directory::Change;

/// The directories that a write changes, so that a later one of the same connection that is about one of them waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Which domain, by the place of its object in memory.
    domain: usize,
    objects: Vec<u32>,
}

impl Touched {
    /// What these changes to a domain are about. The parent of a new entry is not among it: its other children do not
    /// mind.
    pub(crate) fn of(domain: usize, changes: &[Change]) -> Self {
        let mut objects = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Create { .. } => {}
                Change::Destroy { child, .. } => objects.push(child.object),
                Change::Move { child, .. } => objects.push(child.object),
                other => objects.push(other.directory().object),
            }
        }
        Self { domain, objects }
    }

    /// Whether both are about the same directory.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.domain == other.domain && self.objects.iter().any(|object| other.objects.contains(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_directory::{Property, Target};

    #[test]
    fn entries_are_told_apart_and_parents_do_not_count() {
        let create = |parent| Change::Create {
            parent: Target::any(parent),
            properties: vec![Property::new("name", ["x"])],
            position: u32::MAX,
        };
        let destroy = |child| Change::Destroy { parent: Target::any(1), child: Target::any(child) };
        let one = Touched::of(1, &[destroy(7)]);
        assert!(one.meets(&Touched::of(1, &[create(1), destroy(7)])));
        assert!(!one.meets(&Touched::of(2, &[destroy(7)])));
        assert!(!one.meets(&Touched::of(1, &[destroy(8)])));
        assert!(!Touched::of(1, &[create(1)]).meets(&Touched::of(1, &[create(1)])));
    }
}
