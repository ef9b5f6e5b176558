//! `import`.

use std::path::{Path as FilePath, PathBuf};

use clap::{ArgGroup, Args};
use netinfo_client::{Control, Status};
use netinfo_directory::{Domain, Property, ROOT, TransferObject};
use netinfo_mapping::Namespace;
use netinfo_mapping::settings::Setting;
use netinfo_migrate::import::{Target, import as run};
use netinfo_migrate::plan::Policy;
use netinfo_migrate::report::{FileReport, Outcome, Report};
use netinfo_migrate::scratch::{Scratch, put};
use netinfo_migrate::source::{Format, Part, parts};
use netinfo_migrate::{Calls, Daemon, Local, Options, fill, gather};
use serde_json::json;

use super::{copy, is_administered, names, summary, write_report};
use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::offline;
use crate::progress::Progress;

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    override_usage = "netinfo import [OPTIONS] [FORMAT] <FILE|DIR>",
    group(ArgGroup::new("policy").args(["merge", "replace", "skip"])),
    after_help = "Formats: passwd (with the shadow file beside it), group, hosts and other administrative files, ldif, \
nidb, dslocal (the local directory of a Mac). A folder like /etc is imported file by file, the others as a whole. The \
format is told by names and contents where it is not given. Running an interrupted import again ends in the same state. The exit code is 1 if something \
could not be taken."
)]
pub(crate) struct Import {
    /// What to import, perhaps with its format before it
    #[arg(required = true, num_args = 1..=2, value_names = ["FORMAT", "FILE"])]
    words: Vec<PathBuf>,
    /// Directory below which everything goes
    #[arg(long, value_name = "PATH", default_value = "/")]
    into: Text,
    /// Add to directories that are there: missing properties and values; single values are overwritten (default)
    #[arg(long)]
    merge: bool,
    /// Give directories that are there the imported properties and no others
    #[arg(long)]
    replace: bool,
    /// Leave directories that are there as they are
    #[arg(long)]
    skip: bool,
    /// Change nothing, and show what would be changed
    #[arg(long)]
    dry_run: bool,
    /// Write what came of everything to a file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Make a new domain of a folder or file that holds a whole one, with its ids and order
    #[arg(long, value_name = "TAG", conflicts_with_all = ["policy", "into", "dry_run"])]
    as_domain: Option<String>,
    /// Fetch values of LDIF that stand in other files of this machine
    #[arg(long)]
    urls: bool,
}

impl Import {
    fn options(&self, context: &Context) -> Result<Options> {
        let policy = match (self.replace, self.skip) {
            (true, _) => Policy::Replace,
            (_, true) => Policy::Skip,
            _ => Policy::Merge,
        };
        Ok(Options { policy, into: names(context, &self.into)?, details: self.dry_run })
    }

    fn parts(&self) -> Result<Vec<Part>> {
        let (format, file) = match self.words.as_slice() {
            [file] => super::split(file),
            [format, file] => (Some(super::format(&format.to_string_lossy())?), file.as_path()),
            _ => return Err(Failure::usage("name one file or folder")),
        };
        let parts = parts(format, file)?;
        Ok(parts.into_iter().map(|part| part.with_urls(self.urls)).collect())
    }
}

/// Imports files into a domain.
pub(crate) fn import(context: &mut Context, args: &Import) -> Result<Exit> {
    let parts = args.parts()?;
    let report = match &args.as_domain {
        Some(tag) => as_domain(context, &parts, tag)?,
        None => into_domain(context, args, &parts)?,
    };
    if let Some(file) = &args.report {
        write_report(file, &report.to_json())?;
    }
    context.out.either(|| summary(&report, args.dry_run), || report.to_json())?;
    let failed = report.counts().of(Outcome::Failed) > 0;
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

fn into_domain(context: &mut Context, args: &Import, parts: &[Part]) -> Result<Report> {
    let options = args.options(context)?;
    if let Some(data) = context.options.data.clone() {
        let tag = context.tag()?;
        if args.dry_run {
            return offline_dry(&data, &tag, parts, options);
        }
        let held = offline::hold_or_create(&data, &tag)?;
        if let Err(failure) = check_suggested(&held, parts) {
            held.give_up();
            return Err(failure);
        }
        return into_held(held.domain(), parts, options);
    }
    if args.dry_run {
        let (scratch, _) = copy(context)?;
        return into_held(scratch.domain(), parts, options);
    }
    if is_administered(context) && may_administer(context)? {
        let mut target = Daemon::new(context.control()?, &context.domain_name(), &options);
        return imported(parts, &mut target);
    }
    let ldif = parts.iter().any(|part| part.format == Format::Ldif);
    if !ldif {
        return imported(parts, &mut Calls::new(context.domain()?, options));
    }
    // Entries become directories in a copy, and those go over the network.
    Err(Failure::new("LDAP entries can only be imported by root on the server itself")
        .with_exit(Exit::Denied)
        .with_hint("over the network, use LDAP: ldapadd or ldapmodify"))
}

/// Whether the daemon takes this for its superuser.
fn may_administer(context: &Context) -> Result<bool> {
    let mut control: Control = context.control()?;
    let question = json!({ "op": "changes", "domain": context.domain_name(), "limit": 0, "since": u32::MAX });
    match control.request(question.to_string().as_bytes(), true) {
        Err(netinfo_client::Error::Control { status: Status::Perm, .. }) => Ok(false),
        Err(error @ netinfo_client::Error::Control { status: Status::NoTag, .. }) => Err(error.into()),
        Err(netinfo_client::Error::Control { .. }) | Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn offline_dry(data: &FilePath, tag: &str, parts: &[Part], options: Options) -> Result<Report> {
    let scratch = match offline::hold(data, tag) {
        Ok(held) => Scratch::of_domain(held.domain())?,
        Err(failure) if failure.exit() == Exit::NotFound => Scratch::new()?,
        Err(failure) => return Err(failure),
    };
    into_held(scratch.domain(), parts, options)
}

/// Imports into a domain at hand: what is fresh and gets LDAP entries is filled at once.
fn into_held(domain: &std::sync::Arc<Domain>, parts: &[Part], options: Options) -> Result<Report> {
    let details = options.details || !options.into.is_empty();
    let mut target = Local::new(domain.clone(), options)?;
    if let [part] = parts
        && !details
        && fill::fits(part, domain)?
    {
        if !has_suffix(domain)? {
            gather::set(domain, gather::suggested(part)?)?;
        }
        let progress = Progress::bytes("loading", part.size());
        let file = fill::load(part, &mut target, &mut |read, _, _| progress.at(read))?;
        return Ok(Report { files: vec![file] });
    }
    imported(parts, &mut target)
}

/// Checks that a domain which is yet to be named can have the suffix that the parts suggest.
fn check_suggested(held: &offline::Held, parts: &[Part]) -> Result<()> {
    let [part] = parts else { return Ok(()) };
    if !fill::fits(part, held.domain())? || has_suffix(held.domain())? {
        return Ok(());
    }
    let suggested = gather::suggested(part)?;
    let suffix = Setting::Suffix.property();
    let suffixes = suggested.iter().filter(|property| property.name == suffix);
    let texts =
        suffixes.flat_map(|property| property.values.iter().filter_map(|text| str::from_utf8(text).ok()));
    held.check_names(texts)
}

fn has_suffix(domain: &Domain) -> Result<bool> {
    let session = offline::session(domain)?;
    let view = domain.read(&session)?;
    Ok(view.record(ROOT)?.property(Setting::Suffix.property()).is_some())
}

fn imported(parts: &[Part], target: &mut dyn Target) -> Result<Report> {
    let total = parts.iter().map(Part::size).sum::<Option<u64>>();
    let progress = Progress::bytes("importing", total);
    run(parts, target, &mut |read, _, _| progress.at(read)).map_err(|(error, report)| {
        drop(progress);
        let done = summary(&report, false);
        Failure::from(error).with_hint(format!("run it again to go on; until now:\n{}", done.trim_end()))
    })
}

/// Makes a domain of directories that are one.
fn as_domain(context: &Context, parts: &[Part], tag: &str) -> Result<Report> {
    let [part] = parts else { return Err(Failure::usage("a domain is made of one file or folder")) };
    if !gather::is_whole(part)? {
        return Err(Failure::usage(format!("{} holds no whole domain", part.format.name())));
    }
    netinfo_directory::check_tag(tag)?;
    let mut file = FileReport::new(&part.name, part.format.name());
    let mut objects = gather::objects(part, &mut file)?;
    let action = || format!("make domain \"{tag}\"");
    match context.options.data.clone() {
        Some(data) => {
            let held = offline::make(&data, tag).when(action)?;
            adopt(&mut objects, &fresh_root(held.domain())?);
            let made = put(held.domain(), objects).map_err(Failure::from);
            let named = made.and_then(|()| held.check_names(std::iter::empty()));
            if let Err(failure) = named {
                held.give_up();
                return Err(failure.when(action()));
            }
        }
        None => {
            let mut control = context.control()?;
            let question = json!({ "op": "create-domain", "tag": tag });
            control.request(question.to_string().as_bytes(), false).when(action)?;
            let made = upload(context, tag, objects);
            if made.is_err() {
                let question = json!({ "op": "destroy-domain", "tag": tag });
                let _ = context.control()?.request(question.to_string().as_bytes(), false);
            }
            made.when(action)?;
        }
    }
    Ok(Report { files: vec![file] })
}

/// Puts directories in place of a domain that was made for them.
fn upload(context: &Context, tag: &str, mut objects: Vec<TransferObject>) -> Result<()> {
    let mut control = context.control()?;
    let fresh = Scratch::of_daemon(&mut control, tag, &mut |_| {})?;
    adopt(&mut objects, &fresh_root(fresh.domain())?);
    let scratch = Scratch::of_objects(objects)?;
    // Under names that another domain has it is not made. They come once more with the rest.
    let question = json!({ "op": "configure-domain", "tag": tag, "settings": { "suffix": suffixes(scratch.domain(), tag)? } });
    control.request(question.to_string().as_bytes(), false)?;
    let (mut reader, mut writer) = std::io::pipe()?;
    let domain = scratch.domain().clone();
    let session = offline::session(&domain)?;
    let saving = std::thread::spawn(move || domain.backup(&session, &mut writer, &mut |_, _| {}));
    let question = json!({ "op": "restore", "domain": tag });
    let sent = context.control()?.upload(question.to_string().as_bytes(), &mut reader, |_| {});
    drop(reader);
    let saved = saving.join().map_err(|_| Failure::new("the copy has failed"))?;
    sent?;
    saved?;
    Ok(())
}

/// The names under which the directories of a domain are served as that of `tag`.
fn suffixes(domain: &Domain, tag: &str) -> Result<Vec<String>> {
    let namespace = Namespace::new(&domain.read(&offline::session(domain)?)?, tag)?;
    Ok(namespace.suffixes().filter(|suffix| !suffix.is_empty()).map(str::to_owned).collect())
}

fn fresh_root(domain: &Domain) -> Result<Vec<Property>> {
    let session = offline::session(domain)?;
    let view = domain.read(&session)?;
    let record = view.record(ROOT)?;
    Ok(record.properties().map(|property| Property::new(property.name, property.values)).collect())
}

/// This machine is the master from now on, whichever was before.
fn adopt(objects: &mut [TransferObject], fresh: &[Property]) {
    let Some(master) = fresh.iter().find(|property| property.name == b"master") else { return };
    let Some(root) = objects.iter_mut().find(|object| object.id.object == ROOT) else { return };
    match root.properties.iter_mut().find(|property| property.name == b"master") {
        Some(property) => property.values.clone_from(&master.values),
        None => root.properties.push(master.clone()),
    }
}
