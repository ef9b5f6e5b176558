//! Whole domains as record streams.

use std::collections::HashMap;

use netinfo_formats::{Identity, Place, Record};
use serde_json::Value;

/// The domain of a fixture such as `nidb/site`, as a historical server gave it: depth first, with ids and instances.
/// Children that the server lists but does not have are left out. `line` counts the records from 1.
///
/// # Panics
/// If there is no such fixture, or it is damaged.
pub fn readall(fixture: &str) -> Vec<Record> {
    let text = std::fs::read(crate::data(format!("{fixture}.readall.json"))).expect("a fixture");
    let domain: Value = serde_json::from_slice(&text).expect("JSON");
    let objects = domain["objects"].as_array().expect("objects");
    let by_id: HashMap<u64, &Value> =
        objects.iter().map(|object| (number(&object["id"]["object"]), object)).collect();
    let mut records = Vec::new();
    let mut stack = vec![(0, Place::Root)];
    while let Some((id, place)) = stack.pop() {
        let Some(object) = by_id.get(&id).filter(|object| object["children"].is_array()) else { continue };
        let own = records.len() as u64;
        let children = object["children"].as_array().expect("children");
        stack.extend(children.iter().rev().map(|child| (number(child), Place::Below(own))));
        records.push(record(object, place, own + 1));
    }
    records
}

fn record(object: &Value, place: Place, line: u64) -> Record {
    let property = |property: &Value| {
        let values = property["values"].as_array().expect("values");
        (text(&property["name"]), values.iter().map(text).collect())
    };
    let id = |field: &str| u32::try_from(number(&object["id"][field])).expect("ids have 32 bits");
    Record {
        place,
        properties: object["props"].as_array().expect("properties").iter().map(property).collect(),
        identity: Some(Identity { object: id("object"), instance: id("instance") }),
        line,
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// Text, or the bytes that are none in hexadecimal digits.
fn text(value: &Value) -> Vec<u8> {
    if let Some(text) = value.as_str() {
        return text.as_bytes().to_vec();
    }
    let digits = value["hex"].as_str().expect("text or bytes");
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16).expect("digits")).collect()
}
