//! The file that says where a system looks for users and the like (nsswitch.conf(5)): our name in its lines, and nothing else
//! in it changed.

/// What the file calls us.
const SERVICE: &str = "netinfo";
/// Databases that are looked for in NetInfo, and whether lines for them are added where they are missing.
const DATABASES: [(&str, bool); 4] =
    [("passwd", true), ("group", true), ("shadow", true), ("initgroups", false)];
/// After which of a line's services ours stands: what the machine itself says comes first.
const AFTER: [&str; 2] = ["files", "compat"];

/// The file's text with our name in it, behind the machine's own files.
pub(crate) fn add(text: &str) -> String {
    let mut result: String = text.split_inclusive('\n').map(add_to_line).collect();
    for (database, wanted) in DATABASES {
        if wanted && !text.lines().any(|line| name_of(line) == Some(database)) {
            if !result.is_empty() && !result.ends_with('\n') {
                result.push('\n');
            }
            result.push_str(&format!("{database}: files {SERVICE}\n"));
        }
    }
    result
}

/// The file's text without our name.
pub(crate) fn remove(text: &str) -> String {
    text.split_inclusive('\n').map(remove_from_line).collect()
}

/// The database of a line.
fn name_of(line: &str) -> Option<&str> {
    let (name, _) = line.split('#').next()?.split_once(':')?;
    Some(name.trim()).filter(|name| !name.is_empty())
}

fn concerns(line: &str) -> bool {
    name_of(line).is_some_and(|name| DATABASES.iter().any(|(database, _)| *database == name))
}

/// The words behind the colon, and where each begins in the line.
fn services(line: &str) -> Vec<(usize, &str)> {
    let end = line.find('#').unwrap_or(line.len());
    let Some(colon) = line[..end].find(':') else { return Vec::new() };
    let mut words = Vec::new();
    let mut begin = None;
    for (at, c) in line[..end].char_indices().filter(|(at, _)| *at > colon).chain([(end, ' ')]) {
        match (begin, c.is_whitespace()) {
            (None, false) => begin = Some(at),
            (Some(from), true) => {
                words.push((from, &line[from..at]));
                begin = None;
            }
            _ => {}
        }
    }
    words
}

fn add_to_line(line: &str) -> String {
    let words = services(line);
    if !concerns(line) || words.iter().any(|(_, word)| *word == SERVICE) {
        return line.to_owned();
    }
    let own = words.iter().find(|(_, word)| AFTER.contains(word));
    let end = own.or_else(|| words.last()).map(|(from, word)| from + word.len());
    let at = end.or_else(|| line.find(':').map(|colon| colon + 1)).unwrap_or(0);
    format!("{} {SERVICE}{}", &line[..at], &line[at..])
}

fn remove_from_line(line: &str) -> String {
    if !concerns(line) {
        return line.to_owned();
    }
    let mut result = line.to_owned();
    for (from, word) in services(line).into_iter().rev().filter(|(_, word)| *word == SERVICE) {
        let blank = result[..from].trim_end().len();
        result.replace_range(blank..from + word.len(), "");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "# /etc/nsswitch.conf\n\npasswd:         files systemd\ngroup:          files systemd\n\
                          shadow:         files systemd\ngshadow:        files systemd\n\nhosts:          files dns\n";

    #[test]
    fn ours_comes_after_the_machines_own() {
        insta::assert_snapshot!(add(DEBIAN), @r"
        # /etc/nsswitch.conf

        passwd:         files netinfo systemd
        group:          files netinfo systemd
        shadow:         files netinfo systemd
        gshadow:        files systemd

        hosts:          files dns
        ");
        assert_eq!(add(&add(DEBIAN)), add(DEBIAN));
        assert_eq!(remove(&add(DEBIAN)), DEBIAN);
        assert_eq!(remove(DEBIAN), DEBIAN);
    }

    #[test]
    fn lines_of_any_kind() {
        for (line, expected) in [
            ("passwd:files", "passwd:files netinfo"),
            (" passwd : compat # old", " passwd : compat netinfo # old"),
            ("passwd: files [NOTFOUND=return] sss", "passwd: files netinfo [NOTFOUND=return] sss"),
            ("passwd: sss", "passwd: sss netinfo"),
            ("passwd:", "passwd: netinfo"),
            ("initgroups: files", "initgroups: files netinfo"),
            ("# passwd: files", "# passwd: files"),
            ("hosts: files", "hosts: files"),
            ("passwd: netinfo files", "passwd: netinfo files"),
            ("words", "words"),
        ] {
            assert_eq!(add_to_line(line), expected);
            if !line.contains(SERVICE) {
                assert_eq!(remove_from_line(expected), line);
            }
        }
        assert_eq!(remove_from_line("passwd: netinfo files netinfo # netinfo"), "passwd: files # netinfo");
        assert_eq!(
            add("group: files"),
            "group: files netinfo\npasswd: files netinfo\nshadow: files netinfo\n"
        );
        assert_eq!(add("").lines().count(), 3);
    }
}
