//! Keys, certificates and what else TLS needs to be told.
//!
//! The configuration in use can be exchanged while connections go on with the one they began with: `Tls::reload`.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::self_signed;
use crate::config::ldap::{ClientCertificates, MinTls};
use crate::settings::TlsSettings;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {what} {path}: {reason}")]
    File {
        /// What it holds.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key do not go together, or are of a kind that is not supported.
    #[error("cannot use the certificate {certificate} with the key {key}: {reason}")]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate for TLS in {path}: {reason}")]
    SelfSigned {
        /// The data directory.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

/// Names of this machine for a certificate of our own making.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Host names, the most important first.
    pub hosts: Vec<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
}

/// What TLS needs for each new connection.
pub(crate) struct Tls(ArcSwap<ServerConfig>);

impl Tls {
    /// Reads keys and certificates; where none are configured those in `data` are used, and made for `names` if they
    /// are not there.
    pub(crate) fn load(settings: &TlsSettings, data: &Path, names: &Names) -> Result<Self, TlsError> {
        config(settings, data, names).map(|config| Self(ArcSwap::from_pointee(config)))
    }

    /// Reads everything again. New connections use it; after an error they go on with what they have.
    pub(crate) fn reload(&self, settings: &TlsSettings, data: &Path, names: &Names) -> Result<(), TlsError> {
        self.0.store(Arc::new(config(settings, data, names)?));
        Ok(())
    }

    /// The server's end of a new connection.
    pub(crate) fn accept(&self) -> Result<ServerConnection, rustls::Error> {
        let mut connection = ServerConnection::new(self.0.load_full())?;
        // How much is sent at once is up to the driver.
        connection.set_buffer_limit(None);
        Ok(connection)
    }
}

fn config(settings: &TlsSettings, data: &Path, names: &Names) -> Result<ServerConfig, TlsError> {
    let (certificate, key) = match &settings.files {
        Some(files) => files.clone(),
        None => self_signed::find_or_make(data, names)?,
    };
    let chain = certificates("the certificate", &certificate)?;
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|e| unreadable("the private key", &key, e))?;
    let pair = |reason: String| TlsError::Pair { certificate: certificate.clone(), key: key.clone(), reason };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions(settings.minimum))
        .map_err(|error| pair(error.to_string()))?;
    let builder = match verifier(settings, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    builder.with_single_cert(chain, private).map_err(|error| pair(error.to_string()))
}

static SINCE_TLS12: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn versions(minimum: MinTls) -> &'static [&'static SupportedProtocolVersion] {
    match minimum {
        MinTls::Tls12 => &SINCE_TLS12,
        MinTls::Tls13 => &SINCE_TLS12[..1],
    }
}

/// Who verifies the certificates of clients; nobody where they are not asked for.
fn verifier(
    settings: &TlsSettings,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let Some(path) = settings.client_ca.as_ref().filter(|_| settings.clients != ClientCertificates::Off)
    else {
        return Ok(None);
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates("the authorities of clients", path)? {
        roots.add(authority).map_err(|e| unreadable("the authorities of clients", path, e))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match settings.clients {
        ClientCertificates::Require => builder,
        ClientCertificates::Ask | ClientCertificates::Off => builder.allow_unauthenticated(),
    };
    builder.build().map(Some).map_err(|e| unreadable("the authorities of clients", path, e))
}

/// All certificates in a PEM file; there is at least one.
fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, pem::Error>>);
    match read {
        Ok(list) if list.is_empty() => Err(unreadable(what, path, "no certificate is in it")),
        Ok(list) => Ok(list),
        Err(error) => Err(unreadable(what, path, error)),
    }
}

fn unreadable(what: &'static str, path: &Path, reason: impl Display) -> TlsError {
    TlsError::File { what, path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names() -> Names {
        Names {
            hosts: vec!["alpha".into(), "localhost".into()],
            addresses: vec!["127.0.0.1".parse().unwrap()],
        }
    }

    fn load(settings: &TlsSettings, data: &Path) -> Result<Tls, String> {
        Tls::load(settings, data, &names()).map_err(|error| error.to_string())
    }

    #[test]
    fn certificate_of_our_own_making_is_usable_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let tls = load(&TlsSettings::default(), dir.path()).unwrap();
        tls.accept().unwrap();
        let before = fs::read(dir.path().join(self_signed::CERTIFICATE_FILE)).unwrap();
        tls.reload(&TlsSettings::default(), dir.path(), &names()).unwrap();
        assert_eq!(fs::read(dir.path().join(self_signed::CERTIFICATE_FILE)).unwrap(), before);
    }

    #[test]
    fn files_are_named_when_something_is_wrong_with_them() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        let (certificate, _) = self_signed::find_or_make(&one, &names()).unwrap();
        let (_, key) = self_signed::find_or_make(&other, &names()).unwrap();
        let with = |files| TlsSettings { files: Some(files), ..TlsSettings::default() };
        let error = load(&with((certificate.clone(), key.clone())), dir.path()).err().unwrap();
        assert!(error.contains(&key.display().to_string()) && error.contains("cannot use"), "{error}");
        let absent = dir.path().join("absent");
        let error = load(&with((absent.clone(), key.clone())), dir.path()).err().unwrap();
        assert!(error.starts_with("cannot read the certificate") && error.contains("absent"), "{error}");
        let error = load(&with((key.clone(), key.clone())), dir.path()).err().unwrap();
        assert!(error.ends_with("no certificate is in it"), "{error}");
        let error = load(&with((certificate.clone(), certificate)), dir.path()).err().unwrap();
        assert!(error.starts_with("cannot read the private key"), "{error}");
        let asked = TlsSettings {
            clients: ClientCertificates::Require,
            client_ca: Some(absent),
            ..TlsSettings::default()
        };
        let error = load(&asked, &one).err().unwrap();
        assert!(error.starts_with("cannot read the authorities of clients"), "{error}");
    }
}
