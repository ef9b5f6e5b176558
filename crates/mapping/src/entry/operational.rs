//! What the server knows of an entry.

use std::borrow::Cow;
use std::fmt::Write as _;

use netinfo_directory::{ROOT, Term, VERSION_OF};
use netinfo_schema::Rule;
use smallvec::SmallVec;

use super::{Attribute, Entry};
use crate::context::NAME;
use crate::error::{Error, Result};
use crate::namespace::SUBSCHEMA;
use crate::tree::{DSID, Tree};
use crate::wanted::{Selection, Wanted};

/// The operational attributes, in the order they are returned.
const COMPUTED: [&str; 14] = [
    "structuralObjectClass",
    "entryUUID",
    "creatorsName",
    "createTimestamp",
    "modifiersName",
    "modifyTimestamp",
    "entryDN",
    "subschemaSubentry",
    "hasSubordinates",
    "numSubordinates",
    DSID,
    "nIVersionNumber",
    "nISerialNumber",
    MEMBER_OF,
];

const MEMBER_OF: &str = "memberOf";

type Values<'v> = SmallVec<[Cow<'v, [u8]>; 1]>;

/// Whether the server computes the attribute of this name (as the schema has it).
pub(crate) fn is_computed(name: &str) -> bool {
    COMPUTED.contains(&name)
}

/// A time as LDAP writes it (RFC 4517 §3.3.13): `YYYYMMDDHHMMSSZ`, from milliseconds since the epoch.
pub fn timestamp(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Civil date of a day number: eras of 400 years that begin on the first of March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
}

/// A UUID as LDAP writes it (RFC 4530 §2.1).
fn uuid_text(uuid: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Entry<'_> {
    /// Adds the operational attributes that a search asks for.
    pub(super) fn operational(
        &self,
        selection: &Selection,
        attributes: &mut Vec<Attribute<'_>>,
    ) -> Result<()> {
        for name in COMPUTED {
            let Some(known) = self.schema().attribute(name) else { continue };
            if selection.takes_operational(known.id()) {
                let values = self.computed(name)?;
                if !values.is_empty() {
                    attributes.push(Attribute::made(name, values).operational());
                }
            }
        }
        Ok(())
    }

    /// Calls `each` with the values of the operational attributes that are wanted.
    pub(super) fn computed_values(&self, wanted: &Wanted, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
        for name in COMPUTED {
            let Some(known) = self.schema().attribute(name) else { continue };
            if wanted.is_of(known.id()) && !self.computed(name)?.iter().all(|value| each(value)) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn computed<'v>(&self, name: &'static str) -> Result<Values<'v>> {
        let object = self.object();
        let view = self.tree.view();
        let text = |text: String| Some(text.into_bytes());
        let known = |time: u64| (time > 0).then(|| timestamp(time).into_bytes());
        let value = match name {
            "structuralObjectClass" => self.structural_class().map(|class| class.name().as_bytes().to_vec()),
            "entryUUID" => text(uuid_text(&view.stamp(object)?.uuid)),
            "creatorsName" => self.tree.name_of_session(view.stamp(object)?.creator)?,
            "modifiersName" => self.tree.name_of_session(view.stamp(object)?.modifier)?,
            "createTimestamp" => known(view.stamp(object)?.created),
            "modifyTimestamp" => known(view.stamp(object)?.modified),
            "entryDN" => text(self.dn()?),
            "subschemaSubentry" => text(SUBSCHEMA.to_owned()),
            "hasSubordinates" => {
                text(if self.record.child_count() > 0 { "TRUE" } else { "FALSE" }.to_owned())
            }
            "numSubordinates" => text(self.record.child_count().to_string()),
            DSID => text(object.to_string()),
            "nIVersionNumber" => text(view.resolve(VERSION_OF, object)?.instance.to_string()),
            "nISerialNumber" => text(self.record.id().instance.to_string()),
            MEMBER_OF => return self.member_of(),
            _ => None,
        };
        Ok(value.into_iter().map(Cow::Owned).collect())
    }

    fn member_of<'v>(&self) -> Result<Values<'v>> {
        if !self.may_read(MEMBER_OF.as_bytes()) {
            return Ok(SmallVec::new());
        }
        let mut values = SmallVec::new();
        for group in self.tree.groups_of(self.object())? {
            let mut dn = Vec::new();
            self.tree.write_dn(group, &mut dn)?;
            values.push(Cow::Owned(dn));
        }
        Ok(values)
    }
}

impl Tree<'_> {
    /// Object ids of the groups that name a directory as a member: by the short names of a user, or by its DN in `member`
    /// or `uniqueMember`. In ascending order.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn groups_of(&self, object: u32) -> Result<Vec<u32>> {
        let record = self.view().record(object)?;
        let mut groups = Vec::new();
        let users = self.view().child_named(ROOT, b"users")?;
        if object != ROOT
            && users == Some(record.parent())
            && let Some(directory) = self.view().child_named(ROOT, b"groups")?
        {
            for name in record.property(NAME).into_iter().flat_map(|names| names.values) {
                groups.extend(self.view().lookup(directory, b"users", name)?);
            }
        }
        let dn = self.dn(object)?;
        let mut candidates = roaring::RoaringBitmap::new();
        for property in [&b"member"[..], b"uniqueMember"] {
            self.view().collect(Term::Equal { property, value: dn.as_bytes() }, &mut candidates)?;
        }
        for candidate in candidates {
            if !groups.contains(&candidate) && self.names_member(candidate, dn.as_bytes())? {
                groups.push(candidate);
            }
        }
        groups.sort_unstable();
        groups.dedup();
        Ok(groups)
    }

    /// Whether a directory stores this DN as a member.
    fn names_member(&self, group: u32, dn: &[u8]) -> Result<bool> {
        let record = match self.view().record(group) {
            Ok(record) => record,
            Err(netinfo_directory::Error::NoSuchDirectory) => return Ok(false),
            Err(error) => return Err(Error::Directory(error)),
        };
        Ok(record
            .properties()
            .filter(|property| {
                property.name.eq_ignore_ascii_case(b"member")
                    || property.name.eq_ignore_ascii_case(b"uniqueMember")
            })
            .flat_map(|property| property.values)
            .any(|value| {
                value == dn || Rule::DistinguishedName.matches(self.schema(), dn, value) == Ok(true)
            }))
    }

    /// The DN of whoever a session was for; `None` when that is nobody, or not known.
    fn name_of_session(&self, name: &[u8]) -> Result<Option<Vec<u8>>> {
        if name.is_empty() {
            return Ok(None);
        }
        if self.namespace().admin_dn().is_some_and(|dn| dn.as_bytes() == name) {
            return Ok(Some(name.to_vec()));
        }
        if let Some(users) = self.view().child_named(ROOT, b"users")?
            && let Some(user) = self.view().child_named(users, name)?
        {
            return Ok(Some(self.dn(user)?.into_bytes()));
        }
        if let Some(dn) = self.namespace().admin_dn().filter(|_| name == b"root") {
            return Ok(Some(dn.as_bytes().to_vec()));
        }
        // Entries that were imported keep the names they came with.
        if crate::name::Name::parse(name).is_ok_and(|known| !known.rdns.is_empty()) {
            return Ok(Some(name.to_vec()));
        }
        let mut dn = b"cn=".to_vec();
        crate::name::write_value(name, &mut dn);
        if !self.namespace().suffix().is_empty() {
            dn.push(b',');
            dn.extend_from_slice(self.namespace().suffix().as_bytes());
        }
        Ok(Some(dn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written() {
        for (seconds, text) in [
            (0, "19700101000000Z"),
            (951_782_400, "20000229000000Z"),
            (1_704_067_199, "20231231235959Z"),
            (1_709_251_199, "20240229235959Z"),
            (4_102_444_800, "21000101000000Z"),
        ] {
            assert_eq!(timestamp(seconds * 1000 + 999), text);
        }
    }

    #[test]
    fn uuids_are_written() {
        let uuid = std::array::from_fn(|at| at as u8 * 17);
        assert_eq!(uuid_text(&uuid), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
