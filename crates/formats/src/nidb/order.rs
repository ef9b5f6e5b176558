//! The order of properties: attributes and meta-attributes are stored apart, and a private list says how they mix.

use super::datum::Datum;
use super::stored::{Attribute, ORDER_KEY, Properties, StoredRecord};

/// The properties in the order that NetInfo shows, and whether a list of the order is there that makes no sense.
pub(crate) fn properties(record: &StoredRecord) -> (Properties, bool) {
    let metas = record.metas.iter().filter(|meta| !meta.is_order());
    let stored: Properties = record
        .attributes
        .iter()
        .map(|attribute| (attribute.key.bytes().into_owned(), values(attribute)))
        .chain(metas.map(|meta| ([b"_", &*meta.key.bytes()].concat(), values(meta))))
        .collect();
    let Some(order) = record.metas.iter().find(|meta| meta.is_order()) else { return (stored, false) };
    let Some(places) = permutation(order, stored.len()) else { return (stored, true) };
    let mut ordered: Vec<_> = places.into_iter().zip(stored).collect();
    ordered.sort_by_key(|(place, _)| *place);
    (ordered.into_iter().map(|(_, property)| property).collect(), false)
}

fn values(attribute: &Attribute) -> Vec<Vec<u8>> {
    attribute.values.iter().map(|value| value.bytes().into_owned()).collect()
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

/// Splits properties into attributes and meta-attributes, with a list of their order where it is needed: when a
/// property without an underscore comes after one that has it.
pub(crate) fn set_properties(record: &mut StoredRecord, properties: &[(Vec<u8>, Vec<Vec<u8>>)]) {
    record.attributes.clear();
    record.metas.clear();
    let (mut places, mut meta_places) = (Vec::new(), Vec::new());
    let mut mixed = false;
    for (place, (name, values)) in (0..).zip(properties) {
        match name.strip_prefix(b"_") {
            Some(key) => {
                record.metas.push(Attribute::text(key, values));
                meta_places.push(Datum::integer(place));
            }
            None => {
                record.attributes.push(Attribute::text(name, values));
                mixed |= !meta_places.is_empty();
                places.push(Datum::integer(place));
            }
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
            let (properties, wrong) = properties(&broken);
            assert!(wrong, "{places:?}");
            let names: Vec<_> = properties.iter().map(|(name, _)| name.as_slice()).collect();
            assert_eq!(names, [b"b".as_slice(), b"_a", b"_c"]);
        }
    }
}
