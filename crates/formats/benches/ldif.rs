//! Entries of an export, read and written.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netinfo_formats::ldif::{Item, Reader, Writer};

const ENTRIES: u32 = 10_000;

/// Users of about 600 bytes each, with what an export of another server has: operational attributes, base64, folding.
fn export() -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..ENTRIES {
        let lines = format!(
            "dn: uid=user{number:07},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\n\
             objectClass: posixAccount\nobjectClass: shadowAccount\nuid: user{number:07}\ncn: User Number {number}\n\
             sn:: TsO8bWJlcg==\ngivenName: User\nmail: user{number:07}@example.com\nuidNumber: {number}\n\
             gidNumber: 100\nhomeDirectory: /home/user{number:07}\nloginShell: /bin/bash\n\
             userPassword:: e1NTSEF9NFA1UGMvTTd6Y3F5V0M0bW9YL0l4ZUlYN05ZQUFRSURCQVVHQnc9PQ==\n\
             description: an account that was made for measurements, which is why it has a lin\n e that is folded\n\
             structuralObjectClass: inetOrgPerson\nentryUUID: 7c3e1a52-0000-4000-8000-0000{number:08}\n\
             createTimestamp: 20260101000000Z\nmodifyTimestamp: 20260101000000Z\n\n"
        );
        text.extend_from_slice(lines.as_bytes());
    }
    text
}

fn ldif(criterion: &mut Criterion) {
    let text = export();
    let mut group = criterion.benchmark_group("ldif");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            let mut reader = Reader::new(&text[..]);
            let mut bytes = 0;
            while let Some(item) = reader.next() {
                let Ok(Item::Entry(entry)) = item else { panic!("not an entry") };
                bytes += entry.attributes.map(|(name, value)| name.len() + value.len()).sum::<usize>();
            }
            black_box(bytes)
        });
    });
    group.bench_function("copy", |bencher| {
        bencher.iter(|| {
            let mut reader = Reader::new(&text[..]);
            let mut writer = Writer::new(Vec::with_capacity(text.len()));
            while let Some(item) = reader.next() {
                writer.item(&item.unwrap()).unwrap();
            }
            writer.finish().unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, ldif);
criterion_main!(benches);
