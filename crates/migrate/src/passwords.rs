//! Passwords that come in: which are none, and which nobody can use.

use netinfo_directory::{MASK, Property, is_secret, password};

use crate::report::{Done, Kind};

/// Leaves out passwords that were hidden from whoever made the export: the mask is none.
pub(crate) fn unmasked(
    mut properties: Vec<Property>,
    line: u64,
    name: &str,
    done: &mut Done,
) -> Vec<Property> {
    let masked =
        |property: &Property| is_secret(&property.name) && property.values.iter().any(|value| value == MASK);
    if properties.iter().any(masked) {
        properties.retain(|property| !masked(property));
        done.note(
            Kind::Password,
            line,
            name,
            vec!["the password was hidden where this comes from; it is left out".into()],
        );
    }
    properties
}

/// Hashes that a Mac keeps outside of the password, in forms of their own.
pub(crate) const MATERIAL: &[u8] = b"_shadow_passwd";

/// Tells of passwords that are kept although no password matches them.
pub(crate) fn flag(properties: &[Property], line: u64, name: impl Fn() -> String, done: &mut Done) {
    let values = |name: &[u8]| {
        let property = properties.iter().find(|property| property.name == name);
        property.map_or(&[][..], |property| &property.values[..])
    };
    let stored = values(b"passwd");
    let why = if stored.iter().any(|value| !password::is_hash(value) && !is_lock(value)) {
        "no password can be checked against what is stored: its scheme is not known"
    } else if !values(MATERIAL).is_empty() && !stored.iter().any(|value| password::is_hash(value)) {
        "no password can be checked against its hashes; they are kept"
    } else {
        return;
    };
    done.note(Kind::Password, line, &name(), vec![why.into()]);
}

/// Whether a stored password is one of the marks that mean "nobody logs in so", or none at all.
fn is_lock(value: &[u8]) -> bool {
    const MARKS: [&str; 9] = ["x", "np", "lk", "no", "nologin", "locked", "disabled", "kerberos", "none"];
    value.is_empty()
        || matches!(value.first(), Some(b'*' | b'!'))
        || MARKS.iter().any(|mark| value.eq_ignore_ascii_case(mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(properties: &[(&str, &[&str])]) -> usize {
        let properties: Vec<_> =
            properties.iter().map(|(name, values)| Property::new(*name, values.iter().copied())).collect();
        let mut done = Done::default();
        flag(&properties, 1, || "ana".into(), &mut done);
        done.notes.len()
    }

    #[test]
    fn what_nobody_can_use_is_told() {
        assert_eq!(told(&[("passwd", &["xOAFZqRz5RduI"])]), 0);
        assert_eq!(told(&[("passwd", &["*"])]), 0);
        assert_eq!(told(&[("passwd", &["{NT}0123"])]), 1);
        assert_eq!(told(&[("passwd", &["*"]), ("_shadow_passwd", &["{X-SAMBA-HASH}0123"])]), 1);
        assert_eq!(told(&[("passwd", &["*"]), ("_shadow_passwd", &[])]), 0, "the property of old Macs");
        assert_eq!(told(&[("passwd", &["xOAFZqRz5RduI"]), ("_shadow_passwd", &["{X-SAMBA-HASH}0123"])]), 0);
    }
}
