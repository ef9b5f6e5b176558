//! A certificate of our own making, so that TLS works from the first start.
//!
//! It vouches for nothing by itself: clients have to be told to trust it, or not to ask. It is valid for ten years and
//! never replaced, because clients may know it by heart; to have another one remove both files and restart.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

use super::tls::{Names, TlsError};

/// The certificate, in the data directory.
pub const CERTIFICATE_FILE: &str = "netinfod.crt";
/// Its private key.
pub const KEY_FILE: &str = "netinfod.key";

/// How long the certificate is valid.
const VALIDITY: Duration = Duration::from_secs(3652 * DAY);
/// How long it has been valid when it is made: clocks differ.
const SLACK: Duration = Duration::from_secs(DAY);
const DAY: u64 = 24 * 3600;

const CERTIFICATE_MODE: u32 = 0o644;
const KEY_MODE: u32 = 0o600;

/// The files of certificate and key in `data`; made if both are missing.
pub(super) fn find_or_make(data: &Path, names: &Names) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (data.join(CERTIFICATE_FILE), data.join(KEY_FILE));
    if !certificate.exists() || !key.exists() {
        make(&certificate, &key, names)
            .map_err(|error| TlsError::SelfSigned { path: data.to_owned(), reason: error.to_string() })?;
        tracing::info!("made a certificate for TLS: {}", certificate.display());
    }
    Ok((certificate, key))
}

fn make(
    certificate: &Path,
    key: &Path,
    names: &Names,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if let Some(data) = certificate.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    }
    let pair = KeyPair::generate()?;
    let signed = params(names)?.self_signed(&pair)?;
    // The key first: a certificate without its key would be no use.
    write(key, KEY_MODE, pair.serialize_pem().as_bytes())?;
    write(certificate, CERTIFICATE_MODE, signed.pem().as_bytes())?;
    Ok(())
}

fn params(names: &Names) -> Result<CertificateParams, rcgen::Error> {
    // Host names that no certificate can hold are left out, rather than the certificate.
    let hosts = names.hosts.iter().filter_map(|host| host.as_str().try_into().ok().map(SanType::DnsName));
    let addresses = names.addresses.iter().copied().map(SanType::IpAddress);
    let mut params = CertificateParams::new(Vec::new())?;
    params.subject_alt_names = hosts.chain(addresses).collect();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let name = names.hosts.first().map_or("localhost", String::as_str);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(SLACK);
    params.not_after = epoch + now + VALIDITY;
    Ok(params)
}

/// Writes a file in one step: nobody sees half of it, or a key with other permissions.
fn write(path: &Path, mode: u32, text: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::certificate;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn key_is_for_its_owner_alone_and_names_are_in_the_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let names = Names {
            hosts: vec!["ada.example.org".into(), "localhost".into(), "b\u{e9}b\u{e9}".into()],
            addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        };
        let (certificate, key) = find_or_make(dir.path(), &names).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&certificate), mode(&key)), (0o644, 0o600));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
        let der = CertificateDer::from_pem_file(&certificate).unwrap();
        assert_eq!(certificate::describe(&der).unwrap().subject, "CN=ada.example.org");
        for name in [&b"ada.example.org"[..], b"localhost", &[127, 0, 0, 1]] {
            assert!(der.windows(name.len()).any(|part| part == name));
        }
        assert!(!der.windows(2).any(|part| part == "\u{e9}".as_bytes()));
    }
}
