//! Long answers (check, backup) and uploads (restore, load).

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use netinfo_directory::{CheckReport, Finding, Observer};
use netinfo_wire::control::{MAX_CHUNK, Response, StreamItem};
use netinfo_wire::netinfo::Status;
use netinfo_wire::rpc::{AcceptStat, put_accepted};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::load::Load;
use super::requests::{internal, served};
use super::{Answer, Failure, Request, encoded, member};
use crate::frontend::now;
use crate::limits::{MAX_STREAMS, MAX_UPLOADS, UPLOAD_REST};
use crate::node::Running;
use crate::served::Served;
use crate::stream::Sink;

/// Answers a STREAM call.
pub(super) fn stream(
    node: &Running,
    root: bool,
    permit: Option<OwnedSemaphorePermit>,
    request: &Request,
    xid: u32,
    sink: &mut Sink,
) {
    put_accepted(sink.buffer(), xid, AcceptStat::Success);
    let answer = match permit {
        Some(_permit) => run(node, root, request, sink),
        None => Err(Failure::new(
            Status::MasterBusy,
            format!("{MAX_STREAMS} such requests are under way already"),
        )),
    };
    let (status, json) = encoded(answer);
    StreamItem::End(Response { status, json: &json }).encode(sink.buffer());
    sink.finish();
}

fn run(node: &Running, root: bool, request: &Request, sink: &mut Sink) -> Answer {
    let value = request.parse()?;
    if !root {
        return Err(Failure::new(Status::Perm, "this takes the superuser")
            .hint("run it as root, for example with sudo"));
    }
    match member(&value, "op")? {
        "check" => {
            let domains = match value["domain"].as_str() {
                Some(tag) => vec![served(node, tag)?],
                None => node.all_served(),
            };
            check(&domains, value["repair"].as_bool().unwrap_or(false), sink)
        }
        "backup" => backup(&*served(node, member(&value, "domain")?)?, sink),
        other => Err(Failure::new(Status::BadOp, format!("there is no stream \"{other}\""))),
    }
}

/// Sends what a check finds as JSON lines.
struct Lines<'a> {
    sink: &'a mut Sink,
    tag: &'a str,
}

impl Lines<'_> {
    fn send(&mut self, line: &serde_json::Value) {
        let mut text = line.to_string();
        text.push('\n');
        StreamItem::Chunk(text.as_bytes()).encode(self.sink.buffer());
        // Nobody reading any more does not end the check: a repair must be finished.
        let _ = self.sink.flush_when_full();
    }
}

impl Observer for Lines<'_> {
    fn progress(&mut self, done: u64, total: u64) {
        self.send(&json!({ "progress": done, "of": total }));
    }

    fn finding(&mut self, finding: Finding) {
        let Finding { kind, object, text } = finding;
        self.send(&json!({ "domain": self.tag, "kind": kind, "object": object, "text": text }));
    }
}

fn check(domains: &[Arc<Served>], repair: bool, sink: &mut Sink) -> Answer {
    let mut reports = Vec::new();
    for served in domains {
        let domain = &served.domain;
        let session = internal(domain)?;
        let mut lines = Lines { sink, tag: domain.tag() };
        let report =
            if repair { domain.repair(&session, &mut lines) } else { domain.check(&session, &mut lines) };
        let CheckReport { directories, findings, repaired } = report?;
        reports.push(json!({ "tag": domain.tag(), "directories": directories, "findings": findings, "repaired": repaired }));
    }
    Ok(json!({ "domains": reports }))
}

/// Cuts what is written into chunks.
struct Chunks<'a> {
    sink: &'a mut Sink,
    buffer: Vec<u8>,
    total: u64,
}

/// Bytes of one chunk.
const CHUNK: usize = 256 * 1024;

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        self.total += bytes.len() as u64;
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        for chunk in self.buffer.chunks(MAX_CHUNK as usize) {
            StreamItem::Chunk(chunk).encode(self.sink.buffer());
            if !self.sink.flush_when_full() {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the receiver is gone"));
            }
        }
        self.buffer.clear();
        Ok(())
    }
}

fn backup(served: &Served, sink: &mut Sink) -> Answer {
    let session = internal(&served.domain)?;
    let mut chunks = Chunks { sink, buffer: Vec::with_capacity(2 * CHUNK), total: 0 };
    let header = served.domain.backup(&session, &mut chunks, &mut |_, _| {})?;
    chunks.flush().map_err(netinfo_directory::Error::from)?;
    Ok(json!({ "directories": header.directories, "bytes": chunks.total, "checksum": header.checksum }))
}

/// Uploads under way. An upload belongs to the connection that began it: nobody else can add to it, and it ends with
/// the connection.
#[derive(Default)]
pub(crate) struct Uploads {
    open: Mutex<HashMap<u64, Slot>>,
    next: AtomicU64,
}

/// An upload's place.
struct Slot {
    connection: u64,
    used: Instant,
    /// Absent while a chunk is being written.
    upload: Option<Upload>,
}

/// What is being uploaded.
enum Upload {
    Restore(Gathered),
    Load(Box<Load>),
}

/// A restore being received into a file of the data directory.
struct Gathered {
    file: File,
    path: PathBuf,
    tag: String,
    create: bool,
}

impl Drop for Gathered {
    fn drop(&mut self) {
        // The file was only a place to gather the upload in.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Slot>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out an upload of this connection; its place is kept.
    fn take(&self, connection: u64, handle: u64) -> Result<Upload, Failure> {
        let mut open = self.lock();
        let slot = open.get_mut(&handle).filter(|slot| slot.connection == connection);
        slot.and_then(|slot| slot.upload.take()).ok_or_else(unknown)
    }

    /// Puts an upload back, or gives up its place.
    fn put(&self, handle: u64, upload: Option<Upload>) {
        let mut open = self.lock();
        match (upload, open.get_mut(&handle)) {
            (Some(upload), Some(slot)) => {
                slot.upload = Some(upload);
                slot.used = Instant::now();
            }
            _ => drop(open.remove(&handle)),
        }
    }

    /// Drops what a connection began and did not finish.
    pub(crate) fn abandon(&self, connection: u64) {
        self.lock().retain(|_, slot| slot.connection != connection);
    }
}

/// Name of the file an upload is gathered in.
const UPLOAD_FILE: &str = "upload.";

/// Removes the uploads that an earlier process left behind in the data directory.
pub(crate) fn remove_leftovers(data: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UPLOAD_FILE) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

pub(super) fn begin(node: &Running, connection: u64, root: bool, request: &Request) -> Result<u64, Failure> {
    let value = request.parse()?;
    if !root {
        return Err(Failure::new(Status::Perm, "this takes the superuser")
            .hint("run it as root, for example with sudo"));
    }
    let tag = member(&value, "domain")?.to_owned();
    let load = match member(&value, "op")? {
        "restore" => None,
        "load" => Some(Load::begin(served(node, &tag)?.domain.clone(), &value)?),
        _ => return Err(Failure::new(Status::BadOp, "only \"restore\" and \"load\" can be uploaded")),
    };
    let create = value["create"].as_bool().unwrap_or(false);
    match (node.served(&tag), create && load.is_none()) {
        (None, false) => {
            served(node, &tag)?;
        }
        (Some(_), true) => return Err(netinfo_directory::Error::DuplicateTag(tag).into()),
        _ => netinfo_directory::check_tag(&tag)?,
    }
    let handle = node.uploads.next.fetch_add(1, Ordering::Relaxed);
    let path = node.core.path().join(format!("{UPLOAD_FILE}{}.{handle}", std::process::id()));
    let mut open = node.uploads.lock();
    if open.len() >= MAX_UPLOADS {
        open.retain(|_, slot| slot.upload.is_none() || slot.used.elapsed() < UPLOAD_REST);
    }
    if open.len() >= MAX_UPLOADS {
        return Err(Failure::new(Status::MasterBusy, format!("{MAX_UPLOADS} uploads are under way already")));
    }
    let upload = match load {
        Some(load) => Upload::Load(Box::new(load)),
        None => {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
            let file = file.map_err(netinfo_directory::Error::from)?;
            Upload::Restore(Gathered { file, path, tag, create })
        }
    };
    let upload = Some(upload);
    open.insert(handle, Slot { connection, used: Instant::now(), upload });
    Ok(handle)
}

fn unknown() -> Failure {
    Failure::new(Status::BadOp, "there is no such upload")
}

pub(super) fn add(node: &Running, connection: u64, handle: u64, data: &[u8]) -> Answer {
    let mut upload = node.uploads.take(connection, handle)?;
    let answer = match &mut upload {
        Upload::Restore(gathered) => {
            let written = gathered.file.write_all(data).map_err(netinfo_directory::Error::from);
            written.map(|()| json!({})).map_err(Failure::from)
        }
        Upload::Load(load) => load.add(data),
    };
    node.uploads.put(handle, answer.is_ok().then_some(upload));
    answer
}

pub(super) async fn commit(node: &Arc<Running>, connection: u64, handle: u64) -> Answer {
    let upload = node.uploads.take(connection, handle)?;
    node.uploads.put(handle, None);
    let upload = match upload {
        Upload::Restore(gathered) => gathered,
        Upload::Load(load) => {
            let answer = load.end();
            crate::ldap::refresh(node);
            return answer;
        }
    };
    let (tag, create) = (upload.tag.clone(), upload.create);
    if create {
        let (work, made) = (node.clone(), tag.clone());
        super::blocking(move || Ok(work.core.create_master(&made, now()).map(drop)?)).await?;
    }
    let work = node.clone();
    let restored = super::blocking(move || restore(&work, upload)).await;
    if create {
        match &restored {
            Ok(_) => node.start_domain(&tag).map_err(|e| Failure::new(Status::SystemErr, e.to_string()))?,
            // What was made for the restore goes again with it.
            Err(_) => drop(node.destroy_domain(&tag).await),
        }
    }
    restored
}

fn restore(node: &Running, mut upload: Gathered) -> Answer {
    let domain = node
        .core
        .domain(&upload.tag)
        .ok_or_else(|| netinfo_directory::Error::NoSuchDomain(upload.tag.clone()))?;
    upload.file.rewind().map_err(netinfo_directory::Error::from)?;
    let source = upload.file.try_clone().map_err(netinfo_directory::Error::from)?;
    let session = internal(&domain)?;
    let header = domain.restore(&session, io::BufReader::with_capacity(1 << 20, source), |_, _| {})?;
    Ok(json!({ "directories": header.directories }))
}
