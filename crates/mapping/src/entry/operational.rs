//! What the server knows of an entry.

use std::borrow::Cow;
use std::fmt::Write as _;

use netinfo_directory::account::Standing;
use netinfo_directory::account::lockout::{FAILURES, Lockout, failures};
use netinfo_directory::{ROOT, VERSION_OF};
use smallvec::SmallVec;

use super::groups::MEMBER_OF;
use super::{Attribute, Entry};
use crate::error::Result;
use crate::namespace::SUBSCHEMA;
use crate::tree::{DSID, Tree};
use crate::wanted::{Selection, Wanted};

/// The operational attributes, in the order they are returned.
const COMPUTED: [&str; 19] = [
    "structuralObjectClass",
    "entryUUID",
    "creatorsName",
    "createTimestamp",
    "modifiersName",
    "modifyTimestamp",
    "entryCSN",
    "entryDN",
    "subschemaSubentry",
    "hasSubordinates",
    "numSubordinates",
    DSID,
    "nIVersionNumber",
    "nISerialNumber",
    MEMBER_OF,
    "pwdChangedTime",
    "pwdReset",
    "pwdAccountLockedTime",
    "pwdFailureTime",
];

/// The time since when an account is locked that nothing but an administrator unlocks
/// (draft-behera-ldap-password-policy §5.3.3).
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// The properties that say what these attributes tell.
const AUTHORITY: &[u8] = b"authentication_authority";
const CHANGED: &[u8] = b"shadowLastChange";

pub(super) type Values<'v> = SmallVec<[Cow<'v, [u8]>; 1]>;

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

/// A change sequence number as OpenLDAP writes it: time in microseconds, count, server, modification. The count here is
/// the lower part of the instance: it tells changes within a millisecond apart. There is one server that takes changes.
fn csn(milliseconds: u64, instance: u32) -> String {
    let mut text = timestamp(milliseconds);
    text.pop();
    let _ = write!(text, ".{:03}000Z#{:06x}#000#000000", milliseconds % 1000, instance & 0xff_ffff);
    text
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
            "entryCSN" => {
                let instance = self.record.id().instance;
                Some(view.stamp(object)?.modified)
                    .filter(|time| *time > 0)
                    .and_then(|time| text(csn(time, instance)))
            }
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
            "pwdFailureTime" if self.may_read(FAILURES) => {
                let times = failures(&self.record).into_iter();
                return Ok(times.map(|time| Cow::Owned(timestamp(time).into_bytes())).collect());
            }
            "pwdChangedTime" | "pwdReset" | "pwdAccountLockedTime" => {
                self.account(name).map(String::into_bytes)
            }
            _ => None,
        };
        Ok(value.into_iter().map(Cow::Owned).collect())
    }
}

impl Entry<'_> {
    /// What the record says of a user's account, for those who may read that of it.
    fn account(&self, name: &str) -> Option<String> {
        let standing = Standing::of(&self.record, 0);
        if name == "pwdAccountLockedTime" {
            let disabled = standing.is_disabled() && self.may_read(AUTHORITY);
            return if disabled { Some(LOCKED_FOR_GOOD.to_owned()) } else { self.locked_since() };
        }
        let changed = standing.changed_day().filter(|_| self.may_read(CHANGED))?;
        match (name, changed) {
            ("pwdReset", 0) => Some("TRUE".to_owned()),
            ("pwdChangedTime", 1..) => Some(timestamp(changed.checked_mul(86_400_000)?)),
            _ => None,
        }
    }
}

impl Entry<'_> {
    /// Since when wrong passwords have locked the account. It is told until a right one follows: for how long it means
    /// something, the domain's settings say.
    fn locked_since(&self) -> Option<String> {
        let lockout = Lockout::of(self.tree.view()).ok().flatten().filter(|_| self.may_read(FAILURES))?;
        lockout.last_locked(&self.record).map(timestamp)
    }
}

impl Tree<'_> {
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
    fn sequence_numbers_are_written() {
        assert_eq!(csn(1_704_067_199_042, 0x0100_002a), "20231231235959.042000Z#00002a#000#000000");
    }

    #[test]
    fn uuids_are_written() {
        let uuid = std::array::from_fn(|at| at as u8 * 17);
        assert_eq!(uuid_text(&uuid), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
