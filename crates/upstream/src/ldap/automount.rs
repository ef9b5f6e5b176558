//! Maps of the automounter as the mounts that they stand for: `automountMap` and `automount` of RFC 2307bis, `nisMap` and
//! `nisObject` of RFC 2307.
//!
//! A master map says which map is for which directory; an entry of such a map says what is mounted on a name below it. Entries
//! that are no single mount have no record: wildcards, several locations or offsets, maps in maps.

use netinfo_directory::Property;
use netinfo_wire::ldap::Dn;

use super::connection::Found;
use super::schema::naming_value;
use crate::item::{Item, fnv};

/// The entries of maps.
pub(super) const FILTER: &str = "(|(objectClass=automount)(objectClass=nisObject))";
/// What they say.
pub(super) const ATTRIBUTES: [&str; 5] =
    ["automountKey", "automountInformation", "cn", "nisMapName", "nisMapEntry"];
/// Names of master maps.
const MASTERS: [&str; 2] = ["auto.master", "auto_master"];
/// The mount point of maps whose keys are whole paths.
const DIRECT: &str = "/-";
/// The type of mounts that name none.
const USUAL_TYPE: &str = "nfs";

/// An entry of a map.
struct Line {
    dn: String,
    map: String,
    key: String,
    /// Options, without the minus signs.
    options: Vec<String>,
    /// The words that are no options.
    words: Vec<String>,
}

/// The mounts that entries of maps stand for.
pub(super) fn items(found: &[Found]) -> Vec<Item> {
    let lines: Vec<Line> = found.iter().filter_map(Line::of).collect();
    let mut items = Vec::new();
    for master in lines.iter().filter(|line| MASTERS.contains(&line.map.as_str())) {
        let Some(map) = master.words.first().map(|word| map_name(word)) else { continue };
        let of_map = lines.iter().filter(|line| line.map == map && !MASTERS.contains(&map));
        items.extend(of_map.filter_map(|line| line.mount(master)));
    }
    items
}

impl Line {
    fn of(found: &Found) -> Option<Self> {
        let text = |name: &str| String::from_utf8(found.values(name).first()?.clone()).ok();
        let map = parent_naming(&found.dn, "automountMapName");
        let map = map.or_else(|| text("nisMapName")).or_else(|| parent_naming(&found.dn, "nisMapName"))?;
        let key = text("automountKey").or_else(|| text("cn"))?;
        let information = text("automountInformation").or_else(|| text("nisMapEntry"))?;
        let (mut options, mut words) = (Vec::new(), Vec::new());
        for word in information.split_whitespace() {
            match word.strip_prefix('-') {
                Some(list) => options.extend(list.split(',').filter(|o| !o.is_empty()).map(str::to_owned)),
                None => words.push(word.to_owned()),
            }
        }
        Some(Self { dn: found.dn.clone(), map, key, options, words })
    }

    /// The record of the mount; `None` if there is not one.
    fn mount(&self, master: &Self) -> Option<Item> {
        let [location] = self.words.as_slice() else { return None };
        let is_location = location.contains(":/") && !location.contains(',');
        if self.key == "*" || !is_location {
            return None;
        }
        let directory = match master.key.as_str() {
            DIRECT => self.key.clone(),
            point => format!("{}/{}", point.trim_end_matches('/'), self.key),
        };
        // Options of an entry replace those of its map.
        let options = if self.options.is_empty() { &master.options } else { &self.options };
        let (kinds, options): (Vec<_>, Vec<_>) =
            options.iter().partition(|option| option.starts_with("fstype="));
        let kind = kinds.first().map_or(USUAL_TYPE, |kind| &kind["fstype=".len()..]);
        if kind == "autofs" {
            return None;
        }
        let location = location.replace('&', &self.key);
        let mut properties = vec![
            Property::new("name", [location.trim_start_matches(':')]),
            Property::new("dir", [directory.as_str()]),
            Property::new("vfstype", [kind]),
        ];
        if !options.is_empty() {
            properties.push(Property::new("opts", options.iter().map(|option| option.as_bytes())));
        }
        let identity = format!("{}\n{directory}", self.dn.to_ascii_lowercase());
        Some(Item::new(fnv(identity.as_bytes()), properties))
    }
}

/// The name of a map as master maps have it: `auto.home`, `ldap:auto.home`, `ldap:automountMapName=auto.home,dc=example`,
/// `ldap://host/automountMapName=…`.
fn map_name(word: &str) -> &str {
    if let Some((_, rest)) = word.split_once("MapName=") {
        return rest.split([',', '?']).next().unwrap_or_default();
    }
    word.rsplit([':', '/']).next().unwrap_or_default()
}

/// The value by which the entry above one is named.
fn parent_naming(dn: &str, attribute: &str) -> Option<String> {
    let parsed = Dn::parse(dn.as_bytes()).ok()?;
    let (_, above) = parsed.split_first()?;
    String::from_utf8(naming_value(&above.to_string(), attribute)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dn: &str, attributes: &[(&str, &str)]) -> Found {
        let attributes = attributes.iter().map(|(n, v)| ((*n).to_owned(), vec![v.as_bytes().to_vec()]));
        Found { dn: dn.to_owned(), attributes: attributes.collect() }
    }

    fn line(map: &str, key: &str, information: &str) -> Found {
        let dn = format!("automountKey={key},automountMapName={map},dc=x");
        entry(&dn, &[("automountKey", key), ("automountInformation", information)])
    }

    fn told(found: &[Found]) -> Vec<String> {
        let tell = |item: &Item| {
            let text = |key: &[u8]| {
                let values: Vec<_> = item.record().values(key).map(String::from_utf8_lossy).collect();
                values.join(",")
            };
            format!("{} on {} type {} ({})", text(b"name"), text(b"dir"), text(b"vfstype"), text(b"opts"))
        };
        items(found).iter().map(tell).collect()
    }

    #[test]
    fn maps_are_mounts() {
        let told = told(&[
            line("auto.master", "/home", "ldap:automountMapName=auto.home,dc=x -rw,hard"),
            line("auto.master", "/-", "auto.direct"),
            line("auto.home", "jane", "server:/export/&"),
            line("auto.home", "bob", "-fstype=nfs4,ro other:/bob"),
            line("auto.home", "*", "server:/export/&"),
            line("auto.home", "two", "a:/x b:/x"),
            line("auto.home", "more", "-fstype=autofs auto.more"),
            line("auto.direct", "/srv/cd", "-fstype=iso9660,ro :/dev/cdrom"),
            line("auto.other", "lost", "server:/lost"),
        ]);
        assert_eq!(
            told,
            [
                "server:/export/jane on /home/jane type nfs (rw,hard)",
                "other:/bob on /home/bob type nfs4 (ro)",
                "/dev/cdrom on /srv/cd type iso9660 (ro)",
            ]
        );
    }

    #[test]
    fn maps_of_rfc_2307() {
        let line = |map: &str, key: &str, value: &str| {
            let dn = format!("cn={key},nisMapName={map},dc=x");
            entry(&dn, &[("cn", key), ("nisMapName", map), ("nisMapEntry", value)])
        };
        let found = [line("auto_master", "/home", "auto_home"), line("auto_home", "ann", "s:/ann")];
        assert_eq!(told(&found), ["s:/ann on /home/ann type nfs ()"]);
        assert!(told(&[line("auto_master", "/x", "auto_master")]).is_empty());
        assert!(told(&[entry("cn=x", &[("cn", "x")]), line("auto_home", "a", "")]).is_empty());
    }

    #[test]
    fn names_of_maps() {
        for word in
            ["auto.home", "ldap:auto.home", "ldap://h/automountMapName=auto.home,dc=x?x", "yp:auto.home"]
        {
            assert_eq!(map_name(word), "auto.home", "{word}");
        }
    }
}
