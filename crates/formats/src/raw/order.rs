//! Trees in the order that nested formats need.

use crate::record::{Place, Record};

/// Puts the records of a stream so that what is below a record stands directly behind it, and numbers the parents anew.
/// Records that stand in containers, or below a record that does not come before them, keep their order at the end.
pub fn depth_first(records: Vec<Record>) -> Vec<Record> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); records.len()];
    let mut roots = Vec::new();
    let mut others = Vec::new();
    for (number, record) in records.iter().enumerate() {
        match record.place {
            Place::Root => roots.push(number),
            Place::Below(parent) if (parent as usize) < number => children[parent as usize].push(number),
            Place::Below(_) | Place::In(_) => others.push(number),
        }
    }
    let mut records: Vec<Option<Record>> = records.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(records.len());
    for start in roots.into_iter().chain(others) {
        // Numbers, and where their parents have come to stand.
        let mut stack = vec![(start, None)];
        while let Some((number, parent)) = stack.pop() {
            let Some(mut record) = records[number].take() else { continue };
            if let Some(parent) = parent {
                record.place = Place::Below(parent);
            }
            let own = ordered.len() as u64;
            stack.extend(children[number].iter().rev().map(|child| (*child, Some(own))));
            ordered.push(record);
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_come_behind_their_parents() {
        let place = |place, line| Record { place, properties: Vec::new(), identity: None, line };
        let records = vec![
            place(Place::Root, 0),
            place(Place::Below(0), 1),
            place(Place::Below(0), 2),
            place(Place::Below(1), 3),
            place(Place::Below(2), 4),
            place(Place::Below(1), 5),
        ];
        let ordered: Vec<_> = depth_first(records).iter().map(|record| (record.place, record.line)).collect();
        let below = Place::Below;
        let expected =
            [(Place::Root, 0), (below(0), 1), (below(1), 3), (below(1), 5), (below(0), 2), (below(4), 4)];
        assert_eq!(ordered, expected);
    }
}
