//! The built-in schema: look-ups, inheritance, the published lists.

use netinfo_schema::definition::{
    AttributeDefinition, ClassDefinition, ClassKind, RuleDefinition, RuleUseDefinition, SyntaxDefinition,
    Usage,
};
use netinfo_schema::{AttributeId, Rule, Schema, Syntax, Variant};

fn schema() -> Schema {
    Schema::builtin(Variant::default()).unwrap()
}

fn names(schema: &Schema, ids: &[AttributeId]) -> Vec<String> {
    ids.iter().map(|&id| schema.attribute_by_id(id).name().to_owned()).collect()
}

#[test]
fn both_variants_are_consistent() {
    for variant in [Variant::Rfc2307, Variant::Rfc2307bis] {
        let schema = Schema::builtin(variant).unwrap();
        assert_eq!((schema.attributes().count(), schema.classes().count()), (413, 103));
    }
}

#[test]
fn variants_define_the_same_identifiers_differently() {
    let (original, draft) = (Schema::builtin(Variant::Rfc2307).unwrap(), schema());
    let kind = |schema: &Schema| schema.class("posixGroup").unwrap().kind();
    assert_eq!((kind(&original), kind(&draft)), (ClassKind::Structural, ClassKind::Auxiliary));
    let syntax = |schema: &Schema| schema.attribute("nisNetgroupTriple").unwrap().syntax();
    assert_eq!(syntax(&original), Syntax::NisNetgroupTriple);
    assert_ne!(syntax(&draft), Syntax::NisNetgroupTriple);
}

#[test]
fn elements_are_found_by_name_alias_and_identifier() {
    let schema = schema();
    for name in ["cn", "CN", "commonName", "COMMONNAME", "2.5.4.3"] {
        assert_eq!(schema.attribute(name).map(|attribute| attribute.name()), Some("cn"), "{name}");
    }
    for name in ["posixAccount", "POSIXACCOUNT", "1.3.6.1.1.1.2.0"] {
        assert_eq!(schema.class(name).map(|class| class.name()), Some("posixAccount"), "{name}");
    }
    assert!(schema.attribute("posixAccount").is_none() && schema.class("cn").is_none());
    assert!(schema.attribute("").is_none() && schema.attribute(&"x".repeat(10_000)).is_none());
    assert_eq!(
        schema.oid_of("domain"),
        Some("0.9.2342.19200300.100.4.13"),
        "a class comes before an attribute"
    );
    assert_eq!(schema.oid_of("caseIgnoreMatch"), Some("2.5.13.2"));
    assert_eq!(schema.oid_of("nothing"), None);
    for (place, attribute) in schema.attributes().enumerate() {
        assert_eq!(schema.attribute_by_id(attribute.id()).oid(), attribute.oid(), "{place}");
    }
}

#[test]
fn attributes_inherit_from_their_supertypes() {
    let schema = schema();
    let cn = schema.attribute("cn").unwrap();
    assert_eq!((cn.syntax(), cn.bound()), (Syntax::DirectoryString, Some(32_768)));
    assert_eq!(
        (cn.equality(), cn.substrings(), cn.ordering()),
        (Some(Rule::CaseIgnore), Some(Rule::CaseIgnoreSubstrings), None)
    );
    let member = schema.attribute("member").unwrap();
    assert_eq!((member.syntax(), member.equality()), (Syntax::Dn, Some(Rule::DistinguishedName)));
    let country = schema.attribute("c").unwrap();
    assert_eq!((country.syntax(), country.equality()), (Syntax::CountryString, Some(Rule::CaseIgnore)));
    assert!(country.is_single_value() && !cn.is_single_value());
    let uuid = schema.attribute("entryUUID").unwrap();
    assert!(
        uuid.is_operational() && uuid.is_no_user_modification() && uuid.usage() == Usage::DirectoryOperation
    );
    assert!(!cn.is_operational() && !cn.is_collective() && !cn.is_obsolete());
}

#[test]
fn subtypes_are_known_both_ways() {
    let schema = schema();
    let (name, cn, uid) = (
        schema.attribute("name").unwrap(),
        schema.attribute("cn").unwrap(),
        schema.attribute("uid").unwrap(),
    );
    assert!(
        cn.is_subtype_of(name) && cn.is_subtype_of(cn) && !name.is_subtype_of(cn) && !uid.is_subtype_of(name)
    );
    assert_eq!(cn.ancestors(), [name.id()]);
    assert!(name.descendants().contains(&cn.id()) && !name.descendants().contains(&uid.id()));
    assert!(name.descendants().len() > 10);
}

#[test]
fn classes_inherit_attributes() {
    let schema = schema();
    let person = schema.class("inetOrgPerson").unwrap();
    let mut must = names(&schema, person.must());
    must.sort();
    assert_eq!(must, ["cn", "objectClass", "sn"]);
    for attribute in ["userPassword", "title", "mail", "cn"] {
        assert!(person.allows(schema.attribute(attribute).unwrap().id()), "{attribute}");
    }
    assert!(!person.allows(schema.attribute("uidNumber").unwrap().id()));
    assert!(person.is_subclass_of(schema.class("person").unwrap()));
    assert!(!schema.class("person").unwrap().is_subclass_of(person));
    assert!(schema.class("extensibleObject").unwrap().allows_everything() && !person.allows_everything());
}

#[test]
fn classes_are_expanded_with_their_superclasses() {
    let schema = schema();
    let expanded = schema.expand_classes(["inetOrgPerson", "posixAccount", "unknown", "person"]);
    let names: Vec<_> = expanded.iter().map(|class| class.name()).collect();
    assert_eq!(names, ["inetOrgPerson", "organizationalPerson", "person", "top", "posixAccount"]);
}

#[test]
fn published_lists_are_read_again() {
    for variant in [Variant::Rfc2307, Variant::Rfc2307bis] {
        let schema = Schema::builtin(variant).unwrap();
        let attributes: Vec<AttributeDefinition> =
            schema.published_attribute_types().map(|text| text.parse().unwrap()).collect();
        assert!(attributes.iter().eq(schema.attributes().map(|attribute| attribute.definition())));
        let classes: Vec<ClassDefinition> =
            schema.published_object_classes().map(|text| text.parse().unwrap()).collect();
        assert!(classes.iter().eq(schema.classes().map(|class| class.definition())));
        let again = Schema::new(
            attributes.into_iter().map(Into::into).chain(classes.into_iter().map(Into::into)).collect(),
        );
        assert!(again.unwrap().published_attribute_types().eq(schema.published_attribute_types()));
    }
}

#[test]
fn syntaxes_and_rules_are_published() {
    let schema = schema();
    let syntaxes: Vec<SyntaxDefinition> =
        schema.published_syntaxes().map(|text| text.parse().unwrap()).collect();
    assert!(syntaxes.iter().cloned().eq(Syntax::ALL.iter().map(|syntax| syntax.definition())));
    let rules: Vec<RuleDefinition> =
        schema.published_matching_rules().map(|text| text.parse().unwrap()).collect();
    assert!(rules.iter().cloned().eq(Rule::ALL.iter().map(|rule| rule.definition())));
    for rule in &rules {
        assert!(syntaxes.iter().any(|syntax| syntax.oid == rule.syntax), "{rule}");
    }
    let uses: Vec<RuleUseDefinition> =
        schema.published_matching_rule_uses().map(|text| text.parse().unwrap()).collect();
    let case_ignore = uses.iter().find(|rule_use| rule_use.oid == "2.5.13.2").unwrap();
    assert!(case_ignore.applies.iter().any(|name| name == "memberUid"));
    assert!(!case_ignore.applies.iter().any(|name| name == "uidNumber"));
    let text = schema.published_syntaxes().find(|text| text.contains("115.121.1.8 ")).unwrap();
    assert_eq!(
        text,
        "( 1.3.6.1.4.1.1466.115.121.1.8 DESC 'X.509 Certificate' \
        X-BINARY-TRANSFER-REQUIRED 'TRUE' X-NOT-HUMAN-READABLE 'TRUE' )"
    );
}

#[test]
fn rules_fit_the_syntaxes_of_their_attributes() {
    let schema = schema();
    for attribute in schema.attributes() {
        if let Some(rule) = attribute.equality() {
            let binary = attribute.syntax() == Syntax::SupportedAlgorithm;
            assert!(rule.applies_to(attribute.syntax()) || binary, "{} {}", attribute.name(), rule.name());
        }
    }
}
