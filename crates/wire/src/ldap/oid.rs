//! Object identifiers of controls, extended operations and features.

/// Paged results (RFC 2696).
pub const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// Server-side sorting, request (RFC 2891).
pub const SORT_REQUEST: &str = "1.2.840.113556.1.4.473";
/// Server-side sorting, response (RFC 2891).
pub const SORT_RESPONSE: &str = "1.2.840.113556.1.4.474";
/// Virtual list view, request (draft-ietf-ldapext-ldapv3-vlv).
pub const VLV_REQUEST: &str = "2.16.840.1.113730.3.4.9";
/// Virtual list view, response (draft-ietf-ldapext-ldapv3-vlv).
pub const VLV_RESPONSE: &str = "2.16.840.1.113730.3.4.10";
/// Assertion (RFC 4528).
pub const ASSERTION: &str = "1.3.6.1.1.12";
/// Pre-read (RFC 4527).
pub const PRE_READ: &str = "1.3.6.1.1.13.1";
/// Post-read (RFC 4527).
pub const POST_READ: &str = "1.3.6.1.1.13.2";
/// `ManageDsaIT`: treat referrals as entries (RFC 3296).
pub const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";
/// Matched values (RFC 3876).
pub const MATCHED_VALUES: &str = "1.2.826.0.1.3344810.2.3";
/// Proxied authorization, version 2 (RFC 4370).
pub const PROXIED_AUTHORIZATION: &str = "2.16.840.1.113730.3.4.18";
/// Subentries (RFC 3672).
pub const SUBENTRIES: &str = "1.3.6.1.4.1.4203.1.10.1";
/// Deletion of whole trees (draft-armijo-ldap-treedelete).
pub const TREE_DELETE: &str = "1.2.840.113556.1.4.805";
/// Content synchronization, request (RFC 4533).
pub const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
/// Content synchronization, state of an entry (RFC 4533).
pub const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
/// Content synchronization, end of the refresh (RFC 4533).
pub const SYNC_DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";
/// Content synchronization, intermediate message (RFC 4533).
pub const SYNC_INFO: &str = "1.3.6.1.4.1.4203.1.9.1.4";
/// Dereference: attributes of the entries that attributes name (draft-masarati-ldap-deref).
pub const DEREF: &str = "1.3.6.1.4.1.4203.666.5.16";
/// Relax rules (draft-zeilenga-ldap-relax).
pub const RELAX: &str = "1.3.6.1.4.1.4203.666.5.12";
/// Permissive modify: what is there already or not there any more is no error.
pub const PERMISSIVE_MODIFY: &str = "1.2.840.113556.1.4.1413";
/// Don't use a copy (RFC 6171).
pub const DONT_USE_COPY: &str = "1.3.6.1.1.22";
/// Domain scope: no referrals, please.
pub const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";
/// Password policy (draft-behera-ldap-password-policy).
pub const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// The password has expired (draft-vchu-ldap-pwd-policy).
pub const PASSWORD_EXPIRED: &str = "2.16.840.1.113730.3.4.4";
/// The password will expire (draft-vchu-ldap-pwd-policy).
pub const PASSWORD_EXPIRING: &str = "2.16.840.1.113730.3.4.5";

/// StartTLS (RFC 4511 §4.14).
pub const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// Notice of disconnection (RFC 4511 §4.4.1).
pub const NOTICE_OF_DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";
/// Who am I? (RFC 4532).
pub const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
/// Password modify (RFC 3062).
pub const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";
/// Cancel (RFC 3909).
pub const CANCEL: &str = "1.3.6.1.1.8";
/// Verify credentials (OpenLDAP).
pub const VERIFY_CREDENTIALS: &str = "1.3.6.1.4.1.4203.666.6.5";
/// Turn (RFC 4531).
pub const TURN: &str = "1.3.6.1.1.19";

/// Feature: `+` selects all operational attributes (RFC 3673).
pub const ALL_OPERATIONAL_ATTRIBUTES: &str = "1.3.6.1.4.1.4203.1.5.1";
/// Feature: `@class` selects the attributes of an object class (RFC 4529).
pub const OBJECT_CLASS_SELECTION: &str = "1.3.6.1.4.1.4203.1.5.2";
/// Feature: absolute true and false filters (RFC 4526).
pub const ABSOLUTE_FILTERS: &str = "1.3.6.1.4.1.4203.1.5.3";
/// Feature: modify with increment (RFC 4525).
pub const MODIFY_INCREMENT: &str = "1.3.6.1.1.14";
