//! Records of the modern layout.

use super::datum::Datum;
use super::order;

/// Name of the private meta-attribute that tells the order of properties.
pub const ORDER_KEY: &[u8] = b"ni_attribute_order";

/// Properties with their values, in the order that NetInfo shows.
pub type Properties = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// One attribute or meta-attribute of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name; that of a meta-attribute is without the underscore that NetInfo shows.
    pub key: Datum,
    /// Its values.
    pub values: Vec<Datum>,
}

impl Attribute {
    /// An attribute of texts.
    pub fn text<V: AsRef<[u8]>>(key: &[u8], values: impl IntoIterator<Item = V>) -> Self {
        Self {
            key: Datum::text(key),
            values: values.into_iter().map(|value| Datum::text(value.as_ref())).collect(),
        }
    }

    /// Whether it is the list of the order of properties.
    pub fn is_order(&self) -> bool {
        self.key.is_text() && *self.key.bytes() == *ORDER_KEY
    }
}

/// A directory as the modern layout stores it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredRecord {
    /// Id of the directory; the root is 0.
    pub id: u32,
    /// Instance number: how often it was saved.
    pub serial: u32,
    /// Version of the database that its last change made.
    pub version: u32,
    /// Id of its parent; the root is its own.
    pub parent: u32,
    /// Ids of its children, in order.
    pub children: Vec<u32>,
    /// Properties whose NetInfo name does not begin with an underscore.
    pub attributes: Vec<Attribute>,
    /// The others; `ni_attribute_order`, if it is there, is one of them.
    pub metas: Vec<Attribute>,
}

impl StoredRecord {
    /// A record with these properties, not stored yet.
    pub fn with_properties(properties: &[(Vec<u8>, Vec<Vec<u8>>)]) -> Self {
        let mut record = Self::default();
        record.set_properties(properties);
        record
    }

    /// The properties in the order that NetInfo shows, as bytes.
    pub fn properties(&self) -> Properties {
        order::properties(self)
    }

    /// Replaces all properties, with a list of their order if it is needed. Everything becomes text of type 6.
    pub fn set_properties(&mut self, properties: &[(Vec<u8>, Vec<Vec<u8>>)]) {
        order::set_ordered(self, properties.iter().map(|(name, values)| order::part(name, values)).collect());
    }

    /// Drops the list of the order of properties, as `nicl -raw` does when it edits a record.
    pub fn drop_order(&mut self) {
        self.metas.retain(|meta| !meta.is_order());
    }

    /// The first attribute whose key matches, or meta-attribute if `meta`. `key` is without the underscore.
    pub fn attribute(&self, meta: bool, key: &[u8]) -> Option<&Attribute> {
        let key = Datum::text(key);
        let list = if meta { &self.metas } else { &self.attributes };
        list.iter().find(|attribute| attribute.key.matches(&key))
    }

    /// The first property with this NetInfo name.
    pub fn property(&self, name: &[u8]) -> Option<&Attribute> {
        match name.strip_prefix(b"_") {
            Some(key) => self.attribute(true, key),
            None => self.attribute(false, name),
        }
    }
}
