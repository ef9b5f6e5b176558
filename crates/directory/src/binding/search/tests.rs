//! The search with simulated time and answers.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const POLICY: Policy = Policy {
    answer: SECOND.saturating_mul(2),
    grace: SECOND,
    check: SECOND.saturating_mul(10),
    no_parent: SECOND.saturating_mul(30),
};

fn at(seconds: u64) -> Duration {
    SECOND * u32::try_from(seconds).unwrap()
}

fn candidate(text: &str, via: Via) -> Candidate {
    Candidate { name: text.parse().unwrap(), via }
}

fn answer(text: &str) -> Answer {
    let parent = text.parse().unwrap();
    Answer { parent, here: false, latency: Duration::from_millis(1), above: Vec::new(), loops: None }
}

fn dead() -> Refusal {
    Refusal::Unreachable("no route".into())
}

fn configured(texts: &[&str]) -> Plan {
    vec![Step::Ask(texts.iter().map(|text| candidate(text, Via::Configured)).collect())]
}

fn search(plan: Plan) -> Search {
    let mut search = Search::new(POLICY);
    search.follow(plan);
    search
}

/// Tickets of the questions that are to be asked now, with the names asked.
fn asked(search: &mut Search, now: Duration) -> Vec<(u64, String)> {
    let name = |action| match action {
        Action::Ask(ticket, candidate) => (ticket, candidate.name.to_string()),
        Action::Discover(ticket, via) => (ticket, format!("{via:?}")),
    };
    search.act(now).into_iter().map(name).collect()
}

fn parent(search: &Search) -> Option<String> {
    match search.state() {
        State::Bound(bound) => Some(bound.answer.parent.to_string()),
        _ => None,
    }
}

#[test]
fn without_a_plan_the_domain_is_the_root() {
    let mut search = search(Plan::new());
    assert_eq!(*search.state(), State::Searching);
    assert!(asked(&mut search, at(1)).is_empty());
    assert_eq!(*search.state(), State::Alone(at(1)));
    assert_eq!(search.wake(), None);
}

#[test]
fn the_first_that_answers_is_the_parent() {
    let mut search = search(configured(&["n@10.0.0.1", "n@10.0.0.2"]));
    let questions = asked(&mut search, at(0));
    assert_eq!(
        questions.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(),
        ["n@10.0.0.1", "n@10.0.0.2"]
    );
    assert!(asked(&mut search, at(0)).is_empty(), "asked once");
    search.answered(at(0), questions[1].0, Ok(answer("n@10.0.0.2")));
    assert_eq!(parent(&search), None, "the better one has a second to answer");
    search.answered(at(0), questions[0].0, Err(dead()));
    assert_eq!(parent(&search).as_deref(), Some("n@10.0.0.2"));
    assert_eq!(search.tried(), [(candidate("n@10.0.0.1", Via::Configured), dead())]);
    assert_eq!(search.wake(), Some(at(10)));
}

#[test]
fn a_better_one_that_is_late_loses() {
    let mut search = search(configured(&["n@10.0.0.1", "n@10.0.0.2"]));
    let questions = asked(&mut search, at(0));
    search.answered(at(0), questions[1].0, Ok(answer("n@10.0.0.2")));
    assert_eq!(search.wake(), Some(at(1)));
    search.act(at(1));
    assert_eq!(parent(&search).as_deref(), Some("n@10.0.0.2"));
    search.answered(at(1), questions[0].0, Ok(answer("n@10.0.0.1")));
    assert_eq!(parent(&search).as_deref(), Some("n@10.0.0.2"));
}

#[test]
fn nobody_answers_and_that_is_believed_for_a_while() {
    let mut search = search(configured(&["n@10.0.0.1"]));
    asked(&mut search, at(0));
    search.act(at(2));
    assert_eq!(*search.state(), State::Alone(at(2)));
    assert_eq!(search.tried()[0].1, Refusal::Late);
    assert_eq!(search.wake(), Some(at(32)));
    assert!(asked(&mut search, at(31)).is_empty());
    let questions = asked(&mut search, at(32));
    search.answered(at(33), questions[0].0, Ok(answer("n@10.0.0.1")));
    assert_eq!(parent(&search).as_deref(), Some("n@10.0.0.1"));
}

#[test]
fn a_parent_that_goes_is_replaced() {
    let mut search = search(configured(&["n@10.0.0.1", "n@10.0.0.2"]));
    let questions = asked(&mut search, at(0));
    search.answered(at(0), questions[0].0, Ok(answer("n@10.0.0.1")));
    let check = asked(&mut search, at(10));
    assert_eq!(check.len(), 1);
    search.answered(at(10), check[0].0, Err(dead()));
    assert_eq!(parent(&search), None);
    assert!(search.is_busy(at(10)));
    assert_eq!(
        search.last().unwrap().answer.parent.to_string(),
        "n@10.0.0.1",
        "for those who may use what they kept"
    );
    let questions = asked(&mut search, at(10));
    search.answered(at(10), questions[0].0, Err(dead()));
    search.answered(at(10), questions[1].0, Ok(answer("n@10.0.0.2")));
    assert_eq!(parent(&search).as_deref(), Some("n@10.0.0.2"));
}

#[test]
fn a_parent_that_moves_stays_the_parent() {
    let mut search = search(configured(&["n@boss"]));
    let questions = asked(&mut search, at(0));
    search.answered(at(0), questions[0].0, Ok(answer("n@10.0.0.1")));
    search.refresh(at(1), at(2));
    assert!(asked(&mut search, at(1)).is_empty(), "known well enough");
    search.refresh(at(3), at(2));
    let check = asked(&mut search, at(3));
    search.answered(at(3), check[0].0, Ok(answer("n@10.0.0.9")));
    assert_eq!(parent(&search).as_deref(), Some("n@10.0.0.9"));
}

#[test]
fn other_plans() {
    let mut search = search(configured(&["n@10.0.0.1"]));
    let questions = asked(&mut search, at(0));
    search.answered(at(0), questions[0].0, Ok(answer("n@10.0.0.1")));
    search.follow(configured(&["n@10.0.0.1"]));
    assert!(!search.is_busy(at(1)), "the same plan");
    search.follow(configured(&["n@10.0.0.2", "n@10.0.0.1"]));
    assert!(search.last().is_some());
    search.follow(configured(&["n@10.0.0.2"]));
    assert!(search.last().is_none(), "no longer a candidate");
    let questions = asked(&mut search, at(1));
    assert_eq!(questions.len(), 1);
    search.follow(Plan::new());
    search.act(at(1));
    search.answered(at(1), questions[0].0, Ok(answer("n@10.0.0.2")));
    assert_eq!(*search.state(), State::Alone(at(1)), "an answer to an old question");
}

#[test]
fn ways_to_find_candidates() {
    let mut search = search(vec![Step::Discover(Via::Dns), Step::Discover(Via::Mdns)]);
    let way = asked(&mut search, at(0));
    assert_eq!(way[0].1, "Dns");
    search.found(way[0].0, Vec::new());
    let way = asked(&mut search, at(0));
    assert_eq!(way[0].1, "Mdns");
    search.found(way[0].0, vec![candidate("n@10.0.0.1", Via::Mdns)]);
    let questions = asked(&mut search, at(0));
    search.answered(at(0), questions[0].0, Ok(answer("n@10.0.0.1")));
    assert_eq!(parent(&search).as_deref(), Some("n@10.0.0.1"));
    search.follow(vec![Step::Discover(Via::Mdns)]);
    assert!(search.last().is_some(), "found the same way still");
    asked(&mut search, at(1));
    search.act(at(3));
    assert_eq!(*search.state(), State::Alone(at(3)), "nothing was found in time");
}

#[test]
fn loops() {
    let looping = |mine| Answer { loops: Some(mine), ..answer("n@10.0.0.1") };
    let mut search = search(configured(&["n@10.0.0.1"]));
    let questions = asked(&mut search, at(0));
    search.answered(at(0), questions[0].0, Ok(looping(false)));
    search.act(at(0));
    assert_eq!(*search.state(), State::Alone(at(0)), "whoever would close a loop does not");
    assert_eq!(search.tried()[0].1, Refusal::Loop);

    for (mine, checks) in [(true, 1), (false, LOOP_PATIENCE)] {
        let mut search = self::search(configured(&["n@10.0.0.1"]));
        let questions = asked(&mut search, at(0));
        search.answered(at(0), questions[0].0, Ok(answer("n@10.0.0.1")));
        let mut now = 0;
        for left in (0..checks).rev() {
            now += 10;
            let check = asked(&mut search, at(now));
            search.answered(at(now), check[0].0, Ok(looping(mine)));
            search.act(at(now));
            assert_eq!(parent(&search).is_some(), left > 0, "mine: {mine}, left: {left}");
        }
        assert_eq!(*search.state(), State::Alone(at(now)), "it is not asked again at once");
        assert_eq!(search.tried()[0].1, Refusal::Loop);
        assert!(search.last().is_none());
    }
}

#[test]
fn an_earlier_run_is_remembered() {
    let bound = |text: &str| Bound {
        candidate: candidate(text, Via::Configured),
        answer: answer(text),
        since: at(0),
        checked: at(0),
    };
    for (text, kept) in [("n@10.0.0.1", true), ("n@10.0.0.2", false)] {
        let mut search = Search::new(POLICY);
        search.remember(bound(text));
        search.follow(configured(&["n@10.0.0.1"]));
        asked(&mut search, at(0));
        search.act(at(2));
        assert_eq!(*search.state(), State::Alone(at(2)));
        assert_eq!(search.last().is_some(), kept);
    }
}

#[test]
fn one_member_of_a_loop_ends_it() {
    let members: Vec<Parent> =
        ["n@10.0.0.2", "n@10.0.0.1", "n@10.0.0.3"].map(|text| text.parse().unwrap()).to_vec();
    let ending: Vec<bool> = members.iter().map(|itself| ends_loop(itself, &members)).collect();
    assert_eq!(ending, [false, true, false]);
}

proptest! {
    /// Whatever is answered, and whenever: what is known is known in bounded time, and nobody is the parent who has not said so.
    #[test]
    fn any_answers(
        steps in proptest::collection::vec((0usize..4, proptest::option::of(any::<bool>())), 0..4),
        events in proptest::collection::vec((0u64..4, 0u8..5, any::<prop::sample::Index>()), 0..60),
    ) {
        let mut plan = Plan::new();
        for (number, (count, way)) in steps.iter().enumerate() {
            plan.push(match way {
                Some(true) => Step::Discover(Via::Dns),
                Some(false) => Step::Discover(Via::Mdns),
                None => Step::Ask((0..*count).map(|n| candidate(&format!("n@10.0.{number}.{n}"), Via::Configured)).collect()),
            });
        }
        let worst = POLICY.answer * u32::try_from(2 * plan.len() + 1).unwrap();
        let mut search = search(plan);
        let (mut now, mut open, mut said) = (at(0), Vec::new(), Vec::new());
        for (pause, what, which) in events {
            now += at(pause);
            open.extend(search.act(now));
            prop_assert!(search.wake().is_none_or(|wake| wake > now || search.is_busy(now)));
            if open.is_empty() { continue }
            match (open.swap_remove(which.index(open.len())), what) {
                (Action::Ask(ticket, candidate), 0 | 1) => {
                    let answer = Answer { loops: (what == 1).then_some(true), ..answer(&candidate.name.to_string()) };
                    if what == 0 { said.push(answer.parent.clone()) }
                    search.answered(now, ticket, Ok(answer));
                }
                (Action::Ask(ticket, _), 2 | 3) => search.answered(now, ticket, Err(dead())),
                (Action::Discover(ticket, via), 0..3) => {
                    search.found(ticket, vec![candidate(&format!("n@10.1.0.{what}"), via)]);
                }
                _ => {}
            }
            if let State::Bound(bound) = search.state() {
                prop_assert!(said.contains(&bound.answer.parent));
            }
        }
        // Nobody says anything any more.
        let begin = now;
        while *search.state() == State::Searching {
            search.act(now);
            prop_assert!(now <= begin + worst);
            now = search.wake().unwrap_or(now).max(now);
        }
    }
}
