//! SASL SCRAM-SHA-256 (RFC 5802, RFC 7677): the client proves its password without sending it, and the server that it
//! knows the password too. No channel binding.
//!
//! Two messages of the client, each a bind of its own (RFC 4513 §5.2.1.1): [`ClientFirst`] is answered with a
//! [`Challenge`], [`ClientFinal`] has the proof.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use netinfo_directory::password::scram::Keys;
use netinfo_wire::ldap::ResultCode;

use crate::failure::{Failure, Outcome};

/// The mechanism's name.
pub(crate) const NAME: &str = "SCRAM-SHA-256";
/// Random bytes of the server's part of the nonce.
const NONCE_LEN: usize = 18;
/// Longest nonce of a client, in bytes.
pub(crate) const MAX_NONCE: usize = 256;

/// The client's first message: `n,[a=AUTHZID],n=USER,r=NONCE`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFirst<'a> {
    /// What comes before the message proper, which the final message repeats.
    header: &'a str,
    /// The message proper (`client-first-message-bare`).
    bare: &'a str,
    /// Whom to act as.
    pub(crate) authz: Option<Cow<'a, str>>,
    /// Whose password it is.
    pub(crate) name: Cow<'a, str>,
    nonce: &'a str,
}

/// What the server remembers between its challenge and the proof.
#[derive(Debug)]
pub(crate) struct Challenge {
    /// Base64 of the header.
    header: String,
    /// Both nonces.
    nonce: String,
    /// The two first messages, each with a comma behind it.
    messages: String,
    /// What the proof is made with.
    pub(crate) keys: Keys,
}

/// The client's final message: `c=HEADER,r=NONCE,p=PROOF`.
#[derive(Debug)]
pub(crate) struct ClientFinal {
    /// The messages that are proved and signed.
    pub(crate) messages: Vec<u8>,
    /// The proof.
    pub(crate) proof: Vec<u8>,
}

impl<'a> ClientFirst<'a> {
    /// Reads the message.
    pub(crate) fn parse(message: &'a [u8]) -> Outcome<Self> {
        let text = str::from_utf8(message).map_err(|_| malformed())?;
        let mut parts = text.splitn(3, ',');
        let (Some(binding), Some(authz), Some(bare)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        if binding.starts_with("p=") {
            let message = "channel binding is not served";
            return Err(Failure::new(ResultCode::InappropriateAuthentication, message));
        }
        if binding != "n" && binding != "y" {
            return Err(malformed());
        }
        let authz = match authz {
            "" => None,
            authz => Some(name(authz.strip_prefix("a=").ok_or_else(malformed)?)?),
        };
        let mut attributes = bare.split(',');
        // An `m=` in front would be an extension that must be understood.
        let own = attributes.next().and_then(|part| part.strip_prefix("n=")).ok_or_else(malformed)?;
        let nonce = attributes.next().and_then(|part| part.strip_prefix("r=")).ok_or_else(malformed)?;
        let printable = nonce.bytes().all(|byte| byte.is_ascii_graphic());
        if nonce.is_empty() || nonce.len() > MAX_NONCE || !printable {
            return Err(malformed());
        }
        let header = &text[..text.len() - bare.len()];
        Ok(Self { header, bare, authz, name: name(own)?, nonce })
    }

    /// Answers with the salt and rounds of the keys.
    pub(crate) fn challenge(&self, keys: Keys) -> Outcome<(Challenge, String)> {
        let mut random = [0; NONCE_LEN];
        getrandom::fill(&mut random).map_err(|_| {
            Failure::new(ResultCode::Unavailable, "no random bytes from the operating system")
        })?;
        Ok(self.challenge_with(keys, &random))
    }

    fn challenge_with(&self, keys: Keys, random: &[u8]) -> (Challenge, String) {
        let nonce = format!("{}{}", self.nonce, Base64::encode_string(random));
        let answer = format!("r={nonce},s={},i={}", Base64::encode_string(keys.salt()), keys.rounds());
        let header = Base64::encode_string(self.header.as_bytes());
        let messages = format!("{},{answer},", self.bare);
        (Challenge { header, nonce, messages, keys }, answer)
    }
}

impl Challenge {
    /// Reads the client's final message, which must belong to this challenge.
    pub(crate) fn finish(&self, message: &[u8]) -> Outcome<ClientFinal> {
        let text = str::from_utf8(message).map_err(|_| malformed())?;
        let (without, proof) = text.rsplit_once(",p=").ok_or_else(malformed)?;
        let mut parts = without.split(',');
        let header = parts.next().and_then(|part| part.strip_prefix("c="));
        let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
        if header != Some(&self.header) || nonce != Some(&self.nonce) {
            return Err(Failure::new(ResultCode::InvalidCredentials, ""));
        }
        let proof = Base64::decode_vec(proof).map_err(|_| malformed())?;
        Ok(ClientFinal { messages: format!("{}{without}", self.messages).into_bytes(), proof })
    }

    /// The server's final message: what shows that it knows the password too.
    pub(crate) fn signature(&self, messages: &[u8]) -> String {
        format!("v={}", Base64::encode_string(&self.keys.signature(messages)))
    }
}

/// A name, in which `=2C` and `=3D` stand for comma and equals sign.
fn name(text: &str) -> Outcome<Cow<'_, str>> {
    if text.is_empty() || text.contains('\0') {
        return Err(malformed());
    }
    let mut pieces = text.split('=');
    let Some(first) = pieces.next().filter(|first| first.len() < text.len()) else { return Ok(text.into()) };
    let mut name = first.to_owned();
    for piece in pieces {
        let (sign, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return Err(malformed()),
        };
        name.push(sign);
        name.push_str(rest);
    }
    Ok(name.into())
}

fn malformed() -> Failure {
    Failure::new(ResultCode::ProtocolError, "the SASL credentials are malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(message: &str) -> Outcome<ClientFirst<'_>> {
        ClientFirst::parse(message.as_bytes())
    }

    #[test]
    fn first_messages() {
        let plain = first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!((plain.name.as_ref(), plain.authz, plain.header), ("user", None, "n,,"));
        let full = first("y,a=dn:uid=3Da=2Cdc=3Db,n=a=3Db=2Cc,r=x,more=1").unwrap();
        assert_eq!(full.authz.as_deref(), Some("dn:uid=a,dc=b"));
        assert_eq!(full.name, "a=b,c");
        assert_eq!(full.bare, "n=a=3Db=2Cc,r=x,more=1");
        let long = format!("n,,n=user,r={}", "x".repeat(MAX_NONCE + 1));
        for wrong in [
            "",
            "n",
            "n,,",
            "n,,n=user",
            "n,,n=,r=x",
            "n,,n=user,r=",
            "x,,n=user,r=x",
            "n,b=,n=user,r=x",
            "n,,m=1,n=user,r=x",
            "n,,n=a=b,r=x",
            "n,,n=a=,r=x",
            "n,,n=user,r=x y",
            &long,
        ] {
            assert_eq!(first(wrong).map(|_| ()).unwrap_err().code, ResultCode::ProtocolError, "{wrong}");
        }
        let bound = first("p=tls-exporter,,n=user,r=x").map(|_| ()).unwrap_err();
        assert_eq!(bound.code, ResultCode::InappropriateAuthentication);
    }
}
