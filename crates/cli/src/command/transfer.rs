//! `backup` and `restore`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use netinfo_client::Error;
use serde_json::{Value, json};

use super::domain::{parse, size};
use crate::context::Context;
use crate::failure::{Failure, Result, When};
use crate::offline;
use crate::output::Output;
use crate::progress::Progress;

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write, readable by you only; "-" is standard output
    ///
    /// A backup holds the password hashes of the domain. An existing file is replaced once the backup is complete.
    file: PathBuf,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// File to read; "-" is standard input
    ///
    /// The whole domain given with --domain is replaced by what is in the file, or nothing is changed at all.
    file: PathBuf,
    /// Make the domain, which must not exist yet
    #[arg(long)]
    create: bool,
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Where a backup goes: standard output, or a file that gets its name when it is complete.
pub(crate) enum Target<'o> {
    Stdout(&'o mut Output),
    File { file: File, unfinished: PathBuf, path: PathBuf },
}

impl<'o> Target<'o> {
    pub(crate) fn open(path: &Path, out: &'o mut Output) -> Result<Self> {
        if is_dash(path) {
            return Ok(Self::Stdout(out));
        }
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(format!(".{}.unfinished", std::process::id()));
        let unfinished = PathBuf::from(unfinished);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
        let file = file.when(|| format!("write {}", path.display()))?;
        Ok(Self::File { file, unfinished, path: path.to_owned() })
    }

    /// Makes everything durable and gives the file its name.
    pub(crate) fn finish(mut self) -> Result<()> {
        match &mut self {
            Self::Stdout(out) => out.flush(),
            Self::File { file, unfinished, path } => {
                let done = file.sync_all().and_then(|()| fs::rename(&unfinished, &path));
                done.when(|| format!("write {}", path.display()))
            }
        }
    }
}

impl Write for Target<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.raw(bytes).map(|()| bytes.len()),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        if let Self::File { unfinished, .. } = self {
            // Gone already if the backup is complete.
            let _ = fs::remove_file(unfinished);
        }
    }
}

/// Saves a domain.
pub(crate) fn backup(context: &mut Context, args: &Backup) -> Result<()> {
    let tag = context.tag()?;
    let action = || format!("back up domain \"{tag}\"");
    let offline = context.options.data.clone();
    let control = offline.is_none().then(|| context.control()).transpose()?;
    let to_stdout = is_dash(&args.file);
    let mut target = Target::open(&args.file, &mut context.out)?;
    let summary = match (control, offline) {
        (Some(mut control), _) => {
            let question = json!({ "op": "backup", "domain": tag });
            let progress = Progress::bytes("backing up", None);
            let mut total = 0;
            let answer = control.stream(question.to_string().as_bytes(), |chunk| {
                total += chunk.len() as u64;
                progress.at(total);
                target.write_all(chunk).map_err(Error::Local)
            });
            parse(&answer.map_err(local_first).when(action)?)?
        }
        (None, data) => offline::backup(&data.unwrap_or_default(), &tag, &mut target).when(action)?,
    };
    target.finish()?;
    if to_stdout {
        return Ok(());
    }
    let bytes = size(summary["bytes"].as_u64().unwrap_or(0));
    let text = || {
        format!("saved {tag}: {} directories, {bytes}, to {}\n", summary["directories"], args.file.display())
    };
    context.out.either(text, || summary.clone())
}

/// An error of the local file keeps its own reason and exit code.
fn local_first(error: Error) -> Failure {
    match error {
        Error::Local(error) => error.into(),
        other => other.into(),
    }
}

/// Puts a saved domain in place.
pub(crate) fn restore(context: &mut Context, args: &Restore) -> Result<()> {
    let Some(tag) = context.options.domain.as_ref().map(|_| context.tag()).transpose()? else {
        return Err(Failure::usage("say which domain to replace: --domain TAG"));
    };
    let action = || format!("restore domain \"{tag}\"");
    let (mut source, total): (Box<dyn Read + Send>, _) = if is_dash(&args.file) {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(&args.file).when(|| format!("read {}", args.file.display()))?;
        let length = file.metadata().ok().filter(fs::Metadata::is_file).map(|m| m.len());
        (Box::new(file), length)
    };
    let summary = match context.options.data.clone() {
        Some(data) => offline::restore(&data, &tag, args.create, source).when(action)?,
        None => {
            let question = json!({ "op": "restore", "domain": tag, "create": args.create });
            let progress = Progress::bytes("sending", total);
            let mut control = context.control()?;
            let answer =
                control.upload(question.to_string().as_bytes(), &mut *source, |sent| progress.at(sent));
            let hint = "the domain is not there: make it with --create";
            let answer = answer.map_err(local_first).map_err(|failure| match failure.exit() {
                crate::failure::Exit::NotFound if !args.create => failure.with_hint(hint),
                _ => failure,
            });
            parse(&answer.when(action)?)?
        }
    };
    let text = |summary: &Value| format!("restored {tag}: {} directories\n", summary["directories"]);
    context.out.either(|| text(&summary), || summary.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("saved");
        let mut out = Output::stdout(false);
        let mut target = Target::open(&path, &mut out).unwrap();
        target.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(target);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let mut target = Target::open(&path, &mut out).unwrap();
        target.write_all(b"whole").unwrap();
        target.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}
