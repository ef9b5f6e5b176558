//! What the old tools print, against what the historical `nidump` printed of the same domain.

use netinfo_formats::flat::tool::{Dump, Load, Properties, dump_map, map_names};
use netinfo_testkit::data;
use serde_json::Value;

type Owned = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// The directories of a domain as its server sent them.
struct Domain {
    objects: Vec<Value>,
}

impl Domain {
    fn site() -> Self {
        let text = std::fs::read(data("nidb/site.readall.json")).expect("the file is there");
        let json: Value = serde_json::from_slice(&text).expect("JSON");
        Self { objects: json["objects"].as_array().expect("a list").clone() }
    }

    fn object(&self, id: u64) -> &Value {
        self.objects.iter().find(|object| object["id"]["object"] == id).expect("a directory")
    }

    fn children<'a>(&'a self, object: &'a Value) -> impl Iterator<Item = &'a Value> {
        object["children"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|id| self.object(id.as_u64().expect("an id")))
    }

    /// The directory at a path of names.
    fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self.object(0), |parent, name| {
            self.children(parent).find(|child| {
                let name = name.as_bytes().to_vec();
                properties(child).contains(&(b"name".to_vec(), vec![name]))
            })
        })
    }
}

fn properties(object: &Value) -> Owned {
    let text = |value: &Value| value.as_str().expect("text").as_bytes().to_vec();
    let values = |property: &Value| property["values"].as_array().expect("a list").iter().map(text).collect();
    object["props"]
        .as_array()
        .expect("memory can be written")
        .iter()
        .map(|property| (text(&property["name"]), values(property)))
        .collect()
}

fn dump(format: Dump, domain: &Domain) -> Vec<u8> {
    let mut out = Vec::new();
    format.begin(&mut out).expect("memory can be written");
    if let Some(directory) = domain.at(format.path()) {
        if format.is_one_directory() {
            format.entry(&properties(directory), &mut out).expect("memory can be written");
        } else {
            domain
                .children(directory)
                .for_each(|child| format.entry(&properties(child), &mut out).expect("memory can be written"));
        }
    }
    out
}

#[test]
fn dumps_are_those_of_the_historical_tool() {
    let domain = Domain::site();
    for format in Dump::ALL {
        let expected =
            std::fs::read(data("nidump").join(format!("site.nidump-{}.txt", format.name()))).unwrap();
        assert_eq!(
            dump(format, &domain).escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "{format:?}"
        );
    }
}

/// The domain was loaded with the historical `niload`, mostly from such texts: loading a dump gives the properties that
/// the domain has, but for those that were set by other means.
#[test]
fn dumps_load_as_they_were_loaded() {
    let domain = Domain::site();
    for format in [Load::Aliases, Load::Group, Load::Hosts, Load::Networks, Load::Passwd, Load::Services] {
        let dumped = dump(Dump::from_name(format.name()).unwrap(), &domain);
        let items: Vec<_> = format.read(dumped.as_slice()).map(Result::unwrap).collect();
        let children: Vec<_> =
            domain.children(domain.at(&[format.container()]).unwrap()).map(properties).collect();
        assert_eq!(items.len(), children.len(), "{format:?}");
        for (item, mut child) in items.into_iter().zip(children) {
            child.retain(|(name, _)| !matches!(name.as_slice(), b"_writers" | b"serves" | b"picture"));
            child.sort();
            assert_eq!(item.properties, child, "{format:?}");
        }
    }
}

#[test]
fn maps_are_dumped_by_name_and_by_entry() {
    let map: Owned = vec![(b"name".to_vec(), vec![b"auto_home".to_vec(), b"x".to_vec()])];
    let mut out = Vec::new();
    let children: [&Properties; 2] = [&map, &[]];
    map_names(children, &mut out).unwrap();
    let mut entry: Owned = vec![
        (b"name".to_vec(), vec![b"docs".to_vec()]),
        (b"opts".to_vec(), vec![b"ro".to_vec(), b"soft".to_vec()]),
        (b"fsname".to_vec(), vec![b"srv:/docs".to_vec()]),
    ];
    dump_map(&entry, &mut out).unwrap();
    entry.remove(1);
    dump_map(&entry, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "auto_home\ndocs -ro,soft srv:/docs\ndocs srv:/docs\n");
}
