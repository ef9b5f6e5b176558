//! What Active Directory, and Samba as it, does in its own way: why a password is refused, how one is changed, and groups
//! with so many members that they come in pieces (MS-ADTS).

use netinfo_wire::ldap::ResultCode;
use netinfo_wire::ldap::request::Scope;
use zeroize::Zeroizing;

use super::connection::{Connection, Ended, Found, Search};
use super::{Ldap, PLAIN, objection, verdict};
use crate::limits::{MAX_PIECES, STEP};
use crate::remote::{Changed, Fault, Verdict};

/// What a root DSE lists among `supportedCapabilities` if it is Active Directory's, or Samba's (MS-ADTS 3.1.1.3.4.3.1).
const CAPABILITY: &[u8] = b"1.2.840.113556.1.4.800";
/// Behind the name of an attribute, of which this is a piece.
const RANGE: &str = ";range=";
/// Where a password is written to (MS-ADTS 3.1.1.3.1.5).
const PASSWORD: &str = "unicodePwd";
/// Of a password that does not keep the rules (`ERROR_PASSWORD_RESTRICTION`), at the beginning of the text for people.
const AGAINST_THE_RULES: &str = "0000052D";
/// Of an old password that is not the user's (`ERROR_INVALID_PASSWORD`), likewise.
const WRONG_OLD: &str = "00000056";
/// What Samba says behind this is for people.
const FOR_PEOPLE: &str = "check_password_restrictions: ";
/// Why somebody cannot change a password although it is right.
const NOBODY_CAN: &str = "the password has to be changed, for which the directory lets nobody in: give this machine a name there \
                          (--bind-dn), or change it on a machine that is a member of the domain";

/// Why a bind was refused: Active Directory tells in hexadecimal, in the text for people. Only who knows the password learns
/// more than that it is wrong.
pub(super) fn refusal(message: &str) -> Verdict {
    let code = message.split_once("data ").and_then(|(_, rest)| rest.split([',', ' ']).next());
    match code {
        Some("533" | "775") => Verdict::Disabled,
        Some("701") => Verdict::Expired,
        // It has expired, or somebody else has set it.
        Some("532" | "773") => Verdict::MustChange,
        _ => Verdict::Wrong,
    }
}

impl Ldap {
    /// Whether this is Active Directory, or Samba as it.
    pub(super) fn is_active_directory(&mut self) -> Result<bool, Fault> {
        if let Some(known) = self.is_active_directory {
            return Ok(known);
        }
        let attributes = ["supportedCapabilities"];
        let root =
            Search { base: "", scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
        let found = self.ask(STEP, |connection| connection.search(root, 1))?;
        let is_active = |root: &Found| root.values(attributes[0]).iter().any(|v| v == CAPABILITY);
        Ok(*self.is_active_directory.insert(found.first().is_some_and(is_active)))
    }

    /// Changes the password of the user with this entry: the old value is taken away and the new one given, in one step.
    /// Whose password is due cannot bind, but whoever is let in may change it so, by the right that the old one gives.
    pub(super) fn change_in_active_directory(
        &self,
        mut connection: Connection,
        dn: &str,
        (old, new): (&[u8], &[u8]),
    ) -> Result<Changed, Fault> {
        let ended = connection.bind(dn, old)?;
        match verdict(&ended) {
            Some(Verdict::Right) => {}
            Some(Verdict::MustChange) if self.parent.bind_dn.is_none() => {
                return Ok(Changed::Impossible(NOBODY_CAN.into()));
            }
            Some(Verdict::MustChange) => {
                connection = self.open()?;
                if !self.plain_passwords && !connection.is_protected() {
                    return Ok(Changed::Impossible(PLAIN.into()));
                }
            }
            Some(Verdict::Disabled) => return Ok(Changed::Refused("The account is locked.".into())),
            Some(Verdict::Expired) => return Ok(Changed::Refused("The account has expired.".into())),
            Some(_) => return Ok(Changed::Wrong),
            None => return Err(ended.fault("the old password cannot be verified")),
        }
        let (Some(old), Some(new)) = (quoted(old), quoted(new)) else {
            return Ok(Changed::Refused("The password has to be text in UTF-8.".into()));
        };
        let ended = connection.exchange(dn, PASSWORD, &old, &new)?;
        Ok(match ended.code {
            ResultCode::Success => Changed::Done,
            ResultCode::ConstraintViolation if ended.message.starts_with(WRONG_OLD) => Changed::Wrong,
            ResultCode::ConstraintViolation
            | ResultCode::InsufficientAccessRights
            | ResultCode::UnwillingToPerform => Changed::Refused(complaint(&ended)),
            _ => match ended.fault("the password cannot be changed") {
                Fault::Refused(text) => Changed::Impossible(text),
                away => return Err(away),
            },
        })
    }

    /// Fetches the values that the server has kept back because there are too many (MS-ADTS 3.1.1.3.1.3.3).
    pub(super) fn complete(&mut self, entry: &mut Found) -> Result<(), Fault> {
        while let Some(at) = entry.attributes.iter().position(|(name, _)| name.contains(RANGE)) {
            let (described, mut values) = entry.attributes.swap_remove(at);
            let (name, mut last) = piece(&described);
            for _ in 0..MAX_PIECES {
                let Some(end) = last else { break };
                let wanted = format!("{name}{RANGE}{}-*", end.saturating_add(1));
                let attributes = [wanted.as_str()];
                let filter = "(objectClass=*)";
                let search = Search { base: &entry.dn, scope: Scope::Base, filter, attributes: &attributes };
                let found = self.ask(STEP, |connection| connection.search(search, 1))?.pop();
                let mut attributes = found.into_iter().flat_map(|found| found.attributes);
                let next = attributes.find(|(known, _)| piece(known).0.eq_ignore_ascii_case(name));
                // Meanwhile there may be fewer.
                let Some((described, mut more)) = next else { break };
                values.append(&mut more);
                last = piece(&described).1.filter(|next| *next > end);
            }
            // It comes without values as well.
            entry.attributes.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            entry.attributes.push((name.to_owned(), values));
        }
        Ok(())
    }
}

/// The name of an attribute of which this is a piece, and the number of the last value in it; `None`: there are no more.
fn piece(described: &str) -> (&str, Option<u32>) {
    let Some((name, range)) = described.split_once(RANGE) else { return (described, None) };
    (name, range.split_once('-').and_then(|(_, last)| last.parse().ok()))
}

/// A password as it is written: in quotation marks, in UTF-16. `None` if it is not UTF-8.
fn quoted(password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(password).ok()?;
    // No room for more is needed: what has moved would leave a copy behind.
    let mut value = Zeroizing::new(Vec::with_capacity(2 * text.len() + 4));
    for unit in "\"".encode_utf16().chain(text.encode_utf16()).chain("\"".encode_utf16()) {
        value.extend(unit.to_le_bytes());
    }
    Some(value)
}

/// Why a new password is not taken, in words for the user.
fn complaint(ended: &Ended) -> String {
    match ended.message.split_once(FOR_PEOPLE) {
        Some((_, why)) => format!("The directory does not take the password: {why}"),
        None if ended.message.starts_with(AGAINST_THE_RULES) => {
            "The password does not keep the rules of the directory: it is too short \
             or too simple, was used before, or was changed too recently."
                .into()
        }
        None => objection(ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_why() {
        let message = |data| {
            format!(
                "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data {data}, v3839"
            )
        };
        for (data, verdict) in [
            ("52e", Verdict::Wrong),
            ("533", Verdict::Disabled),
            ("775", Verdict::Disabled),
            ("701", Verdict::Expired),
            ("532", Verdict::MustChange),
            ("773", Verdict::MustChange),
        ] {
            assert_eq!(refusal(&message(data)), verdict, "{data}");
        }
        assert_eq!(refusal(""), Verdict::Wrong);
    }

    #[test]
    fn passwords_as_they_are_written() {
        assert_eq!(quoted("a\u{e4}".as_bytes()).unwrap().as_slice(), b"\"\0a\0\xe4\0\"\0");
        assert!(quoted(b"\xff").is_none());
    }

    #[test]
    fn pieces() {
        assert_eq!(piece("member;range=0-1499"), ("member", Some(1499)));
        assert_eq!(piece("member;range=1500-*"), ("member", None));
        assert_eq!(piece("member"), ("member", None));
        assert_eq!(piece("member;range="), ("member", None));
    }
}
