//! Calls over streams and datagrams: retries, time-outs, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use netinfo_client::rpc::udp::{self, UdpCall};
use netinfo_client::rpc::{Call, Connection, Endpoint};
use netinfo_client::{Credentials, Domain, Error, Id, Status};
use netinfo_wire::netinfo::{Procedure, put_id, put_status};
use netinfo_wire::record;
use netinfo_wire::rpc::{AcceptStat, AuthStat, Credential, Denial, put_accepted, put_denied};

use crate::fake::{Action, Fake, patient, udp as udp_server, unix};

fn id_result() -> Vec<u8> {
    let mut results = Vec::new();
    put_status(&mut results, Status::Ok);
    put_id(&mut results, Id::new(0, 3));
    results
}

const CALL: Call =
    Call { program: 7, version: 1, procedure: 9, timeout: Duration::from_secs(20), repeat: true };

#[test]
fn one_connection_serves_many_calls() {
    let fake = Fake::tcp(|_, _, _| Action::Reply(id_result()));
    let mut domain = Domain::new(fake.connection());
    for _ in 0..5 {
        assert_eq!(domain.root().unwrap(), Id::new(0, 3));
    }
    assert_eq!(fake.count(), 1);
    domain.connection_mut().close();
    domain.root().unwrap();
    assert_eq!(fake.count(), 2);
}

#[test]
fn unix_sockets_and_fragments() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    unix(&path, |_, _, _| Action::Fragments(id_result(), 5));
    let mut domain = Domain::new(Connection::new(Endpoint::Unix(path), patient()));
    assert_eq!(domain.root().unwrap(), Id::new(0, 3));
    let missing = Endpoint::Unix(dir.path().join("nothing"));
    let error = Domain::new(Connection::new(missing, patient())).root().unwrap_err();
    assert!(error.is_unreachable() && error.hint().unwrap().contains("not running"), "{error}");
}

#[test]
fn a_connection_closed_by_the_server_is_made_again_once() {
    let fake = Fake::tcp(|_, connection, call| match (connection, call) {
        (1, 2) => Action::Close,
        _ => Action::Reply(id_result()),
    });
    let mut domain = Domain::new(fake.connection());
    domain.root().unwrap();
    domain.root().unwrap();
    assert_eq!(fake.count(), 2);

    let fake = Fake::tcp(|_, _, _| Action::Close);
    let error = Domain::new(fake.connection()).root().unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error}");
    assert_eq!(fake.count(), 2);

    let fake = Fake::tcp(|_, _, _| Action::Close);
    let once = Call { repeat: false, ..CALL };
    assert!(fake.connection().call(once, |_| {}).is_err());
    assert_eq!(fake.count(), 1);
}

#[test]
fn silence_ends_with_a_timeout_and_no_repetition() {
    let fake = Fake::tcp(|_, _, _| Action::Silent);
    let start = Instant::now();
    let hasty = Call { timeout: Duration::from_millis(200), ..CALL };
    let error = fake.connection().call(hasty, |_| {}).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert!(start.elapsed() >= hasty.timeout && start.elapsed() < CALL.timeout);
    assert_eq!(fake.count(), 1);
}

#[test]
fn a_late_reply_is_not_taken_for_the_next() {
    let fake = Fake::tcp(|call, _, number| {
        let mut raw = Vec::new();
        for (xid, results) in [(call.xid.wrapping_sub(1), b"late"), (call.xid, b"mine")] {
            let mark = record::begin(&mut raw);
            put_accepted(&mut raw, xid, AcceptStat::Success);
            raw.extend_from_slice(results);
            record::end(&mut raw, mark);
        }
        assert_eq!(number, 1);
        Action::Raw(raw)
    });
    assert_eq!(fake.connection().call(CALL, |_| {}).unwrap(), b"mine");
}

#[test]
fn refusals_keep_the_connection() {
    let fake = Fake::tcp(|call, _, number| match number {
        1 => Action::Fail(AcceptStat::ProcUnavail),
        2 => {
            let mut raw = Vec::new();
            let mark = record::begin(&mut raw);
            put_denied(&mut raw, call.xid, AuthStat::BadCred);
            record::end(&mut raw, mark);
            Action::Raw(raw)
        }
        _ => Action::Reply(Vec::new()),
    });
    let mut connection = fake.connection();
    let error = connection.call(CALL, |_| {}).unwrap_err();
    assert!(matches!(error, Error::Rejected { stat: AcceptStat::ProcUnavail, .. }), "{error}");
    let error = connection.call(CALL, |_| {}).unwrap_err();
    assert!(matches!(error, Error::Denied { denial: Denial::Auth(AuthStat::BadCred), .. }), "{error}");
    connection.call(CALL, |_| {}).unwrap();
    assert_eq!(fake.count(), 1);
}

#[test]
fn garbage_is_an_error_and_closes_the_connection() {
    let fake = Fake::tcp(|_, connection, _| match connection {
        1 => Action::Raw(b"\x80\0\0\x08garbage!".to_vec()),
        2 => Action::Reply(vec![0, 0]),
        _ => Action::Reply(id_result()),
    });
    let mut domain = Domain::new(fake.connection());
    assert!(matches!(domain.root(), Err(Error::Malformed { .. })));
    // A result that does not decode says nothing about the stream.
    assert!(matches!(domain.root(), Err(Error::Malformed { .. })));
    assert_eq!(fake.count(), 2);
}

#[test]
fn a_reply_beyond_the_limit_is_refused() {
    let fake =
        Fake::tcp(|_, _, _| Action::Fragments(vec![0; netinfo_client::limits::MAX_REPLY + 4], 1 << 20));
    let error = fake.connection().call(CALL, |_| {}).unwrap_err();
    assert!(matches!(error, Error::ReplyTooLong { .. }), "{error}");
}

#[test]
fn streamed_results_have_no_limit_and_can_be_stopped() {
    let size = 3 << 20;
    let fake = Fake::tcp(move |_, _, _| Action::Fragments(vec![1; size], 1000));
    let mut total = 0;
    let mut connection = fake.connection();
    connection
        .call_streaming(
            CALL,
            |_| {},
            |data| {
                total += data.len();
                Ok(())
            },
        )
        .unwrap();
    assert_eq!(total, size);
    let error = connection.call_streaming(CALL, |_| {}, |_| Err(Error::TooDeep)).unwrap_err();
    assert!(matches!(error, Error::TooDeep));
    connection.call_streaming(CALL, |_| {}, |_| Ok(())).unwrap();
    assert_eq!(fake.count(), 2);
}

#[test]
fn credentials_travel_with_every_call() {
    let fake = Fake::tcp(|call, _, _| match call.cred {
        Credential::Sys(sys) => {
            let password = netinfo_wire::rpc::auth_password(sys.machine);
            Action::Reply([&sys.uid.to_be_bytes()[..], &password].concat())
        }
        Credential::None => Action::Reply(b"none".to_vec()),
    });
    let mut connection = fake.connection();
    assert_eq!(connection.call(CALL, |_| {}).unwrap(), b"none");
    connection.set_credentials(Some(Credentials::new(501, b"secret").unwrap()));
    assert_eq!(connection.call(CALL, |_| {}).unwrap(), b"\0\0\x01\xf5secret");
}

#[test]
fn a_selected_domain_is_selected_again_after_a_reconnect() {
    let binds = Arc::new(AtomicUsize::new(0));
    let seen = binds.clone();
    let fake = Fake::tcp(move |call, connection, number| {
        if call.proc == Procedure::Bind.code() {
            seen.fetch_add(1, Ordering::SeqCst);
            assert_eq!(call.args, b"\0\0\0\x07network\0\0\0\0\0");
            return Action::Reply(Vec::new());
        }
        assert!(number > 1, "the first call must select the domain");
        if connection == 1 { Action::Close } else { Action::Reply(id_result()) }
    });
    let mut domain = Domain::new(fake.connection());
    domain.connection_mut().select(b"network").unwrap();
    domain.root().unwrap();
    assert_eq!(binds.load(Ordering::SeqCst), 2);
}

#[test]
fn a_pipeline_survives_one_reconnect_per_progress() {
    let fake = Fake::tcp(
        |call, _, number| {
            if number == 40 { Action::Close } else { Action::Reply(call.args.to_vec()) }
        },
    );
    let mut seen = Vec::new();
    fake.connection()
        .call_many(
            CALL,
            150,
            |i, buf| buf.extend_from_slice(&(i as u32).to_be_bytes()),
            |index, results| {
                assert_eq!(results, (index as u32).to_be_bytes());
                seen.push(index);
                Ok(())
            },
        )
        .unwrap();
    assert_eq!(seen, (0..150).collect::<Vec<_>>());

    let dead = Fake::tcp(|_, _, _| Action::Close);
    assert!(dead.connection().call_many(CALL, 3, |_, _| {}, |_, _| Ok(())).is_err());
    assert_eq!(dead.count(), 2);
}

#[test]
fn datagrams_are_sent_again_until_answered() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let server = udp_server(move |call, number| {
        count.store(number, Ordering::SeqCst);
        (number >= 3).then(|| call.args.to_vec())
    });
    let call = UdpCall { program: 7, version: 1, procedure: 9, timeout: Duration::from_millis(500) };
    assert_eq!(udp::call(server, call, |buf| buf.extend_from_slice(b"echo")).unwrap(), b"echo");
    assert!(sent.load(Ordering::SeqCst) >= 3);

    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let silent = udp_server(move |_, number| {
        count.store(number, Ordering::SeqCst);
        None
    });
    let error = udp::call(silent, call, |_| {}).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(sent.load(Ordering::SeqCst) as u32, netinfo_client::limits::UDP_TRIES);
}
