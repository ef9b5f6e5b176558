use super::*;

const TODAY: u64 = 20_000;
/// Noon of that day, in milliseconds.
const NOW: u64 = (TODAY * DAY + DAY / 2) * 1000;

fn standing(properties: &[(&str, &[&str])]) -> Standing {
    let list = properties.iter().map(|(name, values)| {
        (name.as_bytes(), values.iter().map(|value| value.as_bytes()).collect::<Vec<_>>())
    });
    Standing::new(list, NOW)
}

fn decides(properties: &[(&str, &str)]) -> (State, Option<u32>) {
    let list: Vec<(&str, [&str; 1])> = properties.iter().map(|(name, value)| (*name, [*value])).collect();
    let list: Vec<(&str, &[&str])> = list.iter().map(|(name, values)| (*name, &values[..])).collect();
    let condition = standing(&list).condition();
    (condition.state, condition.days_left)
}

fn state(properties: &[(&str, &str)]) -> State {
    decides(properties).0
}

#[test]
fn a_plain_account_may_be_used() {
    assert_eq!(decides(&[]), (State::Usable, None));
    assert_eq!(
        decides(&[("name", "alice"), ("passwd", "$6$x$y"), ("change", "0"), ("expire", "0")]).0,
        State::Usable
    );
    // What is no number says nothing.
    assert_eq!(
        state(&[("expire", "-1"), ("change", ""), ("shadowMax", "x"), ("shadowLastChange", "1")]),
        State::Usable
    );
}

#[test]
fn disabled() {
    for stored in ["!", "!$6$x$y", "!!", "*LK*", "*LOCKED*$6$x$y"] {
        assert_eq!(state(&[("passwd", stored)]), State::Disabled, "{stored}");
    }
    for stored in ["*", "x", "", "********"] {
        assert_eq!(state(&[("passwd", stored)]), State::Usable, "{stored}");
    }
    assert_eq!(state(&[("authentication_authority", ";DisabledUser;;ShadowHash;")]), State::Disabled);
    assert_eq!(state(&[("authentication_authority", ";basic;")]), State::Usable);
    assert_eq!(
        state(&[("authAuthority", ";DisabledUser;")]),
        State::Disabled,
        "a user elsewhere than in /users"
    );
    assert_eq!(state(&[("authAuthority", ";basic;")]), State::Usable);
    let second = standing(&[("authentication_authority", &[";basic;", ";DisabledUser;"])]);
    assert_eq!(second.condition().state, State::Disabled);
}

#[test]
fn expired() {
    let now = NOW / 1000;
    for (at, expected) in [
        (now - 1, State::Expired),
        (now, State::Expired),
        (now + 1, State::Usable),
        (TODAY - 1, State::Expired),
        (TODAY, State::Expired),
        (TODAY + 1, State::Usable),
        (u64::MAX, State::Usable),
    ] {
        assert_eq!(state(&[("expire", &at.to_string())]), expected, "{at}");
    }
    // Who is disabled is not told that the account has expired, and who has expired not to change the password.
    assert_eq!(state(&[("passwd", "!"), ("expire", "1")]), State::Disabled);
    assert_eq!(state(&[("shadowLastChange", "0"), ("expire", "1")]), State::Expired);
}

#[test]
fn passwords_to_be_changed() {
    let now = NOW / 1000;
    assert_eq!(state(&[("change", &now.to_string())]), State::PasswordExpired);
    assert_eq!(state(&[("change", "1")]), State::PasswordExpired);
    assert_eq!(decides(&[("change", &(now + DAY + 1).to_string())]), (State::Usable, Some(2)));
    assert_eq!(decides(&[("change", &(now + 30 * DAY).to_string())]), (State::Usable, None));
    assert_eq!(state(&[("shadowLastChange", "0")]), State::Reset);
    let aged = |age: u64, more: &[(&str, &str)]| {
        let changed = (TODAY - age).to_string();
        let mut list = vec![("shadowLastChange", changed.as_str()), ("shadowmax", "90")];
        list.extend_from_slice(more);
        decides(&list)
    };
    assert_eq!(aged(10, &[]), (State::Usable, None));
    assert_eq!(aged(83, &[]), (State::Usable, Some(7)));
    assert_eq!(aged(90, &[]), (State::Usable, Some(0)));
    assert_eq!(aged(91, &[]), (State::PasswordAged, None));
    assert_eq!(aged(80, &[("shadowWarning", "14")]), (State::Usable, Some(10)));
    assert_eq!(aged(95, &[("shadowInactive", "5")]), (State::PasswordAged, None));
    assert_eq!(aged(96, &[("shadowInactive", "5")]), (State::Expired, None));
    assert_eq!(decides(&[("shadowLastChange", "1"), ("shadowMax", "99999")]), (State::Usable, None));
}

#[test]
fn what_a_change_leaves() {
    let text = |list: &[(&str, &[&str])]| -> Vec<(String, String)> {
        let written = standing(list).after_change().into_iter();
        written
            .map(|(name, value)| (String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap()))
            .collect()
    };
    assert_eq!(text(&[("change", &["0"])]), []);
    assert_eq!(text(&[("change", &["1"])]), [("change".into(), "0".into())]);
    assert_eq!(text(&[("shadowlastchange", &["0"])]), [("shadowlastchange".into(), "20000".into())]);
    assert_eq!(text(&[("shadowMax", &["90"])]), [("shadowLastChange".into(), "20000".into())]);
    let least = |changed: &'static str, least: &'static str| {
        standing(&[("shadowLastChange", &[changed]), ("shadowMin", &[least])]).too_early()
    };
    assert_eq!(least("19999", "3"), Some(2));
    assert_eq!(least("19997", "3"), None);
    assert_eq!(least("0", "3"), None);
}

#[test]
fn lists_of_what_may_be_used() {
    let host = |values: &[&str], wanted: &str| standing(&[("host", values)]).lists("host", wanted.as_bytes());
    assert!(!host(&[], "alpha"));
    assert!(host(&["*"], "alpha") && host(&["beta", "Alpha"], "alpha"));
    assert!(!host(&["beta"], "alpha") && !host(&["*", "!alpha"], "alpha") && host(&["*", "!beta"], "alpha"));
    assert!(!standing(&[]).lists("authorizedService", b"sshd"));
}
