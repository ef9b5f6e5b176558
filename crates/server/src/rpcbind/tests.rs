//! Against a portmapper made of a table and a thread; the integration tests have the real one.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use netinfo_wire::portmap::v2::{put_done, put_port};
use netinfo_wire::rpc::{AcceptStat, parse_call, put_accepted};

use super::*;

/// The table of a portmapper, and what it was asked, as `PROCEDURE PROGRAM PROTOCOL PORT`.
#[derive(Default)]
struct Table {
    entries: Vec<Mapping>,
    calls: Vec<String>,
    /// Entries of this protocol are not taken.
    refused: Option<u32>,
    /// Entries are not removed.
    keeps: bool,
}

impl Table {
    fn answer(&mut self, procedure: Procedure, asked: Mapping, out: &mut Vec<u8>) {
        self.calls.push(format!("{procedure:?} {} {} {}", asked.prog, asked.prot, asked.port));
        let version = |m: &Mapping| (m.prog, m.vers) == (asked.prog, asked.vers);
        let found = self.entries.iter().find(|m| version(m) && m.prot == asked.prot).copied();
        match procedure {
            Procedure::GetPort => put_port(out, found.and_then(|m| u16::try_from(m.port).ok())),
            Procedure::Set => {
                let good = found.is_none() && self.refused != Some(asked.prot);
                self.entries.extend(good.then_some(asked));
                put_done(out, good);
            }
            Procedure::Unset => {
                self.entries.retain(|m| self.keeps || !version(m));
                put_done(out, !self.keeps);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Starts a portmapper that answers through `table`.
fn portmapper(table: &Arc<Mutex<Table>>) -> SocketAddr {
    let table = table.clone();
    serve(move |message| {
        let call = parse_call(message).unwrap();
        assert_eq!((call.prog, call.vers, call.cred), (PROGRAM, 2, Credential::None));
        let mut reply = vec![0; 4];
        put_accepted(&mut reply, call.xid, AcceptStat::Success);
        let procedure = Procedure::try_from(call.proc).unwrap();
        table.lock().unwrap().answer(procedure, Mapping::decode(call.args).unwrap(), &mut reply);
        record::end(&mut reply, 0);
        reply
    })
}

/// Starts a server that answers each record with what `answer` makes of it; no bytes close the connection.
fn serve(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut decoder = Decoder::new(MAX_REPLY);
            let mut buffer = [0; MAX_REPLY];
            while let Ok(received @ 1..) = stream.read(&mut buffer) {
                let Some(message) = decoder.next(&buffer[..received]).unwrap().1 else { continue };
                let reply = answer(message);
                // In two pieces, as a slow peer might.
                let (front, rest) = reply.split_at(reply.len() / 2);
                if reply.is_empty() || stream.write_all(front).and_then(|()| stream.write_all(rest)).is_err()
                {
                    break;
                }
            }
        }
    });
    address
}

const BINDER: u32 = 200_100_001;
const PROGRAMS: [Program; 2] = [(BINDER, 1, IPPROTO_UDP, 700), (BINDER, 1, IPPROTO_TCP, 701)];

#[test]
fn entries_are_replaced_and_taken_back() {
    let table = Arc::new(Mutex::new(Table::default()));
    let left_over = Mapping { prog: BINDER, vers: 1, prot: IPPROTO_TCP, port: 99 };
    let foreign = Mapping { prog: 100_003, vers: 3, prot: IPPROTO_TCP, port: 2049 };
    table.lock().unwrap().entries = vec![left_over, foreign];
    let registration = register_at(portmapper(&table), &PROGRAMS).unwrap();
    let expected =
        [format!("Unset {BINDER} 17 700"), format!("Set {BINDER} 17 700"), format!("Set {BINDER} 6 701")];
    assert_eq!(table.lock().unwrap().calls, expected);
    assert_eq!(table.lock().unwrap().entries.len(), 3);
    registration.close().unwrap();
    assert_eq!(table.lock().unwrap().entries, [foreign]);
}

#[test]
fn dropping_takes_back_what_is_still_ours() {
    let table = Arc::new(Mutex::new(Table::default()));
    let address = portmapper(&table);
    drop(register_at(address, &PROGRAMS).unwrap());
    assert_eq!(table.lock().unwrap().entries, []);

    let first = register_at(address, &PROGRAMS).unwrap();
    let second =
        register_at(address, &PROGRAMS.map(|(prog, vers, prot, port)| (prog, vers, prot, port + 50)));
    drop(first);
    assert_eq!(table.lock().unwrap().entries.iter().map(|m| m.port).collect::<Vec<_>>(), [750, 751]);
    drop(second.unwrap());
    assert_eq!(table.lock().unwrap().entries, []);
}

#[test]
fn refused_entry_takes_the_others_with_it() {
    let table = Arc::new(Mutex::new(Table { refused: Some(IPPROTO_TCP), ..Table::default() }));
    let error = register_at(portmapper(&table), &PROGRAMS).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the portmapper does not register program 200100001 version 1 for TCP; another user may have registered it \
         (rpcinfo -p shows it)"
    );
    assert_eq!(table.lock().unwrap().entries, []);
}

#[test]
fn entries_made_with_more_privilege_are_told() {
    let table = Arc::new(Mutex::new(Table::default()));
    let registration = register_at(portmapper(&table), &PROGRAMS).unwrap();
    table.lock().unwrap().keeps = true;
    let error = registration.close().unwrap_err().to_string();
    assert_eq!(error, "the portmapper keeps program 200100001 version 1, registered with more privilege");
}

#[test]
fn absent_closing_and_babbling_portmappers_are_errors() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = register_at(nobody, &PROGRAMS).unwrap_err();
    assert!(matches!(error, RpcbindError::Connection { .. }), "{error}");
    let error = register_at(serve(|_| Vec::new()), &PROGRAMS).unwrap_err();
    assert!(matches!(error, RpcbindError::Closed { .. }), "{error}");
    let long = (MAX_REPLY as u32 + 1) | record::LAST_FRAGMENT;
    for reply in [long.to_be_bytes().to_vec(), [[0x80, 0, 0, 4], *b"what"].concat()] {
        let error = register_at(serve(move |_| reply.clone()), &PROGRAMS).unwrap_err();
        assert!(matches!(error, RpcbindError::Nonsense { .. }), "{error}");
    }
    let wrong_call = serve(|_| {
        let mut reply = vec![0; 4];
        put_accepted(&mut reply, 77, AcceptStat::Success);
        put_done(&mut reply, true);
        record::end(&mut reply, 0);
        reply
    });
    let error = register_at(wrong_call, &PROGRAMS).unwrap_err().to_string();
    assert!(error.contains("nonsense") && error.ends_with("to call 77"), "{error}");
}
