//! Formats by name.

use netinfo_formats::flat;

/// How a file or folder is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An administrative file: `passwd`, `hosts` and so on.
    Flat(flat::Format),
    /// LDAP entries or changes as text (RFC 2849).
    Ldif,
    /// The raw text of a directory and all below it, as `nidump -r` writes it.
    Raw,
    /// JSON, one record a line.
    Jsonl,
    /// The JSON5 file of a domain for QEMU.
    Json5,
    /// A `.nidb` folder.
    Nidb,
    /// The folder of a Mac's local directory.
    DsLocal,
    /// Rules of sudo, as a file for `/etc/sudoers.d`. It is written only.
    Sudoers,
}

impl Format {
    /// What users call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flat(format) => format.name(),
            Self::Ldif => "ldif",
            Self::Raw => "raw",
            Self::Jsonl => "jsonl",
            Self::Json5 => "json5",
            Self::Nidb => "nidb",
            Self::DsLocal => "dslocal",
            Self::Sudoers => "sudoers",
        }
    }

    /// The format that users call so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let own = Self::OWN.into_iter().find(|format| format.name() == name);
        own.or_else(|| flat::Format::from_name(name).map(Self::Flat))
    }

    /// Those that are no administrative files.
    const OWN: [Self; 7] =
        [Self::Ldif, Self::Raw, Self::Jsonl, Self::Json5, Self::Nidb, Self::DsLocal, Self::Sudoers];

    /// Whether it is written as a directory and all below it.
    #[must_use]
    pub const fn is_tree(self) -> bool {
        matches!(self, Self::Nidb | Self::DsLocal | Self::Raw | Self::Jsonl | Self::Json5)
    }

    /// Whether it is a folder.
    #[must_use]
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::Nidb | Self::DsLocal)
    }

    /// The names of all formats.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let flat = flat::Format::ALL.into_iter().map(flat::Format::name);
        flat.chain(Self::OWN.map(Self::name)).collect()
    }
}
