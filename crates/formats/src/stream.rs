//! From a parser of one line to an iterator of records.

use crate::lines::{Line, Lines};
use crate::problem::{Problem, Reason};
use crate::record::Record;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

/// Most values that one property may collect, from a line of names or from several lines.
pub const MAX_MERGED_VALUES: usize = 4096;

/// One record for each good line, as it is read.
pub(crate) fn each<R, P>(input: R, parse: P) -> impl Iterator<Item = Result<Record, Problem>>
where
    R: BufRead,
    P: Fn(Line<'_>) -> Result<Record, Problem>,
{
    let mut lines = Lines::new(input);
    std::iter::from_fn(move || lines.next().map(|line| line.and_then(&parse)))
}

/// One record for all good lines with the same `key`, in the order of their first lines. The values of later lines
/// are added, each once.
///
/// Problems come as they are found and all records after them, for the last line may add to the first record.
pub(crate) fn merged<R, P>(
    input: R,
    parse: P,
    key: fn(&Record) -> Vec<u8>,
) -> impl Iterator<Item = Result<Record, Problem>>
where
    R: BufRead,
    P: Fn(Line<'_>) -> Result<Record, Problem>,
{
    merged_lines(each(input, parse), key)
}

/// The same for the records of lines that are parsed already.
pub(crate) fn merged_lines(
    records: impl Iterator<Item = Result<Record, Problem>>,
    key: fn(&Record) -> Vec<u8>,
) -> impl Iterator<Item = Result<Record, Problem>> {
    let mut records = records.fuse();
    let mut collected: Vec<Record> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut finished = None;
    std::iter::from_fn(move || {
        for record in records.by_ref() {
            let outcome = record.and_then(|record| {
                let place = *places.entry(key(&record)).or_insert(collected.len());
                match collected.get_mut(place) {
                    Some(earlier) => add(earlier, record),
                    None => {
                        collected.push(record);
                        Ok(())
                    }
                }
            });
            if let Err(problem) = outcome {
                return Some(Err(problem));
            }
        }
        finished.get_or_insert_with(|| std::mem::take(&mut collected).into_iter()).next().map(Ok)
    })
}

/// The words of `names`, each once.
pub(crate) fn distinct<'a>(
    line: Line<'_>,
    names: impl Iterator<Item = Cow<'a, [u8]>>,
) -> Result<Vec<Vec<u8>>, Problem> {
    let mut distinct: Vec<Vec<u8>> = Vec::new();
    for name in names {
        if distinct.iter().any(|known| *known == *name) {
            continue;
        }
        if distinct.len() == MAX_MERGED_VALUES {
            return Err(line.problem("name", Reason::TooManyValues));
        }
        distinct.push(name.into_owned());
    }
    Ok(distinct)
}

/// Add to `earlier` what `later` knows beyond it; all or nothing.
fn add(earlier: &mut Record, later: Record) -> Result<(), Problem> {
    for (property, values) in &later.properties {
        let known = earlier
            .properties
            .iter()
            .find(|(name, _)| name == property)
            .map_or(0, |(_, values)| values.len());
        if known + values.len() > MAX_MERGED_VALUES {
            return Err(Reason::TooManyValues.at(later.line, "line"));
        }
    }
    for (property, values) in later.properties {
        match earlier.properties.iter_mut().find(|(name, _)| *name == property) {
            None => earlier.properties.push((property, values)),
            Some((_, known)) => {
                for value in values {
                    if !known.contains(&value) {
                        known.push(value);
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn read(input: &str) -> Vec<Result<Record, Problem>> {
        let parse = |line: Line<'_>| {
            let mut words = line.words();
            let name = words.next().unwrap_or_default();
            let values: Vec<_> = words.map(<[u8]>::to_vec).collect();
            if values.is_empty() {
                return Err(line.problem("value", Reason::Missing));
            }
            Ok(Record::new("machines", line.number).with("name", name).with_values("value", values))
        };
        merged(input.as_bytes(), parse, |record| record.first("name").unwrap_or_default().to_vec()).collect()
    }

    #[test]
    fn later_lines_add_values_and_problems_come_first() {
        let found = read("a 1 2\nb 9\nbad\na 2 3\n");
        let shown: Vec<_> = found.iter().map(|item| format!("{item:?}")).collect();
        assert_eq!(
            shown,
            [
                r#"Err(Problem { line: 3, field: "value", reason: Missing })"#,
                r#"Ok(machines:1 { name: "a" value: "1" "2" "3" })"#,
                r#"Ok(machines:2 { name: "b" value: "9" })"#,
            ]
        );
    }

    #[test]
    fn a_property_collects_a_bounded_number_of_values() {
        let mut input = String::new();
        for value in 0..=MAX_MERGED_VALUES {
            writeln!(input, "a {value}").unwrap();
        }
        let found = read(&input);
        assert_eq!(found[0], Err(Reason::TooManyValues.at(MAX_MERGED_VALUES as u64 + 1, "line")));
        assert_eq!(found[1].as_ref().unwrap().values("value").len(), MAX_MERGED_VALUES);
        assert_eq!(found.len(), 2);
    }
}
