//! OpenLDAP's own form: directives, continued on lines that begin with white space.

use super::{Kind, Reader};

pub(super) fn read(text: &str, reader: &mut Reader) {
    let mut pending: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        match &mut pending {
            Some((_, directive)) if line.starts_with([' ', '\t']) => {
                directive.push('\n');
                directive.push_str(line);
            }
            _ => {
                finish(pending.take(), reader);
                pending = Some((index + 1, line.to_owned()));
            }
        }
    }
    finish(pending, reader);
}

fn finish(pending: Option<(usize, String)>, reader: &mut Reader) {
    let Some((line, directive)) = pending else {
        return;
    };
    let (word, rest) = directive.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((&directive, ""));
    let kind = match word.to_ascii_lowercase().as_str() {
        "attributetype" | "attributetypes" => Kind::Attribute,
        "objectclass" | "objectclasses" => Kind::Class,
        "objectidentifier" => Kind::Macro,
        "ldapsyntax" | "ldapsyntaxes" => Kind::Syntax,
        "ditcontentrule" | "ditcontentrules" => Kind::Other,
        _ => return reader.problem(line, format!("unknown directive \"{word}\"")),
    };
    reader.element(kind, line, rest);
}
