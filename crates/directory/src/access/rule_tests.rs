//! Rules as text.

use proptest::prelude::*;

use super::Action::{self, Add, Compare, Delete, Read, Search, Write};
use super::rule::{Network, RULE_LIMIT, Rule, Step, Subject, Target};

fn rule(text: &str) -> Rule {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn path(steps: &[&str], below: bool) -> Target {
    let step = |s: &&str| if *s == "*" { Step::Any } else { Step::Name(s.as_bytes().to_vec()) };
    Target::Path { steps: steps.iter().map(step).collect(), below }
}

fn names(rule: &Rule) -> Vec<String> {
    let names = rule.names.iter().flatten();
    names.map(|n| String::from_utf8(n.clone()).unwrap()).collect()
}

#[test]
fn a_rule_with_everything() {
    let text = "  allow read mail,telephoneNumber of /users/* to group staff from 192.0.2.0/24  ";
    let rule = rule(text);
    assert!(rule.allows);
    assert_eq!(rule.actions, [Read, Search, Compare]);
    assert_eq!(names(&rule), ["mail", "telephonenumber"]);
    assert_eq!(rule.targets, [path(&["users", "*"], false)]);
    assert_eq!(rule.subjects, [Subject::Group(b"staff".to_vec())]);
    let address = "192.0.2.0".parse().unwrap();
    assert_eq!(rule.networks, [Network::Net { address, bits: 24 }]);
    assert_eq!(rule.text(), text.trim());
    assert_eq!(rule.to_string(), rule.text());
}

#[test]
fn what_is_left_out_means_everything() {
    let rule = rule("DENY All");
    assert!(!rule.allows);
    assert_eq!(rule.actions, Action::ALL);
    assert!(rule.names.is_none());
    assert!(rule.targets.is_empty() && rule.subjects.is_empty() && rule.networks.is_empty());
}

#[test]
fn lists_have_commas_with_or_without_blanks() {
    let rule =
        rule("allow write, add ,delete of /, /a/**,self to users,anonymous , user eve,self, listed owner");
    assert_eq!(rule.actions, [Write, Add, Delete]);
    assert_eq!(rule.targets, [path(&[], false), path(&["a"], true), Target::Own]);
    let named = |name: &str| name.as_bytes().to_vec();
    assert_eq!(
        rule.subjects,
        [
            Subject::Users,
            Subject::Anonymous,
            Subject::User(named("eve")),
            Subject::Own,
            Subject::Listed(named("owner")),
        ]
    );
    let rule: Rule = "allow search * from local, 2001:db8::/32, ::1".parse().unwrap();
    assert_eq!(rule.networks.len(), 3);
    assert!(rule.names.is_none());
    assert!(names(&"allow read a, * of /".parse().unwrap()).is_empty());
}

#[test]
fn quotation_and_escapes() {
    let rule =
        rule(r#"allow write "of", "my \"own\"" of "/users/Jürgen, sen.", /a\/b/\*/k=v=w to user "to""#);
    assert_eq!(names(&rule), ["of", "my \"own\""]);
    let steps = vec![
        Step::Name(b"a/b".to_vec()),
        Step::Name(b"*".to_vec()),
        Step::Keyed(b"k".to_vec(), b"v=w".to_vec()),
    ];
    let second = Target::Path { steps, below: false };
    assert_eq!(rule.targets, [path(&["users", "Jürgen, sen."], false), second]);
    assert_eq!(rule.subjects, [Subject::User(b"to".to_vec())]);
}

#[test]
fn mistakes_are_named() {
    for (text, message) in [
        ("", "a rule begins with \"allow\" or \"deny\" at its end"),
        ("permit read", "a rule begins with \"allow\" or \"deny\" at \"permit\""),
        ("\"allow\" read", "a rule begins with \"allow\" or \"deny\" at \"allow\""),
        ("allow", "expected read, search, compare, write, add, delete or all at its end"),
        ("allow rite", "expected read, search, compare, write, add, delete or all at \"rite\""),
        ("allow read,", "expected read, search, compare, write, add, delete or all at its end"),
        ("allow read mail,", "expected the name of a property at its end"),
        ("allow read \"\"", "expected the name of a property at \"\""),
        (
            "allow read mail phone",
            "expected \"of\", \"to\" or \"from\" (in this order), or the end, at \"phone\"",
        ),
        (
            "allow read to users of /",
            "expected \"of\", \"to\" or \"from\" (in this order), or the end, at \"of\"",
        ),
        ("allow read of users", "expected a path that begins with \"/\", or self at \"users\""),
        ("allow read of //", "a step of the path is empty at \"//\""),
        ("allow read of /users/", "a step of the path is empty at \"/users/\""),
        ("allow read of /=x", "a step of the path is empty at \"/=x\""),
        ("allow read of /**/x", "\"**\" can only be the last step of a path at \"/**/x\""),
        ("allow read of /x\\", "the path ends in a single \"\\\" at \"/x\\\""),
        (
            "allow read to staff",
            "expected anyone, anonymous, users, self, user NAME, group NAME or listed PROPERTY at \"staff\"",
        ),
        ("allow read to group", "expected the name of a group at its end"),
        ("allow read from 192.0.2.0/33", "expected local, an address, or ADDRESS/BITS at \"192.0.2.0/33\""),
        ("allow read from here", "expected local, an address, or ADDRESS/BITS at \"here\""),
        ("allow read to user \"eve", "a quotation does not end at its end"),
        ("allow read\nto users", "a rule is one line without control characters; there is one at its end"),
    ] {
        assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), message, "{text}");
    }
    let error = "allow add mail of /".parse::<Rule>().unwrap_err().to_string();
    assert!(error.starts_with("\"add\", \"delete\" and \"all\" are about directories"), "{error}");
    let long = format!("allow read {} of /", "x".repeat(RULE_LIMIT));
    assert!(long.parse::<Rule>().unwrap_err().to_string().starts_with("a rule is longer than 4096 bytes"));
}

#[test]
fn networks_admit_their_addresses() {
    let admits = |text: &str, peer: Option<&str>| {
        let rule = rule(&format!("allow read from {text}"));
        rule.networks[0].admits(peer.map(|peer| peer.parse().unwrap()))
    };
    assert!(admits("192.0.2.128/25", Some("192.0.2.200")) && !admits("192.0.2.128/25", Some("192.0.2.100")));
    assert!(admits("192.0.2.1", Some("192.0.2.1")) && !admits("192.0.2.1", Some("192.0.2.2")));
    assert!(admits("0.0.0.0/0", Some("203.0.113.9")) && !admits("0.0.0.0/0", Some("::1")));
    assert!(admits("2001:db8::/32", Some("2001:db8:1::5")) && !admits("2001:db8::/32", Some("2001:db9::")));
    assert!(admits("::/0", Some("::1")) && !admits("::/0", None));
    assert!(admits("local", None) && !admits("local", Some("127.0.0.1")));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "(allow|deny)?[ -~é\\t]{0,60}") {
        let _ = text.parse::<Rule>();
    }

    #[test]
    fn a_rule_is_its_text(
        verb in "allow|deny",
        actions in "(read|search|compare|write)(, ?(read|write)){0,2}",
        properties in "( [a-z]{3,8}(,[a-z]{3,8}){0,2})?",
        target in "( of (/|/[a-z*]{1,5}(/[a-z]{1,4}){0,2}(/\\*\\*)?|self))?",
        who in "( to (anyone|users|group [a-z]{1,5}, user \"[a-z ]{1,5}\"))?",
    ) {
        let text = format!("{verb} {actions}{properties}{target}{who}");
        // Words that begin the next part are no properties, and stars alone are no names.
        prop_assume!(!properties.split([' ', ',']).any(|w| matches!(w, "of" | "to" | "from" | "all")));
        prop_assume!(!target.contains("/**/"));
        let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        prop_assert_eq!(rule.text().parse::<Rule>().unwrap(), rule);
    }
}
