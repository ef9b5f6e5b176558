//! Durable writes: creating users, and changing a property of one. An answer means that the write is on disk.
//!
//! Every client has a connection, and a directory of its own to write to: a write names the instance it has seen of the
//! directory, so clients that wrote to the same one would mostly be told that they came too late.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_wire::netinfo::{
    CreateArgs, Id, NameListBuf, Procedure, PropListBuf, WritePropArgs, decode_create_res, decode_id_res,
    decode_proplist_res,
};
use netinfo_wire::rpc::{Outcome, parse_reply};

use crate::daemon::Target;
use crate::data::{FIRST_CLIENT, USERS};
use crate::figures::{WriteFigure, percentile};
use crate::load::Connection;
use crate::options::{Plan, WRITE_LIMIT, WriteName, WriteOptions};
use crate::process::{processor_time, written};
use crate::{Failure, Result, calls, people};

/// Clients that write at the same time.
pub const CLIENTS: [usize; 3] = [1, 8, 32];
/// Calls under way of the client that pipelines.
const DEPTH: usize = 16;
/// Property of a user that is changed: `realname`, the fifth.
const CHANGED: u32 = 4;
/// Position behind the last one.
const END: u32 = u32::MAX;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    Create,
    WriteProp,
}

impl Write {
    /// As tables name it.
    fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::WriteProp => "WRITEPROP",
        }
    }
}

/// One client: its connection, the directory it writes to, and what it has written.
struct Client {
    connection: Connection,
    /// Directory whose children are made, or whose property is changed, as far as this client knows.
    directory: Id,
    /// Number of the next user to create; also the changed value.
    next: u32,
    buffer: Vec<u8>,
}

/// A load of writes: what, how many clients, calls under way on each, and the name tables use.
type Load = (Write, usize, usize, &'static str);

/// Measures durable writes on a server whose domain has `users` users.
///
/// # Errors
/// A write is refused.
pub fn measure(plan: &Plan, users: u32, server: Target) -> Result<Vec<WriteFigure>> {
    let mut loads: Vec<Load> = Vec::new();
    for write in [Write::Create, Write::WriteProp] {
        loads.extend(CLIENTS.map(|clients| (write, clients, 1, write.name())));
        loads.push((write, 1, DEPTH, write.name()));
    }
    let mut figures = vec![into_users(plan, users, server)?];
    let mut next = 2 * users;
    for load in loads {
        figures.push(measure_load(plan.write, load, &mut next, server)?);
    }
    Ok(figures)
}

/// Measures one load.
///
/// # Errors
/// A write is refused.
pub fn one(options: &WriteOptions, server: Target) -> Result<WriteFigure> {
    let write = match options.call {
        WriteName::Create => Write::Create,
        WriteName::Writeprop => Write::WriteProp,
    };
    let load = (write, options.clients.into(), options.depth.into(), write.name());
    measure_load(options.seconds, load, &mut options.first.clone(), server)
}

/// One client that adds to `/users` itself, with all the users already in it.
fn into_users(plan: &Plan, users: u32, server: Target) -> Result<WriteFigure> {
    let mut client = Client::open(server.address, Id::new(USERS, 0), users)?;
    client.refresh()?;
    run(plan.write, (Write::Create, 1, 1, "CREATE in /users"), vec![client], server)
}

fn measure_load(time: Duration, load: Load, next: &mut u32, server: Target) -> Result<WriteFigure> {
    let (write, count, _, _) = load;
    let mut clients = Vec::with_capacity(count);
    for number in 0..count as u32 {
        let own = Id::new(FIRST_CLIENT + number, 0);
        let mut client = Client::open(server.address, own, *next)?;
        *next += WRITE_LIMIT as u32;
        client.refresh()?;
        if write == Write::WriteProp {
            // The user that will be changed; everybody may write to it.
            client.directory = client.create_own()?;
        }
        clients.push(client);
    }
    run(time, load, clients, server)
}

fn run(limit: Duration, load: Load, clients: Vec<Client>, server: Target) -> Result<WriteFigure> {
    let (write, count, depth, name) = load;
    let (before, disk) = (processor_time(server.pid)?, written(server.pid)?);
    let start = Instant::now();
    let mut batches = thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .map(|client| scope.spawn(move || client.repeat(write, depth, limit, WRITE_LIMIT / count as u64)))
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| Failure::from("a writing thread panicked"))??);
        }
        Ok::<_, Failure>(all)
    })?;
    let time = start.elapsed().as_secs_f64();
    let disk = (written(server.pid)? - disk) as f64;
    let server = processor_time(server.pid)?.saturating_sub(before).as_secs_f64();
    let writes = (batches.len() * depth) as f64;
    Ok(WriteFigure {
        call: name.into(),
        clients: count,
        depth,
        per_second: writes / time,
        median_ms: percentile(&mut batches, 50),
        p99_ms: percentile(&mut batches, 99),
        server_us: server * 1e6 / writes.max(1.0),
        disk_bytes: disk / writes.max(1.0),
    })
}

impl Client {
    fn open(address: SocketAddr, directory: Id, next: u32) -> Result<Self> {
        Ok(Self { connection: Connection::open(address)?, directory, next, buffer: Vec::new() })
    }

    /// Learns the instance of its directory.
    fn refresh(&mut self) -> Result<()> {
        let asked = self.directory;
        let results = self.call(Procedure::SelfId, |buf| asked.encode(buf))?;
        self.directory = decode_id_res(&results)?;
        Ok(())
    }

    /// Makes a user below its directory that everybody may write to.
    fn create_own(&mut self) -> Result<Id> {
        let (parent, user) = (self.directory, self.next);
        let results = self.call(Procedure::Create, |buf| {
            let mut props = properties(user);
            props.push(b"_writers", ["*"]);
            CreateArgs { parent, props: props.as_list(), position: END, target: None }.encode(buf);
        })?;
        Ok(decode_create_res(&results)?.id)
    }

    /// Writes until the time is over or enough is written. Returns the milliseconds of every batch.
    fn repeat(mut self, write: Write, depth: usize, time: Duration, limit: u64) -> Result<Vec<f64>> {
        let end = Instant::now() + time;
        let mut batches = Vec::new();
        while Instant::now() < end && (batches.len() * depth) as u64 <= limit {
            let start = Instant::now();
            self.batch(write, depth)?;
            batches.push(start.elapsed().as_secs_f64() * 1e3);
        }
        if write == Write::WriteProp {
            self.check_last()?;
        }
        Ok(batches)
    }

    /// Sends `depth` writes at once and takes their answers. Each raises the instance by one, so it is known beforehand.
    fn batch(&mut self, write: Write, depth: usize) -> Result<()> {
        self.buffer.clear();
        for ahead in 0..depth as u32 {
            let target = Id::new(self.directory.object, self.directory.instance + ahead);
            let number = self.next + ahead;
            match write {
                Write::Create => calls::put(&mut self.buffer, ahead, Procedure::Create, |buf| {
                    let props = properties(number);
                    CreateArgs { parent: target, props: props.as_list(), position: END, target: None }
                        .encode(buf);
                }),
                Write::WriteProp => calls::put(&mut self.buffer, ahead, Procedure::WriteProp, |buf| {
                    let mut values = NameListBuf::new();
                    values.push(value(number).as_bytes());
                    WritePropArgs { id: target, prop_index: CHANGED, values: values.as_list() }.encode(buf);
                }),
            }
        }
        self.connection.send(&self.buffer)?;
        for _ in 0..depth {
            let results = success(self.connection.reply()?)?;
            self.directory = match write {
                Write::Create => decode_create_res(results)?.parent,
                Write::WriteProp => decode_id_res(results)?,
            };
        }
        self.next += depth as u32;
        Ok(())
    }

    /// Whether the value written last is there.
    fn check_last(&mut self) -> Result<()> {
        let (asked, expected) = (self.directory, value(self.next - 1));
        let results = self.call(Procedure::Read, |buf| asked.encode(buf))?;
        let (_, properties) = decode_proplist_res(&results)?;
        match properties.get(CHANGED as usize) {
            Some(p) if p.values == [expected.as_bytes()] => Ok(()),
            other => Err(format!("instead of {expected} a read after the writes says {other:?}").into()),
        }
    }

    fn call(&mut self, procedure: Procedure, args: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<u8>> {
        self.buffer.clear();
        calls::put(&mut self.buffer, 0, procedure, args);
        self.connection.send(&self.buffer)?;
        Ok(success(self.connection.reply()?)?.to_vec())
    }
}

/// The results in a reply.
fn success(reply: &[u8]) -> Result<&[u8]> {
    match parse_reply(reply)?.outcome {
        Outcome::Success(results) => Ok(results),
        other => Err(format!("a call was not executed: {other:?}").into()),
    }
}

/// The properties of user `number`, encoded.
fn properties(number: u32) -> PropListBuf {
    let mut list = PropListBuf::new();
    for property in people::user(number) {
        list.push(&property.name, property.values);
    }
    list
}

fn value(number: u32) -> String {
    format!("Changed {number}")
}
