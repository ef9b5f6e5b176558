//! Adding to a schema and taking away from it.

use netinfo_schema::definition::{AttributeDefinition, ClassDefinition, Definition};
use netinfo_schema::{ELEMENTS_LIMIT, Fault, NAME_LIMIT, Problem, Removal, SUPERIORS_LIMIT, Schema, Variant};

fn schema() -> Schema {
    Schema::builtin(Variant::default()).unwrap()
}

fn attribute(text: &str) -> Definition {
    text.parse::<AttributeDefinition>().unwrap().into()
}

fn class(text: &str) -> Definition {
    text.parse::<ClassDefinition>().unwrap().into()
}

fn faults(definitions: Vec<Definition>) -> Vec<Fault> {
    match schema().extend(definitions) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.fault).collect(),
    }
}

#[test]
fn elements_are_added_in_any_order() {
    let extended = schema()
        .extend(vec![
            class("( 1.2.3.10 NAME 'badgeHolder' SUP top AUXILIARY MUST badgeNumber MAY badgeColour )"),
            attribute("( 1.2.3.2 NAME 'badgeColour' SUP badgeText )"),
            attribute("( 1.2.3.3 NAME 'badgeText' SUP name )"),
            attribute("( 1.2.3.1 NAME ( 'badgeNumber' 'badge' ) EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )"),
        ])
        .unwrap();
    let holder = extended.class("badgeholder").unwrap();
    assert!(holder.must().contains(&extended.attribute("BADGE").unwrap().id()));
    let colour = extended.attribute("badgeColour").unwrap();
    assert!(colour.is_subtype_of(extended.attribute("name").unwrap()));
    assert!(schema().attribute("badge").is_none(), "the schema itself stays as it was");
}

#[test]
fn what_contradicts_the_schema_is_refused() {
    let syntax = "SYNTAX 1.3.6.1.4.1.1466.115.121.1.15";
    let of_attribute = |text: String| faults(vec![attribute(&text)]);
    assert_eq!(of_attribute(format!("( 2.5.4.3 NAME 'x' {syntax} )")), [Fault::DuplicateOid("cn".into())]);
    assert_eq!(
        of_attribute(format!("( 2.5.13.2 NAME 'x' {syntax} )")),
        [Fault::DuplicateOid("caseIgnoreMatch".into())]
    );
    assert_eq!(of_attribute(format!("( 2.5.6.0 NAME 'x' {syntax} )")), [Fault::DuplicateOid("top".into())]);
    assert_eq!(
        of_attribute(format!("( 1.2.3 NAME 'CommonName' {syntax} )")),
        [Fault::DuplicateName("CommonName".into())]
    );
    assert_eq!(of_attribute(format!("( 1.2.3 NAME 'a b' {syntax} )")), [Fault::BadName("a b".into())]);
    assert_eq!(of_attribute(format!("( abc NAME 'x' {syntax} )")), [Fault::BadOid("abc".into())]);
    assert_eq!(of_attribute("( 1.2.3 SUP nothing )".into()), [Fault::UnknownSuperior("nothing".into())]);
    assert_eq!(of_attribute("( 1.2.3 NAME 'x' )".into()), [Fault::NoSyntax]);
    assert_eq!(of_attribute("( 1.2.3 SYNTAX 1.2.4 )".into()), [Fault::UnknownSyntax("1.2.4".into())]);
    assert_eq!(
        of_attribute(format!("( 1.2.3 EQUALITY noMatch {syntax} )")),
        [Fault::UnknownRule("noMatch".into())]
    );
    assert_eq!(
        of_attribute(format!("( 1.2.3 ORDERING caseIgnoreMatch {syntax} )")),
        [Fault::WrongRule("caseIgnoreMatch".into())]
    );
    assert!(matches!(
        of_attribute(format!("( 1.2.3 {syntax} NO-USER-MODIFICATION )"))[..],
        [Fault::Contradiction(_)]
    ));
    assert!(matches!(
        of_attribute(format!("( 1.2.3 {syntax} SINGLE-VALUE COLLECTIVE )"))[..],
        [Fault::Contradiction(_)]
    ));
    assert_eq!(
        of_attribute("( 1.2.3 SUP name USAGE dSAOperation )".into()),
        [Fault::WrongSuperior("name".into())]
    );
    let of_class = |text: &str| faults(vec![class(text)]);
    assert_eq!(of_class("( 1.2.3 SUP nothing )"), [Fault::UnknownSuperior("nothing".into())]);
    assert_eq!(
        of_class("( 1.2.3 SUP top MUST ( cn $ no ) MAY not )"),
        [Fault::UnknownAttribute("no".into()), Fault::UnknownAttribute("not".into())]
    );
    assert_eq!(of_class("( 1.2.3 SUP person AUXILIARY )"), [Fault::WrongSuperior("person".into())]);
    assert_eq!(of_class("( 1.2.3 SUP person ABSTRACT )"), [Fault::WrongSuperior("person".into())]);
    assert_eq!(of_class("( 1.2.3 NAME 'person' SUP top )"), [Fault::DuplicateName("person".into())]);
}

#[test]
fn two_new_elements_with_one_identifier_are_refused() {
    let both = vec![attribute("( 1.2.3 NAME 'a' SUP name )"), class("( 1.2.3 NAME 'b' SUP top )")];
    let problems = schema().extend(both).unwrap_err();
    assert_eq!(problems, [Problem { element: "b".into(), fault: Fault::DuplicateOid("a".into()) }]);
    assert_eq!(problems[0].to_string(), "b: its object identifier is that of a");
}

#[test]
fn cycles_are_refused() {
    let cycle = vec![
        attribute("( 1.2.1 NAME 'a' SUP b )"),
        attribute("( 1.2.2 NAME 'b' SUP a )"),
        attribute("( 1.2.3 SUP a )"),
    ];
    assert_eq!(faults(cycle), [Fault::Cycle, Fault::Cycle]);
    assert_eq!(faults(vec![class("( 1.2.1 NAME 'a' SUP a )")]), [Fault::Cycle]);
}

#[test]
fn all_problems_are_reported_at_once() {
    let wrong = vec![attribute("( 1.2.1 SUP w )"), class("( 1.2.2 SUP y )"), attribute("( x SUP name )")];
    assert_eq!(faults(wrong).len(), 3);
}

#[test]
fn elements_are_removed_unless_others_need_them() {
    let schema = schema();
    let smaller =
        schema.remove(&[Removal::Class("apple-augment"), Removal::Attribute("apple-selfwrite")]).unwrap();
    assert!(smaller.class("apple-augment").is_none() && smaller.attribute("apple-selfwrite").is_none());
    assert_eq!(smaller.attribute("sn").map(|attribute| attribute.name()), Some("sn"));
    let problems = schema.remove(&[Removal::Attribute("manager")]).unwrap_err();
    assert!(problems.iter().all(|problem| problem.fault == Fault::UnknownAttribute("manager".into())));
    let problems = schema.remove(&[Removal::Class("country")]).unwrap_err();
    assert_eq!(problems[0].to_string(), "friendlyCountry: its superior country is not defined");
    let problems = schema.remove(&[Removal::Class("nothing")]).unwrap_err();
    assert_eq!(problems, [Problem { element: "nothing".into(), fault: Fault::NotDefined }]);
}

#[test]
fn an_element_is_replaced_in_one_step() {
    let wider = attribute(
        "( 0.9.2342.19200300.100.1.3 NAME ( 'mail' 'rfc822Mailbox' ) EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
    );
    let changed = schema().change(&[Removal::Attribute("mail")], vec![wider]).unwrap();
    assert_eq!(changed.attribute("mail").unwrap().syntax(), netinfo_schema::Syntax::DirectoryString);
    assert!(changed.class("inetOrgPerson").unwrap().allows(changed.attribute("mail").unwrap().id()));
}

#[test]
fn sizes_are_limited() {
    let chain = |length: usize| {
        let link = |index: usize| match index {
            0 => attribute("( 1.9.1 NAME 'a0' SUP name )"),
            _ => attribute(&format!("( 1.9.{} NAME 'a{index}' SUP a{} )", index + 1, index - 1)),
        };
        (0..length).map(link).collect::<Vec<_>>()
    };
    assert!(schema().extend(chain(SUPERIORS_LIMIT)).is_ok());
    assert_eq!(faults(chain(SUPERIORS_LIMIT + 1)), [Fault::TooManySuperiors(SUPERIORS_LIMIT)]);
    let many = vec![attribute("( 1.2.3 SUP name )"); ELEMENTS_LIMIT + 1];
    assert_eq!(Schema::new(many).unwrap_err()[0].fault, Fault::TooMany(ELEMENTS_LIMIT));
    let long = "x".repeat(NAME_LIMIT + 1);
    assert_eq!(faults(vec![attribute(&format!("( 1.2.3 NAME '{long}' SUP name )"))]), [Fault::BadName(long)]);
}
