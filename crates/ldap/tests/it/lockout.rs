//! Accounts that wrong passwords lock, and how long new passwords have to be, where the domain says so.

use netinfo_directory::{Credentials, Origin};
use netinfo_wire::ldap::{ModifyOp, ResultCode, Scope};

use crate::searching::Search;
use crate::support::{NOW, PASSWORD, Place};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";
const FAILURES: &str = "_pwd_failures";
const OPERATIONAL: [&str; 2] = ["pwdFailureTime", "pwdAccountLockedTime"];

fn failures(place: &Place) -> usize {
    place.values(&["users", "alice"], FAILURES).len()
}

/// Logs alice in at a time, as logins on this machine do.
fn login(place: &Place, password: &str, at: u64) -> bool {
    let object = place.object(&["users", "alice"]);
    let credentials = Credentials::Password { object, password: password.as_bytes() };
    place.domain.login(credentials, Origin::Local { uid: 0 }, at).is_ok()
}

/// The same by the NetInfo protocol.
fn authenticate(place: &Place, password: &str, at: u64) -> bool {
    let credentials = Credentials::UidPassword { uid: 501, password: password.as_bytes() };
    place.domain.authenticate_at(credentials, Origin::Local { uid: 5 }, at).is_ok()
}

#[test]
fn wrong_passwords_in_a_row_lock_an_account_for_every_protocol() {
    let place = Place::new();
    place.set("_lock_after", ["3"]);
    place.set("_lock_seconds", ["60"]);
    let mut client = place.client();
    assert_eq!(client.bind(ALICE, "wrong"), ResultCode::InvalidCredentials);
    assert!(!authenticate(&place, "wrong", NOW));
    assert_eq!(failures(&place), 2);
    // A right one ends the row.
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
    assert_eq!(failures(&place), 0);
    assert_eq!(client.bind(ALICE, "wrong"), ResultCode::InvalidCredentials);
    assert!(!authenticate(&place, "wrong", NOW));
    assert!(!login(&place, "wrong", NOW));
    for _ in 0..3 {
        // Right or wrong makes no difference, and nothing is counted any more.
        let (right, wrong) = (client.bind_answer(ALICE, PASSWORD), client.bind_answer(ALICE, "wrong"));
        assert_eq!((right.code(), right.text()), (wrong.code(), wrong.text()));
        assert_eq!(right.code(), ResultCode::InvalidCredentials);
        assert!(!authenticate(&place, PASSWORD, NOW) && !login(&place, PASSWORD, NOW + 59_999));
        assert_eq!(failures(&place), 3);
    }
    let found =
        Search::new(ALICE, Scope::Base, "(pwdFailureTime=*)").select(&OPERATIONAL).of(&mut place.admin());
    assert_eq!(found.entries[0].texts("pwdFailureTime").len(), 3);
    assert_eq!(found.entries[0].texts("pwdAccountLockedTime"), ["20260102030405Z"]);
    // Others are not told.
    let bob = Search::new(ALICE, Scope::Base, "(objectClass=*)").select(&OPERATIONAL).of(&mut place.client());
    assert!(bob.entries.iter().all(|entry| entry.attributes.is_empty()));
    assert_eq!(client.bind("uid=bob,cn=users,dc=example,dc=com", PASSWORD), ResultCode::Success);
    // After the lock one wrong password is the first of a new row.
    assert!(!login(&place, "wrong", NOW + 60_000));
    assert_eq!(failures(&place), 1);
    assert!(authenticate(&place, PASSWORD, NOW + 60_000) && login(&place, PASSWORD, NOW + 60_000));
    assert_eq!(failures(&place), 0);
}

#[test]
fn a_lock_for_good_ends_with_a_new_password() {
    let place = Place::new();
    place.set("_lock_after", ["1"]);
    place.set("_lock_seconds", ["0"]);
    let later = NOW + 1_000 * 86_400_000;
    assert!(!login(&place, "wrong", NOW) && !login(&place, PASSWORD, later));
    let new: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "userPassword", &["another one"])];
    assert_eq!(place.admin().modify(ALICE, new).code(), ResultCode::Success);
    assert_eq!(failures(&place), 0);
    assert!(login(&place, "another one", later));
    // The server alone says what was wrong.
    let forged: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "pwdFailureTime", &["20250101000000Z"])];
    assert_eq!(place.admin().modify(ALICE, forged).code(), ResultCode::ConstraintViolation);
}

#[test]
fn without_the_setting_nothing_is_counted() {
    let place = Place::new();
    for _ in 0..5 {
        assert!(!login(&place, "wrong", NOW) && !authenticate(&place, "wrong", NOW));
    }
    assert_eq!(failures(&place), 0);
    assert!(login(&place, PASSWORD, NOW));
}

#[test]
fn wrong_passwords_that_come_at_once_count_all() {
    let place = Place::new();
    place.set("_lock_after", ["9"]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(!login(&place, "wrong", NOW)));
        }
    });
    assert_eq!(failures(&place), 8);
}

#[test]
fn a_domain_wants_longer_passwords() {
    let place = Place::new();
    place.set("_password_length", ["12"]);
    let change = |new: &str| {
        let changes: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "userPassword", &[new])];
        place.user("alice").modify(ALICE, changes)
    };
    let refused = change("ten charac");
    assert_eq!(refused.code(), ResultCode::ConstraintViolation);
    assert!(refused.text().contains("12 characters"), "{}", refused.text());
    assert_eq!(change("twelve chars").code(), ResultCode::Success);
}
