//! Lists that stay encoded: [`NameList`], [`PropList`] and [`IdList`] are checked completely when they
//! are decoded, keep the bytes they came in, and are walked lazily. They are `Copy` and allocate
//! nothing. Their `*Buf` counterparts own such bytes and are filled by callers that send lists.

use super::{MAX_IDS, MAX_NAMES, MAX_PROPERTIES, name, put_name};
use crate::xdr::{Error, Reader, patch_u32, put_u32};

/// Bytes of the smallest name on the wire: its length word.
const MIN_NAME: usize = 4;
/// Bytes of the smallest property: an empty name and an empty value list.
const MIN_PROPERTY: usize = 8;
/// Bytes of an object id.
const ID: usize = 4;

/// A list of strings (`ni_namelist`).
#[derive(Clone, Copy, Default)]
pub struct NameList<'a> {
    len: u32,
    /// Exactly the encoded names; every length in here has been checked.
    raw: &'a [u8],
}

/// A list of properties (`ni_proplist`), each a name and its values.
#[derive(Clone, Copy, Default)]
pub struct PropList<'a> {
    len: u32,
    /// Exactly the encoded properties; every length in here has been checked.
    raw: &'a [u8],
}

/// A list of object ids (`ni_idlist`).
#[derive(Clone, Copy, Default)]
pub struct IdList<'a> {
    /// Whole big-endian words.
    raw: &'a [u8],
}

/// The bytes of `before` that are no longer in `after`, its suffix.
fn consumed<'a>(before: &'a [u8], after: &[u8]) -> &'a [u8] {
    before.get(..before.len().saturating_sub(after.len())).unwrap_or_default()
}

impl<'a> NameList<'a> {
    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let len = r.count(MAX_NAMES, MIN_NAME)?;
        let before = r.remaining();
        for _ in 0..len {
            r.opaque(super::MAX_NAME)?;
        }
        Ok(Self { len, raw: consumed(before, r.remaining()) })
    }

    /// How many names.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The names in order, each cut at its first NUL.
    pub const fn iter(&self) -> Names<'a> {
        Names { left: self.len, r: Reader::new(self.raw) }
    }

    /// Appends the list.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.len);
        for name in self.iter() {
            put_name(buf, name);
        }
    }
}

impl<'a> PropList<'a> {
    /// Decodes a bare property list; bytes after it are ignored.
    ///
    /// # Errors
    /// [`Error::TooLong`] or [`Error::Truncated`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(bytes))
    }

    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let len = r.count(MAX_PROPERTIES, MIN_PROPERTY)?;
        let before = r.remaining();
        for _ in 0..len {
            r.opaque(super::MAX_NAME)?;
            NameList::read(r)?;
        }
        Ok(Self { len, raw: consumed(before, r.remaining()) })
    }

    /// How many properties.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Names and values of the properties, in order.
    pub const fn iter(&self) -> Properties<'a> {
        Properties { left: self.len, r: Reader::new(self.raw) }
    }

    /// The values of the first property named `name`.
    pub fn get(&self, name: &[u8]) -> Option<NameList<'a>> {
        self.iter().find_map(|(n, values)| (n == name).then_some(values))
    }

    /// Appends the list.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.len);
        for (name, values) in self.iter() {
            put_name(buf, name);
            values.encode(buf);
        }
    }
}

impl<'a> IdList<'a> {
    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let len = r.count(MAX_IDS, ID)? as usize;
        Ok(Self { raw: r.opaque_fixed(len * ID)? })
    }

    /// How many ids.
    pub const fn len(&self) -> usize {
        self.raw.len() / ID
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The ids in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + Clone + use<'a> {
        self.raw.as_chunks::<ID>().0.iter().map(|word| u32::from_be_bytes(*word))
    }

    /// Appends the list.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.len() as u32);
        buf.extend_from_slice(self.raw);
    }
}

/// Iterator over a [`NameList`].
#[derive(Clone, Debug)]
pub struct Names<'a> {
    left: u32,
    r: Reader<'a>,
}

impl<'a> Iterator for Names<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        name(&mut self.r).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Names<'_> {}

/// Iterator over a [`PropList`].
#[derive(Clone, Debug)]
pub struct Properties<'a> {
    left: u32,
    r: Reader<'a>,
}

impl<'a> Iterator for Properties<'a> {
    type Item = (&'a [u8], NameList<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = name(&mut self.r).ok()?;
        Some((name, NameList::read(&mut self.r).ok()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Properties<'_> {}

/// Lists are equal if they hand out equal names: padding and what follows a NUL do not count.
macro_rules! list_traits {
    ($list:ident, $iter:ident, $item:ty) => {
        impl PartialEq for $list<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.len == other.len && self.iter().eq(other.iter())
            }
        }

        impl Eq for $list<'_> {}

        impl<'a> IntoIterator for $list<'a> {
            type Item = $item;
            type IntoIter = $iter<'a>;

            fn into_iter(self) -> $iter<'a> {
                self.iter()
            }
        }
    };
}

list_traits!(NameList, Names, &'a [u8]);
list_traits!(PropList, Properties, (&'a [u8], NameList<'a>));

impl PartialEq for IdList<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for IdList<'_> {}

impl std::fmt::Debug for IdList<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

// Values may be passwords, so `Debug` of the lists shows names of properties and sizes only.

impl std::fmt::Debug for NameList<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} names>", self.len)
    }
}

impl std::fmt::Debug for PropList<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, values)| (name.escape_ascii().to_string(), values)))
            .finish()
    }
}

/// An encoded name list under construction. Names are cut at a NUL and at
/// [`MAX_NAME`](super::MAX_NAME) bytes, so what is in here can always be decoded; names beyond
/// [`MAX_NAMES`] are not taken.
#[derive(Clone, Default)]
pub struct NameListBuf {
    len: u32,
    raw: Vec<u8>,
}

impl NameListBuf {
    /// An empty list.
    pub const fn new() -> Self {
        Self { len: 0, raw: Vec::new() }
    }

    /// Adds a name at the end; `false` if the list is full.
    pub fn push(&mut self, name: &[u8]) -> bool {
        let fits = self.len < MAX_NAMES;
        if fits {
            put_bounded_name(&mut self.raw, name);
            self.len += 1;
        }
        fits
    }

    /// The list, to be put into arguments.
    pub fn as_list(&self) -> NameList<'_> {
        NameList { len: self.len, raw: &self.raw }
    }
}

impl<N: AsRef<[u8]>> FromIterator<N> for NameListBuf {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        let mut list = Self::new();
        for name in names {
            list.push(name.as_ref());
        }
        list
    }
}

/// An encoded property list under construction, with the same rules as [`NameListBuf`].
#[derive(Clone, Default)]
pub struct PropListBuf {
    len: u32,
    raw: Vec<u8>,
}

impl PropListBuf {
    /// An empty list.
    pub const fn new() -> Self {
        Self { len: 0, raw: Vec::new() }
    }

    /// Adds a property at the end; `false` if the list is full or `values` are more than
    /// [`MAX_NAMES`] (the surplus values are then left out).
    pub fn push<V: AsRef<[u8]>>(&mut self, name: &[u8], values: impl IntoIterator<Item = V>) -> bool {
        if self.len >= MAX_PROPERTIES {
            return false;
        }
        put_bounded_name(&mut self.raw, name);
        let at = self.raw.len();
        put_u32(&mut self.raw, 0);
        let mut values = values.into_iter();
        let mut count = 0;
        for value in values.by_ref().take(MAX_NAMES as usize) {
            put_bounded_name(&mut self.raw, value.as_ref());
            count += 1;
        }
        patch_u32(&mut self.raw, at, count);
        self.len += 1;
        values.next().is_none()
    }

    /// The list, to be put into arguments.
    pub fn as_list(&self) -> PropList<'_> {
        PropList { len: self.len, raw: &self.raw }
    }
}

impl<'p> FromIterator<&'p super::Property> for PropListBuf {
    fn from_iter<I: IntoIterator<Item = &'p super::Property>>(properties: I) -> Self {
        let mut list = Self::new();
        for property in properties {
            list.push(&property.name, &property.values);
        }
        list
    }
}

/// An encoded id list under construction; ids beyond [`MAX_IDS`] are not taken.
#[derive(Clone, Default)]
pub struct IdListBuf {
    raw: Vec<u8>,
}

impl IdListBuf {
    /// The list.
    pub fn as_list(&self) -> IdList<'_> {
        IdList { raw: &self.raw }
    }
}

impl FromIterator<u32> for IdListBuf {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        let mut raw = Vec::new();
        for id in ids.into_iter().take(MAX_IDS as usize) {
            put_u32(&mut raw, id);
        }
        Self { raw }
    }
}

fn put_bounded_name(buf: &mut Vec<u8>, name: &[u8]) {
    let name = super::cut(name);
    put_name(buf, name.get(..super::MAX_NAME as usize).unwrap_or(name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netinfo::{MAX_NAME, Property};

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn names_are_cut_at_a_nul_and_padding_is_not_looked_at() {
        let bytes = b"\0\0\0\x02\0\0\0\x03a\0b\xff\0\0\0\x01c\xff\xff\xff";
        let list = NameList::read(&mut Reader::new(bytes)).unwrap();
        assert_eq!(list.to_vec(), [b"a".to_vec(), b"c".to_vec()]);
        assert_eq!(list, ["a", "c"].into_iter().collect::<NameListBuf>().as_list());
        let mut again = Vec::new();
        list.encode(&mut again);
        assert_eq!(again, b"\0\0\0\x02\0\0\0\x01a\0\0\0\0\0\0\x01c\0\0\0");
    }

    #[test]
    fn maxima_of_the_types() {
        let most = [words(&[MAX_NAMES]), vec![0; 4 * MAX_NAMES as usize]].concat();
        assert_eq!(NameList::read(&mut Reader::new(&most)).map(|l| l.len()), Ok(MAX_NAMES as usize));
        let too_long = Err(Error::TooLong { len: 65_536, max: 65_535 });
        assert_eq!(NameList::read(&mut Reader::new(&words(&[MAX_NAMES + 1]))), too_long);
        let most = [words(&[MAX_PROPERTIES]), vec![0; 8 * MAX_PROPERTIES as usize]].concat();
        assert_eq!(PropList::decode(&most).map(|l| l.len()), Ok(MAX_PROPERTIES as usize));
        assert_eq!(PropList::decode(&words(&[MAX_PROPERTIES + 1])).map(|_| ()), too_long.map(|_| ()));
        let most = [words(&[MAX_IDS]), vec![0; 4 * MAX_IDS as usize]].concat();
        assert_eq!(IdList::read(&mut Reader::new(&most)).map(|l| l.len()), Ok(MAX_IDS as usize));
        let too_long = Err(Error::TooLong { len: MAX_IDS + 1, max: MAX_IDS });
        assert_eq!(IdList::read(&mut Reader::new(&words(&[MAX_IDS + 1]))), too_long);
        let name = [words(&[1, MAX_NAME]), vec![b'x'; 65_536]].concat();
        assert_eq!(NameList::read(&mut Reader::new(&name)).map(|l| l.len()), Ok(1));
        let name = [words(&[1, MAX_NAME + 1]), vec![b'x'; 65_536]].concat();
        assert!(NameList::read(&mut Reader::new(&name)).is_err());
    }

    #[test]
    fn builders_keep_to_the_maxima() {
        let mut names: NameListBuf = std::iter::repeat_n("", MAX_NAMES as usize).collect();
        assert!(!names.push(b"one too many"));
        assert_eq!(names.as_list().len(), MAX_NAMES as usize);
        let mut long = NameListBuf::new();
        assert!(long.push(&[b'x'; 70_000]) && long.push(b"a\0b"));
        let lengths: Vec<_> = long.as_list().iter().map(<[u8]>::len).collect();
        assert_eq!(lengths, [MAX_NAME as usize, 1]);
        let mut props = PropListBuf::new();
        assert!(!props.push(b"p", std::iter::repeat_n("", MAX_NAMES as usize + 1)));
        assert_eq!(props.as_list().get(b"p").map(|values| values.len()), Some(MAX_NAMES as usize));
        while props.push(b"", [""; 0]) {}
        assert_eq!(props.as_list().len(), MAX_PROPERTIES as usize);
        let ids: IdListBuf = (0..MAX_IDS + 1).collect();
        assert_eq!(ids.as_list().len(), MAX_IDS as usize);
    }

    #[test]
    fn get_finds_the_first_property_of_a_name() {
        let props = [Property::new("a", ["1"]), Property::new("b", ["2"]), Property::new("b", ["3"])];
        let list: PropListBuf = props.iter().collect();
        let values = list.as_list().get(b"b").unwrap();
        assert_eq!(values.to_vec(), [b"2".to_vec()]);
        assert_eq!(list.as_list().get(b"c"), None);
    }

    #[test]
    fn debug_does_not_show_values() {
        let props = [Property::new("passwd", ["hidden"])];
        let list: PropListBuf = props.iter().collect();
        let text = format!("{:?} {:?} {:?}", list.as_list(), list.as_list().get(b"passwd"), props);
        assert!(text.contains("passwd") && !text.contains("hidden"), "{text}");
    }
}
