//! What the rules about accounts and passwords mean to LDAP clients (draft-behera-ldap-password-policy).

use netinfo_directory::Property;
use netinfo_wire::ldap::control::policy::{PasswordPolicy, PolicyError, PolicyWarning};
use netinfo_wire::ldap::extended::PasswordModify;
use netinfo_wire::ldap::request::ExtendedRequest;
use netinfo_wire::ldap::{
    Authentication, BindRequest, ControlsBuf, ModifyOp, Payload, Request, ResultCode, Scope, oid,
};

use crate::searching::Search;
use crate::support::{Answer, Client, NOW, PASSWORD, Place, changes_of, modify_request};

const DAY: u64 = 86_400;

/// A user of this name with further properties, and the name of the entry.
fn user(place: &Place, name: &str, more: &[(&str, &str)]) -> String {
    let password = place.value(&["users", "alice"], "passwd").unwrap();
    let mut properties = vec![
        Property::new("name", [name]),
        Property::new("uid", [(700 + name.len()).to_string()]),
        Property::new("passwd", [password]),
    ];
    properties.extend(more.iter().map(|(name, value)| Property::new(*name, [*value])));
    place.child(place.object(&["users"]), properties);
    format!("uid={name},cn=users,dc=example,dc=com")
}

fn asked() -> ControlsBuf {
    let mut controls = ControlsBuf::default();
    controls.flag(oid::PASSWORD_POLICY, false);
    controls
}

/// The result, and what is told besides.
fn told(answer: &Answer) -> (ResultCode, Option<PasswordPolicy>) {
    let policy = answer.last().controls.iter().find(|control| control.oid == oid::PASSWORD_POLICY);
    (answer.code(), policy.map(|control| PasswordPolicy::decode(control.value.unwrap()).unwrap()))
}

fn bind(client: &mut Client, dn: &str, password: &str) -> (ResultCode, Option<PasswordPolicy>) {
    let authentication = Authentication::Simple(password.as_bytes());
    let request = Request::Bind(BindRequest { version: 3, name: dn.as_bytes(), authentication });
    told(&client.ask_with(request, &asked()))
}

fn modify(
    client: &mut Client,
    user: Option<&str>,
    old: Option<&str>,
    new: &str,
) -> (ResultCode, Option<PasswordPolicy>) {
    let request = PasswordModify {
        user: user.map(str::as_bytes),
        old: old.map(str::as_bytes),
        new: Some(new.as_bytes()),
    };
    let mut value = Vec::new();
    request.encode(&mut value);
    let request = ExtendedRequest { name: oid::PASSWORD_MODIFY, value: Some(&value) };
    told(&client.ask_with(Request::Extended(request), &asked()))
}

fn error(error: PolicyError) -> Option<PasswordPolicy> {
    Some(PasswordPolicy { warning: None, error: Some(error) })
}

fn nothing() -> Option<PasswordPolicy> {
    Some(PasswordPolicy::default())
}

#[test]
fn binds_tell_the_state_of_the_account() {
    let place = Place::new();
    let now = NOW / 1000;
    let soon = (now + 3_600).to_string();
    let warning = PolicyWarning::TimeBeforeExpiration(3_600);
    let cases: [(&str, &[(&str, &str)], _, _); 6] = [
        ("plain", &[], ResultCode::Success, nothing()),
        ("gone", &[("expire", "1")], ResultCode::InvalidCredentials, error(PolicyError::AccountLocked)),
        ("old", &[("change", "1")], ResultCode::InvalidCredentials, error(PolicyError::PasswordExpired)),
        ("new", &[("shadowLastChange", "0")], ResultCode::Success, error(PolicyError::ChangeAfterReset)),
        (
            "ageing",
            &[("change", &soon)],
            ResultCode::Success,
            Some(PasswordPolicy { warning: Some(warning), error: None }),
        ),
        (
            "older",
            &[("shadowLastChange", "1"), ("shadowMax", "90")],
            ResultCode::Success,
            error(PolicyError::PasswordExpired),
        ),
    ];
    for (name, more, code, policy) in cases {
        let dn = user(&place, name, more);
        let mut client = place.client();
        assert_eq!(bind(&mut client, &dn, PASSWORD), (code, policy), "{name}");
        // Whoever does not have the password learns nothing.
        assert_eq!(bind(&mut client, &dn, "wrong"), (ResultCode::InvalidCredentials, nothing()), "{name}");
        // Who has not asked is told the result alone.
        let answer = client.bind_answer(&dn, PASSWORD);
        assert_eq!(told(&answer), (code, None), "{name}");
        assert_eq!(client.who_am_i().is_empty(), code != ResultCode::Success, "{name}");
    }
}

#[test]
fn an_account_that_too_many_guess_at_is_locked_for_a_while() {
    let place = Place::new();
    let mut client = place.client();
    for name in ["alice", "nobody"] {
        let dn = format!("uid={name},cn=users,dc=example,dc=com");
        let mut last = None;
        for _ in 0..=netinfo_directory::ACCOUNT_ATTEMPTS {
            last = Some(bind(&mut client, &dn, "wrong"));
        }
        assert_eq!(last, Some((ResultCode::InvalidCredentials, error(PolicyError::AccountLocked))), "{name}");
    }
}

#[test]
fn a_password_that_somebody_else_has_set_is_changed_first() {
    let place = Place::new();
    let dn = user(&place, "fresh", &[("shadowLastChange", "0")]);
    let mut client = place.client();
    assert_eq!(bind(&mut client, &dn, PASSWORD).0, ResultCode::Success);
    let compare = client.compare(&dn, "uid", "fresh");
    assert_eq!(told(&compare), (ResultCode::InsufficientAccessRights, None));
    let shell = changes_of(&[(ModifyOp::Replace, "loginShell", &["/bin/sh"])]);
    let answer = client.ask_with(modify_request(&dn, shell.as_list()), &asked());
    assert_eq!(answer.code(), ResultCode::InsufficientAccessRights);
    let delete = Request::Delete(netinfo_wire::ldap::request::DeleteRequest { dn: dn.as_bytes() });
    let refused = told(&client.ask_with(delete, &asked()));
    assert_eq!(refused, (ResultCode::InsufficientAccessRights, error(PolicyError::ChangeAfterReset)));
    assert_eq!(modify(&mut client, None, None, "new password"), (ResultCode::Success, nothing()));
    assert_eq!(client.compare(&dn, "uid", "fresh").code(), ResultCode::CompareTrue);
    let today = (NOW / 1000 / DAY).to_string();
    assert_eq!(place.value(&["users", "fresh"], "shadowLastChange"), Some(today));
    assert_eq!(bind(&mut place.client(), &dn, "new password"), (ResultCode::Success, nothing()));
}

#[test]
fn a_password_that_has_expired_is_changed_by_whoever_knows_it() {
    let place = Place::new();
    let dn = user(&place, "older", &[("shadowLastChange", "1"), ("shadowMax", "90"), ("change", "1")]);
    let mut client = place.client();
    let wrong = modify(&mut client, Some(&dn), Some("wrong"), "new password");
    assert_eq!(wrong, (ResultCode::InvalidCredentials, nothing()));
    assert_eq!(modify(&mut client, Some(&dn), Some(PASSWORD), "new password").0, ResultCode::Success);
    assert_eq!(bind(&mut client, &dn, "new password"), (ResultCode::Success, nothing()));
    assert_eq!(place.value(&["users", "older"], "change").as_deref(), Some("0"));
    // Nobody gets into an account that is over in this way.
    let gone = user(&place, "gone", &[("expire", "1")]);
    let refused = modify(&mut place.client(), Some(&gone), Some(PASSWORD), "new password");
    assert_eq!(refused.0, ResultCode::InvalidCredentials);
}

#[test]
fn users_cannot_give_themselves_bad_passwords() {
    let place = Place::new();
    let today = (NOW / 1000 / DAY).to_string();
    let dn = user(&place, "hasty-one", &[]);
    let mut client = place.client();
    assert_eq!(bind(&mut client, &dn, PASSWORD).0, ResultCode::Success);
    let cases = [
        ("short", PolicyError::PasswordTooShort),
        ("aaaaaaaaaa", PolicyError::InsufficientPasswordQuality),
        ("Hasty-One", PolicyError::InsufficientPasswordQuality),
        ("", PolicyError::InsufficientPasswordQuality),
    ];
    for (new, why) in cases {
        let refused = (ResultCode::ConstraintViolation, error(why));
        assert_eq!(modify(&mut client, None, None, new), refused, "{new}");
        let changes = changes_of(&[(ModifyOp::Replace, "userPassword", &[new])]);
        let answer = client.ask_with(modify_request(&dn, changes.as_list()), &asked());
        assert_eq!(told(&answer), refused, "{new}");
        // The administrator may.
        if !new.is_empty() {
            assert_eq!(modify(&mut place.admin(), Some(&dn), None, new).0, ResultCode::Success, "{new}");
        }
    }
    let dn = user(&place, "hasty", &[("shadowLastChange", &today), ("shadowMin", "2")]);
    assert_eq!(bind(&mut client, &dn, PASSWORD).0, ResultCode::Success);
    let refused = (ResultCode::ConstraintViolation, error(PolicyError::PasswordTooYoung));
    assert_eq!(modify(&mut client, None, None, "new password"), refused);
    let again = modify(&mut client, None, Some(PASSWORD), PASSWORD);
    assert_eq!(again.0, ResultCode::ConstraintViolation);
}

#[test]
fn entries_tell_what_is_known_of_their_passwords() {
    let place = Place::new();
    let (day, far) = ("20089", (u64::MAX - 1).to_string());
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], [&'a [&'a str]; 3]);
    let cases: [Case<'_>; 5] = [
        ("plain", &[], [&[], &[], &[]]),
        ("known", &[("shadowLastChange", day)], [&["20250101000000Z"], &[], &[]]),
        ("fresh", &[("shadowLastChange", "0")], [&[], &["TRUE"], &[]]),
        ("never", &[("shadowLastChange", &far)], [&[], &[], &[]]),
        ("locked", &[("authentication_authority", ";DisabledUser;")], [&[], &[], &["000001010000Z"]]),
    ];
    let names = ["pwdChangedTime", "pwdReset", "pwdAccountLockedTime"];
    for (name, more, expected) in cases {
        let dn = user(&place, name, more);
        let search = |filter: &str| Search::new(&dn, Scope::Base, filter).select(&names);
        let found = search("(objectClass=*)").of(&mut place.admin());
        for (name, values) in names.iter().zip(expected) {
            assert_eq!(found.entries[0].texts(name), values, "{dn} {name}");
            let present = search(&format!("({name}=*)")).of(&mut place.admin()).entries.len();
            assert_eq!(present, usize::from(!values.is_empty()), "{dn} {name}");
        }
        // They are no public data.
        for entry in search("(objectClass=*)").of(&mut place.client()).entries {
            assert!(entry.attributes.is_empty(), "{dn}");
        }
    }
    // The server alone says so.
    let changes: &[(ModifyOp, &str, &[&str])] =
        &[(ModifyOp::Replace, "pwdChangedTime", &["20250101000000Z"])];
    let dn = "uid=alice,cn=users,dc=example,dc=com";
    assert_eq!(place.admin().modify(dn, changes).code(), ResultCode::ConstraintViolation);
}
