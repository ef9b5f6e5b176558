//! The order of properties: attributes and meta-attributes are stored apart, and a private list says how they mix.

use super::datum::Datum;
use super::stored::{Attribute, ORDER_KEY, Properties, StoredRecord};

/// One property as it is stored: whether it is a meta-attribute, and it.
pub(crate) type Part<'a> = (bool, &'a Attribute);

/// The attributes and meta-attributes in the order that NetInfo shows, and whether a list of the order is there that
/// makes no sense.
pub(crate) fn ordered(record: &StoredRecord) -> (Vec<Part<'_>>, bool) {
    let metas = record.metas.iter().filter(|meta| !meta.is_order()).map(|meta| (true, meta));
    let stored: Vec<Part<'_>> =
        record.attributes.iter().map(|attribute| (false, attribute)).chain(metas).collect();
    let Some(order) = record.metas.iter().find(|meta| meta.is_order()) else { return (stored, false) };
    let Some(places) = permutation(order, stored.len()) else { return (stored, true) };
    let mut ordered: Vec<_> = places.into_iter().zip(stored).collect();
    ordered.sort_by_key(|(place, _)| *place);
    (ordered.into_iter().map(|(_, part)| part).collect(), false)
}

/// The NetInfo name of a property.
pub(crate) fn name((meta, attribute): Part<'_>) -> Vec<u8> {
    let key = attribute.key.bytes();
    if meta { [b"_", &*key].concat() } else { key.into_owned() }
}

/// The properties in the order that NetInfo shows.
pub(crate) fn properties(record: &StoredRecord) -> Properties {
    let values =
        |attribute: &Attribute| attribute.values.iter().map(|value| value.bytes().into_owned()).collect();
    ordered(record).0.into_iter().map(|part| (name(part), values(part.1))).collect()
}

/// The places that an order list gives to `count` properties, if it is a permutation.
fn permutation(order: &Attribute, count: usize) -> Option<Vec<usize>> {
    if order.values.len() != count {
        return None;
    }
    let mut taken = vec![false; count];
    let place = |value: &Datum| {
        let place = usize::try_from(value.number()?).ok()?;
        let taken = taken.get_mut(place)?;
        (!std::mem::replace(taken, true)).then_some(place)
    };
    order.values.iter().map(place).collect()
}

/// An attribute of texts for a property of this NetInfo name, and whether it is a meta-attribute.
pub(crate) fn part(name: &[u8], values: &[Vec<u8>]) -> (bool, Attribute) {
    match name.strip_prefix(b"_") {
        Some(key) => (true, Attribute::text(key, values)),
        None => (false, Attribute::text(name, values)),
    }
}

/// Makes these the attributes and meta-attributes, with a list of their order where it is needed: when a property
/// without an underscore comes after one that has it.
pub(crate) fn set_ordered(record: &mut StoredRecord, parts: Vec<(bool, Attribute)>) {
    record.attributes.clear();
    record.metas.clear();
    let (mut places, mut meta_places) = (Vec::new(), Vec::new());
    let mut mixed = false;
    for (place, (meta, attribute)) in (0..).zip(parts) {
        if meta {
            record.metas.push(attribute);
            meta_places.push(Datum::integer(place));
        } else {
            record.attributes.push(attribute);
            mixed |= !meta_places.is_empty();
            places.push(Datum::integer(place));
        }
    }
    if mixed {
        places.append(&mut meta_places);
        record.metas.push(Attribute { key: Datum::text(ORDER_KEY), values: places });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(name: &str) -> (Vec<u8>, Vec<Vec<u8>>) {
        (name.into(), vec![name.to_uppercase().into()])
    }

    fn order(record: &StoredRecord) -> Option<Vec<i128>> {
        let list = record.metas.iter().find(|meta| meta.is_order())?;
        list.values.iter().map(Datum::number).collect()
    }

    #[test]
    fn the_list_is_there_only_where_it_is_needed() {
        let plain = StoredRecord::with_properties(&["name", "uid", "_writers"].map(property));
        assert_eq!(order(&plain), None);
        assert_eq!(plain.attributes.len(), 2);
        assert_eq!(*plain.metas[0].key.bytes(), *b"writers");
        let mixed = StoredRecord::with_properties(&["_writers_passwd", "name", "uid"].map(property));
        assert_eq!(order(&mixed), Some(vec![1, 2, 0]));
    }

    #[test]
    fn any_order_comes_back() {
        for names in [&["a", "_b", "c", "_d", "e"][..], &["_a", "_b"], &["__a", "b"], &[], &["_", "x"]] {
            let properties: Vec<_> = names.iter().map(|name| property(name)).collect();
            assert_eq!(StoredRecord::with_properties(&properties).properties(), properties);
        }
    }

    #[test]
    fn a_list_that_is_no_permutation_is_ignored() {
        let record = StoredRecord::with_properties(&["_a", "b", "_c"].map(property));
        for places in [&[0, 1][..], &[0, 0, 1], &[0, 1, 3], &[0, 1, -1], &[0, 1, 2, 3]] {
            let mut broken = record.clone();
            let list = broken.metas.last_mut().unwrap();
            list.values = places.iter().map(|place| Datum::integer(*place)).collect();
            let (properties, wrong) = (properties(&broken), ordered(&broken).1);
            assert!(wrong, "{places:?}");
            let names: Vec<_> = properties.iter().map(|(name, _)| name.as_slice()).collect();
            assert_eq!(names, [b"b".as_slice(), b"_a", b"_c"]);
        }
    }
}
