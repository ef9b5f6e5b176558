//! Schema files of other servers.

use netinfo_schema::definition::Definition;
use netinfo_schema::file::{SCHEMA_FILE_LIMIT, SchemaFile};
use netinfo_schema::{Schema, Variant};
use proptest::prelude::*;

const SLAPD: &str = "\
# A schema in the form of slapd.conf
objectIdentifier ExampleRoot 1.3.6.1.4.1.99999
objectIdentifier ExampleAttr ExampleRoot:1
objectidentifier ExampleString 1.3.6.1.4.1.1466.115.121.1.15

attributetype ( ExampleAttr:1
\tNAME 'lockerNumber'
\tDESC 'number of a locker'
# a comment in between
\tEQUALITY caseIgnoreMatch
\tSYNTAX ExampleString{16} SINGLE-VALUE )

AttributeType ( ExampleAttr:2 NAME 'lockerKey' SUP lockerNumber )
objectclass ( ExampleRoot:2.1 NAME 'lockerOwner' SUP top AUXILIARY
    MUST lockerNumber MAY ( lockerKey $ description ) )
";

const LDIF: &str = "\
# Entry of a 389 Directory Server
dn: cn=schema
objectClass: top
objectClass: ldapSubentry
attributeTypes: ( 1.3.6.1.4.1.99999.1.1 NAME 'lockerNumber' DESC '' EQUALI
 TY caseIgnoreMatch SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE X-ORIGIN 'user defined' )
attributetypes:: KCAxLjMuNi4xLjQuMS45OTk5OS4xLjIgTkFNRSAnbG9ja2VyS2V5JyBTVVAgbG9ja2VyTnVtYmVyICk=
objectClasses: ( lockerOwner-oid NAME 'lockerOwner' SUP top AUXILIARY MUST lockerNumber MAY ( lockerKey $ description ) )
";

const CONFIG: &str = "\
dn: cn={4}locker,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: {4}locker
olcObjectIdentifier: {0}Root 1.3.6.1.4.1.99999
olcLdapSyntaxes: {0}( 1.3.6.1.4.1.1466.115.121.1.5 DESC 'Binary' )
olcAttributeTypes: {0}( Root:1.1 NAME 'lockerNumber' EQUALITY caseIgnoreMatch SYNT
 AX 1.3.6.1.4.1.1466.115.121.1.15{16} SINGLE-VALUE )
olcAttributeTypes: {1}( Root:1.2 NAME 'lockerKey' SUP lockerNumber )
olcObjectClasses: {0}( Root:2.1 NAME 'lockerOwner' SUP top AUXILIARY MUST lockerNumber MAY ( lockerKey $ description ) )
";

#[test]
fn all_forms_say_the_same() {
    for (form, text) in [("slapd", SLAPD), ("389", LDIF), ("config", CONFIG)] {
        let file = SchemaFile::parse(text);
        assert_eq!(file.problems, [], "{form}");
        let labels: Vec<_> = file.definitions.iter().map(Definition::label).collect();
        assert_eq!(labels, ["lockerNumber", "lockerKey", "lockerOwner"], "{form}");
        let schema = Schema::builtin(Variant::default()).unwrap().extend(file.definitions).unwrap();
        let key = schema.attribute("lockerKey").unwrap();
        assert_eq!(
            (key.oid(), key.syntax()),
            ("1.3.6.1.4.1.99999.1.2", netinfo_schema::Syntax::DirectoryString)
        );
        assert!(schema.class("lockerOwner").unwrap().allows(key.id()));
    }
}

#[test]
fn what_cannot_be_read_is_reported_by_line() {
    let text = "attributetype ( 1.2.3 NAME 'a'\n\n  SYNTAX )\nobjectclass 1.2\nfoo bar\nobjectidentifier x\nobjectidentifier x y:1\nditcontentrule ( 1.2 )\nldapsyntax ( 1.2 )\n";
    let file = SchemaFile::parse(text);
    assert_eq!(file.definitions, []);
    let lines: Vec<_> = file.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 4, 5, 6, 7, 8, 9]);
    assert_eq!(file.problems[2].to_string(), "line 5: unknown directive \"foo\"");
    let file =
        SchemaFile::parse("dn: cn=schema\nchangetype: modify\ndelete: attributeTypes\nattributeTypes:: x!\n");
    assert_eq!(file.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn elements_that_a_schema_has_are_left_out() {
    let schema = Schema::builtin(Variant::default()).unwrap();
    let file = SchemaFile::parse(
        "attributetype ( 2.5.4.3 NAME 'cn' SUP name )\nattributetype ( 1.2.3 NAME 'x' SUP name )\nobjectclass ( 2.5.6.6 NAME 'person' SUP top )\n",
    );
    let new = file.new_to(&schema);
    assert_eq!(new.iter().map(Definition::label).collect::<Vec<_>>(), ["x"]);
    assert!(schema.extend(new).is_ok());
}

#[test]
fn the_whole_schema_goes_through_a_file() {
    let schema = Schema::builtin(Variant::default()).unwrap();
    let mut text = String::from("dn: cn=subschema\n");
    for value in schema.published_attribute_types() {
        text.push_str(&format!("attributeTypes: {value}\n"));
    }
    for value in schema.published_object_classes() {
        text.push_str(&format!("objectClasses: {value}\n"));
    }
    let file = SchemaFile::parse(&text);
    assert_eq!(file.problems, []);
    assert!(
        Schema::new(file.definitions)
            .unwrap()
            .published_object_classes()
            .eq(schema.published_object_classes())
    );
}

#[test]
fn files_are_limited() {
    let file = SchemaFile::parse(&"#".repeat(SCHEMA_FILE_LIMIT + 1));
    assert_eq!((file.definitions.len(), file.problems.len()), (0, 1));
    assert_eq!(SchemaFile::parse(&"#".repeat(SCHEMA_FILE_LIMIT)).problems, []);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "(dn:|attributetype|objectClasses:|objectIdentifier|::|\\(|\\)|1\\.2|'|\n| |\t|é|\\{0\\}|=){0,30}") {
        let _ = SchemaFile::parse(&text);
    }
}
