//! `lookupd`: the queries of the historical look-up daemon. The daemon itself is part of `netinfod`.

use std::collections::BTreeMap;
use std::time::Duration;

use netinfo_client::Property;
use netinfo_client::lookup::Lookup;
use netinfo_wire::lookup::{Answer, Pattern};
use netinfo_wire::netinfo::PropListBuf;

use crate::io::Io;
use crate::text::values;
use crate::{Words, usage};

/// How long the daemon may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The categories. The last three have no records of their own: nothing is found in them.
const CATEGORIES: [&[u8]; 17] = [
    b"user",
    b"group",
    b"host",
    b"network",
    b"service",
    b"protocol",
    b"rpc",
    b"mount",
    b"printer",
    b"bootparam",
    b"bootp",
    b"alias",
    b"netdomain",
    b"netgroup",
    b"ethernet",
    b"initgroup",
    b"hostservice",
];

/// A query.
#[derive(Debug, PartialEq, Eq)]
struct Query<'w> {
    category: &'w [u8],
    pattern: Vec<Property>,
    single: bool,
    /// Whether attributes were given: such a query has messages of its own.
    attributes: bool,
}

/// Why there is no query in the words.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// Not even a command that asks something.
    Usage,
    /// What is wrong with the attributes.
    Attributes(&'static str),
    /// A command for the daemon that was part of the original. What to do instead.
    Elsewhere(&'static str),
}

/// Runs the tool. The exit code of a query says nothing about what was found, nor whether it was one.
pub(crate) fn run(args: &Words, io: &mut Io<'_>) -> u8 {
    let words: Vec<&[u8]> = args.iter().map(|word| word.as_slice()).collect();
    let query = match parse(&words) {
        Ok(query) => query,
        Err(Fault::Usage) => {
            io.err(usage::LOOKUPD);
            return 1;
        }
        Err(Fault::Attributes(what)) => {
            io.complain(&[what.as_bytes()]);
            io.err(usage::LOOKUPD);
            return 0;
        }
        Err(Fault::Elsewhere(instead)) => {
            io.complain(&[b"lookupd: the look-ups are part of netinfod: ", instead.as_bytes()]);
            return 0;
        }
    };
    if !CATEGORIES.contains(&query.category) {
        io.complain(&[b"invalid category ", query.category]);
        return 0;
    }
    match ask(&query, io) {
        Some(records) => io.out(records),
        None if query.attributes => io.err("query failed!\n"),
        None => io.err("lookup failed!\n"),
    }
    0
}

/// `-q CATEGORY`, `-q CATEGORY -a KEY [VALUE]... [-a KEY [VALUE]...]...`, or `-f CATEGORY KEY VALUE`.
fn parse<'w>(words: &[&'w [u8]]) -> Result<Query<'w>, Fault> {
    match words {
        [b"-f", category, key, value] => Ok(Query {
            category,
            pattern: vec![Property::new(*key, [*value])],
            single: true,
            attributes: false,
        }),
        [b"-q", category, attributes @ ..] => {
            let pattern = pattern(attributes).map_err(Fault::Attributes)?;
            Ok(Query { category, pattern, single: false, attributes: !attributes.is_empty() })
        }
        [b"-configuration", ..] => {
            Err(Fault::Elsewhere("see its configuration file, and \"netinfo lookup --trace\""))
        }
        [b"-statistics", ..] => Err(Fault::Elsewhere("see \"netinfo status\" and \"netinfo where\"")),
        [b"-flushcache", ..] => Err(Fault::Elsewhere("what it remembers is renewed by itself")),
        _ => Err(Fault::Usage),
    }
}

/// `-a KEY [VALUE]...`, any number of times.
fn pattern(words: &[&[u8]]) -> Result<Vec<Property>, &'static str> {
    let mut pattern: Vec<Property> = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        match (*word, pattern.last_mut()) {
            (b"-a", _) => match words.next() {
                None => return Err("trailing -a option without a key"),
                Some(&b"-a") => return Err("-a option without a key"),
                Some(key) => pattern.push(Property::new(*key, [b""; 0])),
            },
            (value, Some(property)) => property.values.push(value.to_vec()),
            (_, None) => return Err("no leading -a option"),
        }
    }
    Ok(pattern)
}

/// The records as they are printed; `None` if there are none, or nobody to ask.
fn ask(query: &Query<'_>, io: &Io<'_>) -> Option<Vec<u8>> {
    let mut lookup = Lookup::new(io.reach.socket.as_ref()?, PATIENCE);
    let properties: PropListBuf = query.pattern.iter().collect();
    let (category, properties, single) = (query.category, properties.as_list(), query.single);
    let pattern = Pattern { category, properties, single, skip: 0 };
    let mut text = Vec::new();
    let answer = lookup.records(pattern, |record| {
        let record = record.iter().map(|(name, values)| (name, values.iter().map(<[u8]>::to_vec).collect()));
        put_record(&mut text, record);
    });
    match answer {
        Ok(Answer::Found(())) if !text.is_empty() => {
            text.push(b'\n');
            Some(text)
        }
        _ => None,
    }
}

/// An empty line, then a line for each property, sorted by name. Of properties with the same name the first is shown.
fn put_record<'r>(text: &mut Vec<u8>, properties: impl Iterator<Item = (&'r [u8], Vec<Vec<u8>>)>) {
    let mut sorted: BTreeMap<&[u8], Vec<Vec<u8>>> = BTreeMap::new();
    for (name, values) in properties {
        sorted.entry(name).or_insert(values);
    }
    text.push(b'\n');
    for (name, list) in sorted {
        text.extend_from_slice(name);
        text.push(b':');
        values(text, &list);
        text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Query<'_>, Fault> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        parse(&words)
    }

    #[test]
    fn queries() {
        let jane = Property::new("name", ["jane"]);
        let query =
            |pattern, single, attributes| Ok(Query { category: &b"user"[..], pattern, single, attributes });
        assert_eq!(parsed("-q user"), query(vec![], false, false));
        assert_eq!(parsed("-f user name jane"), query(vec![jane.clone()], true, false));
        assert_eq!(parsed("-q user -a name jane"), query(vec![jane.clone()], false, true));
        let more = vec![jane, Property::new("uid", ["1", "2"]), Property::new("gid", [""; 0])];
        assert_eq!(parsed("-q user -a name jane -a uid 1 2 -a gid"), query(more, false, true));
        for line in ["", "-q", "-f user name", "-d"] {
            assert_eq!(parsed(line), Err(Fault::Usage), "{line}");
        }
        for (line, what) in [
            ("-q user name", "no leading -a option"),
            ("-q user -a -a name", "-a option without a key"),
            ("-q user -a name x -a", "trailing -a option without a key"),
        ] {
            assert_eq!(parsed(line), Err(Fault::Attributes(what)), "{line}");
        }
        for line in ["-configuration", "-statistics", "-flushcache"] {
            assert!(matches!(parsed(line), Err(Fault::Elsewhere(_))), "{line}");
        }
    }

    #[test]
    fn records_are_sorted() {
        let mut text = Vec::new();
        let list = |values: &[&str]| values.iter().map(|v| v.as_bytes().to_vec()).collect::<Vec<_>>();
        let record = [
            (&b"uid"[..], list(&["501"])),
            (b"name", list(&["jane", "jd"])),
            (b"x", list(&[])),
            (b"uid", list(&["2"])),
        ];
        put_record(&mut text, record.into_iter());
        assert_eq!(String::from_utf8(text).unwrap(), "\nname: jane jd\nuid: 501\nx:\n");
    }
}
