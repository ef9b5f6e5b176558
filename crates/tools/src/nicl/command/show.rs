//! What is printed.

use netinfo_formats::nidb::{Datum, StoreErrorKind, StoredRecord};

use crate::io::Io;
use crate::nicl::path::ROOT;
use crate::nicl::session::{Call, Fault, Session};
use crate::text::{atoi, property_line, values};

/// Columns of an id in a list.
const ID_WIDTH: usize = 10;
/// Deepest level that is searched: a damaged database may go round in circles.
const MAX_LEVELS: i64 = 256;

/// `read PATH [KEY...]`
pub(super) fn read(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let record = fetch(session, call.object, io)?;
    if call.args.is_empty() {
        let text = session.renderer().record(&record);
        io.out(text);
        return Ok(());
    }
    for key in call.args {
        match record.property(key) {
            Some(attribute) => {
                let before: &[u8] = if key.starts_with(b"_") { b"_" } else { b"" };
                let mut line = Vec::new();
                session.renderer().line(&mut line, before, attribute);
                io.out(line);
            }
            None => io.complain(&[b"No such key: ", key]),
        }
    }
    Ok(())
}

/// `list PATH [KEY]`
pub(super) fn list(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let key = call.args.first().map(Vec::as_slice);
    // That an id does not exist shows in the status alone.
    let lines = session.store.list(call.object, key).map_err(|kind| Fault::Said(kind.code()))?;
    for (id, names) in lines {
        let mut line = format!("{id:<ID_WIDTH$}").into_bytes();
        values(&mut line, &names);
        line.push(b'\n');
        io.out(line);
    }
    Ok(())
}

/// `path PATH`: the record, then its parent, up to the root.
pub(super) fn path(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let mut at = call.object;
    for _ in 0..MAX_LEVELS {
        let record = fetch(session, at, io)?;
        let text = session.renderer().record(&record);
        io.out(text);
        if at == ROOT {
            break;
        }
        io.out("\n");
        at = record.parent;
    }
    Ok(())
}

/// `statistics`
pub(super) fn statistics(session: &mut Session, _: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let mut text = Vec::new();
    session.store.statistics()?.iter().for_each(|property| property_line(&mut text, property));
    io.out(text);
    Ok(())
}

/// What a search looks for.
struct Search {
    least: i64,
    most: i64,
    pairs: Vec<(Datum, bool, Datum)>,
    hits: Vec<StoredRecord>,
}

/// `search PATH MIN MAX (KEY VAL)...`
pub(super) fn search(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let (least, most) = (atoi(call.arg(0)), atoi(call.arg(1)));
    if most >= 0 && least > most {
        io.err(format!("Scope minimum ({least}) > maximum ({most}) precludes search\n"));
        return Ok(());
    }
    let pairs = call.rest(2).chunks_exact(2).filter_map(|pair| match pair {
        [key, value] => {
            let (meta, key) = key.strip_prefix(b"_").map_or((false, key.as_slice()), |key| (true, key));
            Some((Datum::text(key), meta, Datum::text(value.as_slice())))
        }
        _ => None,
    });
    let mut search = Search { least, most, pairs: pairs.collect(), hits: Vec::new() };
    search.below(session, call.object, 0)?;
    let matches = if search.hits.len() == 1 { "match" } else { "matches" };
    io.out(format!("Search found {} {matches}\n", search.hits.len()));
    for record in search.hits {
        io.out("\n");
        let text = session.renderer().record(&record);
        io.out(text);
    }
    Ok(())
}

impl Search {
    fn below(&mut self, session: &mut Session, id: u32, level: i64) -> Result<(), StoreErrorKind> {
        let record = session.store.fetch(id)?;
        let children = record.children.clone();
        if level >= self.least && self.matches(&record) {
            self.hits.push(record);
        }
        if level < MAX_LEVELS && (self.most < 0 || level < self.most) {
            for child in children {
                match self.below(session, child, level + 1) {
                    // A child that is listed and not there.
                    Err(StoreErrorKind::InvalidPath) => {}
                    searched => searched?,
                }
            }
        }
        Ok(())
    }

    fn matches(&self, record: &StoredRecord) -> bool {
        self.pairs.iter().all(|(key, meta, value)| {
            let attributes = if *meta { &record.metas } else { &record.attributes };
            let named = attributes.iter().find(|attribute| attribute.key.matches(key));
            named.is_some_and(|attribute| attribute.values.iter().any(|known| known.matches(value)))
        })
    }
}

/// A record; if there is none, that is said.
fn fetch(session: &mut Session, id: u32, io: &mut Io<'_>) -> Result<StoredRecord, Fault> {
    session.store.fetch(id).map_err(|kind| {
        io.complain(&[format!("Fetch record {id} failed: {}", kind.name()).as_bytes()]);
        Fault::Said(kind.code())
    })
}
