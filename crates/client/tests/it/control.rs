//! The control program over a UNIX socket.

use std::sync::{Arc, Mutex};

use netinfo_client::rpc::Timeouts;
use netinfo_client::{Control, Error, Status};
use netinfo_wire::control::{
    self, MAX_CHUNK, Procedure, Response, StreamItem, UploadChunk, decode_request, decode_upload_commit,
};

use crate::fake::{Action, unix};

fn response(status: Status, json: &[u8]) -> Vec<u8> {
    let mut results = Vec::new();
    Response { status, json }.encode(&mut results);
    results
}

/// A daemon that echoes requests, streams two chunks, and keeps what is uploaded.
fn daemon() -> (tempfile::TempDir, Control, Arc<Mutex<Vec<u8>>>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let uploaded = Arc::new(Mutex::new(Vec::new()));
    let store = uploaded.clone();
    unix(&path, move |call, _, _| {
        assert_eq!((call.prog, call.vers), (control::PROGRAM, control::VERSION));
        let mut results = Vec::new();
        match Procedure::try_from(call.proc).unwrap() {
            Procedure::Null => {}
            Procedure::Request => match decode_request(call.args).unwrap() {
                b"{}" => results = response(Status::Perm, br#"{"error":"no"}"#),
                json => results = response(Status::Ok, json),
            },
            Procedure::Stream => {
                StreamItem::Chunk(b"one").encode(&mut results);
                StreamItem::Chunk(b"two").encode(&mut results);
                if decode_request(call.args).unwrap() != b"cut" {
                    StreamItem::End(Response { status: Status::Ok, json: b"{}" }).encode(&mut results);
                }
            }
            Procedure::UploadBegin => control::put_upload_begun(
                &mut results,
                match decode_request(call.args) {
                    Ok(b"{}") => Err(Response { status: Status::DupTag, json: b"{}" }),
                    _ => Ok(42),
                },
            ),
            Procedure::UploadChunk => {
                let chunk = UploadChunk::decode(call.args).unwrap();
                assert_eq!(chunk.handle, 42);
                store.lock().unwrap().extend_from_slice(chunk.data);
                results = response(Status::Ok, b"");
            }
            Procedure::UploadCommit => {
                assert_eq!(decode_upload_commit(call.args), Ok(42));
                results = response(Status::Ok, b"done");
            }
        }
        Action::Fragments(results, 7)
    });
    let control = Control::new(&path, Timeouts::default());
    (dir, control, uploaded)
}

#[test]
fn requests() {
    let (_dir, mut control, _) = daemon();
    assert_eq!(control.request(b"hello", true).unwrap(), b"hello");
    let error = control.request(b"{}", false).unwrap_err();
    let Error::Control { status: Status::Perm, json } = &error else { panic!("{error}") };
    assert_eq!(json, br#"{"error":"no"}"#);
    let long = vec![b' '; control::MAX_JSON as usize + 1];
    assert!(matches!(control.request(&long, false), Err(Error::Local(_))));
}

#[test]
fn streams() {
    let (_dir, mut control, _) = daemon();
    let mut chunks = Vec::new();
    let mut keep = |chunk: &[u8]| {
        chunks.push(chunk.to_vec());
        Ok(())
    };
    assert_eq!(control.stream(b"all", &mut keep).unwrap(), b"{}");
    let error = control.stream(b"cut", &mut keep).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    assert_eq!(chunks, [b"one", b"two", b"one", b"two"]);
}

#[test]
fn uploads() {
    let (_dir, mut control, uploaded) = daemon();
    let data: Vec<u8> = (0..MAX_CHUNK as usize * 2 + 5).map(|i| i as u8).collect();
    let mut progress = Vec::new();
    assert_eq!(control.upload(b"x", &mut data.as_slice(), |sent| progress.push(sent)).unwrap(), b"done");
    assert_eq!(*uploaded.lock().unwrap(), data);
    assert_eq!(progress.last(), Some(&(data.len() as u64)));
    assert_eq!(progress.len(), 3);
    let error = control.upload(b"{}", &mut &b"x"[..], |_| {}).unwrap_err();
    assert!(error.is(Status::DupTag), "{error}");
}
