//! What anonymous callers read of POSIX entries, and what users write of their own.
//!
//! Names are those of NetInfo properties; where a tree was made over LDAP and lies elsewhere, those of RFC 2307.

use super::Access;
use super::tree::step;
use crate::error::Result;
use crate::model::ROOT;
use crate::record::RecordRef;

/// Properties of one directory that everybody may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readable {
    Nothing,
    /// These, and what all directories that can be seen show.
    Properties(&'static [&'static str]),
}

impl Readable {
    /// Whether a property, without option and prefix, is among them.
    pub(super) fn contains(self, property: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Properties(list) => {
                list.iter().chain(SHOWN).any(|name| name.as_bytes().eq_ignore_ascii_case(property))
            }
        }
    }
}

/// What names a directory, says what it is, and when it was changed (for caches).
const SHOWN: &[&str] = &[
    "name",
    "_rdn",
    "objectClass",
    "structuralObjectClass",
    "cn",
    "entryUUID",
    "entryDN",
    "entryCSN",
    "createTimestamp",
    "modifyTimestamp",
    "hasSubordinates",
    "numSubordinates",
    "subschemaSubentry",
];

/// Directories that hold others.
const CONTAINER: Readable = Readable::Properties(&["dc", "o", "ou", "c", "l", "st"]);

/// Where POSIX data of one kind lies, the classes by which it is known elsewhere, and what of it is public.
pub(super) struct Kind {
    /// Directories of the root that hold such entries.
    containers: &'static [&'static [u8]],
    classes: &'static [&'static str],
    properties: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        containers: &[b"users"],
        classes: &["posixAccount"],
        properties: &[
            "uid",
            "gid",
            "realname",
            "home",
            "shell",
            "gecos",
            "generateduid",
            "uidNumber",
            "gidNumber",
            "homeDirectory",
            "loginShell",
        ],
    },
    Kind {
        containers: &[b"groups"],
        classes: &["posixGroup"],
        properties: &[
            "gid",
            "gidNumber",
            "users",
            "memberUid",
            "member",
            "uniqueMember",
            "groupmembers",
            "nestedgroups",
            "generateduid",
            "description",
            "comment",
        ],
    },
    Kind {
        containers: &[b"machines", b"hosts", b"computers", b"ethernets", b"bootp"],
        classes: &["ipHost", "ieee802Device", "bootableDevice"],
        properties: &[
            "ip_address",
            "ipv6_address",
            "en_address",
            "bootfile",
            "bootparams",
            "ipHostNumber",
            "macAddress",
            "bootFile",
            "bootParameter",
            "description",
            "comment",
            "l",
        ],
    },
    Kind {
        containers: &[b"networks"],
        classes: &["ipNetwork"],
        properties: &[
            "address",
            "netmask",
            "networknumber",
            "ipNetworkNumber",
            "ipNetmaskNumber",
            "description",
            "comment",
        ],
    },
    Kind {
        containers: &[b"services", b"protocols", b"rpcs"],
        classes: &["ipService", "ipProtocol", "oncRpc"],
        properties: &[
            "port",
            "protocol",
            "number",
            "protocolnumber",
            "rpcnumber",
            "ipServicePort",
            "ipServiceProtocol",
            "ipProtocolNumber",
            "oncRpcNumber",
            "description",
            "comment",
        ],
    },
    Kind {
        containers: &[b"netgroups"],
        classes: &["nisNetgroup"],
        properties: &[
            "netgrouptriplet",
            "netgroups",
            "hosts",
            "users",
            "domains",
            "nisNetgroupTriple",
            "memberNisNetgroup",
            "description",
            "comment",
        ],
    },
    Kind {
        containers: &[b"automountmap", b"automountMap", b"automount", b"mounts"],
        classes: &["automountMap", "automount", "nisMap", "nisObject", "mount"],
        properties: &[
            "automountMapName",
            "automountKey",
            "automountInformation",
            "metaautomountmap",
            "nisMapName",
            "nisMapEntry",
            "dir",
            "vfstype",
            "opts",
            "dump_freq",
            "passno",
            "mountDirectory",
            "mountType",
            "mountOption",
            "mountDumpFrequency",
            "mountPassNo",
            "description",
            "comment",
        ],
    },
    Kind {
        containers: &[b"aliases"],
        classes: &["nisMailAlias"],
        properties: &["members", "rfc822MailMember"],
    },
    Kind {
        containers: &[b"printers"],
        classes: &["apple-printer"],
        properties: &[
            "rm",
            "rp",
            "ty",
            "lp",
            "lo",
            "note",
            "realname",
            "uri",
            "makeandmodel",
            "1284deviceid",
            "attributes",
            "apple-printer-lprhost",
            "apple-printer-lprqueue",
            "apple-printer-type",
            "apple-printer-note",
            "apple-printer-attributes",
            "description",
        ],
    },
];

/// Classes of entries that hold others and say nothing of people.
const CONTAINER_CLASSES: &[&str] =
    &["organizationalUnit", "organization", "domain", "dcObject", "container", "country", "locality"];

/// What the default policy shows of a directory.
pub(super) fn readable(access: &Access<'_>, record: &RecordRef<'_>) -> Result<Readable> {
    if record.id().object == ROOT {
        return Ok(CONTAINER);
    }
    let ancestors = access.ancestors(record)?;
    let top = ancestors.get(1).copied();
    let kind = kind_below(access, top.unwrap_or_else(|| record.id().object))?;
    let has = |classes: &[&str]| {
        let Some(stored) = record.property(b"objectClass") else { return false };
        stored.values.into_iter().any(|v| classes.iter().any(|c| c.as_bytes().eq_ignore_ascii_case(v)))
    };
    if let (Some(_), None) = (kind, top) {
        return Ok(CONTAINER);
    }
    let is_classed = record.property(b"objectClass").is_some();
    let kind = match kind {
        Some(kind) if !is_classed || has(kind.classes) => Some(kind),
        _ => KINDS.iter().find(|kind| has(kind.classes)),
    };
    Ok(match kind {
        Some(kind) => Readable::Properties(kind.properties),
        None if has(CONTAINER_CLASSES) => CONTAINER,
        None => Readable::Nothing,
    })
}

/// What the entries in a directory of the root are by its name. Questions in a row tend to be about the same.
fn kind_below(access: &Access<'_>, top: u32) -> Result<Option<&'static Kind>> {
    if let Some((known, kind)) = access.container.get()
        && known == top
    {
        return Ok(kind);
    }
    let container = access.tree.record(top)?;
    let name = step(&container).unwrap_or_default();
    let kind = KINDS.iter().find(|kind| kind.containers.contains(&name));
    access.container.set(Some((top, kind)));
    Ok(kind)
}

/// Properties of their own directory that users may write unless the root's `_self_write` says otherwise: the password,
/// and how to reach and address them. Nothing that others take for proof of who they are, and not what a program
/// runs or opens for them (shell, home).
pub(super) const SELF_WRITTEN: &[&[u8]] = &[
    b"passwd",
    b"hint",
    b"nickname",
    b"picture",
    b"jpegphoto",
    b"phonenumber",
    b"homephonenumber",
    b"mobilenumber",
    b"faxnumber",
    b"pagernumber",
    b"imhandle",
    b"street",
    b"postaladdress",
    b"city",
    b"state",
    b"zip",
    b"country",
    b"URL",
    b"webloguri",
    b"preferredLanguage",
];
