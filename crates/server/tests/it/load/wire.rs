//! Many calls at once, whole databases, checks.

use std::io;
use std::path::Path;

use netinfo_testkit::Caller;
use netinfo_wire::control::{self, StreamDecoder, StreamItem, put_request};
use netinfo_wire::netinfo::{self, Created, Failure, Id, Procedure, Property, Status, put_checksum};
use netinfo_wire::record;
use netinfo_wire::rpc::{Credential, Outcome, parse_reply, put_call};

use super::change::{Change, WRITERS};
use super::model::Model;

/// One call of the NetInfo program as a record.
pub(crate) fn call(xid: u32, procedure: Procedure, args: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mark = record::begin(&mut out);
    let (prog, vers) = (netinfo::PROGRAM, netinfo::VERSION);
    put_call(&mut out, xid, prog, vers, procedure.code(), &Credential::None);
    out.extend_from_slice(args);
    record::end(&mut out, mark);
    out
}

/// Sends changes all at once; the first has the transaction id `xid`.
pub(crate) fn send(caller: &mut Caller, changes: &[Change], xid: u32) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (change, xid) in changes.iter().zip(xid..) {
        bytes.extend_from_slice(&call(xid, change.procedure(), &change.args()));
    }
    caller.send_bytes(&bytes)
}

/// What became of a change: its id afterwards, and that of a new directory.
pub(crate) type Answer = Result<(Id, Option<Id>), Status>;

/// Waits for the answer to one.
pub(crate) fn receive(caller: &mut Caller, change: &Change, xid: u32) -> io::Result<Answer> {
    let reply = caller.receive()?;
    let parsed = parse_reply(&reply).unwrap();
    assert_eq!(parsed.xid, xid, "answers must come in order");
    let Outcome::Success(results) = parsed.outcome else { panic!("{change:?}: {:?}", parsed.outcome) };
    Ok(answer(change, results))
}

/// The answer in the results of a change.
pub(crate) fn answer(change: &Change, results: &[u8]) -> Answer {
    let decoded = match change {
        Change::Create { .. } => {
            netinfo::decode_create_res(results).map(|Created { id, parent }| (parent, Some(id)))
        }
        _ => netinfo::decode_id_res(results).map(|id| (id, None)),
    };
    decoded.map_err(|failure| match failure {
        Failure::Status(status) => status,
        Failure::Malformed(error) => panic!("{change:?}: {error}"),
    })
}

/// Makes one change and waits for it.
pub(crate) fn make(caller: &mut Caller, change: &Change) -> Answer {
    let results = caller.netinfo(change.procedure(), &change.args());
    answer(change, &results)
}

/// The whole domain; its checksum and that of STATISTICS are compared with the content.
pub(crate) fn read_all(caller: &mut Caller) -> Model {
    let mut args = Vec::new();
    put_checksum(&mut args, 0);
    let (model, announced) = Model::from_read_all(&caller.netinfo(Procedure::ReadAll, &args));
    assert_eq!(model.checksum(), announced, "checksum of READALL");
    assert_eq!(statistic(caller, "checksum"), [announced.to_string()], "checksum of STATISTICS");
    model.check_links();
    model
}

/// Values of a property of STATISTICS.
pub(crate) fn statistic(caller: &mut Caller, name: &str) -> Vec<String> {
    let results = caller.netinfo(Procedure::Statistics, &[]);
    let list = netinfo::decode_statistics(&results).unwrap();
    let found = list.into_iter().find(|p: &Property| p.name == name.as_bytes());
    let values = found.unwrap_or_else(|| panic!("no statistic {name}")).values;
    values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
}

/// Lets everybody write the root directory, as the superuser.
pub(crate) fn open_to_all(socket: &Path) {
    let mut root = Caller::unix(socket);
    let id = netinfo::decode_id_res(&root.netinfo(Procedure::Root, &[])).unwrap();
    let (name, values) = (WRITERS.to_vec(), vec![b"*".to_vec()]);
    let change = Change::CreateProperty { id, name, values, position: netinfo::INDEX_NULL };
    make(&mut root, &change).unwrap();
}

/// Has the daemon check all its domains and fails if it finds anything.
pub(crate) fn check(socket: &Path) {
    let mut root = Caller::unix(socket);
    let mut args = Vec::new();
    put_request(&mut args, br#"{"op":"check"}"#);
    let procedure = control::Procedure::Stream.code();
    let results = root.call(control::PROGRAM, control::VERSION, procedure, &args).unwrap();
    let mut decoder = StreamDecoder::new();
    decoder.feed(&results);
    let mut lines = String::new();
    loop {
        match decoder.next_item().unwrap().expect("the end of the stream") {
            StreamItem::Chunk(data) => lines.push_str(std::str::from_utf8(data).unwrap()),
            StreamItem::End(end) => {
                assert_eq!(end.status, Status::Ok);
                let report: serde_json::Value = serde_json::from_slice(end.json).unwrap();
                for domain in report["domains"].as_array().unwrap() {
                    assert_eq!(domain["findings"], 0, "{lines}{domain}");
                }
                return;
            }
        }
    }
}
