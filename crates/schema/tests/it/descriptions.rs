//! The text form of elements, both ways.

use netinfo_schema::DescriptionError;
use netinfo_schema::definition::{
    AttributeDefinition, ClassDefinition, ClassKind, RuleDefinition, RuleUseDefinition, SyntaxDefinition,
    Usage,
};
use netinfo_schema::description::DESCRIPTION_LIMIT;
use proptest::prelude::*;

#[test]
fn descriptions_of_the_rfc_are_read_and_written() {
    let attribute = "( 2.5.4.3 NAME 'cn' SUP name )";
    assert_eq!(attribute.parse::<AttributeDefinition>().unwrap().to_string(), attribute);
    let time = "( 2.5.18.1 NAME 'createTimestamp' EQUALITY generalizedTimeMatch \
        ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 \
        SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )";
    let read: AttributeDefinition = time.parse().unwrap();
    assert!(read.single_value && read.no_user_modification && read.usage == Usage::DirectoryOperation);
    assert_eq!(read.to_string(), time);
    let class = "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) \
        MAY ( userPassword $ telephoneNumber $ seeAlso $ description ) )";
    assert_eq!(class.parse::<ClassDefinition>().unwrap().to_string(), class);
    let rule = "( 2.5.13.2 NAME 'caseIgnoreMatch' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )";
    assert_eq!(rule.parse::<RuleDefinition>().unwrap().to_string(), rule);
    let rule_use = "( 2.5.13.16 NAME 'bitStringMatch' APPLIES ( givenName $ surname ) )";
    assert_eq!(rule_use.parse::<RuleUseDefinition>().unwrap().to_string(), rule_use);
    let syntax = "( 1.3.6.1.4.1.1466.115.121.1.5 DESC 'Binary' X-NOT-HUMAN-READABLE 'TRUE' )";
    assert_eq!(syntax.parse::<SyntaxDefinition>().unwrap().to_string(), syntax);
}

#[test]
fn reading_is_liberal() {
    let read: AttributeDefinition =
        "(1.2.3 usage dsaoperation NAME(\t'a' 'b')\n single-value SYNTAX '1.2{64}' \
        SUP 'name' desc '' X-ORIGIN ( 'one' 'two' ) x-Note 'it\\27s' )"
            .parse()
            .unwrap();
    assert_eq!((read.names.len(), read.usage, read.single_value), (2, Usage::DsaOperation, true));
    assert_eq!(
        (read.syntax.as_deref(), read.bound, read.superior.as_deref()),
        (Some("1.2"), Some(64), Some("name"))
    );
    assert_eq!(read.extensions.last(), Some(&("x-Note".to_owned(), vec!["it's".to_owned()])));
    let class: ClassDefinition = "( my-oid NAME bare SUP (top) )".parse().unwrap();
    assert_eq!((class.kind, class.superiors), (ClassKind::Structural, vec!["top".to_owned()]));
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let error = |text: &str| text.parse::<AttributeDefinition>().unwrap_err().to_string();
    assert_eq!(error("1.2.3"), "an opening parenthesis is needed at byte 5");
    assert_eq!(error("( 1.2.3 NAME 'a'"), "a word or a closing parenthesis is needed at byte 16");
    assert_eq!(error("( 1.2.3 MUST cn )"), "unknown word MUST");
    assert_eq!(error("( 1.2.3 SUP a SUP b )"), "SUP stands twice");
    assert_eq!(error("( 1.2.3 USAGE often )"), "USAGE cannot be often");
    assert_eq!(error("( 1.2.3 SYNTAX 1.2{x} )"), "SYNTAX cannot be 1.2{x}");
    assert_eq!(error("( 1.2.3 NAME 'a )"), "a closing quote is needed at byte 17");
    assert_eq!(error("( 1.2.3 ) )"), "the end is needed at byte 11");
    assert_eq!("( 1.2.3 )".parse::<RuleDefinition>(), Err(DescriptionError::Missing("SYNTAX")));
    assert!("( 1.2.3 ABSTRACT AUXILIARY )".parse::<ClassDefinition>().is_err());
    assert!("( 1.2.3 MUST ( a b ) )".parse::<ClassDefinition>().is_err());
    let long = |len: usize| format!("( 1.2.3 DESC '{}' )", "x".repeat(len - 17));
    assert!(long(DESCRIPTION_LIMIT).parse::<SyntaxDefinition>().is_ok());
    assert_eq!(long(DESCRIPTION_LIMIT + 1).parse::<SyntaxDefinition>(), Err(DescriptionError::TooLong));
}

fn oid() -> impl Strategy<Value = String> {
    "[0-2](\\.[1-9][0-9]{0,3}){1,6}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9-]{0,8}"
}

fn extensions() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    prop::collection::vec(("X-[A-Z]{1,4}", prop::collection::vec("\\PC{0,8}", 1..3)), 0..3)
}

prop_compose! {
    fn attribute()(
        oid in oid(),
        names in prop::collection::vec(name(), 0..3),
        description in prop::option::of("\\PC{0,12}"),
        superior in prop::option::of(name()),
        rules in (prop::option::of(name()), prop::option::of(name()), prop::option::of(oid())),
        syntax in prop::option::of((oid(), prop::option::of(any::<u32>()))),
        flags in any::<[bool; 4]>(),
        extensions in extensions(),
    ) -> AttributeDefinition {
        AttributeDefinition {
            oid, names, description, superior, extensions,
            obsolete: flags[0], single_value: flags[1], collective: flags[2], no_user_modification: flags[3],
            equality: rules.0, ordering: rules.1, substrings: rules.2,
            bound: syntax.as_ref().and_then(|(_, bound)| *bound),
            syntax: syntax.map(|(oid, _)| oid),
            usage: if flags[0] { Usage::DistributedOperation } else { Usage::UserApplications },
        }
    }
}

prop_compose! {
    fn class()(
        oid in oid(),
        names in prop::collection::vec(name(), 0..3),
        description in prop::option::of("['\\\\a-z()$ ]{0,12}"),
        lists in prop::collection::vec(prop::collection::vec(name(), 0..3), 3),
        kind in prop::sample::select(vec![ClassKind::Abstract, ClassKind::Structural, ClassKind::Auxiliary]),
        obsolete: bool,
        extensions in extensions(),
    ) -> ClassDefinition {
        ClassDefinition {
            oid, names, description, obsolete, kind, extensions,
            superiors: lists[0].clone(), must: lists[1].clone(), may: lists[2].clone(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(attribute in attribute(), class in class()) {
        prop_assert_eq!(attribute.to_string().parse::<AttributeDefinition>(), Ok(attribute));
        prop_assert_eq!(class.to_string().parse::<ClassDefinition>(), Ok(class));
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,40}", words in "(\\(|\\)|\\$|'|\\\\|1\\.2| |NAME|SUP|SYNTAX|X-é|€x|\\{|\\}){0,20}") {
        for text in [text, words] {
            let _ = text.parse::<AttributeDefinition>();
            let _ = text.parse::<ClassDefinition>();
            let _ = text.parse::<RuleUseDefinition>();
            let _ = format!("( 1.2 {text} )").parse::<AttributeDefinition>();
        }
    }
}
