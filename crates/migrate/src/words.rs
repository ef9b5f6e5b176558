//! Names and differences in words, for reports.

use netinfo_directory::{Property, is_secret};

/// Longest name in a note, in characters.
const SHOWN: usize = 200;
/// Bytes of a value that is no text that are shown.
const BEGIN: usize = 16;

/// A name for a note.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars()
        .take(SHOWN)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// A value for a note: text as it is; of anything else how it begins, and how much there is.
fn value_shown(value: &[u8]) -> String {
    let is_text = std::str::from_utf8(value).is_ok_and(|text| !text.contains('\0'));
    if is_text {
        return shown(value);
    }
    let begin: String = value.iter().take(BEGIN).map(|byte| format!("{byte:02x}")).collect();
    let more = if value.len() > BEGIN { "…" } else { "" };
    format!("0x{begin}{more} ({} bytes)", value.len())
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
    let values: Vec<String> = property.values.iter().map(|value| value_shown(value)).collect();
    format!("{sign} {name}: {}", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_text_are_shown_in_short() {
        let property = |values: &[&[u8]]| Property::new("picture", values.iter().copied());
        let photo = [&b"\xff\xd8\0"[..], &[7; 40]].concat();
        let lines = difference(&[property(&[&photo])], &[property(&[b"\xff", "größe".as_bytes(), b"a\tb"])]);
        let expected = [
            "- picture: 0xffd80007070707070707070707070707… (43 bytes)",
            "+ picture: 0xff (1 bytes), größe, a\\tb",
        ];
        assert_eq!(lines, expected);
    }
}
