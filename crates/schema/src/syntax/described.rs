//! Values that are schema descriptions, and subtree specifications.

use super::{Checked, utf8};
use crate::description::{Grammar, check};
use crate::error::ValueError;

macro_rules! descriptions {
    ($($function:ident $grammar:ident $what:literal;)*) => {$(
        #[doc = $what]
        pub(super) fn $function(value: &[u8]) -> Checked {
            check(utf8(value)?, &Grammar::$grammar).map_err(|_| ValueError::Malformed($what))
        }
    )*};
}

descriptions! {
    attribute_type ATTRIBUTE "an attribute type description";
    object_class CLASS "an object class description";
    syntax SYNTAX "a syntax description";
    matching_rule RULE "a matching rule description";
    matching_rule_use RULE_USE "a matching rule use description";
    content_rule CONTENT_RULE "a content rule description";
    name_form NAME_FORM "a name form description";
    structure_rule STRUCTURE_RULE "a structure rule description";
}

/// The part of a subtree that subentries apply to (RFC 3672 §2.1): components in braces. The components are told apart,
/// their insides are only checked to be closed.
pub(super) fn subtree_specification(value: &[u8]) -> Checked {
    const COMPONENTS: [&str; 5] = ["base", "specificExclusions", "minimum", "maximum", "specificationFilter"];
    let error = ValueError::Malformed("a subtree specification");
    let inner = utf8(value)?
        .trim_matches(' ')
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or(error)?
        .trim_matches(' ');
    if inner.is_empty() {
        return Ok(());
    }
    let mut rest = Some(inner);
    while let Some(text) = rest {
        let (component, following) = split_component(text).ok_or(error)?;
        let (name, content) = component.trim_matches(' ').split_once(' ').ok_or(error)?;
        if !COMPONENTS.contains(&name) || content.trim_matches(' ').is_empty() {
            return Err(error);
        }
        rest = following;
    }
    Ok(())
}

/// Split at the first comma outside quotes and braces. None when a quote or brace is left open.
fn split_component(text: &str) -> Option<(&str, Option<&str>)> {
    let mut depth = 0_usize;
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => return Some((&text[..at], Some(&text[at + 1..]))),
            _ => {}
        }
    }
    (depth == 0 && !quoted).then_some((text, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_checked_word_by_word() {
        assert_eq!(name_form(b"( 1.2.3 NAME 'f' OC person MUST cn MAY ( sn $ ou ) )"), Ok(()));
        assert_eq!(structure_rule(b"( 2 DESC 'organization structure rule' FORM f SUP ( 1 3 ) )"), Ok(()));
        assert_eq!(
            content_rule(
                b"( 2.5.6.4 DESC 'content rule for organization' NOT ( x121Address $ telexNumber ) )"
            ),
            Ok(())
        );
        assert!(name_form(b"( 1.2.3 OC person )").is_err());
        assert!(structure_rule(b"( 1.2.3 FORM f )").is_err());
        assert!(object_class(b"( 1.2.3 EQUALITY x )").is_err());
        assert!(syntax(b"1.2.3").is_err());
    }

    #[test]
    fn subtree_specifications_have_known_components() {
        for good in [
            "{}",
            "{ }",
            r#"{ base "ou=people, o=x" }"#,
            r#"{ specificExclusions { chopBefore:"ou=a,b", chopAfter:"ou=c" }, minimum 1, maximum 3 }"#,
            "{ specificationFilter and:{ item:person, not:item:device } }",
        ] {
            assert_eq!(subtree_specification(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "{", r#"{ base "x }"#, "{ base }", "{ foot 1 }", "{ minimum 1, }", "{ base {} } }"] {
            assert!(subtree_specification(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
