//! Files and folders made into a scratch domain, so that they can be written in another format, or compared.

use std::collections::HashMap;
use std::sync::Arc;

use netinfo_directory::{Change, Id, Property, ROOT, Target, TransferObject};
use netinfo_formats::Place;
use netinfo_mapping::settings::Setting;

use crate::error::{Error, Result};
use crate::fill;
use crate::import::{Watch, import};
use crate::item::What;
use crate::local::{Local, now, session};
use crate::place::Options;
use crate::report::{Done, FileReport, Outcome, Report};
use crate::scratch::Scratch;
use crate::source::{Format, Part};

/// Reads parts into a new domain. `settings` go to its root; without a suffix among them one is taken from the first
/// LDIF file.
///
/// # Errors
/// When a part cannot be read at all.
pub fn gather(
    parts: &[Part],
    mut settings: Vec<Property>,
    watch: &mut dyn Watch,
) -> Result<(Scratch, Report)> {
    if let [part] = parts
        && is_whole(part)?
    {
        let mut file = FileReport::new(&part.name, part.format.name());
        let objects = objects(part, &mut file)?;
        return Ok((Scratch::of_objects(objects)?, Report { files: vec![file] }));
    }
    let suffix = Setting::Suffix.property();
    if !settings.iter().any(|property| property.name == suffix)
        && let Some(part) = parts.iter().find(|part| part.format == Format::Ldif)
    {
        settings.extend(suggested(part)?);
    }
    let scratch = Scratch::empty(settings)?;
    let mut local = Local::new(scratch.domain().clone(), Options::default())?;
    let mut report = Report::default();
    for part in parts {
        if fill::fits(part, scratch.domain())? {
            report.files.push(fill::load(part, &mut local, watch)?);
        } else {
            let more = import(std::slice::from_ref(part), &mut local, watch).map_err(|(error, _)| error)?;
            report.files.extend(more.files);
        }
    }
    Ok((scratch, report))
}

/// Whether a part is one directory and all below it: some formats may hold that or single records.
///
/// # Errors
/// When it cannot be read at all.
pub fn is_whole(part: &Part) -> Result<bool> {
    if part.format != Format::Jsonl {
        return Ok(part.format.is_tree());
    }
    let first = part.records(Arc::default())?.find_map(Result::ok);
    Ok(first.is_some_and(|record| record.place == Place::Root))
}

/// The settings of a domain that an LDIF file suggests, as properties of its root.
///
/// # Errors
/// When the file cannot be read.
pub fn suggested(part: &Part) -> Result<Vec<Property>> {
    let mut names = Vec::new();
    for item in part.items(Arc::default())?.take(fill::SCANNED) {
        if let Ok(item) = item
            && let What::Entry(dn, _) = item.what
        {
            names.push(dn);
        }
    }
    let Some((suffix, unix)) = fill::settings(names.iter().map(Vec::as_slice)) else { return Ok(Vec::new()) };
    let mut settings = vec![Property::new(Setting::Suffix.property(), [suffix])];
    if unix {
        settings.push(Property::new(Setting::Layout.property(), ["rfc2307"]));
    }
    Ok(settings)
}

/// Puts properties on the root of a domain that does not have them.
///
/// # Errors
/// When the domain refuses.
pub fn set(domain: &netinfo_directory::Domain, settings: Vec<Property>) -> Result<()> {
    let change =
        |property| Change::CreateProperty { directory: Target::any(ROOT), property, position: u32::MAX };
    let changes: Vec<Change> = settings.into_iter().map(change).collect();
    if !changes.is_empty() {
        domain.write_blocking(&session(domain)?, changes, now())?;
    }
    Ok(())
}

/// The directories of a format that holds whole domains, with the ids they have there.
///
/// # Errors
/// When it cannot be read at all, or is no such format.
pub fn objects(part: &Part, file: &mut FileReport) -> Result<Vec<TransferObject>> {
    let mut objects: Vec<TransferObject> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut done = Done::default();
    let mut number = 0;
    for record in part.records(Arc::default())? {
        let record = match record {
            Ok(record) => record,
            Err(problem) => {
                done.unread(&problem);
                continue;
            }
        };
        // Problems have no number.
        let own = number;
        number += 1;
        let id = record.identity.map_or(Id { object: objects.len() as u32, instance: 0 }, |identity| Id {
            object: identity.object,
            instance: identity.instance,
        });
        let parent = match record.place {
            Place::Root => id.object,
            Place::Below(parent) => {
                let Some(parent) = places.get(&parent).and_then(|at| objects.get_mut(*at)) else {
                    done.tell(
                        Outcome::Failed,
                        record.line,
                        "",
                        vec!["the directory above it is missing".into()],
                    );
                    continue;
                };
                parent.children.push(id.object);
                parent.id.object
            }
            Place::In(_) => {
                return Err(Error::Invalid(format!("{} holds no whole domain", part.format.name())));
            }
        };
        let properties =
            record.properties.into_iter().map(|(name, values)| Property { name, values }).collect();
        places.insert(own, objects.len());
        objects.push(TransferObject { id, parent, children: Vec::new(), properties, stamp: None });
        done.counts.add(Outcome::Created);
    }
    file.add(done);
    Ok(objects)
}
