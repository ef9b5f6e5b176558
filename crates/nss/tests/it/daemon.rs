//! A daemon that answers look-ups from a list of entries, and misbehaves as told.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use netinfo_wire::lookup::answer::{Answer, put_gids, put_page};
use netinfo_wire::lookup::{Category, Cookie, Entry, EntryBuf, Key, MAX_CALL, Procedure, Request, SOCKET};
use netinfo_wire::record::{self, Decoder};
use netinfo_wire::rpc::{AcceptStat, parse_call, put_accepted};

/// Entries of a page, so that a few entries take several.
const PAGE: usize = 3;

/// How it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// As it should.
    Good,
    /// Takes the call and says nothing more.
    Silent,
    /// Takes the call and hangs up.
    HangUp,
    /// Hangs up in the middle of the reply.
    HalfReply,
    /// Sends its reply a byte at a time.
    Slow,
    /// Sends what is no reply.
    Nonsense,
}

/// The daemon. It ends with the test.
#[derive(Clone)]
pub(crate) struct Daemon {
    inner: Arc<Inner>,
}

struct Inner {
    entries: Vec<EntryBuf>,
    groups: HashMap<Vec<u8>, Vec<u32>>,
    manners: Mutex<Manners>,
    calls: AtomicUsize,
}

impl Daemon {
    /// Starts with these entries and the group ids of these users.
    pub(crate) fn start(entries: Vec<EntryBuf>, groups: &[(&str, &[u32])]) -> Self {
        let listener = UnixListener::bind(SOCKET).unwrap();
        fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o666)).unwrap();
        let groups = groups.iter().map(|(user, gids)| (user.as_bytes().to_vec(), gids.to_vec())).collect();
        let manners = Mutex::new(Manners::Good);
        let inner = Arc::new(Inner { entries, groups, manners, calls: AtomicUsize::new(0) });
        let daemon = Self { inner };
        let serving = daemon.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (serving, stream) = (serving.clone(), stream.unwrap());
                // Callers that give up are none of its business.
                thread::spawn(move || _ = serving.serve(stream));
            }
        });
        daemon
    }

    /// Behaves like this from now on.
    pub(crate) fn behave(&self, manners: Manners) {
        *self.inner.manners.lock().unwrap() = manners;
    }

    /// How many calls have come since this was asked last.
    pub(crate) fn calls(&self) -> usize {
        self.inner.calls.swap(0, Ordering::SeqCst)
    }

    fn serve(&self, mut stream: UnixStream) -> std::io::Result<()> {
        let mut decoder = Decoder::new(MAX_CALL);
        let mut buffer = [0; 4096];
        loop {
            let got = stream.read(&mut buffer)?;
            if got == 0 {
                return Ok(());
            }
            let Some(call) = decoder.next(&buffer[..got]).unwrap().1 else { continue };
            self.inner.calls.fetch_add(1, Ordering::SeqCst);
            let manners = *self.inner.manners.lock().unwrap();
            let reply = self.reply(call);
            match manners {
                Manners::Good => stream.write_all(&reply)?,
                Manners::Silent => {}
                Manners::HangUp => return Ok(()),
                Manners::HalfReply => return stream.write_all(&reply[..reply.len() / 2]),
                Manners::Slow => reply.chunks(1).try_for_each(|byte| stream.write_all(byte))?,
                Manners::Nonsense => stream.write_all(b"\x80\0\0\x08nonsense")?,
            }
        }
    }

    fn reply(&self, call: &[u8]) -> Vec<u8> {
        let call = parse_call(call).unwrap();
        let request = Request::decode(Procedure::try_from(call.proc).unwrap(), call.args).unwrap();
        let mut reply = Vec::new();
        let mark = record::begin(&mut reply);
        put_accepted(&mut reply, call.xid, AcceptStat::Success);
        match request {
            Request::Find(query) => match self.find(query.category, query.key) {
                Some(entry) => {
                    Answer::Found(()).put_outcome(&mut reply);
                    reply.extend_from_slice(entry.as_bytes());
                }
                None => Answer::<()>::NotFound.put_outcome(&mut reply),
            },
            Request::All { category, cookie } => {
                let all = self.of(category).skip(cookie.position as usize).collect::<Vec<_>>();
                let next = (all.len() > PAGE)
                    .then_some(Cookie { source: 7, position: cookie.position + PAGE as u64 });
                Answer::Found(()).put_outcome(&mut reply);
                let page = all.iter().take(PAGE).map(|entry| entry.as_bytes());
                put_page(&mut reply, page, next);
            }
            Request::Initgroups(user) => match self.inner.groups.get(user) {
                Some(gids) => {
                    Answer::Found(()).put_outcome(&mut reply);
                    put_gids(&mut reply, gids);
                }
                None => Answer::<()>::NotFound.put_outcome(&mut reply),
            },
            other => panic!("{other:?}"),
        }
        record::end(&mut reply, mark);
        reply
    }

    fn of(&self, category: Category) -> impl Iterator<Item = &EntryBuf> {
        self.inner.entries.iter().filter(move |entry| entry.as_entry().category() == category)
    }

    fn find(&self, category: Category, key: Key<'_>) -> Option<&EntryBuf> {
        self.of(category).find(|entry| matches(&entry.as_entry(), key))
    }
}

/// Whether an entry has this key.
fn matches(entry: &Entry<'_>, key: Key<'_>) -> bool {
    let aliases = match entry {
        Entry::Host(entry) => Some(entry.aliases),
        Entry::Network(entry) => Some(entry.aliases),
        Entry::Service(entry) => Some(entry.aliases),
        Entry::Protocol(entry) => Some(entry.aliases),
        Entry::Rpc(entry) => Some(entry.aliases),
        _ => None,
    };
    let named = |name: &[u8]| {
        entry.name() == name || aliases.is_some_and(|list| list.iter().any(|alias| alias == name))
    };
    match (key, entry) {
        (Key::Name(name), _) => named(name),
        (Key::Number(number), Entry::Passwd(entry)) => entry.uid == number,
        (Key::Number(number), Entry::Group(entry)) => entry.gid == number,
        (Key::Number(number), Entry::Network(entry)) => entry.number == number,
        (Key::Number(number), Entry::Protocol(entry)) => entry.number == number,
        (Key::Number(number), Entry::Rpc(entry)) => entry.number == number,
        (Key::Address(address), Entry::Host(entry)) => entry.addresses.iter().any(|known| known == address),
        (Key::Address(address), Entry::Ether(entry)) => entry.address == address,
        (Key::Service { name, protocol }, Entry::Service(entry)) => {
            named(name) && (protocol.is_empty() || entry.protocol == protocol)
        }
        (Key::Port { port, protocol }, Entry::Service(entry)) => {
            entry.port == port && (protocol.is_empty() || entry.protocol == protocol)
        }
        _ => false,
    }
}
