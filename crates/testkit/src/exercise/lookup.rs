//! Decoders of the look-up program.

use std::fmt::Write as _;

use netinfo_wire::lookup::answer::{
    decode_all, decode_find, decode_initgroups, decode_innetgr, decode_records, decode_trace, put_gids,
    put_page, put_records, put_steps, results,
};
use netinfo_wire::lookup::{Answer, Entry, EntryBuf, Procedure, Request};
use netinfo_wire::record::Decoder;
use netinfo_wire::rpc::parse_call;

use super::encoded;

/// Requests and answers: what can be decoded is the same after it was encoded.
pub fn lookup(bytes: &[u8]) {
    for procedure in Procedure::ALL {
        if let Ok(request) = Request::decode(procedure, bytes) {
            call(&request);
        }
    }
    find(bytes);
    page(bytes);
    if let Ok(answer) = decode_initgroups(bytes) {
        let gids = answer.map(|gids| gids.iter().collect::<Vec<_>>());
        let again = encoded(|buf| {
            gids.put_outcome(buf);
            if let Answer::Found(gids) = &gids {
                put_gids(buf, gids);
            }
        });
        assert_eq!(decode_initgroups(&again), Ok(answer));
    }
    if let Ok(answer) = decode_innetgr(bytes) {
        assert_eq!(decode_innetgr(&encoded(|buf| answer.put_outcome(buf))), Ok(answer));
    }
    if let Ok((steps, answer)) = decode_trace(bytes) {
        let list: Vec<_> = steps.iter().collect();
        let mut again = encoded(|buf| put_steps(buf, list.into_iter()));
        put_found(&mut again, &answer);
        assert_eq!(decode_trace(&again), Ok((steps, answer)));
    }
    if let Ok(answer) = decode_records(bytes) {
        let again = encoded(|buf| {
            answer.put_outcome(buf);
            if let Answer::Found((records, more)) = &answer {
                put_records(buf, records.iter().collect::<Vec<_>>().into_iter(), *more);
            }
        });
        assert_eq!(decode_records(&again), Ok(answer));
    }
    let _ = results(bytes, 1);
}

/// The whole call leads back to the request, if all of it may be sent.
fn call(request: &Request<'_>) {
    assert!(request.fits());
    let record = encoded(|buf| request.put_record(buf, 7));
    let mut decoder = Decoder::new(record.len());
    let (_, message) = decoder.next(&record).unwrap_or_else(|e| panic!("{e}"));
    let call = parse_call(message.unwrap_or_default()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((call.xid, call.proc), (7, request.procedure().code()));
    assert_eq!(Request::decode(request.procedure(), call.args).as_ref(), Ok(request));
}

fn put_found(buf: &mut Vec<u8>, answer: &Answer<Entry<'_>>) {
    answer.put_outcome(buf);
    if let Answer::Found(entry) = answer {
        entry.encode(buf);
    }
}

fn find(bytes: &[u8]) {
    let Ok(answer) = decode_find(bytes) else { return };
    let again = encoded(|buf| put_found(buf, &answer));
    assert_eq!(decode_find(&again), Ok(answer));
    if let Answer::Found(entry) = answer {
        let kept = EntryBuf::new(&entry).unwrap_or_else(|| panic!("an entry cannot be kept"));
        assert_eq!(kept.as_entry(), entry);
        walk(&entry);
    }
}

fn page(bytes: &[u8]) {
    let Ok(answer) = decode_all(bytes) else { return };
    let again = encoded(|buf| {
        answer.put_outcome(buf);
        if let Answer::Found(page) = &answer {
            let entries: Vec<_> = page.entries.iter().map(|entry| encoded(|buf| entry.encode(buf))).collect();
            put_page(buf, entries.iter().map(Vec::as_slice), page.next);
        }
    });
    assert_eq!(decode_all(&again), Ok(answer));
}

/// Everything in an entry can be looked at.
fn walk(entry: &Entry<'_>) {
    let mut text = String::new();
    let _ = write!(text, "{entry:?}{}", entry.name().len());
    match entry {
        Entry::Group(group) => assert_eq!(group.members.iter().count(), group.members.len()),
        Entry::Host(host) => assert!(host.addresses.iter().all(|a| matches!(a.len(), 4 | 16))),
        Entry::Netgroup(group) => assert_eq!(group.iter().count() * 3, group.triples.len()),
        Entry::Shadow(shadow) => assert!(shadow.passwd.len() < 8 || !text.contains("passwd: \"")),
        _ => {}
    }
}
