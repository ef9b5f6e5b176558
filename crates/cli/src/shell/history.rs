//! What the interactive mode remembers from one time to the next. Lines that may hold a password hash are not
//! remembered.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use netinfo_directory::SECRET_PROPERTIES;
use rustyline::Editor;
use rustyline::history::FileHistory;

use super::complete::Completion;

/// The history file, in `$XDG_STATE_HOME` or `~/.local/state`. `None` if there is no home.
pub(super) fn file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    Some(state.join("netinfo").join("history"))
}

/// Writes the history, readable by its owner only. Without a place for it, nothing is remembered.
pub(super) fn save(editor: &mut Editor<Completion, FileHistory>, file: &Path) {
    let made = file.parent().map(|dir| fs::DirBuilder::new().recursive(true).mode(0o700).create(dir));
    if matches!(made, Some(Ok(()))) {
        let _ = editor.save_history(file);
    }
}

/// Whether a line may be remembered: not if it could give a value to a property that holds password material.
pub(super) fn may_keep(line: &str) -> bool {
    if line.trim().is_empty() {
        return false;
    }
    let names_secret =
        SECRET_PROPERTIES.iter().any(|name| std::str::from_utf8(name).is_ok_and(|n| line.contains(n)));
    let harmless = ["user passwd", "ls", "cat", "tree"];
    !names_secret || harmless.iter().any(|command| line.trim_start().starts_with(command))
}

#[cfg(test)]
mod tests {
    use super::may_keep;

    #[test]
    fn hashes_are_not_remembered() {
        assert!(may_keep("ls /users"));
        assert!(may_keep("user passwd alice"));
        assert!(may_keep("set /users/alice shell /bin/sh"));
        for line in [
            "set /users/alice passwd $6$x$y",
            "mkdir /users/x passwd=abc",
            "user set alice passwd abc",
            "  find passwd=abc",
            "",
        ] {
            assert!(!may_keep(line), "{line}");
        }
    }
}
