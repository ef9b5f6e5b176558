//! Calls of the program, typed.

use super::{Category, MAX_KEY, PROGRAM, Procedure, VERSION};
use crate::netinfo::PropList;
use crate::record;
use crate::redact::debug_fields;
use crate::rpc::{Credential, put_call};
use crate::xdr::{Error, Reader, put_bool, put_opaque, put_u32, put_u64};

/// Most bytes of an address in a key: IPv6.
const MAX_ADDRESS: u32 = 16;

/// What one entry is looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// A name.
    Name(&'a [u8]),
    /// A user id, group id, network, protocol or program number.
    Number(u32),
    /// An address in network order: 4 or 16 bytes of a host, 6 of an Ethernet interface.
    Address(&'a [u8]),
    /// A service by name.
    Service {
        /// Its name.
        name: &'a [u8],
        /// Its protocol; any if empty.
        protocol: &'a [u8],
    },
    /// A service by port.
    Port {
        /// Its port, in host order.
        port: u16,
        /// Its protocol; any if empty.
        protocol: &'a [u8],
    },
}

impl<'a> Key<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(match r.u32()? {
            0 => Self::Name(r.opaque(MAX_KEY)?),
            1 => Self::Number(r.u32()?),
            2 => {
                let address = r.opaque(MAX_ADDRESS)?;
                match address.len() {
                    4 | 6 | 16 => Self::Address(address),
                    len => return Err(Error::BadValue(u32::try_from(len).unwrap_or(u32::MAX))),
                }
            }
            3 => Self::Service { name: r.opaque(MAX_KEY)?, protocol: r.opaque(MAX_KEY)? },
            4 => {
                let word = r.u32()?;
                let port = u16::try_from(word).map_err(|_| Error::BadValue(word))?;
                Self::Port { port, protocol: r.opaque(MAX_KEY)? }
            }
            other => return Err(Error::BadValue(other)),
        })
    }

    fn put(&self, buf: &mut Vec<u8>) {
        match self {
            Self::Name(name) => {
                put_u32(buf, 0);
                put_opaque(buf, name);
            }
            Self::Number(number) => {
                put_u32(buf, 1);
                put_u32(buf, *number);
            }
            Self::Address(address) => {
                put_u32(buf, 2);
                put_opaque(buf, address);
            }
            Self::Service { name, protocol } => {
                put_u32(buf, 3);
                put_opaque(buf, name);
                put_opaque(buf, protocol);
            }
            Self::Port { port, protocol } => {
                put_u32(buf, 4);
                put_u32(buf, u32::from(*port));
                put_opaque(buf, protocol);
            }
        }
    }

    /// Whether every string keeps to its limit.
    fn fits(&self) -> bool {
        let short = |text: &[u8]| text.len() <= MAX_KEY as usize;
        match self {
            Self::Name(name) => short(name),
            Self::Number(_) => true,
            Self::Address(address) => matches!(address.len(), 4 | 6 | 16),
            Self::Service { name, protocol } => short(name) && short(protocol),
            Self::Port { protocol, .. } => short(protocol),
        }
    }
}

/// Argument of FIND and TRACE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// What is looked for.
    pub category: Category,
    /// By what.
    pub key: Key<'a>,
}

/// Where an enumeration goes on. To be sent back as it came; [`Cookie::START`] begins one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cookie {
    /// Number of the domain in the order of the search.
    pub source: u32,
    /// Place within the domain.
    pub position: u64,
}

impl Cookie {
    /// The beginning.
    pub const START: Self = Self { source: 0, position: 0 };

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self { source: r.u32()?, position: r.u64()? })
    }

    pub(super) fn put(self, buf: &mut Vec<u8>) {
        put_u32(buf, self.source);
        put_u64(buf, self.position);
    }
}

/// Argument of INNETGR. What is `None` is not asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Innetgr<'a> {
    /// Name of the netgroup.
    pub group: &'a [u8],
    /// Host name.
    pub host: Option<&'a [u8]>,
    /// Login name.
    pub user: Option<&'a [u8]>,
    /// Name of an NIS domain.
    pub domain: Option<&'a [u8]>,
}

debug_fields!(Innetgr { group: text, host: text_option, user: text_option, domain: text_option });

/// Argument of RECORDS: the historical query for records as they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern<'a> {
    /// Category by the name that the historical look-up daemon has for it, such as `user` or `printer`.
    pub category: &'a [u8],
    /// What a record must have: every property, with every value listed.
    pub properties: PropList<'a>,
    /// Whether the first record is enough.
    pub single: bool,
    /// Number of records to leave out at the beginning: those that came already.
    pub skip: u32,
}

/// A call of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// NULL.
    Null,
    /// FIND.
    Find(Query<'a>),
    /// ALL.
    All {
        /// What is enumerated.
        category: Category,
        /// From where.
        cookie: Cookie,
    },
    /// INITGROUPS: a login name.
    Initgroups(&'a [u8]),
    /// INNETGR.
    Innetgr(Innetgr<'a>),
    /// TRACE.
    Trace(Query<'a>),
    /// RECORDS.
    Records(Pattern<'a>),
}

impl<'a> Request<'a> {
    /// Decodes the arguments of a call.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Truncated`], [`Error::BadValue`]; [`Error::Trailing`] if there is more.
    pub fn decode(procedure: Procedure, args: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(args);
        let request = match procedure {
            Procedure::Null => Self::Null,
            Procedure::Find => Self::Find(query(&mut r)?),
            Procedure::All => {
                Self::All { category: Category::try_from(r.u32()?)?, cookie: Cookie::read(&mut r)? }
            }
            Procedure::Initgroups => Self::Initgroups(r.opaque(MAX_KEY)?),
            Procedure::Innetgr => Self::Innetgr(Innetgr {
                group: r.opaque(MAX_KEY)?,
                host: optional(&mut r)?,
                user: optional(&mut r)?,
                domain: optional(&mut r)?,
            }),
            Procedure::Trace => Self::Trace(query(&mut r)?),
            Procedure::Records => Self::Records(Pattern {
                category: r.opaque(MAX_KEY)?,
                properties: PropList::read(&mut r)?,
                single: r.bool()?,
                skip: r.u32()?,
            }),
        };
        r.finish()?;
        Ok(request)
    }

    /// The procedure that it calls.
    pub const fn procedure(&self) -> Procedure {
        match self {
            Self::Null => Procedure::Null,
            Self::Find(_) => Procedure::Find,
            Self::All { .. } => Procedure::All,
            Self::Initgroups(_) => Procedure::Initgroups,
            Self::Innetgr(_) => Procedure::Innetgr,
            Self::Trace(_) => Procedure::Trace,
            Self::Records(_) => Procedure::Records,
        }
    }

    /// Whether every string keeps to [`MAX_KEY`], and so can be sent. What cannot is nowhere to be found.
    pub fn fits(&self) -> bool {
        let short = |text: &[u8]| text.len() <= MAX_KEY as usize;
        let all_short = |texts: [Option<&[u8]>; 3]| texts.into_iter().flatten().all(short);
        match self {
            Self::Null | Self::All { .. } => true,
            Self::Find(query) | Self::Trace(query) => query.key.fits(),
            Self::Initgroups(user) => short(user),
            Self::Innetgr(args) => short(args.group) && all_short([args.host, args.user, args.domain]),
            Self::Records(pattern) => short(pattern.category),
        }
    }

    /// Appends the arguments. The caller has asked [`Request::fits`].
    pub fn put_args(&self, buf: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Find(query) | Self::Trace(query) => {
                put_u32(buf, query.category.code());
                query.key.put(buf);
            }
            Self::All { category, cookie } => {
                put_u32(buf, category.code());
                cookie.put(buf);
            }
            Self::Initgroups(user) => put_opaque(buf, user),
            Self::Innetgr(args) => {
                put_opaque(buf, args.group);
                for field in [args.host, args.user, args.domain] {
                    put_bool(buf, field.is_some());
                    if let Some(text) = field {
                        put_opaque(buf, text);
                    }
                }
            }
            Self::Records(pattern) => {
                put_opaque(buf, pattern.category);
                pattern.properties.encode(buf);
                put_bool(buf, pattern.single);
                put_u32(buf, pattern.skip);
            }
        }
    }

    /// Appends the whole call, with its record mark: what is written to the socket.
    pub fn put_record(&self, buf: &mut Vec<u8>, xid: u32) {
        let mark = record::begin(buf);
        put_call(buf, xid, PROGRAM, VERSION, self.procedure().code(), &Credential::None);
        self.put_args(buf);
        record::end(buf, mark);
    }
}

fn query<'a>(r: &mut Reader<'a>) -> Result<Query<'a>, Error> {
    Ok(Query { category: Category::try_from(r.u32()?)?, key: Key::read(r)? })
}

fn optional<'a>(r: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Error> {
    Ok(if r.bool()? { Some(r.opaque(MAX_KEY)?) } else { None })
}
