//! Which of the hashes of a record counts.

use std::fmt;

use base64ct::{Base64, Encoding as _};

use super::hashes::{self, Hashes};
use super::record::{DsRecord, DsValue};

/// What a record shows in place of a password that is kept elsewhere.
pub(super) const MASK: &str = "********";
/// What NetInfo has in place of a hash that matches nothing.
const LOCKED: &str = "*";

/// What is known of the password of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    /// A stored password that verifies, or what stands in its place (`*`; empty where none is asked for). `None` where
    /// the record has no password at all.
    pub stored: Option<String>,
    /// The names of hashes that are there and cannot be verified.
    pub unverifiable: Vec<String>,
    /// Whether the account is disabled. Its `authentication_authority` says so, the hash is as it was.
    pub disabled: bool,
    /// What is wrong with the material, in words.
    pub problems: Vec<&'static str>,
}

/// How many hashes, not which.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password")
            .field("stored", &self.stored.is_some())
            .field("unverifiable", &self.unverifiable)
            .field("disabled", &self.disabled)
            .field("problems", &self.problems)
            .finish()
    }
}

/// The words of an `authentication_authority`: whether it disables the account, and its tag.
pub(super) fn authority(text: &str) -> (bool, &str) {
    let mut rest = text;
    let mut disabled = false;
    loop {
        let mut parts = rest.splitn(3, ';');
        let (tag, data) = (parts.nth(1).unwrap_or(""), parts.next().unwrap_or(""));
        if !tag.eq_ignore_ascii_case("DisabledUser") {
            return (disabled, tag);
        }
        disabled = true;
        rest = data;
    }
}

impl DsRecord {
    /// The tags of the authorities, in order.
    pub(super) fn authorities(&self) -> impl Iterator<Item = (bool, &str)> {
        self.values("authentication_authority").iter().filter_map(|value| match value {
            DsValue::Text(text) => Some(authority(text)),
            DsValue::Data(_) | DsValue::Other(_) => None,
        })
    }

    /// What is known of the password. The first authority decides: `basic`, or none, means `passwd`; `ShadowHash`, if it
    /// is among them, the strongest hash of `ShadowHashData`, or else of the hash file.
    pub fn password(&self) -> Password {
        let mut password =
            Password { stored: None, unverifiable: Vec::new(), disabled: false, problems: Vec::new() };
        password.disabled = self.authorities().any(|(disabled, _)| disabled);
        let basic = self.authorities().next().is_none_or(|(_, tag)| tag.eq_ignore_ascii_case("basic"));
        let shadow = self.authorities().any(|(_, tag)| tag.eq_ignore_ascii_case("ShadowHash"));
        let material = self.material(&mut password.problems);
        password.unverifiable = material.others;
        let own = self.values("passwd").first().and_then(DsValue::bytes).map(String::from_utf8);
        password.stored = match own {
            Some(Ok(own)) if basic && own != MASK => Some(own),
            None if basic => None,
            _ if shadow => Some(material.stored.into_iter().next().unwrap_or_else(|| LOCKED.to_owned())),
            _ => Some(LOCKED.to_owned()),
        };
        password
    }

    /// The hashes that are kept outside of `passwd`.
    fn material(&self, problems: &mut Vec<&'static str>) -> Hashes {
        let mut hashes = Hashes::default();
        let mut add = |found: Result<Hashes, &'static str>| match found {
            Ok(found) => {
                hashes.stored.extend(found.stored);
                for other in found.others {
                    if !hashes.others.contains(&other) {
                        hashes.others.push(other);
                    }
                }
            }
            Err(problem) => problems.push(problem),
        };
        if let Some(data) = self.data("ShadowHashData") {
            add(hashes::of_data(data));
        }
        for file in [&self.shadow_file, &self.samba_file].into_iter().flatten() {
            add(hashes::of_digits(file));
        }
        hashes
    }

    /// All material in forms that can be stored with the record, see the module.
    pub(super) fn kept(&self) -> Vec<Vec<u8>> {
        let mut kept = Vec::new();
        let mut keep = |scheme: &str, content: &[u8]| kept.push([scheme.as_bytes(), content].concat());
        for (name, scheme) in SCHEMES {
            if let Some(data) = self.data(name) {
                let data = hashes::without_recoverable(data);
                keep(scheme, Base64::encode_string(&data).as_bytes());
            }
        }
        if let Some(file) = &self.shadow_file {
            keep(SHADOW_FILE, &hashes::digits_without_recoverable(file));
        }
        if let Some(file) = &self.samba_file {
            keep(SAMBA_FILE, file.trim_ascii_end());
        }
        kept
    }

    /// Takes one value of [`DsRecord::kept`] back; `false` if it is something else.
    pub(super) fn take_back(&mut self, kept: &[u8]) -> bool {
        if let Some(digits) = kept.strip_prefix(SHADOW_FILE.as_bytes()) {
            self.shadow_file = Some(digits.to_vec());
            return true;
        }
        if let Some(digits) = kept.strip_prefix(SAMBA_FILE.as_bytes()) {
            self.samba_file = Some(digits.to_vec());
            return true;
        }
        for (name, scheme) in SCHEMES {
            if let Some(encoded) = kept.strip_prefix(scheme.as_bytes())
                && let Ok(data) = Base64::decode_vec(&String::from_utf8_lossy(encoded))
            {
                self.attributes.push((name.to_owned(), vec![DsValue::Data(data)]));
                return true;
            }
        }
        false
    }
}

/// Attributes that are material, and how they are kept.
const SCHEMES: [(&str, &str); 3] = [
    ("ShadowHashData", "{X-SHADOW-HASH-DATA}"),
    ("HeimdalSRPKey", "{X-HEIMDAL-SRP-KEY}"),
    ("KerberosKeys", "{X-KERBEROS-KEYS}"),
];
const SHADOW_FILE: &str = "{X-SHADOW-HASH}";
const SAMBA_FILE: &str = "{X-SAMBA-HASH}";

/// Whether an attribute is kept as material, if its first value is data.
pub(super) fn is_material(record: &DsRecord, name: &str) -> bool {
    SCHEMES.iter().any(|(known, _)| *known == name) && record.data(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_taken_apart() {
        assert_eq!(authority(";basic;"), (false, "basic"));
        assert_eq!(authority(";ShadowHash;HASHLIST:<A>"), (false, "ShadowHash"));
        assert_eq!(authority("1.0.0;Kerberosv5;;a@B;B;"), (false, "Kerberosv5"));
        assert_eq!(authority(";DisabledUser;;ShadowHash;HASHLIST:<A>"), (true, "ShadowHash"));
        assert_eq!(authority(";DisabledUser;"), (true, ""));
        assert_eq!(authority(""), (false, ""));
        assert!(authority(&";DisabledUser".repeat(100)).0);
    }
}
