//! The raw format, written while the tree is read.

use netinfo_client::limits::MAX_DEPTH;
use netinfo_client::{Domain, Error, Property, Result, Status};

use super::CHUNK;
use crate::io::Io;
use crate::path::resolve;

/// Blanks that each brace and each list of children moves its contents to the right.
const STEP: usize = 2;

/// A directory with the ids of its children; `None` if it is listed and cannot be read.
type Read = Option<(Vec<Property>, Vec<u32>)>;

/// Dumps the directory at a path with everything below it.
pub(super) fn dump(domain: &mut Domain, path: &[u8], io: &mut Io<'_>) -> Result<()> {
    let object = resolve(domain, path)?;
    let Some((properties, children)) = read(domain, &[object])?.pop().flatten() else {
        return Err(Error::Status(Status::NoDir));
    };
    Dumper { domain, io }.directory(&properties, &children, 0, "", MAX_DEPTH)
}

struct Dumper<'d, 'i> {
    domain: &'d mut Domain,
    io: &'d mut Io<'i>,
}

impl Dumper<'_, '_> {
    /// Writes a directory; `comma` is what follows its closing brace.
    fn directory(
        &mut self,
        properties: &[Property],
        children: &[u32],
        indent: usize,
        comma: &str,
        depth: usize,
    ) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or(Error::TooDeep)?;
        let inner = indent + STEP;
        self.io.out(format!("{:indent$}{{\n", ""));
        for property in properties {
            self.io.out(line(property, inner));
        }
        if !children.is_empty() {
            self.io.out(format!("{:inner$}CHILDREN = (\n", ""));
            let last = children.len() - 1;
            for (chunk, ids) in children.chunks(CHUNK).enumerate() {
                for (index, child) in read(self.domain, ids)?.into_iter().enumerate() {
                    let Some((properties, grandchildren)) = child else { continue };
                    let comma = if chunk * CHUNK + index == last { "" } else { "," };
                    self.directory(&properties, &grandchildren, inner + STEP, comma, depth)?;
                }
            }
            self.io.out(format!("{:inner$})\n", ""));
        }
        self.io.out(format!("{:indent$}}}{comma}\n", ""));
        Ok(())
    }
}

/// Reads directories and the ids of their children.
fn read(domain: &mut Domain, ids: &[u32]) -> Result<Vec<Read>> {
    let mut found: Vec<Read> = Vec::with_capacity(ids.len());
    domain.read_many(ids, |_, read| {
        found.push(match read {
            Ok((_, properties)) => Some((properties, Vec::new())),
            Err(error) if error.is(Status::NoDir) => None,
            Err(error) => return Err(error),
        });
        Ok(())
    })?;
    domain.children_many(ids, |index, listed| {
        match (found.get_mut(index), listed) {
            (Some(Some((_, children))), Ok((ids, _))) => *children = ids,
            (_, Err(error)) if !error.is(Status::NoDir) => return Err(error),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

/// `"KEY" = ( "v1", "v2" );`
fn line(property: &Property, indent: usize) -> Vec<u8> {
    let mut line = vec![b' '; indent];
    quoted(&mut line, &property.name);
    line.extend_from_slice(b" = ( ");
    for (index, value) in property.values.iter().enumerate() {
        if index > 0 {
            line.extend_from_slice(b", ");
        }
        quoted(&mut line, value);
    }
    if !property.values.is_empty() {
        line.push(b' ');
    }
    line.extend_from_slice(b");\n");
    line
}

/// Only quotes are escaped; everything else stands as it is.
fn quoted(line: &mut Vec<u8>, text: &[u8]) {
    line.push(b'"');
    for byte in text {
        if *byte == b'"' {
            line.push(b'\\');
        }
        line.push(*byte);
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text =
            |name: &str, values: &[&str]| String::from_utf8(line(&Property::new(name, values), 2)).unwrap();
        assert_eq!(text("name", &["users"]), "  \"name\" = ( \"users\" );\n");
        assert_eq!(text("empty", &[]), "  \"empty\" = ( );\n");
        assert_eq!(text("note", &["say \"hi\"", ""]), "  \"note\" = ( \"say \\\"hi\\\"\", \"\" );\n");
        assert_eq!(text(r"b\s", &["a\nb"]), "  \"b\\s\" = ( \"a\nb\" );\n");
    }
}
