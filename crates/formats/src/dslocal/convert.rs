//! Attributes into properties, and back.

use std::io;

use plist::{Dictionary, Value};

use super::hashes;
use super::password::{MASK, authority, is_material};
use super::plist::{write_binary, write_xml};
use super::record::{DsRecord, DsValue};
use super::writer::Encoding;
use crate::problem::{Problem, Reason};
use crate::record::Record;
use crate::writer::Loss;

/// Names of properties with their values.
type Properties = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// Attributes whose values are data even where they could be text.
const DATA: [&str; 6] =
    ["ShadowHashData", "HeimdalSRPKey", "KerberosKeys", "accountPolicyData", "jpegphoto", "UserCertificate"];

const AUTHORITY: &str = "authentication_authority";

impl DsRecord {
    /// The properties of a directory for the record, `name` first, with the password as the module has it; and what of
    /// the record they do not hold. None without a name.
    pub fn to_properties(&self) -> (Option<Properties>, Vec<Problem>) {
        let mut problems = Vec::new();
        let password = self.password();
        problems.extend(password.problems.iter().map(|why| self.problem(&format!("its hashes are {why}"))));
        let mut properties: Properties = Vec::with_capacity(self.attributes.len() + 1);
        for (name, values) in &self.attributes {
            if name == "passwd" || is_material(self, name) {
                continue;
            }
            let bytes: Vec<_> = values.iter().filter_map(DsValue::bytes).collect();
            if bytes.len() < values.len() {
                let name = crate::problem::shown(name.as_bytes());
                problems.push(self.problem(&format!("{name}: a value inside a value is left out")));
            }
            properties.push((name.clone().into_bytes(), bytes));
        }
        if let Some(stored) = password.stored {
            properties.push((b"passwd".to_vec(), vec![stored.into_bytes()]));
        }
        let mut kept = self.kept();
        if !kept.is_empty() {
            match properties.iter_mut().find(|(name, _)| name == b"_shadow_passwd") {
                Some((_, values)) => values.append(&mut kept),
                None => properties.push((b"_shadow_passwd".to_vec(), kept)),
            }
        }
        let name = properties.iter().position(|(name, values)| name == b"name" && !values.is_empty());
        let Some(name) = name else {
            problems.push(Reason::Missing.at(self.number, "name"));
            return (None, problems);
        };
        properties[..=name].rotate_right(1);
        (Some(properties), problems)
    }

    /// The record of a directory, to be written as a file of this kind. `None` with a loss for one that can be no record.
    pub fn from_record(record: &Record, kind: &str, losses: &mut Vec<Loss>) -> Option<Self> {
        let mut lose = |property: &[u8], why| {
            losses.push(Loss { line: record.line, property: property.to_vec(), why });
        };
        let Some(name) = record.first("name").and_then(|name| str::from_utf8(name).ok()) else {
            lose(b"", "a record must have a name, in UTF-8");
            return None;
        };
        let mut found = Self {
            kind: kind.to_owned(),
            file: format!("{kind}/{}.plist", name.replace('/', "%2F")),
            number: record.line,
            attributes: Vec::with_capacity(record.properties.len()),
            shadow_file: None,
            samba_file: None,
        };
        for (name, values) in &record.properties {
            let Some(name) = str::from_utf8(name).ok().filter(|name| is_plain(name)) else {
                lose(name, "names of attributes must be plain text");
                continue;
            };
            let mut values: Vec<&Vec<u8>> = values.iter().collect();
            if name == "_shadow_passwd" {
                values.retain(|value| !found.take_back(value));
                if values.is_empty() {
                    continue;
                }
            }
            let mut values: Vec<_> = values.into_iter().map(|value| value_of(name, value)).collect();
            match found.attributes.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => {
                    lose(name.as_bytes(), "it is there twice, the values are put together");
                    known.append(&mut values);
                }
                None => found.attributes.push((name.to_owned(), values)),
            }
        }
        found.fit_password(record, losses);
        found.add_id();
        Some(found)
    }

    /// Makes the hashes fit the password of the record: as they were, or new ones where it has changed.
    fn fit_password(&mut self, record: &Record, losses: &mut Vec<Loss>) {
        let given = record.values("passwd");
        if given.len() > 1 {
            let why = "a record has one password, the first";
            losses.push(Loss { line: record.line, property: b"passwd".to_vec(), why });
        }
        let first = given.first().map(|first| String::from_utf8_lossy(first).into_owned());
        // What the material alone would give, were it still the password.
        let mut without = self.clone();
        without.attributes.retain(|(name, _)| name != "passwd");
        without.set("passwd", MASK);
        let unchanged = !self.is_basic() && without.password().stored == first;
        match first.as_deref() {
            None => self.attributes.retain(|(name, _)| name != "passwd"),
            Some(_) if unchanged => {}
            Some(first) => self.new_password(first, record.line, losses),
        }
        if !self.is_basic() {
            self.set("passwd", MASK);
        }
    }

    /// Whether `passwd` itself decides.
    fn is_basic(&self) -> bool {
        self.authorities().next().is_none_or(|(_, tag)| tag.eq_ignore_ascii_case("basic"))
    }

    fn new_password(&mut self, stored: &str, line: u64, losses: &mut Vec<Loss>) {
        if let Some((data, name)) = hashes::to_data(stored) {
            self.drop_hashes();
            self.attributes.push(("ShadowHashData".to_owned(), vec![DsValue::Data(data)]));
            self.set_authority(&format!(";ShadowHash;HASHLIST:<{name}>"));
        } else if let Some((digits, name)) = hashes::to_digits(stored) {
            self.drop_hashes();
            self.shadow_file = Some(digits);
            self.set_authority(&format!(";ShadowHash;HASHLIST:<{name}>"));
        } else if let Some(crypt) = crypt(stored) {
            let crypt = crypt.to_owned();
            if !self.is_basic() {
                self.drop_hashes();
                self.set_authority(";basic;");
            }
            self.set("passwd", &crypt);
        } else {
            let why = "a Mac cannot verify a password stored like this";
            losses.push(Loss { line, property: b"passwd".to_vec(), why });
            self.drop_hashes();
            self.set("passwd", "*");
        }
    }

    fn drop_hashes(&mut self) {
        self.attributes.retain(|(name, _)| {
            !matches!(name.as_str(), "ShadowHashData" | "HeimdalSRPKey" | "KerberosKeys")
        });
        self.shadow_file = None;
        self.samba_file = None;
    }

    fn set(&mut self, name: &str, value: &str) {
        let values = vec![DsValue::Text(value.to_owned())];
        match self.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = values,
            None => self.attributes.push((name.to_owned(), values)),
        }
    }

    /// Puts an authority in the place of those that say how the password is verified; a disabled account stays so.
    fn set_authority(&mut self, text: &str) {
        let disabled = self.authorities().any(|(disabled, _)| disabled);
        let text = if disabled { format!(";DisabledUser;{text}") } else { text.to_owned() };
        let mut values = vec![DsValue::Text(text)];
        let others = self.values(AUTHORITY).iter().filter(|value| match value {
            DsValue::Text(text) => {
                let (_, tag) = authority(text);
                !["basic", "ShadowHash", "LocalWindowsHash", ""]
                    .iter()
                    .any(|own| tag.eq_ignore_ascii_case(own))
            }
            DsValue::Data(_) | DsValue::Other(_) => true,
        });
        values.extend(others.cloned());
        match self.attributes.iter_mut().find(|(name, _)| name == AUTHORITY) {
            Some((_, known)) => *known = values,
            None => self.attributes.push((AUTHORITY.to_owned(), values)),
        }
    }

    /// Users and groups without an id get the one that a Mac shows for them.
    fn add_id(&mut self) {
        let (number, prefix) = match self.kind.as_str() {
            "users" => ("uid", "FFFFEEEE-DDDD-CCCC-BBBB-AAAA"),
            "groups" => ("gid", "AAAABBBB-CCCC-DDDD-EEEE-FFFF"),
            _ => return,
        };
        if self.text("generateduid").is_some() {
            return;
        }
        if let Some(number) = self.text(number).and_then(|number| number.trim().parse::<i64>().ok()) {
            // Negative numbers are those of 32 bits.
            self.set("generateduid", &format!("{prefix}{:08X}", number as u32));
        }
    }

    /// The content of its file.
    ///
    /// # Errors
    ///
    /// When a value cannot be written, such as a date too far away.
    pub fn to_bytes(&self, encoding: Encoding) -> io::Result<Vec<u8>> {
        match encoding {
            Encoding::Xml => write_xml(&self.to_plist()),
            Encoding::Binary => write_binary(&self.to_plist()),
        }
    }

    /// The property list of the record.
    fn to_plist(&self) -> Value {
        let mut dictionary = Dictionary::new();
        for (name, values) in &self.attributes {
            let values = values.iter().map(|value| match value {
                DsValue::Text(text) => Value::String(text.clone()),
                DsValue::Data(data) => Value::Data(data.clone()),
                DsValue::Other(other) => other.0.clone(),
            });
            dictionary.insert(name.clone(), Value::Array(values.collect()));
        }
        dictionary.sort_keys();
        Value::Dictionary(dictionary)
    }
}

/// Text where it is, and XML can hold it; data else.
fn value_of(name: &str, value: &[u8]) -> DsValue {
    let is_list =
        name == "passwordpolicyoptions" && (value.starts_with(b"<?xml") || value.starts_with(b"bplist"));
    match str::from_utf8(value) {
        Ok(text) if !is_list && !DATA.contains(&name) && is_plain(text) => DsValue::Text(text.to_owned()),
        _ => DsValue::Data(value.to_vec()),
    }
}

/// Whether XML can hold a text as it is (XML 1.0 §2.2; a return would come back as a newline, §2.11).
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
}

/// A hash of crypt(3) as a Mac has it, or what locks an account; without `{CRYPT}`.
fn crypt(stored: &str) -> Option<&str> {
    let has_scheme = stored.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("{CRYPT}"));
    let text = if has_scheme { &stored[7..] } else { stored };
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"./".contains(&byte);
    let is_hash = (text.len() == 13 && text.bytes().all(is_digit))
        || (text.len() == 20 && text.starts_with('_') && text[1..].bytes().all(is_digit));
    let is_none = text.is_empty() || text.starts_with(['*', '!']) || text == "x";
    (is_hash || is_none).then_some(text)
}
