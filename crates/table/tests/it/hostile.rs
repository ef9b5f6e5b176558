//! Bytes that no writer leaves behind.

use netinfo_table::{Builder, Damage, Found, Group, Passwd, Service, Table, Use};
use proptest::prelude::*;

use crate::ask::ask;

#[expect(clippy::unwrap_used, reason = "a few entries make an image")]
fn image() -> Vec<u8> {
    let mut builder = Builder::new();
    for (number, name) in (0..).zip([&b"alice"[..], b"bob", b"carol", b"dave"]) {
        let user = Passwd { name, passwd: b"x", uid: number, aliases: &[b"alias"], ..Passwd::default() };
        builder.passwd(&user, Use::Both);
        let members = &[&b"alice"[..], b"bob"];
        builder.group(&Group { name, passwd: b"*", gid: number, aliases: &[b"alias"], members }, Use::Both);
        builder.groups_of(name, &[number, 7, 8, 9]);
        builder.service(&Service { name, protocol: b"tcp", port: 7, aliases: &[b"alias"] }, Use::Both);
    }
    builder.finish().unwrap()
}

#[test]
fn what_is_cut_off_or_too_long_is_refused() {
    let image = image();
    for length in 0..image.len() {
        assert!(Table::open(&image[..length]).is_err(), "{length} bytes");
    }
    let longer = [&image[..], b"\0"].concat();
    assert_eq!(Table::open(&longer).unwrap_err(), Damage::Length);
    assert!(Table::open(&image).is_ok());
}

#[test]
fn every_changed_bit_is_found_and_none_leads_astray() {
    let image = image();
    for bit in 0..image.len() * 8 {
        let mut changed = image.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(Table::open(&changed).is_err(), "bit {bit}");
        if let Ok(table) = Table::open_unchecked(&changed) {
            ask(&table);
        }
    }
}

#[test]
fn a_page_of_zeros_is_damage_and_not_a_miss() {
    let image = image();
    let slots = u32::from_le_bytes(*image[16 + 12..].first_chunk().unwrap()) as usize;
    let mut zeroed = image.clone();
    zeroed[slots..slots + 64].fill(0);
    let table = Table::open_unchecked(&zeroed).unwrap();
    let names = [&b"alice"[..], b"bob", b"carol", b"dave", b"nobody", b"somebody", b"anybody"];
    let unsure = names.iter().filter(|name| table.passwd_by_name(name) == Found::Unsure).count();
    let missed = names[..4].iter().filter(|name| table.passwd_by_name(name) == Found::Miss).count();
    assert!(unsure > 0);
    assert_eq!(missed, 0);
}

proptest! {
    #[test]
    fn any_bytes_behind_a_plausible_header(
        at in 0usize..2000, bytes in prop::collection::vec(any::<u8>(), 0..200),
        words in prop::collection::vec((0usize..500, prop_oneof![any::<u32>(), 0u32..3000]), 0..12),
    ) {
        let mut image = image();
        for (to, from) in image.iter_mut().skip(at).zip(&bytes) {
            *to = *from;
        }
        for (word, value) in words {
            if let Some(place) = image.get_mut(word * 4..word * 4 + 4) {
                place.copy_from_slice(&value.to_le_bytes());
            }
        }
        let length = image.len() as u32;
        image[4..8].copy_from_slice(&length.to_le_bytes());
        if let Ok(table) = Table::open_unchecked(&image) {
            ask(&table);
        }
    }

    #[test]
    fn any_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(length) = bytes.len().checked_sub(128) {
            bytes[4..8].copy_from_slice(&(length as u32 + 128).to_le_bytes());
        }
        if let Ok(table) = Table::open_unchecked(&bytes) {
            ask(&table);
        }
    }
}
