//! Damage to the value index and the stamps is found and repaired.

use netinfo_directory::ROOT;

use crate::damage::damaged;
use crate::support::Fixture;

#[test]
fn a_wrong_value_index() {
    for table in ["values", "pieces"] {
        damaged(&["values"], |raw, txn, _| {
            let (key, _) = raw.dump(txn, table).swap_remove(2);
            raw.delete(txn, table, &key);
        })
        .unchanged();
        damaged(&["values"], |raw, txn, e| {
            let (key, _) = raw.dump(txn, table).swap_remove(2);
            raw.put(txn, table, &key, &(e.users as u16).to_le_bytes());
        })
        .unchanged();
        damaged(&["values"], |raw, txn, _| {
            let (mut key, set) = raw.dump(txn, table).swap_remove(2);
            // Another chunk, which no directory belongs to.
            if table == "pieces" {
                key[0] = 1;
            } else {
                *key.last_mut().unwrap() = 1;
            }
            raw.put(txn, table, &key, &set);
        })
        .unchanged();
    }
}

/// Notes about pending entries: for no directory, that cannot be read, damaged.
#[test]
fn wrong_notes() {
    let note = |object: u32, hashes: &[u32]| {
        let mut note = object.to_le_bytes().to_vec();
        note.extend((hashes.len() as u16).to_le_bytes());
        note.extend(u32::MAX.to_le_bytes());
        note.extend(hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        note
    };
    let block = |notes: Vec<u8>| [&crc32c::crc32c(&notes).to_le_bytes()[..], &notes].concat();
    damaged(&["pending"], |raw, txn, _| {
        raw.put(txn, "pending", &0u32.to_be_bytes(), &block(note(9000, &[])));
    })
    .unchanged();
    damaged(&["pending"], |raw, txn, e| {
        let mut note = note(e.users, &[1, 2]);
        note[6..10].copy_from_slice(&1u32.to_le_bytes());
        raw.put(txn, "pending", &0u32.to_be_bytes(), &block([note, vec![0]].concat()));
    })
    .unchanged();
    damaged(&["pending"], |raw, txn, _| {
        let mut bytes = block(note(9000, &[]));
        bytes[7] ^= 1;
        raw.put(txn, "pending", &0u32.to_be_bytes(), &bytes);
    })
    .unchanged();
}

#[test]
fn wrong_stamps() {
    for (table, at) in [("uuids", 3), ("times", 0), ("stamps", 10)] {
        damaged(&["stamp"], |raw, txn, _| {
            let (key, _) = raw.dump(txn, table).swap_remove(1);
            raw.delete(txn, table, &key);
        })
        .unchanged();
        damaged(&["stamp"], |raw, txn, _| {
            let (mut key, mut value) = raw.dump(txn, table).swap_remove(1);
            match value.get_mut(at) {
                Some(byte) => *byte ^= 1,
                None => key[11] ^= 0x40,
            }
            raw.put(txn, table, &key, &value);
        })
        .unchanged();
    }
    damaged(&["stamp"], |raw, txn, _| {
        let stamp = raw.get(txn, "stamps", &ROOT.to_be_bytes());
        raw.put(txn, "stamps", &9000u32.to_be_bytes(), &stamp);
    })
    .unchanged();
}

/// Stamps outlast the repair of something else; one that cannot be read is lost alone.
#[test]
fn stamps_outlast_a_repair() {
    let uuids = |f: &Fixture, objects: [u32; 3]| {
        let view = f.domain.read(&f.root).unwrap();
        objects.map(|object| view.stamp(object).unwrap().uuid)
    };
    let mut before = None;
    let r = damaged(&["index", "stamp"], |raw, txn, e| {
        let uuid = |object: u32| raw.get(txn, "stamps", &object.to_be_bytes())[4..20].to_vec();
        before = Some(([e.users, e.alice, e.bob], [e.users, e.alice, e.bob].map(uuid)));
        let (key, _) = raw.dump(txn, "index").swap_remove(2);
        raw.delete(txn, "index", &key);
        raw.put(txn, "stamps", &e.bob.to_be_bytes(), b"not a stamp");
    });
    let (objects, before) = before.unwrap();
    let after = uuids(&r.f, objects);
    assert_eq!((after[0].to_vec(), after[1].to_vec()), (before[0].clone(), before[1].clone()));
    assert_ne!(after[2].to_vec(), before[2]);
    assert_eq!(after[2][6] >> 4, 8, "derived");
    let view = r.f.domain.read(&r.f.root).unwrap();
    for (object, uuid) in objects.into_iter().zip(after) {
        assert_eq!(view.by_uuid(uuid).unwrap(), Some(object));
    }
}
