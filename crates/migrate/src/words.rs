//! Names and differences in words, for reports.

use netinfo_directory::{Property, is_secret};

/// Longest name in a note, in characters.
const SHOWN: usize = 200;

/// A name for a note.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars()
        .take(SHOWN)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// What differs between two property lists, a line for each property. Secrets are told to differ, and no more.
#[must_use]
pub(crate) fn difference(before: &[Property], after: &[Property]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<&Property> = before.iter().collect();
    for property in after {
        let own = rest.iter().position(|own| own.name == property.name).map(|at| rest.remove(at));
        match own {
            Some(own) if own.values == property.values => {}
            Some(own) => {
                lines.push(line('-', own));
                lines.push(line('+', property));
            }
            None => lines.push(line('+', property)),
        }
    }
    lines.extend(rest.into_iter().map(|property| line('-', property)));
    lines
}

fn line(sign: char, property: &Property) -> String {
    let name = shown(&property.name);
    if is_secret(&property.name) {
        return format!("{sign} {name}: (hidden)");
    }
    let values: Vec<String> = property.values.iter().map(|value| shown(value)).collect();
    format!("{sign} {name}: {}", values.join(", "))
}
