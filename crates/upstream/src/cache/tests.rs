use netinfo_directory::Property;
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn policy() -> Policy {
    Policy { time_to_live: 100, negative_time: 10, offline_time: 1000, ..Policy::default() }
}

fn question(key: &str, value: &str) -> Question {
    Question { table: Table::Users, key: key.into(), value: value.into() }
}

fn user(id: u64, name: &str, uid: &str) -> Item {
    Item::new(id, vec![Property::new("name", [name]), Property::new("uid", [uid])])
}

fn names(known: &Known) -> (&'static str, Vec<String>) {
    let (word, items) = match known {
        Known::Fresh(items) => ("fresh", items),
        Known::Stale(items) => ("stale", items),
        Known::Nothing => return ("nothing", Vec::new()),
    };
    let name = |item: &Arc<Item>| String::from_utf8_lossy(item.first(b"name").unwrap()).into_owned();
    (word, items.iter().map(name).collect())
}

#[test]
fn answers_are_fresh_then_stale_then_gone() {
    let mut cache = Cache::default();
    cache.answered(question("name", "jane"), vec![user(5, "jane", "501")], None, NOW);
    cache.answered(question("name", "nobody"), vec![], None, NOW);
    let at = |after: u64, name: &str| names(&cache.find(&question("name", name), NOW + after, &policy())).0;
    assert_eq!(
        [0, 99, 100, 999, 1000].map(|t| at(t, "jane")),
        ["fresh", "fresh", "stale", "stale", "nothing"]
    );
    assert_eq!(
        [0, 9, 10, 999, 1000].map(|t| at(t, "nobody")),
        ["fresh", "fresh", "stale", "stale", "nothing"]
    );
    assert_eq!(at(0, "bob"), "nothing");
    // The clock was set back.
    let back = cache.find(&question("name", "jane"), NOW - 5000, &policy());
    assert_eq!(names(&back).0, "stale");
}

#[test]
fn the_stamp_makes_answers_fresh_again() {
    let mut cache = Cache::default();
    cache.answered(question("name", "jane"), vec![user(5, "jane", "501")], Some(7), NOW);
    let state = |cache: &Cache| names(&cache.find(&question("name", "jane"), NOW + 500, &policy())).0;
    assert_eq!(state(&cache), "stale");
    cache.stamped(Some(7), NOW + 490);
    assert_eq!(state(&cache), "fresh");
    assert_eq!(cache.recent_stamp(NOW + 491, 2), Some(7));
    assert_eq!(cache.recent_stamp(NOW + 492, 2), None);
    cache.stamped(Some(8), NOW + 490);
    assert_eq!(state(&cache), "stale");
}

#[test]
fn a_listing_answers_every_question_about_its_table() {
    let mut cache = Cache::default();
    let all = vec![user(1, "jane", "501"), user(2, "bob", "502"), user(3, "eve", "502")];
    cache.listed(Table::Users, all.clone(), true, None, NOW);
    let find = |cache: &Cache, key, value| names(&cache.find(&question(key, value), NOW + 1, &policy()));
    assert_eq!(find(&cache, "uid", "502"), ("fresh", vec!["bob".into(), "eve".into()]));
    assert_eq!(find(&cache, "name", "nobody"), ("fresh", vec![]));
    assert_eq!(find(&cache, "realname", "x"), ("fresh", vec![]));
    assert_eq!(names(&cache.list(Table::Users, NOW + 200, &policy())).0, "stale");
    // One that is cut says nothing about who is not in it.
    cache.listed(Table::Users, all, false, None, NOW);
    assert_eq!(find(&cache, "name", "zoe").0, "nothing");
    assert_eq!(names(&cache.list(Table::Users, NOW, &policy())).1.len(), 3);
}

#[test]
fn scraps_are_found_by_other_keys() {
    let mut cache = Cache::default();
    cache.answered(question("name", "jane"), vec![user(5, "jane", "501")], None, NOW);
    cache.answered(question("uid", "77"), vec![user(5, "jane", "77")], None, NOW - 10);
    assert_eq!(cache.scraps(&question("uid", "501"), NOW, &policy()).len(), 1);
    assert_eq!(cache.scraps(&question("uid", "9"), NOW, &policy()).len(), 0);
    assert_eq!(cache.scraps(&question("uid", "501"), NOW + 1000, &policy()).len(), 0);
}

#[test]
fn who_has_changed_is_asked_for_anew_and_told_meanwhile() {
    let mut cache = Cache::default();
    cache.answered(question("name", "jane"), vec![user(5, "jane", "501")], Some(7), NOW);
    cache.answered(question("name", "bob"), vec![user(6, "bob", "502")], Some(7), NOW);
    cache.listed(Table::Users, vec![user(5, "jane", "501")], true, Some(7), NOW);
    cache.stamped(Some(7), NOW);
    cache.outdate_user(b"jane");
    let find =
        |cache: &Cache, key: &str, value: &str| names(&cache.find(&question(key, value), NOW, &policy()));
    assert_eq!(find(&cache, "name", "jane"), ("stale", vec!["jane".into()]));
    assert_eq!(find(&cache, "name", "bob").0, "fresh");
    assert_eq!(cache.stamp_of(&question("name", "jane")), None);
    assert_eq!(names(&cache.list(Table::Users, NOW, &policy())).0, "stale");
    cache.answered(question("name", "jane"), vec![user(5, "jane", "501")], Some(8), NOW);
    assert_eq!(find(&cache, "name", "jane").0, "fresh");
}

#[test]
fn the_oldest_answers_go_first() {
    let mut cache = Cache::default();
    for n in 0..MAX_ANSWERS as u64 + 10 {
        cache.answered(question("name", &n.to_string()), vec![], None, NOW + n);
    }
    assert!(cache.answers.len() <= MAX_ANSWERS);
    let last = question("name", &(MAX_ANSWERS + 9).to_string());
    assert!(cache.answers.contains_key(&last) && !cache.answers.contains_key(&question("name", "0")));
}

#[test]
fn large_records_are_not_kept_beyond_the_limit() {
    let mut cache = Cache::default();
    let large = |n: u64| Item::new(n, vec![Property::new("name", vec!["x".repeat(60_000); 200])]);
    let counted = |cache: &mut Cache| {
        let bytes = cache.bytes;
        cache.count();
        assert_eq!(cache.bytes, bytes);
        bytes.0 + bytes.1
    };
    for n in 0..8 {
        cache.answered(question("name", &(n % 7).to_string()), vec![large(n)], None, NOW + n);
        assert!(counted(&mut cache) <= MAX_BYTES);
    }
    assert!(cache.answers.len() > 2 && !cache.answers.contains_key(&question("name", "1")));
    cache.listed(Table::Users, (0..3).map(large).collect(), true, None, NOW);
    assert!(counted(&mut cache) <= MAX_BYTES && cache.lists.len() == 1);
    cache.listed(Table::Groups, (0..6).map(large).collect(), true, None, NOW);
    assert!(counted(&mut cache) <= MAX_BYTES);
}

#[test]
fn whatever_is_remembered_can_be_read_again() {
    let (long, many) = (vec![b'x'; 70_000], vec![Vec::new(); (1 << 20) + 1]);
    let properties = vec![
        Property::new("name", ["ana"]),
        Property { name: b"description".to_vec(), values: vec![long] },
        Property { name: b"users".to_vec(), values: many },
    ];
    let mut cache = Cache::default();
    cache.answered(question("name", "ana"), vec![Item::new(1, properties)], None, NOW);
    assert_eq!(cache.len(), 1, "it is within the limits");
    let mut bytes = Vec::new();
    cache.encode(&mut bytes);
    assert_eq!(Cache::decode(&bytes).unwrap().answers, cache.answers);
}

fn any_item() -> impl Strategy<Value = Item> {
    let property = ("[a-z]{1,8}", prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..4));
    let property = property.prop_map(|(name, values)| Property { name: name.into_bytes(), values });
    (any::<u64>(), prop::collection::vec(property, 0..5)).prop_map(|(id, list)| Item::new(id, list))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        answers in prop::collection::vec(("[a-z]{1,4}", "[a-z0-9]{0,6}", prop::collection::vec(any_item(), 0..3)), 0..8),
        list in prop::collection::vec(any_item(), 0..6),
        stamp in any::<Option<u64>>(),
        complete in any::<bool>(),
    ) {
        let mut cache = Cache::default();
        for (key, value, items) in answers {
            cache.answered(question(&key, &value), items, stamp, NOW);
        }
        cache.listed(Table::Groups, list, complete, stamp, NOW);
        cache.stamped(stamp, NOW);
        let mut bytes = Vec::new();
        cache.encode(&mut bytes);
        let read = Cache::decode(&bytes).unwrap();
        prop_assert_eq!((&read.answers, &read.lists, read.stamp), (&cache.answers, &cache.lists, cache.stamp));
    }

    #[test]
    fn anything_else_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Cache::decode(&bytes);
    }
}
