//! The lists of a subschema subentry (RFC 4512 §4.2), in text.

use super::Schema;
use crate::matching::Rule;
use crate::syntax::Syntax;

impl Schema {
    /// Values of `attributeTypes`.
    pub fn published_attribute_types(&self) -> impl Iterator<Item = String> {
        self.attributes().map(|attribute| attribute.definition().to_string())
    }

    /// Values of `objectClasses`.
    pub fn published_object_classes(&self) -> impl Iterator<Item = String> {
        self.classes().map(|class| class.definition().to_string())
    }

    /// Values of `ldapSyntaxes`.
    pub fn published_syntaxes(&self) -> impl Iterator<Item = String> {
        Syntax::ALL.iter().map(|syntax| syntax.definition().to_string())
    }

    /// Values of `matchingRules`.
    pub fn published_matching_rules(&self) -> impl Iterator<Item = String> {
        Rule::ALL.iter().map(|rule| rule.definition().to_string())
    }

    /// Values of `matchingRuleUse`: for each rule the attributes it can be used with in extensible matches.
    pub fn published_matching_rule_uses(&self) -> impl Iterator<Item = String> {
        Rule::ALL.iter().filter_map(|rule| rule.use_definition(self)).map(|definition| definition.to_string())
    }
}
