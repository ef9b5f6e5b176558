//! Syntaxes: which octets are a value (RFC 4517 §3, RFC 4523, RFC 4530, RFC 2307 §2.4, RFC 3112).
//!
//! [`Syntax::validate`] says whether a value is one. Structured values whose parts the server never looks at
//! (certificates, pictures, audio) are only checked to be of the right kind from the outside.

mod delivery;
mod described;
mod guide;
mod nis;
mod strings;
mod time;

pub(crate) use strings::{bits, integer, uuid};
pub use time::Moment;

use crate::definition::SyntaxDefinition;
use crate::error::ValueError;

/// What a check of a syntax finds.
pub(crate) type Checked = Result<(), ValueError>;

/// What values are like, for the choice of the matching rules that can be used with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Text,
    Lines,
    Telephone,
    Numeric,
    Integer,
    Boolean,
    Bits,
    Octets,
    Time,
    Name,
    NameAndUid,
    Oid,
    Described,
    DescribedByNumber,
    Uuid,
    ChangeNumber,
    Certificate,
    Structured,
}

macro_rules! syntaxes {
    ($($(#[$doc:meta])* $variant:ident $oid:literal $name:literal $form:ident $check:path;)*) => {
        /// A syntax.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Syntax {
            $(#[doc = $name] $variant,)*
        }

        impl Syntax {
            /// All syntaxes that are known.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Object identifier, dotted decimals.
            pub fn oid(self) -> &'static str {
                match self { $(Self::$variant => $oid,)* }
            }

            /// Name for people, as in RFC 4517.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(crate) fn form(self) -> Form {
                match self { $(Self::$variant => Form::$form,)* }
            }

            /// Whether `value` is a value of this syntax.
            ///
            /// # Errors
            ///
            /// Says what is wrong with it.
            pub fn validate(self, value: &[u8]) -> Result<(), ValueError> {
                match self { $(Self::$variant => $check(value),)* }
            }
        }
    };
}

syntaxes! {
    AttributeTypeDescription "1.3.6.1.4.1.1466.115.121.1.3" "Attribute Type Description" Described described::attribute_type;
    Audio "1.3.6.1.4.1.1466.115.121.1.4" "Audio" Octets strings::octets;
    Binary "1.3.6.1.4.1.1466.115.121.1.5" "Binary" Octets strings::octets;
    BitString "1.3.6.1.4.1.1466.115.121.1.6" "Bit String" Bits strings::bit_string;
    Boolean "1.3.6.1.4.1.1466.115.121.1.7" "Boolean" Boolean strings::boolean;
    Certificate "1.3.6.1.4.1.1466.115.121.1.8" "X.509 Certificate" Certificate strings::der;
    CertificateList "1.3.6.1.4.1.1466.115.121.1.9" "X.509 Certificate List" Octets strings::der;
    CertificatePair "1.3.6.1.4.1.1466.115.121.1.10" "X.509 Certificate Pair" Octets strings::der;
    CountryString "1.3.6.1.4.1.1466.115.121.1.11" "Country String" Text strings::country;
    Dn "1.3.6.1.4.1.1466.115.121.1.12" "DN" Name crate::dn::validate;
    DeliveryMethod "1.3.6.1.4.1.1466.115.121.1.14" "Delivery Method" Structured delivery::delivery_method;
    DirectoryString "1.3.6.1.4.1.1466.115.121.1.15" "Directory String" Text strings::directory_string;
    DitContentRuleDescription "1.3.6.1.4.1.1466.115.121.1.16" "DIT Content Rule Description" Described described::content_rule;
    DitStructureRuleDescription "1.3.6.1.4.1.1466.115.121.1.17" "DIT Structure Rule Description" DescribedByNumber described::structure_rule;
    EnhancedGuide "1.3.6.1.4.1.1466.115.121.1.21" "Enhanced Guide" Structured guide::enhanced_guide;
    FacsimileTelephoneNumber "1.3.6.1.4.1.1466.115.121.1.22" "Facsimile Telephone Number" Telephone delivery::facsimile_number;
    Fax "1.3.6.1.4.1.1466.115.121.1.23" "Fax" Octets strings::octets;
    GeneralizedTime "1.3.6.1.4.1.1466.115.121.1.24" "Generalized Time" Time time::generalized_time;
    Guide "1.3.6.1.4.1.1466.115.121.1.25" "Guide" Structured guide::guide;
    Ia5String "1.3.6.1.4.1.1466.115.121.1.26" "IA5 String" Text strings::ia5_string;
    Integer "1.3.6.1.4.1.1466.115.121.1.27" "INTEGER" Integer integer;
    Jpeg "1.3.6.1.4.1.1466.115.121.1.28" "JPEG" Octets strings::octets;
    MatchingRuleDescription "1.3.6.1.4.1.1466.115.121.1.30" "Matching Rule Description" Described described::matching_rule;
    MatchingRuleUseDescription "1.3.6.1.4.1.1466.115.121.1.31" "Matching Rule Use Description" Described described::matching_rule_use;
    MailPreference "1.3.6.1.4.1.1466.115.121.1.32" "Mail Preference" Text strings::printable_string;
    MhsOrAddress "1.3.6.1.4.1.1466.115.121.1.33" "MHS OR Address" Text strings::ia5_string;
    NameAndOptionalUid "1.3.6.1.4.1.1466.115.121.1.34" "Name And Optional UID" NameAndUid crate::dn::validate_with_uid;
    NameFormDescription "1.3.6.1.4.1.1466.115.121.1.35" "Name Form Description" Described described::name_form;
    NumericString "1.3.6.1.4.1.1466.115.121.1.36" "Numeric String" Numeric strings::numeric_string;
    ObjectClassDescription "1.3.6.1.4.1.1466.115.121.1.37" "Object Class Description" Described described::object_class;
    Oid "1.3.6.1.4.1.1466.115.121.1.38" "OID" Oid strings::oid;
    OtherMailbox "1.3.6.1.4.1.1466.115.121.1.39" "Other Mailbox" Structured delivery::other_mailbox;
    OctetString "1.3.6.1.4.1.1466.115.121.1.40" "Octet String" Octets strings::octets;
    PostalAddress "1.3.6.1.4.1.1466.115.121.1.41" "Postal Address" Lines delivery::postal_address;
    ProtocolInformation "1.3.6.1.4.1.1466.115.121.1.42" "Protocol Information" Text strings::directory_string;
    PresentationAddress "1.3.6.1.4.1.1466.115.121.1.43" "Presentation Address" Text strings::directory_string;
    PrintableString "1.3.6.1.4.1.1466.115.121.1.44" "Printable String" Text strings::printable_string;
    SubtreeSpecification "1.3.6.1.4.1.1466.115.121.1.45" "SubtreeSpecification" Structured described::subtree_specification;
    SupportedAlgorithm "1.3.6.1.4.1.1466.115.121.1.49" "X.509 Supported Algorithm" Octets strings::der;
    TelephoneNumber "1.3.6.1.4.1.1466.115.121.1.50" "Telephone Number" Telephone strings::printable_string;
    TeletexTerminalIdentifier "1.3.6.1.4.1.1466.115.121.1.51" "Teletex Terminal Identifier" Structured delivery::teletex;
    TelexNumber "1.3.6.1.4.1.1466.115.121.1.52" "Telex Number" Structured delivery::telex;
    UtcTime "1.3.6.1.4.1.1466.115.121.1.53" "UTC Time" Structured time::utc_time;
    LdapSyntaxDescription "1.3.6.1.4.1.1466.115.121.1.54" "LDAP Syntax Description" Described described::syntax;
    SubstringAssertion "1.3.6.1.4.1.1466.115.121.1.58" "Substring Assertion" Structured guide::substring_assertion;
    CertificateExactAssertion "1.3.6.1.1.15.1" "X.509 Certificate Exact Assertion" Structured strings::directory_string;
    Uuid "1.3.6.1.1.16.1" "UUID" Uuid uuid;
    NisNetgroupTriple "1.3.6.1.1.1.0.0" "RFC2307 NIS Netgroup Triple" Text nis::netgroup_triple;
    BootParameter "1.3.6.1.1.1.0.1" "RFC2307 Boot Parameter" Text nis::boot_parameter;
    AuthPassword "1.3.6.1.4.1.4203.1.1.2" "RFC3112 Authentication Password" Octets strings::auth_password;
    ChangeSequenceNumber "1.3.6.1.4.1.4203.666.11.2.1" "CSN" ChangeNumber strings::change_number;
}

impl Syntax {
    /// The syntax with this OID.
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|syntax| syntax.oid() == oid)
    }

    /// Whether people can read the values: others are published with `X-NOT-HUMAN-READABLE`.
    pub fn is_human_readable(self) -> bool {
        !matches!(self.form(), Form::Octets | Form::Certificate) || self == Self::AuthPassword
    }

    /// Whether values are transferred with the option `;binary` only (RFC 4522, RFC 4523).
    pub fn needs_binary_transfer(self) -> bool {
        matches!(
            self,
            Self::Certificate | Self::CertificateList | Self::CertificatePair | Self::SupportedAlgorithm
        )
    }

    /// The description that is published in `ldapSyntaxes`.
    pub fn definition(self) -> SyntaxDefinition {
        let flag = |name: &str| (name.to_owned(), vec!["TRUE".to_owned()]);
        let mut extensions = Vec::new();
        if self.needs_binary_transfer() {
            extensions.push(flag("X-BINARY-TRANSFER-REQUIRED"));
        }
        if !self.is_human_readable() {
            extensions.push(flag("X-NOT-HUMAN-READABLE"));
        }
        SyntaxDefinition { oid: self.oid().to_owned(), description: Some(self.name().to_owned()), extensions }
    }
}

/// The value as UTF-8 text.
pub(crate) fn utf8(value: &[u8]) -> Result<&str, ValueError> {
    std::str::from_utf8(value).map_err(|_| ValueError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn object_identifiers_are_unique_and_found() {
        let oids: HashSet<_> = Syntax::ALL.iter().map(|syntax| syntax.oid()).collect();
        assert_eq!(oids.len(), Syntax::ALL.len());
        for &syntax in Syntax::ALL {
            assert_eq!(Syntax::from_oid(syntax.oid()), Some(syntax));
        }
        assert_eq!(Syntax::from_oid("1.2.3"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(value: Vec<u8>) {
            for &syntax in Syntax::ALL {
                let _ = syntax.validate(&value);
            }
        }

        #[test]
        fn arbitrary_punctuation_never_panics(value in "[-(){}$#=,;+:.'\\\\ \"a0B!&|?<>é*]{0,24}") {
            for &syntax in Syntax::ALL {
                let _ = syntax.validate(value.as_bytes());
            }
        }
    }
}
