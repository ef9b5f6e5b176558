//! The questions over TCP: listen first, then RPC, LDAP and TLS, the likely one first.

use std::io;
use std::net::{SocketAddr, TcpStream};

use super::budget::{self, Budget};
use super::speech::{self, Speech};
use super::verdict::Verdict;
use super::{ldap, rpc, tls};
use crate::limits::{BANNER_WAIT, CONNECT_WAIT, MAX_BANNER};

/// A protocol to ask in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Rpc,
    Ldap,
    Tls,
}

/// What came of asking in one protocol.
pub(super) enum Outcome {
    /// That is what it is.
    Found(Box<Verdict>),
    /// It answered in another protocol.
    Said(Vec<u8>),
    /// It closed the connection.
    HungUp,
    /// It said nothing.
    Silent,
}

impl Outcome {
    /// By an error of the stream.
    pub(super) fn of(error: &io::Error) -> Self {
        if budget::is_timeout(error) { Self::Silent } else { Self::HungUp }
    }
}

/// The order of the questions: fewest packets for what usually is at a port.
const fn order(port: u16) -> [Question; 3] {
    match port {
        389 | 3268 => [Question::Ldap, Question::Rpc, Question::Tls],
        443 | 636 | 3269 | 853 | 993 | 995 | 8443 => [Question::Tls, Question::Ldap, Question::Rpc],
        _ => [Question::Rpc, Question::Ldap, Question::Tls],
    }
}

/// Asks what is at a TCP port.
pub fn ask(target: SocketAddr) -> Verdict {
    let mut budget = Budget::default();
    let stream = match connect(target, &mut budget) {
        Ok(stream) => stream,
        Err(verdict) => return *verdict,
    };
    match speech::listen(&stream, budget.until(BANNER_WAIT)) {
        Speech::Says(said) => return spoken(&said),
        Speech::HangsUp => return Verdict::HangsUp,
        Speech::Waits => {}
    }
    let mut first = Some(stream);
    let mut said: Option<Vec<u8>> = None;
    let mut silent = false;
    for question in order(target.port()) {
        let Some(stream) = first.take().or_else(|| connect(target, &mut budget).ok()) else { break };
        let outcome = match question {
            Question::Rpc => rpc::ask(stream, target, &mut budget),
            Question::Ldap => ldap::ask(&stream, &mut budget),
            Question::Tls => tls::ask(stream, target.ip(), &mut budget),
        };
        match outcome {
            Outcome::Found(verdict) => return *verdict,
            Outcome::Said(bytes) if speech::sounds_like(&bytes).is_some() => return spoken(&bytes),
            // Its alert tells of TLS; the handshake tells more.
            Outcome::Said(bytes) if !speech::is_tls(&bytes) => said = said.or(Some(bytes)),
            Outcome::Said(_) | Outcome::HungUp => {}
            Outcome::Silent => silent = true,
        }
    }
    match said {
        Some(said) => spoken(&said),
        None if silent => Verdict::Silent,
        None => Verdict::HangsUp,
    }
}

fn spoken(said: &[u8]) -> Verdict {
    let said = said.get(..said.len().min(MAX_BANNER)).unwrap_or_default();
    Verdict::Speaks { sounds_like: speech::sounds_like(said), said: said.to_vec() }
}

/// Connects from any port.
pub(super) fn connect(target: SocketAddr, budget: &mut Budget) -> Result<TcpStream, Box<Verdict>> {
    if !budget.connection() {
        return Err(Box::new(Verdict::NoAnswer));
    }
    let wait = budget::left(budget.until(CONNECT_WAIT)).map_err(|_| Box::new(Verdict::NoAnswer))?;
    let stream = TcpStream::connect_timeout(&target, wait).map_err(|error| {
        Box::new(match error.kind() {
            io::ErrorKind::ConnectionRefused => Verdict::Closed,
            io::ErrorKind::ConnectionReset => Verdict::HangsUp,
            _ if budget::is_timeout(&error) => Verdict::NoAnswer,
            _ => Verdict::Unreachable(netinfo_client::error::plain(&error)),
        })
    })?;
    // Questions are small and wait for their answers.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_asks_everything_once() {
        for port in [111, 389, 636, 945] {
            let order = order(port);
            for question in [Question::Rpc, Question::Ldap, Question::Tls] {
                assert!(order.contains(&question));
            }
        }
        assert_eq!(
            (order(389)[0], order(636)[0], order(945)[0]),
            (Question::Ldap, Question::Tls, Question::Rpc)
        );
    }
}
