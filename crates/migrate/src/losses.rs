//! What a format could not carry, cause by cause.

use std::collections::HashMap;
use std::fmt;

use netinfo_formats::Loss;
use serde_json::{Value, json};

/// Most causes that are told apart. Beyond them losses are counted, and no more.
pub const MAX_CAUSES: usize = 10_000;

/// Losses with one cause: one property, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The property that is left out, wholly or in part; empty when whole records are left out.
    pub property: Vec<u8>,
    /// Why, in words.
    pub why: &'static str,
    /// How many records lose something by it.
    pub records: u64,
    /// The number of the first of them.
    pub first: u64,
}

impl Cause {
    /// As JSON: `{"property", "why", "records", "first"}`; the property is null when whole records are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let property = (!self.property.is_empty()).then(|| String::from_utf8_lossy(&self.property));
        json!({ "property": property, "why": self.why, "records": self.records, "first": self.first })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { property, why, records, first } = self;
        if *records == 1 {
            return Loss { line: *first, property: property.clone(), why }.fmt(f);
        }
        match property.as_slice() {
            [] => write!(f, "left out: ")?,
            property => write!(f, "{}: ", property.escape_ascii())?,
        }
        write!(f, "{records} records, the first is {first}: {why}")
    }
}

/// All losses of an export, those with the same cause counted together.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    causes: Vec<Cause>,
    /// Where the cause of a property and a reason is in the list.
    places: HashMap<(Vec<u8>, &'static str), usize>,
    total: u64,
    /// Losses whose causes are beyond [`MAX_CAUSES`].
    dropped: u64,
}

impl Losses {
    /// The causes, in the order in which they were met.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// How many losses there are.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many of them have a cause that is not in the list, because it is full.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Extend<Loss> for Losses {
    fn extend<I: IntoIterator<Item = Loss>>(&mut self, losses: I) {
        for Loss { line, property, why } in losses {
            self.total += 1;
            let key = (property, why);
            if let Some(cause) = self.places.get(&key).and_then(|place| self.causes.get_mut(*place)) {
                cause.records += 1;
            } else if self.causes.len() < MAX_CAUSES {
                self.causes.push(Cause { property: key.0.clone(), why, records: 1, first: line });
                self.places.insert(key, self.causes.len() - 1);
            } else {
                self.dropped += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(line: u64, property: &str, why: &'static str) -> Loss {
        Loss { line, property: property.into(), why }
    }

    #[test]
    fn losses_with_the_same_cause_are_one_line() {
        let mut losses = Losses::default();
        losses.extend([
            loss(3, "class", "no place"),
            loss(4, "class", "no place"),
            loss(4, "uid", "no place"),
        ]);
        losses.extend([loss(5, "class", "no place"), loss(6, "class", "one value"), loss(7, "", "no name")]);
        losses.extend([loss(9, "", "no name")]);
        let told: Vec<_> = losses.causes().iter().map(Cause::to_string).collect();
        let expected = [
            "class: 3 records, the first is 3: no place",
            "record 4: uid: no place",
            "record 6: class: one value",
            "left out: 2 records, the first is 7: no name",
        ];
        assert_eq!(told, expected);
        assert_eq!((losses.total(), losses.dropped()), (7, 0));
        let json = json!({ "property": "class", "why": "no place", "records": 3, "first": 3 });
        assert_eq!(losses.causes()[0].to_json(), json);
        assert_eq!(losses.causes()[3].to_json()["property"], Value::Null);
    }

    #[test]
    fn causes_are_bounded() {
        let mut losses = Losses::default();
        losses.extend((0..MAX_CAUSES as u64 + 2).map(|line| loss(line, &line.to_string(), "no place")));
        losses.extend([loss(1, "0", "no place")]);
        assert_eq!((losses.causes().len(), losses.dropped()), (MAX_CAUSES, 2));
        assert_eq!((losses.total(), losses.causes()[0].records), (MAX_CAUSES as u64 + 3, 2));
    }
}
