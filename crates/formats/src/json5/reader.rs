//! Nodes into records.

use std::collections::{HashMap, VecDeque};
use std::io::Read;

use super::text::{Node, Text, Value};
use crate::hex;
use crate::problem::{Problem, Reason, shown};
use crate::record::{Identity, Place, Record};

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 128 << 20;

/// What a file says of its domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Domain {
    /// The tag by which the binder knows it.
    pub tag: String,
    /// What people call it.
    pub name: String,
}

/// Reads a domain file.
#[derive(Debug)]
pub struct Reader<R> {
    /// Until the first item is asked for.
    input: Option<R>,
    domain: Option<Domain>,
    items: VecDeque<Result<Record, Problem>>,
}

impl<R: Read> Reader<R> {
    /// Reads to the end of the input.
    pub const fn new(input: R) -> Self {
        Self { input: Some(input), domain: None, items: VecDeque::new() }
    }

    /// What the file says of its domain; `None` if it says nothing, or cannot be read. Reads the file.
    pub fn domain(&mut self) -> Option<&Domain> {
        self.load();
        self.domain.as_ref()
    }

    fn load(&mut self) {
        let Some(input) = self.input.take() else { return };
        let mut file = File::default();
        if let Err(problem) = load(input).and_then(|text| file.read(&text)) {
            file.problems.push(problem);
        }
        self.domain = file.domain.take();
        self.items = file.items().into();
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        self.load();
        self.items.pop_front()
    }
}

fn load(input: impl Read) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Reason::Unreadable(error.kind()).at(1, "text"))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Reason::Malformed(format!("longer than {MAX_FILE_BYTES} bytes")).at(1, "text"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
        malformed(line, "text", "not UTF-8")
    })
}

/// A node that was read.
struct Entry {
    id: u32,
    parent: u32,
    record: Record,
}

#[derive(Default)]
struct File {
    version: bool,
    domain: Option<Domain>,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl File {
    fn read(&mut self, text: &str) -> Result<(), Problem> {
        let mut text = Text::new(text);
        text.object(|text, key| match key.as_str() {
            "version" => {
                let line = text.line;
                let node = text.value(1)?;
                if !matches!(&node.value, Value::Word(word) if word == "1") {
                    return Err(malformed(line, "version", "not 1"));
                }
                self.version = true;
                Ok(())
            }
            "domain" => {
                let node = text.value(1)?;
                match domain(node) {
                    Ok(domain) => self.domain = Some(domain),
                    Err(problem) => self.problems.push(problem),
                }
                Ok(())
            }
            "nodes" => text.array(|text| {
                let node = text.value(2)?;
                match self.entry(node) {
                    Ok(entry) => self.entries.push(entry),
                    Err(problem) => self.problems.push(problem),
                }
                Ok(())
            }),
            other => {
                self.problems.push(unknown(text.line, other));
                text.value(1).map(drop)
            }
        })?;
        text.end()?;
        if !self.version {
            self.entries.clear();
            return Err(Reason::Missing.at(1, "version"));
        }
        Ok(())
    }

    fn entry(&mut self, node: Node) -> Result<Entry, Problem> {
        let Value::Object(members) = node.value else {
            return Err(malformed(node.line, "nodes", "a node that is no object"));
        };
        let (mut id, mut instance, mut parent, mut found) = (None, None, None, None);
        for (key, node) in members {
            match key.as_str() {
                "id" => id = Some(number(&node, "id")?),
                "instance" => instance = Some(number(&node, "instance")?),
                "parent" if matches!(&node.value, Value::Word(word) if word == "null") => {}
                "parent" => parent = Some(number(&node, "parent")?),
                "properties" if found.is_some() => {
                    return Err(malformed(node.line, "properties", "there twice"));
                }
                "properties" => found = Some(properties(node)?),
                other => self.problems.push(unknown(node.line, other)),
            }
        }
        let id = id.ok_or_else(|| Reason::Missing.at(node.line, "id"))?;
        let identity = Some(Identity { object: id, instance: instance.unwrap_or(0) });
        let properties = found.ok_or_else(|| Reason::Missing.at(node.line, "properties"))?;
        let record = Record { place: Place::Root, properties, identity, line: node.line };
        Ok(Entry { id, parent: parent.unwrap_or(id), record })
    }

    /// Records depth first, and problems before them; those of nodes that are not below the root come last.
    fn items(self) -> Vec<Result<Record, Problem>> {
        let mut problems = self.problems;
        let mut places: HashMap<u32, usize> = HashMap::new();
        let mut root = None;
        let mut entries: Vec<Option<Entry>> = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            if places.contains_key(&entry.id) {
                problems.push(malformed(entry.record.line, "id", &format!("a second node {}", entry.id)));
                continue;
            }
            if entry.parent == entry.id && root.is_some() {
                problems.push(malformed(entry.record.line, "parent", "a second root"));
                continue;
            }
            places.insert(entry.id, entries.len());
            if entry.parent == entry.id {
                root = Some(entries.len());
            }
            entries.push(Some(entry));
        }
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
        for (number, entry) in entries.iter().flatten().enumerate() {
            if let Some(parent) = places.get(&entry.parent)
                && *parent != number
            {
                children[*parent].push(number);
            }
        }
        problems.sort_by_key(|problem| problem.line);
        let mut items: Vec<_> = problems.into_iter().map(Err).collect();
        let mut count = 0;
        let mut stack: Vec<_> = root.map(|root| (root, Place::Root)).into_iter().collect();
        while let Some((number, place)) = stack.pop() {
            let Some(mut entry) = entries[number].take() else { continue };
            entry.record.place = place;
            items.push(Ok(entry.record));
            stack.extend(children[number].iter().rev().map(|child| (*child, Place::Below(count))));
            count += 1;
        }
        let lost = entries.into_iter().flatten();
        items.extend(lost.map(|entry| {
            Err(malformed(entry.record.line, "parent", &format!("{} is not below the root", entry.parent)))
        }));
        items
    }
}

fn domain(node: Node) -> Result<Domain, Problem> {
    let Value::Object(members) = node.value else { return Err(malformed(node.line, "domain", "no object")) };
    let mut domain = Domain::default();
    for (key, node) in members {
        let field = match key.as_str() {
            "tag" => &mut domain.tag,
            "name" => &mut domain.name,
            other => return Err(unknown(node.line, other)),
        };
        let Value::Text(text) = node.value else {
            return Err(malformed(node.line, "domain", "not a string"));
        };
        *field = text;
    }
    Ok(domain)
}

fn number(node: &Node, field: &'static str) -> Result<u32, Problem> {
    let number = match &node.value {
        Value::Word(word) => match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        },
        _ => None,
    };
    number.ok_or_else(|| malformed(node.line, field, "not a number of 32 bits"))
}

type Properties = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

fn properties(node: Node) -> Result<Properties, Problem> {
    match node.value {
        Value::Object(members) => {
            members.into_iter().map(|(name, node)| Ok((name.into_bytes(), values(node)?))).collect()
        }
        Value::Array(pairs) => pairs.into_iter().map(pair).collect(),
        Value::Word(_) | Value::Text(_) => {
            Err(malformed(node.line, "properties", "neither an object nor an array of pairs"))
        }
    }
}

fn pair(node: Node) -> Result<(Vec<u8>, Vec<Vec<u8>>), Problem> {
    let Value::Array(parts) = node.value else {
        return Err(malformed(node.line, "properties", "not a pair"));
    };
    let [name, content] =
        <[Node; 2]>::try_from(parts).map_err(|_| malformed(node.line, "properties", "not a pair"))?;
    Ok((value(name)?, values(content)?))
}

fn values(node: Node) -> Result<Vec<Vec<u8>>, Problem> {
    match node.value {
        Value::Array(elements) => elements.into_iter().map(value).collect(),
        _ => Ok(vec![value(node)?]),
    }
}

fn value(node: Node) -> Result<Vec<u8>, Problem> {
    match node.value {
        Value::Text(text) => Ok(text.into_bytes()),
        Value::Word(word) if word.parse::<i64>().is_ok() => Ok(word.into_bytes()),
        Value::Object(members) => {
            let bytes = match &members[..] {
                [(key, Node { value: Value::Text(digits), .. })] if key == "hex" => {
                    hex::decode(digits.as_bytes())
                }
                _ => None,
            };
            bytes.ok_or_else(|| malformed(node.line, "properties", "an object that is not hex"))
        }
        Value::Word(_) | Value::Array(_) => Err(malformed(node.line, "properties", "not a string")),
    }
}

fn malformed(line: u64, field: &'static str, what: &str) -> Problem {
    Reason::Malformed(what.to_owned()).at(line, field)
}

fn unknown(line: u64, key: &str) -> Problem {
    malformed(line, "key", &format!("\"{}\" is not known", shown(key.as_bytes())))
}
