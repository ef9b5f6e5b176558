//! The table of matching rules.

use crate::definition::{RuleDefinition, RuleUseDefinition};
use crate::schema::Schema;
use crate::syntax::{Form, Syntax};

/// What a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// Whether a value is another.
    Equality,
    /// Which of two values comes first.
    Ordering,
    /// Whether parts are in a value.
    Substrings,
    /// Whether bits of a number are set; for extensible matches only.
    Bits,
}

/// How rules prepare values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    CaseIgnore,
    CaseExact,
    Numeric,
    Telephone,
    Lines,
    Integer,
    IntegerFirst,
    Oid,
    OidFirst,
    Boolean,
    Bits,
    Octets,
    Time,
    Name,
    NameAndUid,
    Uuid,
    ChangeNumber,
    Certificate,
    BitMask,
}

macro_rules! rules {
    ($($variant:ident $oid:literal $name:literal $kind:ident $family:ident $syntax:ident;)*) => {
        /// A matching rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rule {
            $(#[doc = $name] $variant,)*
        }

        impl Rule {
            /// All rules that are known.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Object identifier, dotted decimals.
            pub fn oid(self) -> &'static str {
                match self { $(Self::$variant => $oid,)* }
            }

            /// Short name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the rule is for.
            pub fn kind(self) -> RuleKind {
                match self { $(Self::$variant => RuleKind::$kind,)* }
            }

            /// Syntax of assertion values.
            pub fn assertion_syntax(self) -> Syntax {
                match self { $(Self::$variant => Syntax::$syntax,)* }
            }

            pub(crate) fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family,)* }
            }
        }
    };
}

rules! {
    ObjectIdentifier "2.5.13.0" "objectIdentifierMatch" Equality Oid Oid;
    DistinguishedName "2.5.13.1" "distinguishedNameMatch" Equality Name Dn;
    CaseIgnore "2.5.13.2" "caseIgnoreMatch" Equality CaseIgnore DirectoryString;
    CaseIgnoreOrdering "2.5.13.3" "caseIgnoreOrderingMatch" Ordering CaseIgnore DirectoryString;
    CaseIgnoreSubstrings "2.5.13.4" "caseIgnoreSubstringsMatch" Substrings CaseIgnore SubstringAssertion;
    CaseExact "2.5.13.5" "caseExactMatch" Equality CaseExact DirectoryString;
    CaseExactOrdering "2.5.13.6" "caseExactOrderingMatch" Ordering CaseExact DirectoryString;
    CaseExactSubstrings "2.5.13.7" "caseExactSubstringsMatch" Substrings CaseExact SubstringAssertion;
    NumericString "2.5.13.8" "numericStringMatch" Equality Numeric NumericString;
    NumericStringOrdering "2.5.13.9" "numericStringOrderingMatch" Ordering Numeric NumericString;
    NumericStringSubstrings "2.5.13.10" "numericStringSubstringsMatch" Substrings Numeric SubstringAssertion;
    CaseIgnoreList "2.5.13.11" "caseIgnoreListMatch" Equality Lines PostalAddress;
    CaseIgnoreListSubstrings "2.5.13.12" "caseIgnoreListSubstringsMatch" Substrings Lines SubstringAssertion;
    Boolean "2.5.13.13" "booleanMatch" Equality Boolean Boolean;
    Integer "2.5.13.14" "integerMatch" Equality Integer Integer;
    IntegerOrdering "2.5.13.15" "integerOrderingMatch" Ordering Integer Integer;
    BitString "2.5.13.16" "bitStringMatch" Equality Bits BitString;
    OctetString "2.5.13.17" "octetStringMatch" Equality Octets OctetString;
    OctetStringOrdering "2.5.13.18" "octetStringOrderingMatch" Ordering Octets OctetString;
    OctetStringSubstrings "2.5.13.19" "octetStringSubstringsMatch" Substrings Octets SubstringAssertion;
    TelephoneNumber "2.5.13.20" "telephoneNumberMatch" Equality Telephone TelephoneNumber;
    TelephoneNumberSubstrings "2.5.13.21" "telephoneNumberSubstringsMatch" Substrings Telephone SubstringAssertion;
    PresentationAddress "2.5.13.22" "presentationAddressMatch" Equality CaseIgnore PresentationAddress;
    UniqueMember "2.5.13.23" "uniqueMemberMatch" Equality NameAndUid NameAndOptionalUid;
    ProtocolInformation "2.5.13.24" "protocolInformationMatch" Equality CaseIgnore ProtocolInformation;
    GeneralizedTime "2.5.13.27" "generalizedTimeMatch" Equality Time GeneralizedTime;
    GeneralizedTimeOrdering "2.5.13.28" "generalizedTimeOrderingMatch" Ordering Time GeneralizedTime;
    IntegerFirstComponent "2.5.13.29" "integerFirstComponentMatch" Equality IntegerFirst Integer;
    ObjectIdentifierFirstComponent "2.5.13.30" "objectIdentifierFirstComponentMatch" Equality OidFirst Oid;
    CertificateExact "2.5.13.34" "certificateExactMatch" Equality Certificate CertificateExactAssertion;
    CaseExactIa5 "1.3.6.1.4.1.1466.109.114.1" "caseExactIA5Match" Equality CaseExact Ia5String;
    CaseIgnoreIa5 "1.3.6.1.4.1.1466.109.114.2" "caseIgnoreIA5Match" Equality CaseIgnore Ia5String;
    CaseIgnoreIa5Substrings "1.3.6.1.4.1.1466.109.114.3" "caseIgnoreIA5SubstringsMatch" Substrings CaseIgnore SubstringAssertion;
    CaseExactIa5Substrings "1.3.6.1.4.1.4203.1.2.1" "caseExactIA5SubstringsMatch" Substrings CaseExact SubstringAssertion;
    Uuid "1.3.6.1.1.16.2" "UUIDMatch" Equality Uuid Uuid;
    UuidOrdering "1.3.6.1.1.16.3" "UUIDOrderingMatch" Ordering Uuid Uuid;
    ChangeSequenceNumber "1.3.6.1.4.1.4203.666.11.2.2" "CSNMatch" Equality ChangeNumber ChangeSequenceNumber;
    ChangeSequenceNumberOrdering "1.3.6.1.4.1.4203.666.11.2.3" "CSNOrderingMatch" Ordering ChangeNumber ChangeSequenceNumber;
    BitAnd "1.2.840.113556.1.4.803" "integerBitAndMatch" Bits BitMask Integer;
    BitOr "1.2.840.113556.1.4.804" "integerBitOrMatch" Bits BitMask Integer;
}

impl Rule {
    /// The rule with this name (in any case) or OID.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.oid() == name || rule.name().eq_ignore_ascii_case(name))
    }

    /// Whether the rule can be used with values of `syntax` in an extensible match.
    pub fn applies_to(self, syntax: Syntax) -> bool {
        let form = syntax.form();
        match self.family() {
            Family::CaseIgnore | Family::CaseExact => {
                matches!(form, Form::Text | Form::Telephone | Form::Numeric)
            }
            Family::Numeric => form == Form::Numeric,
            Family::Telephone => form == Form::Telephone,
            Family::Lines => form == Form::Lines,
            Family::Integer | Family::BitMask => form == Form::Integer,
            Family::IntegerFirst => form == Form::DescribedByNumber,
            Family::Oid => form == Form::Oid,
            Family::OidFirst => form == Form::Described,
            Family::Boolean => form == Form::Boolean,
            Family::Bits => form == Form::Bits,
            Family::Octets => matches!(form, Form::Octets | Form::Certificate),
            Family::Time => form == Form::Time,
            Family::Name => form == Form::Name,
            Family::NameAndUid => form == Form::NameAndUid,
            Family::Uuid => form == Form::Uuid,
            Family::ChangeNumber => form == Form::ChangeNumber,
            Family::Certificate => form == Form::Certificate,
        }
    }

    /// The description that is published in `matchingRules`.
    pub fn definition(self) -> RuleDefinition {
        RuleDefinition {
            oid: self.oid().to_owned(),
            names: vec![self.name().to_owned()],
            syntax: self.assertion_syntax().oid().to_owned(),
            ..Default::default()
        }
    }

    /// The description that is published in `matchingRuleUse`: None when no attribute of the schema can be used with it.
    pub fn use_definition(self, schema: &Schema) -> Option<RuleUseDefinition> {
        let applies: Vec<String> = schema
            .attributes()
            .filter(|attribute| self.applies_to(attribute.syntax()))
            .map(|attribute| attribute.name().to_owned())
            .collect();
        (!applies.is_empty()).then(|| RuleUseDefinition {
            oid: self.oid().to_owned(),
            names: vec![self.name().to_owned()],
            applies,
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_identifiers_are_unique_and_found() {
        let words: HashSet<_> = Rule::ALL.iter().flat_map(|rule| [rule.oid(), rule.name()]).collect();
        assert_eq!(words.len(), 2 * Rule::ALL.len());
        for &rule in Rule::ALL {
            assert_eq!(Rule::find(rule.oid()), Some(rule));
            assert_eq!(Rule::find(&rule.name().to_uppercase()), Some(rule));
        }
        assert_eq!(Rule::find("1.2.840.113556.1.4.1941"), None);
    }
}
