//! Entries that come from another server with what that one knew of them (draft-zeilenga-ldap-relax): their UUIDs, times
//! and names of those who made and changed them go into their stamps.

use netinfo_directory::{CREATED, Change, ROOT, StampBuf, Target, View};
use netinfo_mapping::name::Name;
use netinfo_mapping::write::{Given, Modification, Operation};
use netinfo_mapping::{Resolution, Tree};
use netinfo_schema::syntax::Moment;
use netinfo_wire::ldap::ResultCode;

use crate::failure::{Failure, Outcome};

/// What only the server writes and makes out of the entry itself: not taken from anywhere.
const COMPUTED: [&str; 12] = [
    "structuralObjectClass",
    "entryDN",
    "entryCSN",
    "contextCSN",
    "subschemaSubentry",
    "hasSubordinates",
    "numSubordinates",
    "memberOf",
    "dSID",
    "nIVersionNumber",
    "nISerialNumber",
    "governingStructureRule",
];

/// What a client says of the origin of an entry.
#[derive(Debug, Default)]
pub(super) struct Origin {
    uuid: Option<[u8; 16]>,
    created: Option<u64>,
    modified: Option<u64>,
    creator: Option<Vec<u8>>,
    modifier: Option<Vec<u8>>,
}

impl Origin {
    /// Takes what is about the origin out of the attributes of a new entry.
    pub(super) fn of_new(tree: &Tree<'_>, given: &mut Vec<Given<'_>>) -> Outcome<Self> {
        let mut origin = Self::default();
        let mut failed = None;
        given.retain(|given| match origin.takes(tree, given) {
            Ok(taken) => !taken,
            Err(failure) => {
                failed = Some(failure);
                true
            }
        });
        failed.map_or(Ok(origin), Err)
    }

    /// Takes what is about the origin out of modifications.
    pub(super) fn of_changed(tree: &Tree<'_>, steps: &mut Vec<Modification<'_>>) -> Outcome<Self> {
        let mut origin = Self::default();
        let mut failed = None;
        steps.retain(|step| match origin.takes(tree, &step.attribute) {
            Ok(taken) => {
                if taken && !matches!(step.operation, Operation::Add | Operation::Replace) {
                    let message = "what the server knows of an entry can be replaced but not removed";
                    failed = Some(Failure::new(ResultCode::UnwillingToPerform, message));
                }
                !taken
            }
            Err(failure) => {
                failed = Some(failure);
                true
            }
        });
        failed.map_or(Ok(origin), Err)
    }

    /// Whether an attribute is about the origin, or of no use.
    fn takes(&mut self, tree: &Tree<'_>, given: &Given<'_>) -> Outcome<bool> {
        let schema = tree.namespace().schema();
        let description = std::str::from_utf8(given.description).unwrap_or_default();
        let Some(attribute) = schema.attribute(description) else { return Ok(false) };
        let name = attribute.name();
        if COMPUTED.contains(&name) {
            return Ok(true);
        }
        if !["entryUUID", "createTimestamp", "modifyTimestamp", "creatorsName", "modifiersName"]
            .contains(&name)
        {
            return Ok(false);
        }
        let [value] = &given.values[..] else {
            let message = format!("{name} has one value");
            return Err(Failure::new(ResultCode::ConstraintViolation, message));
        };
        let wrong =
            || Failure::new(ResultCode::InvalidAttributeSyntax, format!("{name}: the value is malformed"));
        match name {
            "entryUUID" => self.uuid = Some(uuid(value).ok_or_else(wrong)?),
            "createTimestamp" => self.created = Some(time(value).ok_or_else(wrong)?),
            "modifyTimestamp" => self.modified = Some(time(value).ok_or_else(wrong)?),
            "creatorsName" => self.creator = Some(session_name(tree, value)?),
            _ => self.modifier = Some(session_name(tree, value)?),
        }
        Ok(true)
    }

    /// Whether nothing was said.
    const fn is_empty(&self) -> bool {
        self.uuid.is_none()
            && self.created.is_none()
            && self.modified.is_none()
            && self.creator.is_none()
            && self.modifier.is_none()
    }

    /// The change that keeps the origin of an entry, `None` for one that the changes before it create; to be made after
    /// them.
    pub(super) fn change(
        self,
        view: &View<'_>,
        object: Option<u32>,
        now: u64,
        by: &[u8],
    ) -> Outcome<Option<Change>> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut stamp = match object {
            Some(object) => {
                StampBuf { modified: now, modifier: by.to_vec(), ..StampBuf::from(view.stamp(object)?) }
            }
            None => StampBuf {
                uuid: self.uuid.map_or_else(random_uuid, Ok)?,
                created: now,
                modified: now,
                creator: by.to_vec(),
                modifier: by.to_vec(),
            },
        };
        let Self { uuid, created, modified, creator, modifier } = self;
        stamp.uuid = uuid.unwrap_or(stamp.uuid);
        stamp.created = created.unwrap_or(stamp.created);
        stamp.modified = modified.unwrap_or(stamp.modified);
        stamp.creator = creator.unwrap_or(stamp.creator);
        stamp.modifier = modifier.unwrap_or(stamp.modifier);
        if let Some(other) = view.by_uuid(stamp.uuid)?
            && Some(other) != object
        {
            let message = "another entry has this UUID";
            return Err(Failure::new(ResultCode::ConstraintViolation, message));
        }
        let directory = Target::any(object.unwrap_or(CREATED));
        Ok(Some(Change::SetStamp { directory, stamp }))
    }
}

/// A random UUID (RFC 9562 §5.4).
fn random_uuid() -> Outcome<[u8; 16]> {
    let mut uuid = [0; 16];
    getrandom::fill(&mut uuid).map_err(|error| {
        tracing::error!(%error, "no random numbers");
        Failure::new(ResultCode::Unspecified, "a UUID cannot be made")
    })?;
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    Ok(uuid)
}

/// Reads a UUID (RFC 4530 §2.1).
fn uuid(value: &[u8]) -> Option<[u8; 16]> {
    if value.len() != 36 || [8, 13, 18, 23].iter().any(|at| value.get(*at) != Some(&b'-')) {
        return None;
    }
    let mut digits = value.iter().filter(|byte| **byte != b'-').map(|byte| char::from(*byte).to_digit(16));
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    digits.next().is_none().then_some(uuid)
}

/// Reads a time, in milliseconds since the epoch.
fn time(value: &[u8]) -> Option<u64> {
    u64::try_from(Moment::parse(value).ok()?.unix_seconds()).ok()?.checked_mul(1000)
}

/// The name that stands for somebody in stamps: a user's first name, else the DN.
fn session_name(tree: &Tree<'_>, dn: &[u8]) -> Outcome<Vec<u8>> {
    let name = crate::operation::parse(dn)?;
    Ok(user_name(tree, &name)?.unwrap_or_else(|| dn.to_vec()))
}

fn user_name(tree: &Tree<'_>, name: &Name<'_>) -> Outcome<Option<Vec<u8>>> {
    let view = tree.view();
    let Resolution::Found(object) = tree.resolve_name(name)? else { return Ok(None) };
    let record = view.record(object)?;
    let is_user = object != ROOT && view.child_named(ROOT, b"users")? == Some(record.parent());
    Ok(if is_user { record.first_value(b"name").map(<[u8]>::to_vec) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_and_times_are_read() {
        let text = b"6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        let expected =
            [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(uuid(text), Some(expected));
        for bad in [
            &b"6ba7b810"[..],
            b"6ba7b8109-dad-11d1-80b4-00c04fd430c8",
            b"6ba7b810-9dad-11d1-80b4-00c04fd430cg",
        ] {
            assert_eq!(uuid(bad), None);
        }
        assert_eq!(time(b"20260102030405Z"), Some(1_767_323_045_000));
        assert_eq!(time(b"19690102030405Z"), None);
        assert_eq!(time(b"yesterday"), None);
        let random = random_uuid().unwrap();
        assert_eq!((random[6] >> 4, random[8] >> 6), (4, 2));
    }
}
