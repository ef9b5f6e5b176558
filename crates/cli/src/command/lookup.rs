//! `lookup`: what a look-up on this machine finds, and how.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use clap::Args;
use netinfo_wire::lookup::answer::{decode_find, decode_initgroups, decode_trace};
use netinfo_wire::lookup::{Answer, Category, Entry, Key, Query, Request};
use serde_json::{Value, json};

use super::lookup_text::{json_entry, text_entry};
use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::output::{safe, table};

/// How long the daemon may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `lookup`.
#[derive(Debug, Args)]
#[command(after_help = KEYS)]
pub(crate) struct Lookup {
    /// passwd, shadow, group, initgroups, hosts, networks, services, protocols, rpc, ethers, aliases, or netgroup
    category: String,
    /// What to look up; without it, everything is listed
    key: Option<Text>,
    /// Show which domain was asked what, and how long that took
    #[arg(long, requires = "key")]
    trace: bool,
}

const KEYS: &str = "\
KEY is a name; a number for passwd, shadow, group, protocols and rpc; an address for hosts,
networks and ethers; NAME/PROTOCOL, PORT or PORT/PROTOCOL for services; a user for initgroups.
shadow is for root. The exit code is 3 if nothing is found.";

/// What a category of the command line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Entries(Category),
    /// The groups of a user.
    Initgroups,
}

impl Asked {
    /// By the name in `nsswitch.conf`, or the one that the historical look-up daemon has.
    fn parse(text: &str) -> Result<Self> {
        let category = match text {
            "initgroups" | "initgroup" => return Ok(Self::Initgroups),
            "user" => Some(Category::Passwd),
            "host" => Some(Category::Host),
            "network" => Some(Category::Network),
            "service" => Some(Category::Service),
            "protocol" => Some(Category::Protocol),
            "ethernet" => Some(Category::Ether),
            "alias" => Some(Category::Alias),
            _ => Category::ALL.into_iter().find(|category| category.name() == text),
        };
        category.map(Self::Entries).ok_or_else(|| {
            let names: Vec<_> = Category::ALL.iter().map(|category| category.name()).collect();
            let text = safe(text.as_bytes());
            Failure::usage(format!("\"{text}\" is none of {}, initgroups", names.join(", ")))
        })
    }
}

/// A trace as it is shown: source, question and outcome, nanoseconds.
type Account = Vec<(String, String, u32)>;

/// Looks something up.
pub(crate) fn lookup(context: &mut Context, args: &Lookup) -> Result<Exit> {
    match (Asked::parse(&args.category)?, &args.key) {
        (Asked::Initgroups, Some(user)) if !args.trace => initgroups(context, &user.0),
        (Asked::Initgroups, Some(_)) => Err(Failure::usage("--trace is for single entries")),
        (Asked::Initgroups, None) => Err(Failure::usage("say whose groups to look up")),
        (Asked::Entries(category), Some(key)) => one(context, category, &key.0, args.trace),
        (Asked::Entries(Category::Netgroup), None) => {
            Err(Failure::usage("netgroups cannot be listed; say which one to look up"))
        }
        (Asked::Entries(category), None) => all(context, category),
    }
}

/// Looks up one entry.
fn one(context: &mut Context, category: Category, text: &[u8], trace: bool) -> Result<Exit> {
    let parsed = Parsed::of(category, text);
    let query = Query { category, key: parsed.key() };
    let request = if trace { Request::Trace(query) } else { Request::Find(query) };
    if !request.fits() {
        return Ok(Exit::NotFound);
    }
    let began = Instant::now();
    let mut account = None;
    let json = context.out.json;
    let show = |entry: Entry<'_>| {
        if json { (String::new(), json_entry(&entry)) } else { (text_entry(&entry), Value::Null) }
    };
    let mut lookups = context.lookups(PATIENCE)?;
    let answer = lookups.ask(&request, |results| {
        if !trace {
            return Ok(decode_find(results)?.map(show));
        }
        let (steps, answer) = decode_trace(results)?;
        let lines = steps.iter().map(|step| (safe(step.source), safe(step.outcome), step.nanos));
        account = Some(lines.collect::<Account>());
        Ok(answer.map(show))
    });
    let answer = answer.when(|| format!("look up \"{}\"", safe(text)))?;
    let took = began.elapsed();
    let (text, value, exit) = match found(answer, text)? {
        Some((text, value)) => (text, value, Exit::Ok),
        None => (String::new(), Value::Null, Exit::NotFound),
    };
    context.out.either(
        || account.as_ref().map(|account| text_account(account, took)).unwrap_or_default() + &text,
        || match &account {
            Some(account) => {
                json!({ "entry": value, "trace": json_account(account), "nanoseconds": nanos(took) })
            }
            None => value.clone(),
        },
    )?;
    Ok(exit)
}

/// What was found, or nothing; anything else is a failure.
fn found<T>(answer: Answer<T>, what: &[u8]) -> Result<Option<T>> {
    let what = safe(what);
    Err(match answer {
        Answer::Found(found) => return Ok(Some(found)),
        Answer::NotFound => return Ok(None),
        Answer::TryAgain => {
            Failure::new(format!("\"{what}\" cannot be looked up now: a domain does not answer"))
                .with_exit(Exit::Unreachable)
        }
        Answer::Refused => {
            Failure::new(format!("\"{what}\" is for the superuser only")).with_exit(Exit::Denied)
        }
        Answer::TooLarge => Failure::new(format!("\"{what}\" has more members than an answer may hold")),
    })
}

/// Lists all entries of a category.
fn all(context: &mut Context, category: Category) -> Result<Exit> {
    let json = context.out.json;
    let (mut text, mut values) = (String::new(), Vec::new());
    let mut lookups = context.lookups(PATIENCE)?;
    let answer = lookups
        .all(category, |entry| match json {
            true => values.push(json_entry(&entry)),
            false => text += &text_entry(&entry),
        })
        .when(|| format!("list {}", category.name()))?;
    let exit = match found(answer, category.name().as_bytes())? {
        Some(()) => Exit::Ok,
        None => Exit::NotFound,
    };
    context.out.either(|| text, || Value::Array(values))?;
    Ok(exit)
}

/// Shows the groups of a user.
fn initgroups(context: &mut Context, user: &[u8]) -> Result<Exit> {
    let request = Request::Initgroups(user);
    if !request.fits() {
        return Ok(Exit::NotFound);
    }
    let mut lookups = context.lookups(PATIENCE)?;
    let answer = lookups
        .ask(&request, |results| Ok(decode_initgroups(results)?.map(|gids| gids.iter().collect::<Vec<_>>())))
        .when(|| format!("look up the groups of \"{}\"", safe(user)))?;
    let Some(gids) = found(answer, user)? else { return Ok(Exit::NotFound) };
    let text = || gids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    context.out.either(
        || format!("{} {}\n", safe(user), text()),
        || json!({ "user": crate::output::json_bytes(user), "gids": gids }),
    )?;
    Ok(Exit::Ok)
}

/// A key as it was written.
#[derive(Debug, PartialEq, Eq)]
enum Parsed<'t> {
    Name(&'t [u8]),
    Number(u32),
    Address(Vec<u8>),
    Service(&'t [u8], &'t [u8]),
    Port(u16, &'t [u8]),
}

impl<'t> Parsed<'t> {
    fn of(category: Category, text: &'t [u8]) -> Self {
        let words = str::from_utf8(text).unwrap_or_default();
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let number = || words.parse().ok().filter(|_| digits(words)).map(Self::Number);
        let parsed = match category {
            Category::Passwd | Category::Shadow | Category::Group | Category::Protocol | Category::Rpc => {
                number()
            }
            Category::Host => words.parse().ok().map(|address| {
                Self::Address(match address {
                    IpAddr::V4(v4) => v4.octets().to_vec(),
                    IpAddr::V6(v6) => v6.octets().to_vec(),
                })
            }),
            Category::Network => network(words).map(Self::Number),
            Category::Ether => ethernet(words).map(Self::Address),
            Category::Service => {
                let at = text.iter().rposition(|b| *b == b'/').unwrap_or(text.len());
                let (name, protocol) = (&text[..at], text.get(at + 1..).unwrap_or_default());
                let port = str::from_utf8(name).ok().filter(|name| digits(name)).and_then(|n| n.parse().ok());
                Some(port.map_or(Self::Service(name, protocol), |port| Self::Port(port, protocol)))
            }
            Category::Alias | Category::Netgroup => None,
        };
        parsed.unwrap_or(Self::Name(text))
    }

    fn key(&self) -> Key<'_> {
        match self {
            Self::Name(name) => Key::Name(name),
            Self::Number(number) => Key::Number(*number),
            Self::Address(address) => Key::Address(address),
            Self::Service(name, protocol) => Key::Service { name, protocol },
            Self::Port(port, protocol) => Key::Port { port: *port, protocol },
        }
    }
}

/// A network number of one to four parts; those that are missing are zero.
fn network(text: &str) -> Option<u32> {
    let mut octets = [0; 4];
    for (i, part) in text.split('.').enumerate() {
        *octets.get_mut(i)? = part.parse().ok()?;
    }
    Some(u32::from_be_bytes(octets))
}

/// Six octets in hexadecimal between colons.
fn ethernet(text: &str) -> Option<Vec<u8>> {
    let octets: Option<Vec<u8>> = text.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    octets.filter(|octets| octets.len() == 6)
}

fn text_account(account: &Account, took: Duration) -> String {
    let rows = account
        .iter()
        .map(|(source, outcome, nanos)| vec![source.clone(), outcome.clone(), micros(u64::from(*nanos))]);
    let total = [vec!["(all)".to_owned(), "question and answer".to_owned(), micros(nanos(took))]];
    table(&["DOMAIN", "ASKED", "MICROSECONDS"], &[2], rows.chain(total)) + "\n"
}

fn json_account(account: &Account) -> Value {
    account
        .iter()
        .map(|(source, outcome, nanos)| json!({ "domain": source, "asked": outcome, "nanoseconds": nanos }))
        .collect()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn micros(nanos: u64) -> String {
    format!("{}.{}", nanos / 1000, nanos / 100 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_by_all_their_names() {
        assert_eq!(Asked::parse("passwd").unwrap(), Asked::Entries(Category::Passwd));
        assert_eq!(Asked::parse("user").unwrap(), Asked::Entries(Category::Passwd));
        assert_eq!(Asked::parse("hosts").unwrap(), Asked::Entries(Category::Host));
        assert_eq!(Asked::parse("initgroups").unwrap(), Asked::Initgroups);
        assert_eq!(Asked::parse("elephants").unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn keys() {
        let of = |category, text: &'static str| Parsed::of(category, text.as_bytes());
        assert_eq!(of(Category::Passwd, "501"), Parsed::Number(501));
        assert_eq!(of(Category::Passwd, "+501"), Parsed::Name(b"+501"));
        assert_eq!(of(Category::Group, "4294967296"), Parsed::Name(b"4294967296"));
        assert_eq!(of(Category::Host, "10.0.0.1"), Parsed::Address(vec![10, 0, 0, 1]));
        assert_eq!(of(Category::Host, "gate"), Parsed::Name(b"gate"));
        assert_eq!(of(Category::Network, "172.16"), Parsed::Number(0xac10_0000));
        assert_eq!(of(Category::Network, "10.0.0.0.0"), Parsed::Name(b"10.0.0.0.0"));
        assert_eq!(of(Category::Ether, "0:5:2:fe:ef:4b"), Parsed::Address(vec![0, 5, 2, 0xfe, 0xef, 0x4b]));
        assert_eq!(of(Category::Ether, "gate"), Parsed::Name(b"gate"));
        assert_eq!(of(Category::Service, "80/tcp"), Parsed::Port(80, b"tcp"));
        assert_eq!(of(Category::Service, "http"), Parsed::Service(b"http", b""));
        assert_eq!(of(Category::Service, "9pfs/udp"), Parsed::Service(b"9pfs", b"udp"));
        assert_eq!(of(Category::Alias, "1"), Parsed::Name(b"1"));
    }

    #[test]
    fn times_in_microseconds() {
        assert_eq!(micros(1_234_567), "1234.5");
        assert_eq!(micros(99), "0.0");
    }
}
