//! TLS: a handshake to learn that it is TLS, and LDAP inside of it.
//!
//! Certificates are not judged: nothing is told to the other side that it may not know, and a server with a
//! certificate of its own making is as interesting as any.

use std::io;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme, Stream,
};

use super::budget::{Budget, Timed};
use super::ldap;
use super::tcp::Outcome;
use super::verdict::Verdict;

/// Asks over a new connection.
pub(super) fn ask(stream: TcpStream, host: IpAddr, budget: &mut Budget) -> Outcome {
    let Some(until) = budget.question() else { return Outcome::Silent };
    let Ok(mut connection) = client(host) else { return Outcome::Silent };
    let mut timed = Timed::new(&stream, until);
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut timed) {
            return failed(&error);
        }
    }
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let tls = || Outcome::Found(Box::new(Verdict::Tls { version: Some(version) }));
    let Some(until) = budget.question() else { return tls() };
    let mut timed = Timed::new(&stream, until);
    match ldap::search(&mut Stream::new(&mut connection, &mut timed), true) {
        Outcome::Found(verdict) => Outcome::Found(verdict),
        _ => tls(),
    }
}

/// An alert is an answer in TLS too.
fn failed(error: &io::Error) -> Outcome {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::AlertReceived(_) | Error::PeerIncompatible(_) | Error::PeerMisbehaved(_)) => {
            Outcome::Found(Box::new(Verdict::Tls { version: None }))
        }
        // Whatever it said is not TLS.
        Some(_) => Outcome::HungUp,
        None => Outcome::of(error),
    }
}

fn client(host: IpAddr) -> Result<ClientConnection, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::IpAddress(host.into()))
}

/// Takes any certificate; the signatures of the handshake are checked as ever.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
