//! The socket of login modules, as a superuser's program uses it. The module itself and others have tests of their own.

use std::io::ErrorKind;

use netinfo_testkit::caller::Refused;
use netinfo_testkit::namespace::need_root;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::login::{
    Account, Answer, Authenticate, Change, MAX_RECORD, Outcome, PROGRAM, Place, Procedure, VERSION,
};
use netinfo_wire::rpc::AcceptStat;
use netinfo_wire::{control, netinfo as ni, nibind, portmap};
use serde_json::Value;

use crate::tree::{Props, Tree};
use crate::users::SECRET;

/// A node with alice, whose password is `secret`.
fn office() -> (Node, Tree, u32) {
    need_root("the superuser asks for everybody");
    let node = Node::start();
    let mut root = Tree::privileged(node.domain("local"));
    let users = root.make(0, &[("name", &["users"])]);
    let alice = root.make(users, &[("name", &["alice", "al"]), ("uid", &["501"]), ("passwd", &[SECRET])]);
    (node, root, alice)
}

fn ask(
    caller: &mut Caller,
    procedure: Procedure,
    args: &dyn Fn(&mut Vec<u8>),
) -> (Outcome, Option<u32>, String) {
    let mut buf = Vec::new();
    args(&mut buf);
    let reply = caller.call(PROGRAM, VERSION, procedure.code(), &buf).unwrap();
    let answer = Answer::decode(&reply).unwrap();
    (answer.outcome, answer.wait_seconds, String::from_utf8(answer.message.to_vec()).unwrap())
}

pub(crate) fn password(
    caller: &mut Caller,
    user: &str,
    password: &[u8],
    host: Option<&str>,
) -> (Outcome, Option<u32>) {
    let place = Place { service: b"test", tty: None, host: host.map(str::as_bytes) };
    let question = Authenticate { user: user.as_bytes(), password, place };
    let (outcome, wait, _) = ask(caller, Procedure::Authenticate, &|buf| question.encode(buf));
    (outcome, wait)
}

#[test]
fn each_socket_has_its_programs() {
    let (node, ..) = office();
    let mut login = Caller::unix(&node.login());
    let unavailable = Err(Refused::Failed(AcceptStat::ProgUnavail));
    for (program, version) in [
        (control::PROGRAM, control::VERSION),
        (ni::PROGRAM, ni::VERSION),
        (nibind::PROGRAM, nibind::VERSION),
        (portmap::PROGRAM, portmap::PORTMAP_VERSION),
    ] {
        assert_eq!(login.call(program, version, 0, &[]), unavailable, "{program:x}");
    }
    assert_eq!(login.call(PROGRAM, VERSION, 0, &[]), Ok(Vec::new()));
    let mismatch = AcceptStat::ProgMismatch { low: VERSION, high: VERSION };
    assert_eq!(login.call(PROGRAM, VERSION + 1, 0, &[]), Err(Refused::Failed(mismatch)));
    assert_eq!(login.call(PROGRAM, VERSION, 9, &[]), Err(Refused::Failed(AcceptStat::ProcUnavail)));
    assert_eq!(login.call(PROGRAM, VERSION, 1, &[0; 3]), Err(Refused::Failed(AcceptStat::GarbageArgs)));
    for mut other in [Caller::unix(&node.socket()), Caller::tcp_privileged(node.ipcserver().tcp)] {
        assert_eq!(other.call(PROGRAM, VERSION, 1, &[]), unavailable);
    }
    // Nobody fills the memory here.
    let mut long = Caller::unix(&node.login());
    let closed = long.call(PROGRAM, VERSION, 1, &vec![0; MAX_RECORD]);
    assert!(
        matches!(
            closed,
            Err(Refused::Nothing(
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
            ))
        ),
        "{closed:?}"
    );
}

#[test]
fn names_and_passwords() {
    let (node, mut root, alice) = office();
    let mut caller = Caller::unix(&node.login());
    for name in ["alice", "al"] {
        assert_eq!(password(&mut caller, name, b"secret", None).0, Outcome::Ok);
    }
    for wrong in [&b""[..], b"Secret", b"secret\0", &[b'x'; 512]] {
        assert_eq!(password(&mut caller, "alice", wrong, None).0, Outcome::Bad);
    }
    for name in ["", "Alice", "/", "501", "..", "users"] {
        assert_eq!(password(&mut caller, name, b"secret", None).0, Outcome::UnknownUser, "{name}");
        assert_eq!(password(&mut caller, name, b"secret", Some("203.0.113.9")).0, Outcome::UnknownUser);
    }
    // Without a number nobody is a user of a machine.
    root.set(alice, "uid", &["many"]);
    assert_eq!(password(&mut caller, "alice", b"secret", None).0, Outcome::UnknownUser);
}

#[test]
fn strangers_far_away_do_not_lock_out_who_is_here() {
    let (node, ..) = office();
    let mut caller = Caller::unix(&node.login());
    assert_eq!(password(&mut caller, "alice", b"secret", None).0, Outcome::Ok);
    let far = Some("203.0.113.9");
    let mut tries = 0;
    let wait = loop {
        match password(&mut caller, "alice", b"wrong", far) {
            (Outcome::Bad, None) => tries += 1,
            (Outcome::Later, wait) => break wait,
            other => panic!("{other:?}"),
        }
        assert!(tries < 100);
    };
    assert!(wait.is_some_and(|seconds| (1..=10).contains(&seconds)), "{wait:?}");
    assert_eq!(password(&mut caller, "alice", b"secret", Some("203.0.113.9")).0, Outcome::Later);
    // Addresses of this machine are not far away.
    for host in [None, Some("127.0.0.1"), Some("::ffff:127.0.0.1"), Some("console")] {
        assert_eq!(password(&mut caller, "alice", b"secret", host).0, Outcome::Ok, "{host:?}");
    }
}

#[test]
fn passwords_for_applications_let_nobody_in() {
    let (node, ..) = office();
    let request = br#"{"op":"add-app-password","tag":"local","user":"alice","label":"mail"}"#;
    let mut args = Vec::new();
    control::put_request(&mut args, request);
    let mut administrator = Caller::unix(&node.socket());
    let reply = administrator.call(control::PROGRAM, control::VERSION, 1, &args).unwrap();
    let response = control::Response::decode(&reply).unwrap();
    let made: Value = serde_json::from_slice(response.json).unwrap();
    let made = made["password"].as_str().unwrap();
    let mut caller = Caller::unix(&node.login());
    assert_eq!(password(&mut caller, "alice", made.as_bytes(), None).0, Outcome::Bad);
    let change = Change {
        user: b"alice",
        old: Some(made.as_bytes()),
        new: b"battery staple",
        place: Place::default(),
    };
    assert_eq!(ask(&mut caller, Procedure::Change, &|buf| change.encode(buf)).0, Outcome::Bad);
    assert_eq!(password(&mut caller, "alice", b"secret", None).0, Outcome::Ok);
}

#[test]
fn locked_records_stay() {
    let (node, mut root, alice) = office();
    let users = root.parent(alice).unwrap().0;
    let bob: Props<'_> = &[("name", &["bob"]), ("uid", &["502"]), ("passwd", &[SECRET]), ("_locked", &[])];
    root.make(users, bob);
    let mut caller = Caller::unix(&node.login());
    let of = |user| Change { user, old: Some(b"secret"), new: b"battery staple", place: Place::default() };
    let (change, locked) = (of(b"alice"), of(b"bob"));
    let (outcome, _, message) = ask(&mut caller, Procedure::Change, &|buf| locked.encode(buf));
    assert!(outcome == Outcome::Refused && message.contains("locked"), "{outcome:?} {message}");
    assert_eq!(password(&mut caller, "bob", b"secret", None).0, Outcome::Ok);
    assert_eq!(ask(&mut caller, Procedure::Change, &|buf| change.encode(buf)).0, Outcome::Ok);
    assert_eq!(ask(&mut caller, Procedure::Change, &|buf| change.encode(buf)).0, Outcome::Bad);
    let account = Account { user: b"alice", ..Account::default() };
    assert_eq!(ask(&mut caller, Procedure::Account, &|buf| account.encode(buf)).0, Outcome::Ok);
    let log = node.log();
    assert!(
        log.contains("password changed") && !log.contains("battery") && !log.contains("secret "),
        "{log}"
    );
}
